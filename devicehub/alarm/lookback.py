"""How well the alarms did, from what is on record of them: the figures of `tally`, over as long as the record goes.

Pure; time is an argument. Events tell their UTC time. A clock that was set back while they came does not count
backwards, and one that was set forward counts as the time that passed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from devicehub.alarm.tally import STALE, WINDOW, Point, Tally
from devicehub.model.alarm import AlarmState, Priority
from devicehub.model.payload_alarm import AlarmData, RateData

TARGETS: Final[Mapping[str, float]] = MappingProxyType({"low": 0.80, "medium": 0.15, "high": 0.05})
"""ISA-18.2 and IEC 62682: how priorities are to be split. `high` stands for critical ones too."""

TARGET_RATE: Final = 1.0
"""Alarms of ten minutes that one operator can handle."""

_RATES: Final = 10_000
_ASIDE: Final = frozenset({AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE})


class Told(Struct, frozen=True):
    """One event of an alarm point. `time`: UTC seconds; `word`: `raised`, `acked`, ..."""

    time: float
    device: str
    point: str
    word: str
    data: AlarmData


class Share(Struct, frozen=True):
    """Alarms of one priority, as part of all; None where none came."""

    alarms: int
    share: float | None
    target: float


class Figures(Struct, frozen=True):
    """How well the alarms did in `span_s` seconds up to now. Points are named `device/point`.

    `chattering`: how often a point came for the third time within a minute. `stale`: what stands for more than a day.
    `ack_p50_s`, `ack_p95_s`: seconds from alarm to acknowledgement. `false_alarms`: by rule, `false_by_device`: of all
    rules of a device.
    """

    span_s: float
    alarms: int
    per_10min: float
    peak_10min: int
    floods: int
    standing: int
    chattering: dict[str, int]
    stale: tuple[str, ...]
    priorities: dict[str, Share]
    ack_p50_s: float | None
    ack_p95_s: float | None
    false_alarms: dict[str, RateData]
    false_by_device: dict[str, RateData]


class LookBack:
    """Takes events in their order. What happened before `since`, UTC seconds, is known and not counted."""

    def __init__(self, since: float | None = None) -> None:
        self._since = since
        self._tally = Tally()
        self._latest: dict[Point, AlarmData] = {}
        self._came: dict[Point, float] = {}
        self._chattering: Counter[Point] = Counter()
        self._last: float | None = since
        self._line = 0.0

    def take(self, one: Told) -> None:
        """An event."""
        counted = self._since is None or one.time >= self._since
        if counted:
            self._pass(one.time)
        point, before = (one.device, one.point), self._latest.get((one.device, one.point))
        if one.data.active and not (before is not None and before.active):
            self._came.pop(point, None)
            if counted:
                self._came[point] = self._line
        if counted:
            self._count(point, one, before)
        if one.word == "cleared" or one.data.state is AlarmState.NORMAL:
            self._latest.pop(point, None)
        else:
            self._latest[point] = one.data

    def figures(self, now: float) -> Figures:
        """At this moment, UTC seconds."""
        self._pass(now)
        list(self._tally.passed(self._line))
        p50, p95 = self._tally.answer_times()
        rates = {point: (judged, false) for point, judged, false in self._tally.rates(_RATES)}
        devices = {name for name, _ in rates}
        return Figures(
            span_s=round(self._line, 3),
            alarms=self._tally.alarms,
            per_10min=round(self._tally.alarms * WINDOW / max(self._line, WINDOW), 3),
            peak_10min=self._tally.peak,
            floods=self._tally.floods,
            standing=sum(_stands(data) for data in self._latest.values()),
            chattering={"/".join(point): count for point, count in self._chattering.most_common()},
            stale=tuple("/".join(point) for point, data in self._latest.items() if _is_stale(data, now)),
            priorities=_shares(self._tally.priorities),
            ack_p50_s=p50,
            ack_p95_s=p95,
            false_alarms={"/".join(point): _rate([found]) for point, found in rates.items()},
            false_by_device={
                name: _rate([found for (device, _), found in rates.items() if device == name])
                for name in sorted(devices)
            },
        )

    def _pass(self, utc: float) -> None:
        """Time passes, never backwards."""
        if self._last is not None:
            self._line += max(utc - self._last, 0.0)
        self._last = utc

    def _count(self, point: Point, one: Told, before: AlarmData | None) -> None:
        if one.word == "raised" and self._tally.came(point, self._line):
            self._chattering[point] += 1
        if _audible(one.data) and not (before is not None and _audible(before)):
            list(self._tally.announced(point, one.data.priority, self._line))
        if one.word == "acked" and point in self._came:
            self._tally.acknowledged(round(self._line - self._came[point], 3))
        if one.word == "confirmed" and one.data.disposition is not None:
            self._tally.settled(point, one.data.disposition.code)


def _audible(data: AlarmData) -> bool:
    return data.active and not data.acknowledged and data.state not in _ASIDE


def _stands(data: AlarmData) -> bool:
    return data.active or data.latched or not (data.acknowledged and data.confirmed)


def _is_stale(data: AlarmData, now: float) -> bool:
    return _stands(data) and now - datetime.fromisoformat(data.raised).timestamp() > STALE


def _shares(priorities: Mapping[Priority, int]) -> dict[str, Share]:
    total = sum(priorities.values())
    counts = {
        "low": priorities.get(Priority.LOW, 0),
        "medium": priorities.get(Priority.MEDIUM, 0),
        "high": priorities.get(Priority.HIGH, 0) + priorities.get(Priority.CRITICAL, 0),
    }
    return {
        name: Share(count, round(count / total, 4) if total else None, TARGETS[name]) for name, count in counts.items()
    }


def _rate(found: Iterable[tuple[int, int]]) -> RateData:
    counts = list(found)
    judged, false = sum(one for one, _ in counts), sum(one for _, one in counts)
    return RateData(judged, false, round(false / judged, 4))
