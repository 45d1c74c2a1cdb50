"""Peaks in a batch of traces: level and noise, local maxima, Gaussian fits. All rows at once.

Positions and widths are in samples here; rows of `counts` are traces of equal length, of any real dtype.
The fit is the weighted log-parabola of H. Guo, "A simple algorithm for fitting a Gaussian function", IEEE Signal
Processing Magazine 28(5), 2011: `ln y = a + b x + c x**2`, weighted by `y**2`, which is exact on a clean Gaussian
and does not let the noise of the flanks rule.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]
Counts = NDArray[np.number]

QUIET_POINTS = 64
FLANK = 0.3
FIT_POINTS = 4
LEAST_NOISE = 0.5
FWHM = math.sqrt(8 * math.log(2))
_MAD = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Fitted peaks. `centre` and `fwhm` in samples, `amplitude` in counts above the level.

    Where `valid` is False nothing could be fitted, and the numbers are 0. `shapeless`: not because it is too narrow or
    too near an end, so that there is something there that is not one peak. `misfit`: root mean square of what the fit
    leaves of `ln y`, weighted; about 1 / SNR for a Gaussian, several tenths for noise.
    """

    row: Indices
    centre: Floats
    amplitude: Floats
    fwhm: Floats
    valid: Flags
    shapeless: Flags
    misfit: Floats


def quiet_level(counts: Counts, first: int, last: int) -> tuple[Floats, Floats]:
    """Level (median) and noise (1.4826 x median absolute deviation) of samples `first` to `last` - 1 of each row.

    At most `QUIET_POINTS` evenly spaced samples are looked at; of an even number the upper middle one is the
    median. The noise is at least `LEAST_NOISE` counts: a converter cannot be better.
    """
    stride = -(-(last - first) // QUIET_POINTS)
    window = counts[:, first:last:stride]
    middle = window.shape[1] // 2
    signed = window.astype(np.int32 if window.dtype.kind in "ui" and window.dtype.itemsize <= 2 else np.float64)
    level = np.partition(signed, middle, axis=1)[:, middle]
    deviation = np.partition(np.abs(signed - level[:, None]), middle, axis=1)[:, middle]
    return level.astype(np.float64), np.maximum(_MAD * deviation.astype(np.float64), LEAST_NOISE)


def tops(counts: Counts, above: Floats, reach: int) -> tuple[Indices, Indices]:
    """Row and column of every sample over its row's `above` that none within `reach` exceeds.

    Equal samples within `reach` of each other, as of a clipped peak, are one top: their middle.
    """
    highest = _dilated(counts, reach)
    found = np.flatnonzero((counts == highest) & _exceeds(counts, above))
    rows, columns = np.divmod(found, counts.shape[1])
    if not rows.size:
        return rows, columns
    begins = np.concatenate(([True], (rows[1:] != rows[:-1]) | (columns[1:] - columns[:-1] > reach)))
    firsts = np.flatnonzero(begins)
    lasts = np.append(firsts[1:], rows.size) - 1
    return rows[firsts], (columns[firsts] + columns[lasts]) // 2


def _exceeds(counts: Counts, limit: Floats) -> Flags:
    """Where a row's samples exceed its limit. Whole counts are compared as such: no conversion of the whole batch."""
    if not np.issubdtype(counts.dtype, np.integer):
        return np.asarray(counts > limit[:, None])
    info = np.iinfo(counts.dtype.str)
    least = np.floor(limit) + 1.0
    bound = np.clip(least, float(info.min), float(info.max)).astype(counts.dtype)
    return np.asarray((counts >= bound[:, None]) & (least <= info.max)[:, None])


def _dilated(counts: Counts, reach: int) -> Counts:
    """Maximum within `reach` samples on either side, by doubling: few passes whatever the reach."""
    rows, points = counts.shape
    width = 2 * reach + 1
    lowest = counts.min() if counts.size else 0
    padded = np.full((rows, points + 2 * reach), lowest, dtype=counts.dtype)
    padded[:, reach : reach + points] = counts
    covered = 1
    while 2 * covered <= width:
        padded = np.maximum(padded[:, :-covered], padded[:, covered:])
        covered *= 2
    rest = width - covered
    return np.maximum(padded[:, :points], padded[:, rest : rest + points])


def fit(counts: Counts, rows: Indices, at: Indices, level: Floats, shape: tuple[int, float]) -> Peaks:
    """Fit a Gaussian around each (row, at); `level` per fit; `shape` is (reach in samples, full scale in counts).

    Samples under `FLANK` of the highest and at full scale are left out. A fit is not valid within a reach of either
    end, with fewer than `FIT_POINTS` samples, when it opens upwards, or when its centre is beyond the reach.
    """
    reach, full_scale = shape
    stride = max(1, reach // 5)
    side = reach // stride
    width = 2 * side * stride + 1
    if counts.shape[1] < width:
        return _nothing(rows)
    first = at - side * stride
    inside = (first >= 0) & (first <= counts.shape[1] - width)
    windows = np.lib.stride_tricks.sliding_window_view(counts, width, axis=1)[:, :, ::stride]
    raw = windows[rows, np.minimum(np.maximum(first, 0), counts.shape[1] - width)].astype(np.float64)
    relative = raw - level[:, None]
    if raw.size and raw.max() >= full_scale:
        relative[raw >= full_scale] = 0.0
    scale = np.maximum(np.ascontiguousarray(relative.T).max(axis=0), 1e-9)  # four times as fast as along rows
    relative /= scale[:, None]
    usable = relative > FLANK
    np.copyto(relative, 1.0, where=~usable)
    weight = relative * relative * usable
    powers = (np.arange(-side, side + 1) * stride / reach)[:, None] ** np.arange(5)
    enough = inside & (np.count_nonzero(usable, axis=1) >= FIT_POINTS)
    logarithm = np.log(relative)
    weighted = weight * logarithm
    moments = (weight @ powers, weighted @ powers[:, :3], np.einsum("ij,ij->i", weighted, logarithm))
    return _solved(rows, at, moments, (enough, scale, reach))


def _nothing(rows: Indices) -> Peaks:
    blank = np.zeros(rows.size)
    never = np.zeros(rows.size, dtype=np.bool_)
    return Peaks(rows, blank, blank, blank, never, never, blank)


def _solved(rows: Indices, at: Indices, sums: tuple[Floats, Floats, Floats], given: tuple[Flags, Floats, int]) -> Peaks:
    """Solve the normal equations of the parabola by Cramer's rule, and turn it into a peak."""
    (s0, s1, s2, s3, s4), (t0, t1, t2) = sums[0].T, sums[1].T
    enough, scale, reach = given
    m0, m1, m2 = s2 * s4 - s3 * s3, s1 * s4 - s2 * s3, s1 * s3 - s2 * s2
    determinant = s0 * m0 - s1 * m1 + s2 * m2
    solvable = enough & (determinant > 1e-12)
    divisor = np.where(solvable, determinant, 1.0)
    constant = (t0 * m0 - t1 * m1 + t2 * m2) / divisor
    slope = (-t0 * m1 + t1 * (s0 * s4 - s2 * s2) - t2 * (s0 * s3 - s1 * s2)) / divisor
    bend = (t0 * m2 - t1 * (s0 * s3 - s1 * s2) + t2 * (s0 * s2 - s1 * s1)) / divisor
    peaked = solvable & (bend < 0)
    curved = np.where(peaked, bend, -1.0)
    shift = -0.5 * slope / curved
    valid = peaked & (np.abs(shift) <= 1.0)
    amplitude = scale * np.exp(np.where(valid, constant + 0.5 * slope * shift, 0.0))
    fwhm = FWHM * reach * np.sqrt(-0.5 / curved)
    residue = sums[2] - constant * t0 - slope * t1 - bend * t2
    misfit = np.sqrt(np.maximum(residue, 0.0) / np.where(s0 > 0, s0, 1.0))
    blank = np.where(valid, 1.0, 0.0)
    return Peaks(
        rows, blank * (at + reach * shift), blank * amplitude, blank * fwhm, valid, enough & ~valid, blank * misfit
    )
