"""Gaps under any script: intervals that do not overlap, everything counted once, no more records than reasons for them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devicehub.core.gaps import LONGEST, QUIET, DeviceGaps
from devicehub.model.device import DeviceState
from devicehub.model.errors import Reason
from devicehub.model.gap import GapReason
from devicehub.model.payload import GapData
from devicehub.model.reading import Dropped, Fault, Stamp
from tests.unit.core.bench import at
from tests.unit.core.test_gaps import PATIENCE, change, fault, mono


def present() -> DeviceGaps:
    """The gaps of a device that is there since 0."""
    gaps = DeviceGaps("dev", PATIENCE)
    gaps.begin(at(0))
    gaps.change(change(DeviceState.READY, 0))
    return gaps


@dataclass
class Life:
    """A device's script and what must come of it."""

    gaps: DeviceGaps = field(default_factory=present)
    now: float = 0.0
    ready: bool = True
    heard: float = 0.0
    records: list[GapData] = field(default_factory=list[GapData])
    faults: Counter[str] = field(default_factory=Counter[str])
    drops: int = 0
    refused: list[float] = field(default_factory=list[float])
    absences: int = 0
    away: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def act(self, word: str, wait: float) -> None:
        """One more thing happens after `wait` seconds."""
        begun = self.now
        self.now += wait
        match word:
            case "heard":
                self.records += self.gaps.heard(at(self.now))
                self._word() if self.ready else None
            case "fault" | "joined":
                self._fault(begun if word == "joined" else None)
            case "dropped":
                self._dropped(begun)
            case "tick":
                self.records += self.gaps.tick(at(self.now))
            case "ready":
                self._ready()
            case _:
                self._away(DeviceState(word))

    def _word(self) -> None:
        self.absences += self.now - self.heard > PATIENCE
        self.heard = self.now

    def _fault(self, since: float | None) -> None:
        reason = list(Reason)[int(self.now) % 3]
        self.records += self.gaps.count(fault(self.now, 2, reason, None if since is None else at(since)))
        self.faults[reason.value] += 2
        self.refused.append(self.now)

    def _dropped(self, begun: float) -> None:
        self.records += self.gaps.dropped(Dropped("dev", at(self.now), at(begun), 3))
        self.drops += 3
        self.refused += [begun, self.now]
        if self.ready:
            self.absences += begun - self.heard > PATIENCE
            self.heard = self.now

    def _ready(self) -> None:
        self.records += self.gaps.change(change(DeviceState.READY, self.now))
        if self.ready:
            self._word()
        else:
            self.away[-1] = (self.away[-1][0], self.now)
        self.ready, self.heard = True, self.now

    def _away(self, state: DeviceState) -> None:
        """From the last word on, or from the end of a burst that was told since; between the two it was patience."""
        assert self.told_until - self.heard <= PATIENCE
        self.records += self.gaps.change(change(state, self.now))
        if self.ready:
            self.absences += 1
            self.away.append((max(self.heard, self.told_until), inf))
        self.ready = False

    @property
    def told_until(self) -> float:
        """Until when the records go that have an end."""
        return max((until for _, until in closed(self)), default=0.0)

    def end(self) -> None:
        self.absences += self.ready and self.now - self.heard > PATIENCE
        self.records += self.gaps.finish(at(self.now))

    def bursts(self) -> int:
        """How many bursts there were, an absence counting as the end of one."""
        begun, last, count = -inf, -inf, 0
        for when in self.refused:
            if when - last >= QUIET or when - begun >= LONGEST:
                begun, count = when, count + 1
            last = when
        return count + self.absences


WORDS = ("heard", "heard", "fault", "joined", "dropped", "tick", "tick", "ready", "lost", "offline", "faulted")
SCRIPTS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from((0.0, 0.5, 1.0, 9.5, 11.0, 20.0, 70.0))), max_size=60
)


def lived(script: list[tuple[str, float]]) -> Life:
    life = Life()
    for word, wait in script:
        life.act(word, wait)
    life.end()
    return life


def closed(life: Life) -> list[tuple[float, float]]:
    found = [(mono(gap.since), mono(gap.until)) for gap in life.records]
    return [(since, until) for since, until in found if since is not None and until is not None]


@given(SCRIPTS)
def test_intervals_of_one_device_never_overlap_and_come_in_order(script: list[tuple[str, float]]) -> None:
    life = lived(script)
    intervals = closed(life)
    assert all(since <= until for since, until in intervals)
    assert all(first[1] <= second[0] for first, second in pairwise(intervals))


@given(SCRIPTS)
@example([("offline", 11.0), ("fault", 1.0)])
def test_each_fault_and_each_refused_reading_is_counted_in_exactly_one_record(script: list[tuple[str, float]]) -> None:
    life = lived(script)
    counted = Counter[str]()
    for gap in life.records:
        assert gap.until is not None or gap.count is None, "what is open counts nothing yet"
        counted.update(gap.faults)
    assert counted == life.faults
    assert sum(gap.count or 0 for gap in life.records) == life.faults.total() + life.drops


@given(SCRIPTS)
@example([("fault", 0.5), ("tick", 11.0), ("lost", 0.0)])
@example([("faulted", 9.5)])
@example([("dropped", 9.5), ("lost", 20.0)])
def test_what_was_refused_and_when_a_device_was_away_lies_within_the_records(script: list[tuple[str, float]]) -> None:
    life = lived(script)
    intervals = closed(life)
    for when in life.refused:
        assert any(since <= when <= until for since, until in intervals), when
    for since, until in life.away:
        end = min(until, life.now)
        whole = [one for one in intervals if one[1] > since and one[0] < end]
        assert since == end or (whole and whole[0][0] <= since and whole[-1][1] >= end)
        assert all(first[1] == second[0] for first, second in pairwise(whole)), "without a hole"


@given(SCRIPTS)
def test_there_are_no_more_records_than_absences_and_bursts(script: list[tuple[str, float]]) -> None:
    life = lived(script)
    assert len(closed(life)) <= life.absences + life.bursts()


@given(SCRIPTS)
def test_whatever_was_opened_is_closed_with_the_same_beginning(script: list[tuple[str, float]]) -> None:
    life = lived(script)
    waiting: str | None = None
    for gap in life.records:
        if gap.until is None:
            assert waiting is None, "one at a time"
            waiting = gap.since
        elif gap.since == waiting and gap.reason not in {"faults", "overflow"}:
            waiting = None
    assert waiting is None


class Forgetful(DeviceGaps):
    """Forgets what is refused while the device is away."""

    def count(self, fault: Fault) -> list[GapData]:
        return [] if self._absence is not None else super().count(fault)


class Hasty(DeviceGaps):
    """Takes an absence to begin when the link broke, and not with the last word."""

    def _open(self, reason: GapReason, now: Stamp) -> list[GapData]:
        self._heard = now
        return super()._open(reason, now)


class Wide(DeviceGaps):
    """Puts what was refused before the last word with what was refused after it."""

    def _hear(self, at: Stamp) -> None:
        self._heard = at


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (Forgetful, test_each_fault_and_each_refused_reading_is_counted_in_exactly_one_record),
        (Hasty, test_what_was_refused_and_when_a_device_was_away_lies_within_the_records),
        (Wide, test_what_was_refused_and_when_a_device_was_away_lies_within_the_records),
    ],
)
def test_gaps_that_are_wrong_break_a_property(
    kind: type[DeviceGaps], broken: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.core.test_gaps_properties.DeviceGaps", kind)
    with pytest.raises((AssertionError, ExceptionGroup)):  # a group where it is wrong in several ways
        broken()
