"""A batch of scans in, what each of them shows out. Pure, no state."""

import numpy as np

from devicehub.alarm.mobility.look import Others, blind, differs, other_peaks
from devicehub.alarm.mobility.peaks import Counts, Flags, Floats, Indices
from devicehub.alarm.mobility.references import References, Scale, expected, find
from devicehub.alarm.mobility.scans import Candidates, ScanBatch, Scans, Sightings
from devicehub.alarm.mobility.substances import SignalRules, SubstanceLibrary


def judge_scans(batch: ScanBatch, library: SubstanceLibrary) -> Scans:
    """Look at every scan of a batch. Raises `ValueError` when the arrays of the batch do not fit each other."""
    _check(batch)
    counts, damaged = _finite(batch.counts)
    scale, mode = _scale(batch, library.signal), _modes(batch, library)
    where = expected(
        (_of(batch, [one.reactant_ms for one in batch.facts]), _of(batch, [one.calibrant_ms for one in batch.facts])),
        mode,
        library.modes,
    )
    found = find(counts, scale, where, library.signal)
    other_scale, calibrated = _calibrated(batch, found, mode, library)
    peaks, clipped = other_peaks(counts, scale, found, calibrated, library.signal)
    product = np.array([*(one.calibrant.k0 for one in library.modes), 0.0])[mode] * found.calibrant.ms
    candidates = _candidates(peaks, found, product, mode, library)
    least = np.array([*(one.reactant.amplitude[0] for one in library.modes), np.inf])[mode]
    enough = found.reactant.seen & (found.reactant.amplitude >= least)
    strongest = np.zeros(mode.size)
    np.maximum.at(strongest, candidates.scan, candidates.amplitude)
    return Scans(
        mode=mode,
        level=found.level,
        noise=found.noise,
        reactant=found.reactant,
        calibrant=found.calibrant,
        calibrated=calibrated,
        reactant_ok=enough,
        saturated=clipped | batch.saturated | (found.reactant.seen & ~enough & (strongest >= least)),
        blind=blind(found, scale, mode, library),
        damaged=damaged,
        other_scale=other_scale,
        sightings=sightings(candidates, mode.size, library),
        candidates=candidates,
        digest=library.digest,
    )


def _check(batch: ScanBatch) -> None:
    if batch.counts.ndim != 2 or {batch.fact.shape, batch.saturated.shape} != {batch.counts.shape[:1]}:
        raise ValueError("counts must be of shape (scans, points), fact and saturated of shape (scans,)")
    if batch.counts.shape[1] < 2 or not (np.isfinite(batch.start_ms) and 0 < batch.step_ms < np.inf):
        raise ValueError("the axis must have two points, be finite, and its step be positive")


def _finite(counts: Counts) -> tuple[Counts, Flags]:
    """Counts with damaged rows set to zero, and which they are."""
    if counts.dtype.kind in "ui":
        return np.ascontiguousarray(counts), np.zeros(len(counts), dtype=np.bool_)
    damaged: Flags = ~np.asarray(np.isfinite(counts).all(axis=1))
    whole = np.where(damaged[:, None], counts.dtype.type(0), counts) if damaged.any() else counts
    return np.ascontiguousarray(whole), damaged


def _modes(batch: ScanBatch, library: SubstanceLibrary) -> Indices:
    names = [mode.name for mode in library.modes]
    known = [names.index(one.mode) if one.mode in names else -1 for one in batch.facts]
    return np.array(known, dtype=np.intp)[batch.fact]


def _of(batch: ScanBatch, values: list[tuple[float, float]]) -> Floats:
    return np.array(values, dtype=np.float64).reshape(-1, 2)[batch.fact]


def _scale(batch: ScanBatch, rules: SignalRules) -> Scale:
    middle = 0.5 * (rules.fwhm_ms[0] + rules.fwhm_ms[1])
    reach = max(2, round(0.5 * middle / batch.step_ms))
    return Scale(batch.start_ms, batch.step_ms, batch.counts.shape[1], batch.full_scale, reach)


def _calibrated(batch: ScanBatch, found: References, mode: Indices, library: SubstanceLibrary) -> tuple[Flags, Flags]:
    """Which scans are of another scale, and which are calibrated."""
    by_name = {one.name: one for one in library.modes}
    other = np.array([differs(one, by_name.get(one.mode)) for one in batch.facts], dtype=np.bool_)[batch.fact]
    low = np.array([*(one.calibrant.amplitude[0] for one in library.modes), np.inf])[mode]
    high = np.array([*(one.calibrant.amplitude[1] for one in library.modes), -np.inf])[mode]
    amplitude = found.calibrant.amplitude
    return other, found.calibrant.seen & ~other & (amplitude >= low) & (amplitude <= high)


def _candidates(
    peaks: Others, found: References, product: Floats, mode: Indices, library: SubstanceLibrary
) -> Candidates:
    """`product`: K0_cal * t_cal of each scan."""
    table = library.rules
    k0 = product[peaks.row] / peaks.ms
    broad = peaks.fwhm_ms > library.signal.fwhm_ms[1]
    hit = np.abs(k0[:, None] - table.k0) <= table.window
    hit &= (table.mode == mode[peaks.row][:, None]) & ~broad[:, None]
    snr = peaks.amplitude / found.noise[peaks.row]
    return Candidates(peaks.row, peaks.ms, k0, peaks.amplitude, snr, peaks.fwhm_ms, broad, hit)


def sightings(candidates: Candidates, scans: int, library: SubstanceLibrary) -> Sightings:
    """Which rules are met in which scan."""
    shape = (scans, len(library.substances))
    out = Sightings(np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros(shape))
    which, line = np.nonzero(candidates.hit)
    if not which.size or not library.substances:
        return out
    table = library.rules
    rows, within = np.unique(candidates.scan[which], return_inverse=True)
    flat = np.zeros(rows.size * len(library.lines))
    np.maximum.at(flat, within * len(library.lines) + line, candidates.amplitude[which])
    height = flat.reshape(rows.size, 1, len(library.lines))
    enough = height >= table.threshold[:, None]
    present = (enough | ~table.required).all(axis=2)
    present &= (enough & table.any_of).any(axis=2) | ~table.any_of.any(axis=1)
    out.present[rows] = present
    out.excluded[rows] = present & ((height > 0) & table.exclusion).any(axis=2)
    out.strength[rows] = np.where(table.required | table.any_of, height, 0.0).max(axis=2)
    return out
