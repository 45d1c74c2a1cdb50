"""The state of one mode in a run: was it in order to judge by, and if not, why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from devicehub.alarm.mobility.peaks import Flags, Indices
from devicehub.alarm.mobility.scans import Scans
from devicehub.alarm.mobility.substances import SubstanceLibrary
from devicehub.alarm.mobility.verdict import Finding, ModeSummary, Remark, Verdict


class Tally(Struct, frozen=True):
    """How many scans of one mode of one run are what; `calibrant_ms` is the sum over the calibrated ones."""

    scans: int
    calibrated: int
    reactant: int
    saturated: int
    blind: int
    damaged: int
    other_scale: int
    candidates: int
    calibrant_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class ModeView:
    """The scans of one mode within a run: those of `mode` (an index) in `span`, first and past-the-last scan."""

    scans: Scans
    library: SubstanceLibrary
    mode: int
    span: tuple[int, int]
    tally: Tally

    @property
    def name(self) -> str:
        """Name of the mode."""
        return self.library.modes[self.mode].name

    @property
    def rows(self) -> Indices:
        """The scans, in order of time."""
        begin, end = self.span
        return np.asarray(begin + np.flatnonzero(self.scans.mode[begin:end] == self.mode))

    @property
    def usable(self) -> Indices:
        """Scans that may raise an alarm: calibrated, and the reactant ion, however small, vouches for the calibrant."""
        rows = self.rows
        return rows[self.scans.calibrated[rows] & self.scans.reactant.seen[rows]]

    @property
    def peaks(self) -> slice:
        """The candidates of the run, other modes' among them."""
        begin, end = np.searchsorted(self.scans.candidates.scan, self.span)
        return slice(int(begin), int(end))


def tallies(scans: Scans, run: Indices, runs: int, modes: int) -> list[list[Tally]]:
    """A tally for each mode of each run; `run` tells the run of each scan."""
    candidates = np.bincount(scans.candidates.scan, minlength=scans.mode.size)
    columns = (
        np.ones(scans.mode.size),
        scans.calibrated,
        scans.reactant_ok | scans.saturated,
        scans.saturated,
        scans.blind,
        scans.damaged,
        scans.other_scale,
        candidates,
        scans.calibrant.ms * scans.calibrated,
    )
    known = scans.mode >= 0
    key = (run * modes + scans.mode)[known]
    sums = [np.bincount(key, np.asarray(one, dtype=np.float64)[known], runs * modes) for one in columns]
    counted = [one.astype(int).tolist() for one in sums[:-1]]
    flat = [Tally(*numbers) for numbers in zip(*counted, sums[-1].tolist(), strict=True)]
    return [flat[at : at + modes] for at in range(0, runs * modes, modes)]


def summary(view: ModeView, findings: Sequence[Finding]) -> ModeSummary:
    """Alarm before all else; then uncalibrated; clear only when nothing at all speaks against it."""
    tally = view.tally
    remarks = tuple(_remarks(view, findings))
    if Finding.ALARM in findings:
        verdict = Verdict.ALARM
    elif Remark.UNCALIBRATED in remarks:
        verdict = Verdict.UNCALIBRATED
    else:
        verdict = Verdict.INCONCLUSIVE if remarks else Verdict.CLEAR
    mean = tally.calibrant_ms / tally.calibrated if tally.calibrated else 0.0
    return ModeSummary(view.name, verdict, remarks, tally.scans, tally.calibrated, mean)


def _remarks(view: ModeView, findings: Sequence[Finding]) -> Iterator[Remark]:
    tally = view.tally
    least = view.library.run.usable_fraction * tally.scans
    holds = (
        (Remark.UNCALIBRATED, tally.calibrated < least),
        (Remark.OTHER_SCALE, tally.other_scale > 0),
        (Remark.NO_REACTANT, tally.reactant < least),
        (Remark.SATURATED, tally.saturated > 0),
        (Remark.BLIND, tally.scans - tally.blind < least),
        (Remark.DAMAGED, tally.damaged > 0),
        (Remark.TOO_FEW_SCANS, tally.scans < view.library.run.minimum_scans),
        (Remark.CARRY_OVER, Finding.CARRIED_OVER in findings),
        (Remark.EXCLUDED, Finding.EXCLUDED in findings),
    )
    return (remark for remark, true in holds if true)


def longest(present: Flags) -> Indices:
    """Most consecutive True per column; 0 of no rows."""
    counted = np.cumsum(present, axis=0)
    before = np.maximum.accumulate(np.where(present, 0, counted), axis=0)
    return np.asarray((counted - before).max(axis=0, initial=0), dtype=np.intp)
