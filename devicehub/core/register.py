"""The alarm points that are told of: one place where a state changes, and where the messages of a change are made."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from msgspec.structs import replace

from devicehub.alarm.deadlines import Deadlines
from devicehub.alarm.lifecycle import Life
from devicehub.alarm.tally import STALE, Flood, Tally
from devicehub.core.standing import Cause, Record, Remaining, written
from devicehub.model.alarm import Shelf
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, AlarmStatisticsData, AnyPayload, FloodData, RateData
from devicehub.model.reading import Stamp

RAISED = "alarm.raised"
CLEARED = "alarm.cleared"
DEVICE_POINTS = 256
_RATES = 50

_log = logging.getLogger(__name__)

Point = tuple[str, str]


class Timer(Enum):
    """What an alarm point can wait for."""

    ON_DELAY = auto()
    OFF_DELAY = auto()
    SHELF = auto()
    SILENCE = auto()
    REALARM = auto()


Due = tuple[Point, Timer]


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of an alarm point: its event, what is behind it, the state after it, what else is told."""

    word: str
    cause: Cause
    life: Life
    data: AlarmData


class Register:
    """Records by point. A point that is at rest is forgotten."""

    def __init__(self, ids: Callable[[], str]) -> None:
        self.records: dict[Point, Record] = {}
        self.deadlines: Deadlines[Due] = Deadlines()
        self.tally = Tally()
        self.standing = 0
        self._ids = ids
        self._full: set[str] = set()

    def remember(self, point: Point, record: Record) -> None:
        """A record of an earlier run, which has been told."""
        self.records[point] = record
        self.standing += record.life.stands

    def is_full(self, device: str) -> bool:
        """Whether so many alarms of a device stand that it gets no more; said once until one of them ends."""
        if sum(name == device for name, _ in self.records) < DEVICE_POINTS:
            self._full.discard(device)
            return False
        if device not in self._full:
            _log.error(
                "device %s: %d of its alarms stand; further ones are not taken",
                device,
                DEVICE_POINTS,
                extra={"device": device},
            )
        self._full.add(device)
        return True

    def tell(self, point: Point, turn: Turn) -> list[Message]:
        """Change a point. An alarm whose last hold ends with the change is cleared by it."""
        before = self.records.get(point)
        old = Life() if before is None else before.life
        life = turn.life if turn.life.stands else replace(turn.life, silenced=False)
        self._forget_timers(point, life)
        record = self._next(turn, life, before)
        words = [turn.word]
        if old.stands and not life.stands:
            record = _with_end(record, turn.cause.at)
            words += [CLEARED] if turn.word != CLEARED else []
        out: list[Message] = []
        for number, word in enumerate(words):
            event = self._ids()
            data = written(record.data, life, self._remaining(point, turn.cause.at))
            data = replace(data, revision=data.revision + 1, event=event, audit=None if number else turn.data.audit)
            record = Record(data, life, record.since, record.came)
            out.append(self._message(Kind.EVENT, word, point, turn.cause, event, data))
        kept = record.data if life.told else None
        out.append(self._message(Kind.ALARM, words[-1], point, turn.cause, self._ids(), kept))
        self._keep(point, record)
        self.standing += life.stands - old.stands
        return [*out, *self._announced(point, record, old, turn.cause.at)]

    def floods(self, now: Stamp) -> list[Message]:
        """The end of a flood, if it is over."""
        return [self._flood(flood, now) for flood in self.tally.passed(now.mono)]

    def statistics(self, now: Stamp) -> Message:
        """The figures at this moment."""
        tally, records = self.tally, self.records.values()
        p50, p95 = tally.answer_times()
        data = AlarmStatisticsData(
            standing=self.standing,
            unacknowledged=sum(not record.life.acked for record in records),
            stale=sum(record.life.stands and now.mono - record.since > STALE for record in records),
            alarms=tally.alarms,
            alarms_10min=tally.window(),
            peak_10min=tally.peak,
            floods=tally.floods,
            flood=tally.flooded,
            chattering=tally.chattering(now.mono),
            priorities={str(priority): count for priority, count in sorted(tally.priorities.items())},
            ack_p50_s=p50,
            ack_p95_s=p95,
            false_alarms={
                f"{device}/{point}": RateData(judged, false, round(false / judged, 4))
                for (device, point), judged, false in tally.rates(_RATES)
            },
        )
        return self._own("alarm.statistics", now, data)

    def _next(self, turn: Turn, life: Life, before: Record | None) -> Record:
        mono = turn.cause.at.mono
        if before is None or before.data.alarm != turn.data.alarm:
            return Record(turn.data, life, mono, mono)
        came = mono if life.active and not before.life.active else before.came
        return Record(turn.data, life, before.since, came)

    def _keep(self, point: Point, record: Record) -> None:
        if record.life.told:
            self.records[point] = record
        else:
            self.records.pop(point, None)

    def _forget_timers(self, point: Point, life: Life) -> None:
        if not life.silenced:
            self.deadlines.cancel((point, Timer.SILENCE))
        if not life.active:
            self.deadlines.cancel((point, Timer.REALARM))
        if life.shelf is Shelf.NONE:
            self.deadlines.cancel((point, Timer.SHELF))

    def _remaining(self, point: Point, now: Stamp) -> Remaining:
        shelf, silence, realarm = (
            None if at is None else round(max(at - now.mono, 0.0), 3)
            for at in (self.deadlines.at((point, timer)) for timer in (Timer.SHELF, Timer.SILENCE, Timer.REALARM))
        )
        return Remaining(now, shelf or 0.0, silence or 0.0, realarm)

    def _announced(self, point: Point, record: Record, old: Life, now: Stamp) -> Iterator[Message]:
        """An alarm that is to be seen and heard from now on counts for the figures."""
        if _audible(record.life) and not _audible(old):
            for flood in self.tally.announced(point, record.data.priority, now.mono):
                yield self._flood(flood, now)

    def _flood(self, flood: Flood, now: Stamp) -> Message:
        lasted = now.mono - flood.since
        data = FloodData(
            what="end" if flood.over else "begin",
            count=flood.count,
            first="/".join(flood.first),
            since=instant(now.utc - lasted),
            duration_s=round(lasted, 3),
            devices=dict(flood.devices),
        )
        return self._own("alarm.flood", now, data)

    def _own(self, word: str, now: Stamp, data: AnyPayload) -> Message:
        return Message(kind=Kind.EVENT, type=word, id=self._ids(), time=now.utc, mono=now.mono, data=data)

    def _message(self, kind: Kind, word: str, point: Point, cause: Cause, name: str, data: AlarmData | None) -> Message:
        return Message(
            kind=kind,
            type=word,
            id=name,
            time=cause.at.utc,
            mono=cause.at.mono,
            data=data,
            device=point[0],
            point=point[1],
            causation=cause.message,
            correlation=data.alarm if data is not None else "",
        )


def _audible(life: Life) -> bool:
    return life.active and not life.acked and not life.aside


def _with_end(record: Record, at: Stamp) -> Record:
    duration = round(at.mono - record.since, 3)
    data = replace(record.data, cleared=instant(at.utc), duration_s=duration)
    return Record(data, record.life, record.since, record.came)
