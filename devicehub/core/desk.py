"""Acts of people on alarm points: found, judged, told, remembered."""

from collections import OrderedDict
from collections.abc import Container

from msgspec.structs import replace

from devicehub.alarm.acts import Act, Refusal, RefusedActError, done, lasting
from devicehub.alarm.lifecycle import Care, Life
from devicehub.core.register import Point, Register, Timer, Turn
from devicehub.core.standing import Cause, Record, acted, audit
from devicehub.model.alarm import Verb
from devicehub.model.message import Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Stamp

_COMMANDS = 1000
_TIMERS = {Verb.SHELVE: Timer.SHELF, Verb.SILENCE: Timer.SILENCE}
WORDS = {
    Verb.ACK: "alarm.acked",
    Verb.CONFIRM: "alarm.confirmed",
    Verb.RESET: "alarm.reset",
    Verb.SHELVE: "alarm.shelved",
    Verb.UNSHELVE: "alarm.unshelved",
    Verb.SILENCE: "alarm.silenced",
    Verb.SUPPRESS: "alarm.suppressed",
    Verb.UNSUPPRESS: "alarm.unsuppressed",
    Verb.OUT_OF_SERVICE: "alarm.out-of-service",
    Verb.IN_SERVICE: "alarm.in-service",
    Verb.DISABLE: "alarm.disabled",
    Verb.ENABLE: "alarm.enabled",
    Verb.COMMENT: "alarm.commented",
}


class Desk:
    """Where people act. `shelve_most`: seconds that a point may be shelved at a stretch."""

    def __init__(self, register: Register, shelve_most: float) -> None:
        self._register = register
        self.shelve_most = shelve_most
        self._done: OrderedDict[str, None] = OrderedDict()

    def place(self, act: Act, limits: Container[Point]) -> Point:
        """The point that an act names. Raises `RefusedActError` for one that is not known."""
        point = (act.device, act.point)
        if act.alarm:
            named = [one for one, record in self._register.records.items() if record.data.alarm == act.alarm]
            if not named and self._is_done(act):
                return point
            if not named or (act.device and act.device != named[0][0]) or (act.point and act.point != named[0][1]):
                raise RefusedActError(Refusal.UNKNOWN_ALARM, f"no alarm {act.alarm} stands there")
            return named[0]
        if point not in limits and point not in self._register.records and not self._is_done(act):
            raise RefusedActError(Refusal.UNKNOWN_ALARM, f"no alarm point {act.point} of {act.device}")
        return point

    def operate(self, act: Act, point: Point, care: Care, blank: AlarmData | None, now: Stamp) -> list[Message]:
        """The messages of an act; none when the same command was done before. `blank`: data of a point at rest.

        Raises `RefusedActError`; then nothing has changed.
        """
        record = self._register.records.get(point)
        data = blank if record is None else record.data
        if self._is_done(act) or _was(act, record) or data is None:
            return []
        if act.revision is not None and act.revision != data.revision:
            raise RefusedActError(Refusal.WRONG_REVISION, f"the alarm is at revision {data.revision}")
        before = Life() if record is None else record.life
        after = done(act, before, care, self.shelve_most)
        seconds = lasting(act, self.shelve_most)
        if act.verb in _TIMERS:
            self._register.deadlines.set((point, _TIMERS[act.verb]), now.mono + seconds)
        told = replace(acted(data, act, seconds, now), audit=audit(act, data, before, after, now))
        out = self._register.tell(point, Turn(WORDS[act.verb], Cause(now, act.command), after, told))
        self._figures(act, point, record, now)
        self._done[act.command] = None
        if len(self._done) > _COMMANDS:
            self._done.popitem(last=False)
        return out

    def _is_done(self, act: Act) -> bool:
        return act.command in self._done

    def _figures(self, act: Act, point: Point, record: Record | None, now: Stamp) -> None:
        if act.verb is Verb.ACK and record is not None:
            self._register.tally.acknowledged(now.mono - record.came)
        if act.verb is Verb.CONFIRM and act.disposition is not None:
            self._register.tally.settled(point, act.disposition)


def _was(act: Act, record: Record | None) -> bool:
    """Whether the last act on the point was this very command, before a restart."""
    told = None if record is None else record.data.audit
    return told is not None and told.command == act.command
