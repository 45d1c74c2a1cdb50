"""Alarm points: edges of limits and of devices, acts of people and time itself, to messages with a life of their own.

A delay counts from edge to edge, so it belongs here and not into the engine: edges are rare, and the
engine judges a hundred thousand values at once.
"""

from collections.abc import Callable, Container, Sequence

from msgspec.structs import replace

from devicehub.alarm.acts import SHELVE_MOST, Act
from devicehub.alarm.engine import AlarmEngine
from devicehub.alarm.lifecycle import Care, graded
from devicehub.core import turns
from devicehub.core.delays import Delays
from devicehub.core.desk import Desk
from devicehub.core.measure import finite
from devicehub.core.register import DEVICE_POINTS, Point, Register, Timer
from devicehub.core.standing import (
    REPORTED,
    Cause,
    Record,
    StandingAlarm,
    elapsed,
    left,
    life_of,
    of_device,
    of_limit,
    quality,
    to_the_next,
    watched,
)
from devicehub.model.alarm import AlarmCategory, AlarmQuality, Limit, Shelf, Transition, Verb
from devicehub.model.device import DeviceState
from devicehub.model.message import Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Change, DeviceAlarm, Reading, Stamp
from devicehub.model.segment import segment

__all__ = ["DEVICE_POINTS", "STATISTICS_EVERY", "UNWATCHED", "AlarmPoints", "Cause", "StandingAlarm"]

STATISTICS_EVERY = 600.0
UNWATCHED = "its limit or device is no longer configured"

_AWAY = {DeviceState.OFFLINE, DeviceState.LOST, DeviceState.FAULTED}


class AlarmPoints:
    """Alarm points by (device, point), and the messages of what happens to them."""

    def __init__(
        self, limits: Sequence[Limit], ids: Callable[[], str], rules_digest: str, shelve_most: float = SHELVE_MOST
    ) -> None:
        """`shelve_most`: seconds that a point may be shelved at a stretch."""
        self._ids = ids
        self._register = Register(ids)
        self.desk = Desk(self._register, shelve_most)
        self._delays = Delays(self._register.deadlines)
        self._report: float | None = None
        self._go_by(limits, rules_digest)

    def resume(self, old: StandingAlarm, devices: Container[str], now: Stamp) -> list[Message]:
        """An alarm that stood when the last run ended: it still stands, and is not announced again.

        One whose device or limit is not configured any more has returned to normal, as nothing can end it otherwise. A
        detection, or what nobody has acknowledged, stays until somebody has closed it.
        """
        point, data = (old.device, old.point), old.data
        since = now.mono - elapsed(data.raised, now)
        life = life_of(data, self._care(point, data.category))
        self._register.remember(point, Record(data, life, since, since))
        self._resume_timers(point, now)
        index = self._limits.get(point)
        if index is not None and self.engine.limits[index].condition is data.condition:
            if life.active:
                self.engine.restore(index)
            return self._kept(point, now)
        if data.condition in REPORTED and old.device in devices:
            return []
        return self._unwatched(point, now)

    def revise(self, limits: Sequence[Limit], rules_digest: str, lost: Container[str], now: Stamp) -> list[Message]:
        """Other limits from now on. An alarm whose point is still watched stands on, the others return to normal.

        `lost`: devices whose own alarms nothing can end any more, since they are gone or have another driver.
        """
        out = self._overdue(now)
        before = {(limit.device, limit.name): limit for limit in self.engine.limits}
        active = {watched(limit) for limit, on in zip(self.engine.limits, self.engine.active(), strict=True) if on}
        self._go_by(limits, rules_digest)
        for index, limit in enumerate(self.engine.limits):
            if watched(limit) in active:
                self.engine.restore(index)
        kept = {watched(limit) for limit in limits}
        for point, limit in before.items():
            if watched(limit) not in kept:
                self._delays.forget(point)
        for point, record in list(self._register.records.items()):
            if record.data.condition in REPORTED:
                gone = self._orphaned(point, before, lost)
            else:
                gone = point not in before or watched(before[point]) not in kept
            out += self._unwatched(point, now) if gone else self._kept(point, now)
        return out

    def count(self) -> int:
        """How many alarms stand."""
        return self._register.standing

    def on_limit(self, edge: Transition, cause: Cause) -> list[Message]:
        """Messages of one edge of one limit, and of what was due before it."""
        out = self._overdue(cause.at)
        limit = self.engine.limits[edge.limit]
        point = (limit.device, limit.name)
        if self._delays.hold(point, edge, cause, limit):
            return out
        return out + self._edge(point, cause, edge.value, active=edge.active)

    def on_device(self, reading: Reading, alarm: DeviceAlarm, message: str = "", rules: str = "") -> list[Message]:
        """Messages of an alarm that the device itself reports, in the message of that id, by `rules`; edges count.

        Where a limit has the same name, the device's own point is `device-` and that name. Of one
        device at most `DEVICE_POINTS` of all its alarms stand: one more is logged, and no alarm.
        """
        point = (reading.device, alarm.point)
        if point in self._limits:
            point = (reading.device, segment(f"device-{alarm.point}"))
        cause, record = Cause(reading.at, message), self._register.records.get(point)
        if alarm.active == (record is not None and record.life.active):
            return self._heard(point, cause)
        if not alarm.active:
            return self._went(point, cause, alarm.value)
        if record is None and self._register.is_full(reading.device):
            return []
        return self._came(point, cause, of_device(reading, alarm, self._ids(), rules or self._rules_digest))

    def on_change(self, change: Change) -> list[Message]:
        """A device that goes away leaves its active alarms; nobody knows how it is with them until it is back."""
        if change.state not in _AWAY:
            return []
        out = self._overdue(change.at)
        for point, record in list(self._register.records.items()):
            if point[0] != change.device or not record.life.active or record.data.quality is AlarmQuality.UNDEFINED:
                continue
            index = self._limits.get(point)
            if index is not None:
                self.unsure.add(index)
                self.engine.restore(index)
                self._delays.forget(point)
            out += self._register.tell(point, turns.doubted(record, Cause(change.at), AlarmQuality.UNDEFINED))
        return out

    def on_value(self, index: int, cause: Cause) -> list[Message]:
        """A value for a limit that was unsure; its edges come first."""
        self.unsure.discard(index)
        limit = self.engine.limits[index]
        return self._heard((limit.device, limit.name), cause)

    def operate(self, act: Act, now: Stamp) -> list[Message]:
        """A person's act; the same command twice is done once. Raises `RefusedActError` and changes nothing then."""
        point = self.desk.place(act, self._limits)
        index, record = self._limits.get(point), self._register.records.get(point)
        blank = None if index is None else self._of_limit(index, now)
        data = blank if record is None else record.data
        care = self._care(point, AlarmCategory.THREAT if data is None else data.category)
        out = self.desk.operate(act, point, care, blank, now)
        return out + self._after(act, point, index, now) if out else out

    def tick(self, now: Stamp) -> list[Message]:
        """What time alone brings: delays, ends of shelving and silence, announcing again, floods, figures."""
        out = self._overdue(now) + self._register.floods(now)
        self._report = now.mono if self._report is None else self._report
        if now.mono - self._report >= STATISTICS_EVERY:
            self._report = now.mono
            if self._register.records or self._register.tally.window():
                out.append(self._register.statistics(now))
        return out

    def _go_by(self, limits: Sequence[Limit], rules_digest: str) -> None:
        self.engine = AlarmEngine(limits)
        self.unsure: set[int] = set()
        self._rules_digest = rules_digest
        self._limits = {(limit.device, limit.name): index for index, limit in enumerate(limits) if limit.device}

    def _kept(self, point: Point, now: Stamp) -> list[Message]:
        """What the limit says now holds: a new priority is told, and rises only while nobody has acknowledged."""
        record, index = self._register.records[point], self._limits.get(point)
        if record.data.condition in REPORTED or index is None:
            return []
        if record.data.quality is AlarmQuality.UNDEFINED:
            self.unsure.add(index)
        priority = graded(record.data.priority, self.engine.limits[index].priority, record.life)
        if priority is record.data.priority:
            return []
        return self._register.tell(point, turns.regraded(record, Cause(now), priority))

    def _unwatched(self, point: Point, now: Stamp) -> list[Message]:
        """Nothing raises or ends the alarm of a point any more."""
        record = self._register.records[point]
        if record.life.active:
            return self._went(point, Cause(now), None, UNWATCHED)
        if record.life.stands:
            return []
        return self._register.tell(point, turns.removed(record, Cause(now), UNWATCHED))

    def _orphaned(self, point: Point, before: Container[Point], lost: Container[str]) -> bool:
        """Whether nothing ends a device's own alarm: the device is lost, or a limit took or left the alarm's name."""
        plain = (point[0], point[1].removeprefix("device-"))
        renamed = plain != point and plain in before and plain not in self._limits
        return point[0] in lost or point in self._limits or renamed

    def _resume_timers(self, point: Point, now: Stamp) -> None:
        record, deadlines = self._register.records[point], self._register.deadlines
        if record.data.shelved is not None:
            deadlines.set((point, Timer.SHELF), now.mono + left(record.data.shelved, now))
        if record.data.silenced is not None:
            deadlines.set((point, Timer.SILENCE), now.mono + left(record.data.silenced, now))
        if record.data.realarm is not None:
            remaining = to_the_next(record.data.realarm, self._realarm(point) if record.life.aside else 0.0, now)
            deadlines.set((point, Timer.REALARM), now.mono + remaining)

    def _of_limit(self, index: int, at: Stamp) -> AlarmData:
        return of_limit(self.engine.limits[index], self._ids(), at, self._rules_digest)

    def _care(self, point: Point, category: AlarmCategory) -> Care:
        index = self._limits.get(point)
        return Care.of(category, latch=index is not None and self.engine.limits[index].latch)

    def _edge(self, point: Point, cause: Cause, value: float, *, active: bool) -> list[Message]:
        if not active:
            return self._went(point, cause, value)
        fresh = replace(self._of_limit(self._limits[point], cause.at), value=finite(value), unit=cause.unit)
        return self._came(point, cause, fresh)

    def _came(self, point: Point, cause: Cause, fresh: AlarmData) -> list[Message]:
        """The condition of a point came: a new alarm, or the one that stands once more."""
        record, care = self._register.records.get(point), self._care(point, fresh.category)
        if record is not None and not record.life.enabled:
            return []
        fresh = replace(
            fresh,
            first_out=self._register.standing == 0,
            chattering=self._register.tally.came(point, cause.at.mono),
        )
        self._announce_again(point, cause.at.mono)
        if record is not None and record.life.stands:
            return self._register.tell(point, turns.again(record, fresh, care, cause))
        return self._register.tell(point, turns.began(record, fresh, care, cause))

    def _went(self, point: Point, cause: Cause, value: float | None, why: str = "") -> list[Message]:
        record = self._register.records.get(point)
        if record is None or not record.life.active:
            return []
        out = self._register.tell(point, turns.went(record, cause, value, why))
        if record.life.shelf is Shelf.ONE_SHOT:
            out += self._register.tell(point, turns.unshelved(self._register.records[point], cause))
        return out

    def _heard(self, point: Point, cause: Cause) -> list[Message]:
        """A device that was away says again that the condition is still there."""
        record = self._register.records.get(point)
        if record is None or not record.life.active or record.data.quality is not AlarmQuality.UNDEFINED:
            return []
        return self._register.tell(point, turns.doubted(record, cause, quality(cause)))

    def _after(self, act: Act, point: Point, index: int | None, now: Stamp) -> list[Message]:
        """What follows from an act that was done."""
        exceeded = index is not None and self.engine.active()[index] and not self._delays.waits(point)
        if act.verb is Verb.ENABLE and index is not None and exceeded:
            return self._came(point, Cause(now, act.command), self._of_limit(index, now))
        return []

    def _announce_again(self, point: Point, mono: float) -> None:
        """Counts from the last announcement, as the ReAlarmTime of OPC 10000-9, 5.8.2 does."""
        if (every := self._realarm(point)) > 0:
            self._register.deadlines.set((point, Timer.REALARM), mono + every)

    def _realarm(self, point: Point) -> float:
        index = self._limits.get(point)
        return 0.0 if index is None else self.engine.limits[index].realarm_s

    def _overdue(self, now: Stamp) -> list[Message]:
        """What was due until now, each with its own time."""
        out: list[Message] = []
        for mono, (point, timer) in self._register.deadlines.due(now.mono):
            out += self._expired(point, timer, Stamp(now.utc - (now.mono - mono), mono))
        return out

    def _expired(self, point: Point, timer: Timer, at: Stamp) -> list[Message]:
        if timer in {Timer.ON_DELAY, Timer.OFF_DELAY}:
            return self._edge(point, *self._delays.over(point, at.mono), active=timer is Timer.ON_DELAY)
        record, cause = self._register.records[point], Cause(at)
        if timer is Timer.SHELF:
            return self._register.tell(point, turns.unshelved(record, cause))
        if timer is Timer.SILENCE:
            return self._register.tell(point, turns.unsilenced(record, cause))
        self._announce_again(point, at.mono)
        if record.life.aside:
            return []
        return self._register.tell(point, turns.realarmed(record, self._care(point, record.data.category), cause))
