"""Alarm points: edges of the engine and of the devices themselves, to messages with a life of their own."""

import logging
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from devicehub.alarm.engine import AlarmEngine
from devicehub.core.measure import finite
from devicehub.model.alarm import AlarmCategory, AlarmState, Condition, Limit, Priority, Transition
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, TextData
from devicehub.model.reading import DeviceAlarm, Quality, Reading, Stamp
from devicehub.model.segment import segment
from devicehub.model.units import Unit

DEVICE_POINTS = 256
UNWATCHED = "its limit or device is no longer configured"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm of an earlier run, as it was last published."""

    device: str
    point: str
    data: AlarmData


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is known of an alarm while it stands. `since` is monotonic."""

    data: AlarmData
    since: float


@dataclass(frozen=True, slots=True)
class Cause:
    """The value behind an edge: when it came, its message's id, how far it is trusted, its unit."""

    at: Stamp
    message: str = ""
    quality: Quality = Quality.GOOD
    unit: Unit | None = None


_Point = tuple[str, str]


class AlarmPoints:
    """Standing alarms by (device, point), and the messages of their edges."""

    def __init__(self, limits: Sequence[Limit], ids: Callable[[], str], rules_digest: str) -> None:
        self.engine = AlarmEngine(limits)
        self._ids = ids
        self._rules_digest = rules_digest
        self._standing: dict[_Point, _Standing] = {}
        self._full: set[str] = set()
        self._limited = {(limit.device, limit.name) for limit in limits}

    def resume(self, old: StandingAlarm, devices: Container[str], now: Stamp) -> list[Message]:
        """An alarm that stood when the last run ended: it still stands, and is not announced again.

        One that nothing can end any more, because its device or limit is not configured, is cleared.
        """
        raised = datetime.fromisoformat(old.data.raised).timestamp()
        self._standing[old.device, old.point] = _Standing(old.data, now.mono - max(now.utc - raised, 0.0))
        wanted = (old.device, old.point, old.data.condition)
        places = [
            index
            for index, limit in enumerate(self.engine.limits)
            if (limit.device, limit.name, limit.condition) == wanted
        ]
        for index in places:
            self.engine.restore(index)
        if places or (old.data.condition is Condition.DEVICE and old.device in devices):
            return []
        return self._clear((old.device, old.point), Cause(now), None, UNWATCHED)

    def revise(self, limits: Sequence[Limit], rules_digest: str, lost: Container[str], now: Stamp) -> list[Message]:
        """Other limits from now on. An alarm whose point is still watched stands on, the others are cleared.

        `lost`: devices whose own alarms nothing can end any more, since they are gone or have another driver.
        """
        before = {(limit.device, limit.name): limit for limit in self.engine.limits}
        active = {_watched(limit) for limit, on in zip(self.engine.limits, self.engine.active(), strict=True) if on}
        self.engine = AlarmEngine(limits)
        for index, limit in enumerate(self.engine.limits):
            if _watched(limit) in active:
                self.engine.restore(index)
        self._rules_digest = rules_digest
        self._limited = {(limit.device, limit.name) for limit in limits}
        kept = {_watched(limit) for limit in limits}
        gone = [
            point
            for point, standing in self._standing.items()
            if (
                self._orphaned(point, before, lost)
                if standing.data.condition is Condition.DEVICE
                else point not in before or _watched(before[point]) not in kept
            )
        ]
        return [message for point in gone for message in self._clear(point, Cause(now), None, UNWATCHED)]

    def _orphaned(self, point: _Point, before: Container[_Point], lost: Container[str]) -> bool:
        """Whether nothing ends a device's own alarm: the device is lost, or a limit took or left the alarm's name."""
        plain = (point[0], point[1].removeprefix("device-"))
        renamed = plain != point and plain in before and plain not in self._limited
        return point[0] in lost or point in self._limited or renamed

    def count(self) -> int:
        """How many alarms stand."""
        return len(self._standing)

    def on_limit(self, edge: Transition, cause: Cause) -> list[Message]:
        """Messages of one edge of one limit."""
        limit = self.engine.limits[edge.limit]
        point = (limit.device, limit.name)
        if not edge.active:
            return self._clear(point, cause, edge.value)
        data = AlarmData(
            alarm=self._ids(),
            revision=1,
            state=AlarmState.UNACK_ACTIVE,
            priority=limit.priority,
            category=limit.category,
            condition=limit.condition,
            message=TextData(limit.message, {"device": limit.device, "channel": limit.channel}),
            raised=instant(cause.at.utc),
            rules_digest=self._rules_digest,
            value=finite(edge.value),
            limit=limit.limit,
            unit=cause.unit,
            quality=cause.quality,
        )
        return self._raise(point, cause, data)

    def on_device(self, reading: Reading, alarm: DeviceAlarm) -> list[Message]:
        """Messages of an alarm that the device itself reports; only edges count.

        Where a limit has the same name, the device's own point is `device-` and that name. Of one
        device at most `DEVICE_POINTS` of all its alarms stand: one more is logged, and no alarm.
        """
        point = (reading.device, alarm.point)
        if point in self._limited:
            point = (reading.device, segment(f"device-{alarm.point}"))
        cause = Cause(reading.at)
        if alarm.active == (point in self._standing) or (alarm.active and self._is_full(reading.device)):
            return []
        if not alarm.active:
            return self._clear(point, cause, alarm.value)
        data = AlarmData(
            alarm=self._ids(),
            revision=1,
            state=AlarmState.UNACK_ACTIVE,
            priority=Priority.HIGH,
            category=AlarmCategory.THREAT,
            condition=Condition.DEVICE,
            message=TextData("alarm.device", {"device": reading.device, "text": alarm.text or alarm.point}),
            raised=instant(reading.at.utc),
            rules_digest=self._rules_digest,
            value=finite(alarm.value),
        )
        return self._raise(point, cause, data)

    def _is_full(self, device: str) -> bool:
        """Whether so many alarms of a device stand that it gets no more; said once until one of them ends."""
        if sum(name == device for name, _ in self._standing) < DEVICE_POINTS:
            self._full.discard(device)
            return False
        if device not in self._full:
            _log.error("device %s: %d of its alarms stand; further ones are not taken", device, DEVICE_POINTS)
        self._full.add(device)
        return True

    def _raise(self, point: _Point, cause: Cause, data: AlarmData) -> list[Message]:
        self._standing[point] = _Standing(data, cause.at.mono)
        return [
            self._message(Kind.EVENT, "alarm.raised", point, cause, data),
            self._message(Kind.ALARM, "alarm.raised", point, cause, data),
        ]

    def _clear(self, point: _Point, cause: Cause, value: float | None, why: str = "") -> list[Message]:
        standing = self._standing.pop(point, None)
        if standing is None:
            return []
        data = AlarmData(
            alarm=standing.data.alarm,
            revision=standing.data.revision + 1,
            state=AlarmState.NORMAL,
            priority=standing.data.priority,
            category=standing.data.category,
            condition=standing.data.condition,
            message=standing.data.message,
            raised=standing.data.raised,
            rules_digest=standing.data.rules_digest,
            value=finite(value),
            limit=standing.data.limit,
            unit=standing.data.unit,
            cleared=instant(cause.at.utc),
            duration_s=round(cause.at.mono - standing.since, 3),
            why=why,
        )
        return [
            self._message(Kind.EVENT, "alarm.cleared", point, cause, data),
            self._message(Kind.ALARM, "alarm.cleared", point, cause, None),
        ]

    def _message(self, kind: Kind, word: str, point: _Point, cause: Cause, data: AlarmData | None) -> Message:
        return Message(
            kind=kind,
            type=word,
            id=self._ids(),
            time=cause.at.utc,
            mono=cause.at.mono,
            data=data,
            device=point[0],
            point=point[1],
            causation=cause.message,
            correlation=data.alarm if data is not None else "",
        )


def _watched(limit: Limit) -> tuple[str, str, str, Condition]:
    """What makes two limits the same alarm point, whatever its value is."""
    return limit.device, limit.name, limit.channel, limit.condition
