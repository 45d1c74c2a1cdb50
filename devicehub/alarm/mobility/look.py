"""Every peak of a scan that is neither calibrant nor reactant ion."""

from dataclasses import dataclass

import numpy as np

from devicehub.alarm.mobility.drift import Facts
from devicehub.alarm.mobility.peaks import Counts, Flags, Floats, Indices, fit, tops
from devicehub.alarm.mobility.references import ZONE, References, Scale
from devicehub.alarm.mobility.substances import Mode, SignalRules, SubstanceLibrary

SAME_SCALE = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """Peaks: row, apex in ms, counts, width in ms. What has no shape of a peak has its highest sample and no end."""

    row: Indices
    ms: Floats
    amplitude: Floats
    fwhm_ms: Floats


def differs(facts: Facts, mode: Mode | None) -> bool:
    """The instrument's calibrant is not the one that the library's K0 values are relative to."""
    if mode is None or facts.calibrant.strip().casefold() != mode.calibrant.name.casefold():
        return True
    return not abs(facts.calibrant_k0 / mode.calibrant.k0 - 1) <= SAME_SCALE


def blind(found: References, scale: Scale, mode: Indices, library: SubstanceLibrary) -> Flags:
    """Calibrated rows in which a window that a substance needs cannot be looked into.

    Relative to the calibrant's drift time the windows stand still, so that overlaps are counted by two searches:
    windows that begin before a zone ends, less those that end before it begins.
    """
    out = np.zeros(mode.size, dtype=np.bool_)
    table = library.rules
    for index, one in enumerate(library.modes):
        lines = (table.mode == index) & ~table.interferent
        rows = np.flatnonzero((mode == index) & found.calibrant.seen)
        if not rows.size or not lines.any():
            continue
        begins = np.sort(one.calibrant.k0 / (table.k0[lines] + table.window[lines]))
        ends = np.sort(one.calibrant.k0 / (table.k0[lines] - table.window[lines]))
        unit = found.calibrant.ms[rows]
        hidden = begins[0] * unit < scale.start + scale.step * scale.reach
        hidden |= ends[-1] * unit > scale.start + scale.step * (scale.points - 1 - scale.reach)
        for reference in (found.reactant, found.calibrant):
            half = ZONE * reference.fwhm_ms[rows]
            before = np.searchsorted(begins, (reference.ms[rows] + half) / unit, side="left")
            hidden |= before > np.searchsorted(ends, (reference.ms[rows] - half) / unit, side="right")
        out[rows] = hidden
    return out


def other_peaks(
    counts: Counts, scale: Scale, found: References, calibrated: Flags, rules: SignalRules
) -> tuple[Others, Flags]:
    """Every other peak of the calibrated rows, in order of row and position, and the rows that reach full scale."""
    least = rules.snr * found.noise
    above = found.level + least
    first = int(np.clip(np.ceil(scale.sample(rules.quiet_ms[0])), 0, scale.points - 1))
    zones = (found.reactant.zone(scale), found.calibrant.zone(scale))
    highest = _stretches(counts, first, zones)
    outside = np.maximum(np.maximum(highest[:, 1], highest[:, 3]), highest[:, 5])
    inside = np.maximum(np.maximum(highest[:, 0], highest[:, 2]), highest[:, 4])
    clipped = np.maximum(inside, outside) >= scale.full_scale
    busy = np.flatnonzero(calibrated & (outside > above))
    rows, at = tops(counts[busy], above[busy], scale.reach)
    row: Indices = busy[rows]
    keep = at >= first
    for begin, end in zones:
        keep &= (at < begin[row]) | (at >= end[row])
    row, at = row[keep], at[keep]
    peaks = fit(counts, row, at, found.level[row], (scale.reach, scale.full_scale))
    centre = np.where(peaks.shapeless, at, peaks.centre)
    amplitude = np.where(peaks.shapeless, counts[row, at] - found.level[row], peaks.amplitude)
    fwhm = np.where(peaks.shapeless, np.inf, scale.step * peaks.fwhm)
    keep = (peaks.valid | peaks.shapeless) & (amplitude >= least[row]) & (centre >= first) & (fwhm >= rules.fwhm_ms[0])
    for begin, end in zones:
        keep &= (centre < begin[row]) | (centre >= end[row])
    ms = scale.start + scale.step * centre
    return Others(row[keep], ms[keep], amplitude[keep], fwhm[keep]), np.asarray(clipped)


def _stretches(counts: Counts, first: int, zones: tuple[tuple[Indices, Indices], tuple[Indices, Indices]]) -> Counts:
    """Maxima of the six stretches of each row: before `first`, then outside, in, outside, in, outside the zones.

    One `reduceat` over the whole batch. A stretch of no length is given one sample, which may be of the next: so a
    row may seem to have something outside the zones and have nothing, never the other way round.
    """
    (a, b), (c, d) = zones
    edges = np.stack([np.minimum(a, c), np.minimum(b, d), np.maximum(a, c), np.maximum(b, d)], axis=1)
    starts = np.zeros((len(counts), 6), dtype=np.intp)
    starts[:, 1] = first
    starts[:, 2:] = np.maximum(edges, first)
    starts += (np.arange(len(counts)) * counts.shape[1])[:, None]
    highest: Counts = np.maximum.reduceat(counts.reshape(-1), starts.reshape(-1)).reshape(-1, 6)
    return highest
