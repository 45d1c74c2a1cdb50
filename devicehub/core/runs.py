"""One ion-mobility instrument: plasmagrams as they come to runs, blanks and verdicts. Pure.

Scans are looked at together, a step's at a time and `TOGETHER` at most, and then only what they show is kept: a run
takes no more memory than `MOST_SCANS` of that, and no step does more work than what came in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from devicehub.alarm.mobility import (
    Match,
    MobilityJudge,
    ModeSummary,
    RunResult,
    ScanBatch,
    Scans,
    SubstanceLibrary,
    Verdict,
    joined,
)
from devicehub.core.plasmagrams import is_plasmagram, scan_batch
from devicehub.core.verdicts import UNSEEN, Ability, Ending, ability, alarms, hub_result, worst
from devicehub.model.alarm import Priority
from devicehub.model.payload import ResultData
from devicehub.model.reading import Cause, Layout, Level, Outcome, Quality, Result, Spectrum, Stamp

TOGETHER = 64
MOST_SCANS = 2000
SILENCE = 60.0


@dataclass(frozen=True, slots=True)
class MobilityRules:
    """By what the plasmagrams of one device are judged.

    `modes`: those it is fitted with; None: all of the library. `single`: a plasmagram of no run is judged by itself.
    """

    library: SubstanceLibrary
    modes: tuple[str, ...] | None = None
    single: bool = False
    priority: Priority = Priority.HIGH


@dataclass(frozen=True, slots=True)
class Found:
    """A substance alarms while its run goes on. `message`: id of the scan's."""

    at: Stamp
    match: Match
    message: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A run is over: `found` are the substances that alarm, `over` those whose condition has ended with it."""

    at: Stamp
    data: ResultData
    found: tuple[Match, ...]
    over: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Able:
    """What can be detected, by group of substances, has changed."""

    at: Stamp
    groups: tuple[tuple[str, Ability], ...]


Word = Found | Judged | Able


@dataclass(slots=True)
class _Run:
    """A run that goes on. `doubted`: scans that the device itself calls bad, `doubt` why. `again`: it was told of."""

    name: str
    began: Stamp
    last: Stamp
    again: bool
    parts: list[Scans] = field(default_factory=list[Scans])
    scans: int = 0
    kept: int = 0
    index: int = -1
    doubted: int = 0
    doubt: Cause = Cause.NONE
    found: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True)
class _Key:
    """What the scans of a batch have in common. `mode` of single ones alone."""

    run: str
    idle: bool
    mode: str
    start: float
    step: float
    size: int
    layout: Layout


class Screening:
    """The runs of one instrument, one after the other."""

    def __init__(self, rules: MobilityRules) -> None:
        self.rules = rules
        self._library = rules.library
        self._judge = MobilityJudge(rules.library, rules.modes)
        self._modes = {one.name: one for one in rules.library.modes}
        self._seen: dict[str, Ability] = dict.fromkeys(rules.modes or self._modes, UNSEEN)
        self._told = self.abilities()
        self._run: _Run | None = None
        self._over = ""
        self._waiting: list[Spectrum] = []
        self._key: _Key | None = None
        self._at = Stamp(0.0, 0.0)
        self._message = ""

    def abilities(self) -> tuple[tuple[str, Ability], ...]:
        """By group of substances: the worst of its modes, and whether anything of it was left in the instrument."""
        left = {name for name, _ in self._judge.residue}
        groups: dict[str, list[Ability]] = {}
        for one in self._library.substances:
            if one.mode in self._seen:
                dirty = [(Level.DEGRADED, Cause.CONTAMINATED)] if one.name in left else []
                groups.setdefault(one.group, []).extend([self._seen[one.mode], *dirty])
        return tuple((group, worst(each)) for group, each in sorted(groups.items()))

    def take(self, spectrum: Spectrum, at: Stamp, message: str) -> list[Word]:
        """A spectrum came, and was published as `message`.

        A scan whose index does not rise has come twice or late, and is not counted. A blank that comes before a run is
        known to be over tells nothing, since nobody knows on which side of the end it was taken.
        """
        if not spectrum.run:
            wanted = self._run is None if spectrum.idle else self.rules.single
            return self._wait(spectrum, at, message) if wanted and is_plasmagram(spectrum) else []
        out: list[Word] = []
        if self._run is None or self._run.name != spectrum.run:
            out = self.abort(Cause.INCOMPLETE, at)
            self._run = _Run(spectrum.run, at, at, again=spectrum.run == self._over)
        run = self._run
        run.last = at
        if spectrum.index is not None:
            if spectrum.index <= run.index:
                return out
            run.index = spectrum.index
        run.scans += 1
        if spectrum.quality is Quality.BAD and spectrum.cause is not Cause.SATURATED:
            run.doubted += 1
            run.doubt = run.doubt or spectrum.cause or Cause.FAULT
        if run.kept >= MOST_SCANS or not is_plasmagram(spectrum):
            return out
        run.kept += 1
        return out + self._wait(spectrum, at, message)

    def settle(self) -> list[Word]:
        """Look at what waits: at the end of each step, or when it is much."""
        waiting, self._waiting = self._waiting, []
        if not waiting or self._key is None:
            return []
        batch = scan_batch(waiting, self._modes)
        if self._key.idle:
            return self._learn(self._judge.blank(batch).modes, self._at)
        if self._key.run and self._run is not None:
            return self._go_on(self._run, self._judge.see(batch))
        return self._singles(batch, self._key.mode)

    def result(self, result: Result, at: Stamp, message: str) -> list[Word]:
        """The device says that a run is over; its own verdict went out as `message`.

        A run of which nothing was seen is told as what it is, unless it is an old one.
        """
        out = self.settle()
        aborted = result.outcome is Outcome.ABORTED
        doubts = (result.cause,) if aborted and result.cause else ()
        ends = partial(Ending, sent=result.scans, aborted=aborted)
        run = self._run
        if run is not None and result.sample_id in {"", run.name}:
            lasted = run.last.mono - run.began.mono if result.duration is None else result.duration
            return out + self._end(run, partial(ends, duration=lasted), doubts, at, message)
        if result.sample_id and (result.sample_id == self._over or result.cause is Cause.STALE):
            return out
        data = hub_result(None, self._library, ends(run=result.sample_id, duration=result.duration, doubts=doubts))
        self._over = result.sample_id
        return [*out, Judged(at, data, (), (), message)]

    def abort(self, cause: Cause, at: Stamp) -> list[Word]:
        """The run under way, if there is one, does not go on."""
        out, run = self.settle(), self._run
        if run is None:
            return out
        ends = partial(Ending, aborted=True, duration=run.last.mono - run.began.mono)
        return out + self._end(run, ends, (cause,), at, "")

    def away(self, at: Stamp) -> list[Word]:
        """The device is gone: its run with it, and what it can detect has to be seen anew."""
        out = self.abort(Cause.NOT_CONNECTED, at)
        self._seen = dict.fromkeys(self._seen, UNSEEN)
        return out + self._able(at)

    def tick(self, at: Stamp) -> list[Word]:
        """Everything before `at` was given: a run of which nothing was heard for `SILENCE` seconds is over."""
        if self._run is None or at.mono - self._run.last.mono <= SILENCE:
            return []
        return self.abort(Cause.STALE, at)

    def _wait(self, spectrum: Spectrum, at: Stamp, message: str) -> list[Word]:
        axis, single = spectrum.axis, not spectrum.run and not spectrum.idle
        key = _Key(
            run=spectrum.run,
            idle=spectrum.idle and not spectrum.run,
            mode=spectrum.mode if single else "",
            start=axis.start,
            step=axis.step,
            size=len(spectrum.data),
            layout=spectrum.layout,
        )
        out = self.settle() if key != self._key or len(self._waiting) >= TOGETHER else []
        self._key, self._at, self._message = key, at, message
        self._waiting.append(spectrum)
        return out

    def _go_on(self, run: _Run, scans: Scans) -> list[Word]:
        """More scans of a run. It is judged so far where they show a substance that has not alarmed yet."""
        run.parts.append(scans)
        shown = np.flatnonzero(scans.sightings.present.any(axis=0))
        if all(self._library.substances[index].name in run.found for index in shown):
            return []
        run.parts = [joined(run.parts)]
        fresh = [one for one in alarms(self._judge.so_far(run.parts[0])) if one.substance not in run.found]
        run.found.update(one.substance for one in fresh)
        return [Found(self._at, one, self._message) for one in fresh]

    def _end(
        self, run: _Run, ends: "partial[Ending]", doubts: tuple[Cause, ...], at: Stamp, message: str
    ) -> list[Word]:
        self._run, self._over = None, run.name
        result = self._verdict(run, known=bool(message))
        own = (run.doubt,) if run.doubted > (1 - self._library.run.usable_fraction) * run.scans else ()
        cut = (Cause.INCOMPLETE,) if run.kept < run.scans else ()
        ending = ends(run=run.name, scans=run.scans, kept=run.kept, doubts=(*doubts, *own, *cut))
        data = hub_result(result, self._library, ending)
        able = [] if result is None else self._learn(result.modes, at)
        if run.again and data.outcome is not Outcome.ALARM and run.kept != ending.sent:
            return able  # the rest of a run that was told as aborted
        found = () if result is None else alarms(result)
        return [Judged(at, data, found, tuple(one.name for one in self._library.substances), message), *able]

    def _verdict(self, run: _Run, *, known: bool) -> RunResult | None:
        """`known`: its end was seen, so that its last scan shows what is left in the instrument for the next run."""
        if not run.parts:
            return None
        return (self._judge.ended if known else self._judge.so_far)(joined(run.parts))

    def _singles(self, batch: ScanBatch, mode: str) -> list[Word]:
        """Each scan a run of its own. What it does not show any more is over, if it could have shown it."""
        out: list[Word] = []
        results = self._judge.singly(batch, mode)
        for result in results:
            found = alarms(result)
            names = {match.substance for match in found}
            sure = result.verdict in {Verdict.CLEAR, Verdict.ALARM}
            gone = (one.name for one in self._library.substances if one.mode == mode and one.name not in names)
            data = hub_result(result, self._library, Ending(run="", scans=1, kept=1))
            out.append(Judged(self._at, data, found, tuple(gone) if sure else (), self._message))
        return out + self._learn(results[-1].modes, self._at)

    def _learn(self, modes: Sequence[ModeSummary], at: Stamp) -> list[Word]:
        """What the last scans of a mode say of what can be detected in it."""
        self._seen |= {one.mode: ability(one) for one in modes if one.scans and one.mode in self._seen}
        return self._able(at)

    def _able(self, at: Stamp) -> list[Word]:
        before, self._told = self._told, self.abilities()
        return [] if self._told == before else [Able(at, self._told)]
