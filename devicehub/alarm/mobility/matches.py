"""What the peaks in the windows of substances amount to in one mode of a run."""

import numpy as np

from devicehub.alarm.mobility.peaks import Floats, Indices
from devicehub.alarm.mobility.state import ModeView, longest
from devicehub.alarm.mobility.verdict import Finding, Match


def matches(view: ModeView, residue: Floats) -> list[Match]:
    """One match for each substance of the mode of which anything was seen in a usable scan.

    A scan that is not usable neither counts nor interrupts. `residue`: counts per substance, left from before.
    """
    seen, rows = view.scans.sightings, view.usable
    strength = seen.strength[rows].max(axis=0, initial=0.0)
    mode = view.name
    found = [int(index) for index in np.flatnonzero(strength) if view.library.substances[index].mode == mode]
    if not found:
        return []
    met = longest(seen.present[rows])
    clean = longest(seen.present[rows] & ~seen.excluded[rows])
    out: list[Match] = []
    for index in found:
        least = view.library.substances[index].minimum_scans
        if clean[index] >= least:
            left = view.library.run.carry_over * residue[index]
            finding = Finding.CARRIED_OVER if strength[index] < left else Finding.ALARM
        elif met[index] >= least:
            finding = Finding.EXCLUDED
        else:
            finding = Finding.BRIEF if met[index] else Finding.PARTIAL
        out.append(_match(view, rows, index, finding, int(met[index])))
    return out


def _match(view: ModeView, rows: Indices, index: int, finding: Finding, scans: int) -> Match:
    """With the numbers of the strongest peak in a usable scan."""
    library, candidates = view.library, view.scans.candidates
    substance = library.substances[index]
    lines = library.rules.required[index] | library.rules.any_of[index]
    span = view.peaks
    own = (candidates.hit[span] & lines).any(axis=1) & np.isin(candidates.scan[span], rows)
    best = span.start + int(np.argmax(np.where(own, candidates.amplitude[span], -1.0)))
    hit = np.flatnonzero(candidates.hit[best])
    known = (library.lines[line].name for line in hit if library.lines[line].interferent)
    return Match(
        substance=substance.name,
        group=substance.group,
        mode=substance.mode,
        finding=finding,
        line=next(library.lines[line].name for line in hit if lines[line]),
        k0=float(candidates.k0[best]),
        amplitude=float(candidates.amplitude[best]),
        snr=float(candidates.snr[best]),
        scan=int(np.searchsorted(view.rows, candidates.scan[best])),
        scans=scans,
        interferents=tuple(dict.fromkeys((*known, *substance.interferents))),
    )
