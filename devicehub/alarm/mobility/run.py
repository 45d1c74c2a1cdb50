"""Scans to the verdicts of runs; what one run leaves behind for the next."""

from collections.abc import Sequence

import numpy as np

from devicehub.alarm.mobility.judge import judge_scans
from devicehub.alarm.mobility.matches import matches
from devicehub.alarm.mobility.peaks import Floats, Indices
from devicehub.alarm.mobility.scans import ScanBatch, Scans
from devicehub.alarm.mobility.state import ModeView, summary, tallies
from devicehub.alarm.mobility.substances import SubstanceLibrary
from devicehub.alarm.mobility.unmatched import unmatched
from devicehub.alarm.mobility.verdict import BlankResult, Finding, Match, ModeSummary, RunResult, Unmatched, Verdict

Residue = Floats  # counts per substance of the library: what was last seen of it
_ORDER = (Verdict.ALARM, Verdict.UNCALIBRATED, Verdict.INCONCLUSIVE)


class MobilityJudge:
    """Judges the runs and blanks of one instrument in order, and remembers what was left in it."""

    def __init__(self, library: SubstanceLibrary, modes: tuple[str, ...] | None = None) -> None:
        """`modes`: those that the instrument is fitted with; None: all of the library."""
        self._library = library
        self._modes = modes
        self._residue: Residue = np.zeros(len(library.substances))

    def run(self, batch: ScanBatch) -> RunResult:
        """All scans of one run."""
        return self.ended(self.see(batch))

    def see(self, batch: ScanBatch) -> Scans:
        """Scans as they come in: what each of them shows. A long run need not be kept as counts."""
        return judge_scans(batch, self._library)

    def so_far(self, scans: Scans) -> RunResult:
        """A run that goes on. What alarms now still alarms when it has ended; a clear one may be anything yet."""
        return judge_run(scans, self._library, self._residue, modes=self._modes)

    def ended(self, scans: Scans) -> RunResult:
        """A run of which these are all scans."""
        result = self.so_far(scans)
        self._residue = left(scans, self._library, self._residue)
        return result

    def singly(self, batch: ScanBatch, mode: str) -> list[RunResult]:
        """Each scan, all of `mode`, as a run of its own, before and after which nothing is remembered."""
        return judge_runs(self.see(batch), self._library, range(len(batch.counts)), modes=(mode,))

    @property
    def residue(self) -> tuple[tuple[str, float], ...]:
        """Substances of which at least their threshold was left when they were last looked for, and their counts."""
        return tuple(
            (substance.name, float(level))
            for substance, level in zip(self._library.substances, self._residue, strict=True)
            if level >= substance.threshold
        )

    def blank(self, batch: ScanBatch) -> BlankResult:
        """Scans between two runs show whether the reference peaks are there and what was left behind."""
        scans = judge_scans(batch, self._library)
        self._residue = left(scans, self._library, self._residue)
        views = _views(scans, self._library, self._modes, [0])
        modes = tuple(summary(view, ()) for view in views[0])
        return BlankResult(modes, self.residue, _title(self._library), self._library.digest)


def judge_run(
    scans: Scans, library: SubstanceLibrary, residue: Residue | None = None, *, modes: tuple[str, ...] | None = None
) -> RunResult:
    """The verdict on one run, which is all of `scans`; see `judge_runs`."""
    return judge_runs(scans, library, [0], residue, modes=modes)[0]


def judge_runs(
    scans: Scans,
    library: SubstanceLibrary,
    starts: Sequence[int],
    residue: Residue | None = None,
    *,
    modes: tuple[str, ...] | None = None,
) -> list[RunResult]:
    """The verdicts on runs that follow each other in `scans`, the first scan of each in `starts` (ascending, from 0).

    `residue`: what is known to be left from before each of them, in counts per substance. Every one of `modes` (None:
    all of the library) must have been scanned for a run to be clear.
    """
    before = np.zeros(len(library.substances)) if residue is None else residue
    return [_judged(views, library, before) for views in _views(scans, library, modes, starts)]


def _judged(views: list[ModeView], library: SubstanceLibrary, before: Residue) -> RunResult:
    summaries: list[ModeSummary] = []
    found: list[Match] = []
    others: list[Unmatched] = []
    for view in views:
        here = matches(view, before) if view.tally.candidates else []
        found += here
        others += unmatched(view) if view.tally.candidates else []
        summaries.append(summary(view, tuple(match.finding for match in here)))
    verdicts = [one.verdict for one in summaries]
    verdict = next((one for one in _ORDER if one in verdicts), Verdict.CLEAR if verdicts else Verdict.INCONCLUSIVE)
    remarks = tuple(dict.fromkeys(remark for one in summaries for remark in one.remarks))
    found.sort(key=lambda match: (match.finding is not Finding.ALARM, -match.amplitude))
    others.sort(key=lambda other: -other.amplitude)
    return RunResult(verdict, remarks, tuple(summaries), tuple(found), tuple(others), _title(library), library.digest)


def left(scans: Scans, library: SubstanceLibrary, before: Residue) -> Residue:
    """What the last calibrated scan of each mode still shows of every substance; as `before` where there is none."""
    out = before.copy()
    for index, mode in enumerate(library.modes):
        rows = np.flatnonzero((scans.mode == index) & scans.calibrated)
        if rows.size:
            own = [number for number, one in enumerate(library.substances) if one.mode == mode.name]
            out[own] = scans.sightings.strength[rows[-1], own]
    return out


def _title(library: SubstanceLibrary) -> str:
    return f"{library.name} {library.version}"


def _views(
    scans: Scans, library: SubstanceLibrary, modes: tuple[str, ...] | None, starts: Sequence[int]
) -> list[list[ModeView]]:
    """The modes of each run."""
    begins: Indices = np.asarray(starts, dtype=np.intp)
    if begins.size == 0 or begins[0] != 0 or (np.diff(begins) <= 0).any() or begins[-1] > scans.mode.size:
        raise ValueError("the runs must begin at ascending scans, the first at 0")
    run = np.repeat(np.arange(begins.size), np.diff(begins, append=scans.mode.size))
    wanted = [(index, one) for index, one in enumerate(library.modes) if modes is None or one.name in modes]
    found = tallies(scans, run, begins.size, len(library.modes))
    ends = [*starts[1:], scans.mode.size]
    return [
        [ModeView(scans, library, index, (begin, end), found[number][index]) for index, _ in wanted]
        for number, (begin, end) in enumerate(zip(starts, ends, strict=True))
    ]
