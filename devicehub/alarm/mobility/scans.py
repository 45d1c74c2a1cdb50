"""Scans as they come in and what each of them shows: structs of arrays, one element per scan."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from devicehub.alarm.mobility.drift import Facts
from devicehub.alarm.mobility.peaks import Counts, Flags, Floats, Indices
from devicehub.alarm.mobility.references import Reading

FULL_SCALE = 65535.0
T = TypeVar("T", Reading, "Candidates", "Sightings")


@dataclass(frozen=True, slots=True, eq=False)
class ScanBatch:
    """Scans on one time axis: `counts` of shape (scans, points), any real dtype; axis in ms.

    `facts` are the distinct ones, `fact` says which holds for each scan. `saturated` is the instrument's own word;
    `full_scale` the count at which its converter clips.
    """

    counts: Counts
    start_ms: float
    step_ms: float
    facts: tuple[Facts, ...]
    fact: Indices
    saturated: Flags
    full_scale: float = FULL_SCALE


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Peaks other than calibrant and reactant ion, in order of scan and time.

    `k0` in cm2/(V.s), `amplitude` in counts, `snr` in standard deviations of the noise. `hit` of shape
    (candidates, lines of the library): the windows that hold the apex. A `broad` peak is more than one ion and hits
    nothing; what has no shape of a peak at all is broad without end.
    """

    scan: Indices
    ms: Floats
    k0: Floats
    amplitude: Floats
    snr: Floats
    fwhm_ms: Floats
    broad: Flags
    hit: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Each of shape (scans, substances of the library).

    `present`: the rule of the substance is met. `excluded`: it is, beside an exclusion peak. `strength`: counts of its
    strongest required or any-of line, whether the rule is met or not; 0 for none.
    """

    present: Flags
    excluded: Flags
    strength: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scans:
    """What a batch shows, one element per scan. `mode` indexes the library's modes; -1: the library has none for it.

    * `calibrated`: calibrant in place, of the library's scale, its amplitude within range.
    * `reactant_ok`: a reactant ion peak of at least its least amplitude.
    * `saturated`: a sample at full scale, or the instrument's word, or a peak that has taken the reactant ion's charge.
      Amplitudes measure no amount then.
    * `blind`: a detection window lies beyond the trace or beneath a reference peak.
    * `damaged`: a value is no number; nothing else is known of such a scan.
    * `other_scale`: the instrument's calibrant is not the library's, by name or by K0.
    """

    mode: Indices
    level: Floats
    noise: Floats
    reactant: Reading
    calibrant: Reading
    calibrated: Flags
    reactant_ok: Flags
    saturated: Flags
    blind: Flags
    damaged: Flags
    other_scale: Flags
    sightings: Sightings
    candidates: Candidates
    digest: str


def joined(parts: Sequence[Scans]) -> Scans:
    """Scans that were looked at in several batches as one, in that order. All of the same library, at least one."""
    if len(parts) == 1:
        return parts[0]
    begins = np.cumsum([0, *(one.mode.size for one in parts[:-1])])
    moved = [
        replace(one.candidates, scan=one.candidates.scan + begin) for one, begin in zip(parts, begins, strict=True)
    ]
    return Scans(
        mode=np.concatenate([one.mode for one in parts]),
        level=np.concatenate([one.level for one in parts]),
        noise=np.concatenate([one.noise for one in parts]),
        reactant=_all([one.reactant for one in parts]),
        calibrant=_all([one.calibrant for one in parts]),
        calibrated=np.concatenate([one.calibrated for one in parts]),
        reactant_ok=np.concatenate([one.reactant_ok for one in parts]),
        saturated=np.concatenate([one.saturated for one in parts]),
        blind=np.concatenate([one.blind for one in parts]),
        damaged=np.concatenate([one.damaged for one in parts]),
        other_scale=np.concatenate([one.other_scale for one in parts]),
        sightings=_all([one.sightings for one in parts]),
        candidates=_all(moved),
        digest=parts[0].digest,
    )


def _all(parts: Sequence[T]) -> T:
    """Structs of arrays, each array joined along its first axis."""
    kind = type(parts[0])
    return kind(*(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(kind)))
