"""The peaks that have to be in every scan: reactant ion and calibrant.

The reactant ion is looked for where the sensors let it be expected; the calibrant where the reactant ion
puts it, since `t_calibrant / t_reactant = K0_reactant / K0_calibrant` whatever the gas. Each so vouches for the
other: a peak that is not the calibrant does not pass for it. Without a reactant ion the calibrant is looked for
where the sensors let it be expected.
"""

from dataclasses import dataclass

import numpy as np

from devicehub.alarm.mobility.peaks import Counts, Flags, Floats, Indices, fit, quiet_level
from devicehub.alarm.mobility.substances import Mode, Range, SignalRules

LEAST_QUIET = 8
# How far a reference peak may be from a Gaussian: for itself, and for the noise; see `Peaks.misfit`.
MISFIT, MISFIT_NOISE = 0.03, 2.0
ZONE = 1.75  # widths on either side; a Gaussian has fallen to 2e-4 there


@dataclass(frozen=True, slots=True)
class Scale:
    """From samples to ms: `ms = start + step * sample`. `full_scale` in counts, `reach` of a fit in samples."""

    start: float
    step: float
    points: int
    full_scale: float
    reach: int

    def sample(self, ms: Floats | float) -> Floats:
        """Samples of times, not rounded."""
        return np.asarray((ms - self.start) / self.step, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One reference peak per row: apex in ms, amplitude in counts, width in ms. Not `seen`: zeros."""

    ms: Floats
    amplitude: Floats
    fwhm_ms: Floats
    seen: Flags

    def zone(self, scale: Scale) -> tuple[Indices, Indices]:
        """First and past-the-last sample that belong to this peak alone; an empty zone where it was not seen."""
        low = np.floor(scale.sample(self.ms - ZONE * self.fwhm_ms))
        high = np.ceil(scale.sample(self.ms + ZONE * self.fwhm_ms)) + 1
        first, last = (np.clip(edge, 0, scale.points - 1).astype(np.intp) for edge in (low, high))
        return np.where(self.seen, first, 0), np.where(self.seen, last, 0)


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Level and noise in counts, and both reference peaks, one element per row."""

    level: Floats
    noise: Floats
    reactant: Reading
    calibrant: Reading


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What is expected in each row: windows in ms of shape (rows, 2), K0_reactant / K0_calibrant, its tolerance."""

    reactant_ms: Floats
    calibrant_ms: Floats
    ratio: Floats
    tolerance: Floats


def expected(windows: tuple[Floats, Floats], mode: Indices, modes: tuple[Mode, ...]) -> Expected:
    """Windows of reactant ion and calibrant, and the mode of each row; without a mode nothing is to be found."""
    ratio = np.array([*(one.reactant.k0 / one.calibrant.k0 for one in modes), 1.0])[mode]
    tolerance = np.array([*(one.pair_tolerance for one in modes), 0.0])[mode]
    nowhere = np.array([0.0, -1.0])
    reactant, calibrant = (np.where(mode[:, None] >= 0, window, nowhere) for window in windows)
    return Expected(reactant, calibrant, ratio, tolerance)


def find(counts: Counts, scale: Scale, where: Expected, rules: SignalRules) -> References:
    """Find both references in each row."""
    level, noise = _levels(counts, scale, rules.quiet_ms)
    search = _Search(counts, scale, level, noise, rules.snr, rules.fwhm_ms)
    reactant = search.highest(where.reactant_ms)
    middle = reactant.ms * where.ratio
    low = np.maximum(where.calibrant_ms[:, 0], np.where(reactant.seen, middle * (1 - where.tolerance), -np.inf))
    high = np.minimum(where.calibrant_ms[:, 1], np.where(reactant.seen, middle * (1 + where.tolerance), np.inf))
    return References(level, noise, reactant, search.highest(np.stack([low, high], axis=1)))


def _levels(counts: Counts, scale: Scale, quiet: Range) -> tuple[Floats, Floats]:
    """Level and noise; the noise is infinite, so that nothing is a peak, when too little of the trace is quiet."""
    first, last = (int(np.clip(np.ceil(scale.sample(ms)), 0, scale.points)) for ms in quiet)
    if last - first < LEAST_QUIET:
        return np.zeros(len(counts)), np.full(len(counts), np.inf)
    return quiet_level(counts, first, last)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    counts: Counts
    scale: Scale
    level: Floats
    noise: Floats
    least: float
    width: Range

    def highest(self, window: Floats) -> Reading:
        """The peak at the highest sample of each row's window (ms), if it is one and its apex is in the window."""
        limits = np.minimum(np.maximum(self.scale.sample(window), -1.0), float(self.scale.points))
        first = np.maximum(np.ceil(limits[:, 0]), 0.0).astype(np.intp)
        past = np.minimum(np.floor(limits[:, 1]) + 1.0, float(self.scale.points)).astype(np.intp)
        rows = np.flatnonzero(past > first)
        out = [np.zeros(len(self.counts)) for _ in range(3)]
        if rows.size:
            at = self._highest_sample(rows, first[rows], past[rows])
            peaks = fit(self.counts, rows, at, self.level[rows], (self.scale.reach, self.scale.full_scale))
            ms = self.scale.start + self.scale.step * peaks.centre
            fwhm = self.scale.step * peaks.fwhm
            good = peaks.valid & (peaks.amplitude >= self.least * self.noise[rows])
            good &= peaks.misfit <= MISFIT + MISFIT_NOISE * self.noise[rows] / np.maximum(peaks.amplitude, 1e-9)
            good &= (fwhm >= self.width[0]) & (fwhm <= self.width[1])
            good &= (ms >= window[rows, 0]) & (ms <= window[rows, 1])
            for values, into in zip((ms, peaks.amplitude, fwhm), out, strict=True):
                into[rows] = values * good
        return Reading(out[0], out[1], out[2], out[1] > 0)

    def _highest_sample(self, rows: Indices, first: Indices, past: Indices) -> Indices:
        """Column of the first highest sample in columns `first` to `past` - 1 of each row.

        All windows are given the widest one's width; where the highest then lies outside, the row is searched again.
        """
        width = int((past - first).max())
        begin = np.minimum(first, self.scale.points - width)
        part = np.lib.stride_tricks.sliding_window_view(self.counts, width, axis=1)[rows, begin]
        at: Indices = begin + part.argmax(axis=1)
        again = np.flatnonzero((at < first) | (at >= past))
        columns = begin[again, None] + np.arange(width)
        outside = (columns < first[again, None]) | (columns >= past[again, None])
        at[again] = begin[again] + np.where(outside, part.min(), part[again]).argmax(axis=1)
        # Where nothing is higher than the lowest value of all, the first sample is taken.
        return np.asarray(np.minimum(np.maximum(at, first), past - 1), dtype=np.intp)
