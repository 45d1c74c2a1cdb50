"""The lane as a whole: what of all that is required can be detected, what stands, and one word on it. Pure.

It knows what was published of capabilities and alarms, and nothing else: what is not known is not there. The one good
word, `no-alarm`, needs every required capability at `full` without a reservation.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from devicehub.alarm.lifecycle import Care
from devicehub.core.published import Published
from devicehub.core.standing import life_of
from devicehub.core.verdicts import grade, in_full
from devicehub.model.alarm import AlarmCategory, Priority
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, CapabilityData, LaneData, LaneState, RequiredData
from devicehub.model.reading import Cause, Level, Stamp

REPEAT: Final = 20.0
UNASSESSED: Final = "nothing is required of this lane, so that nobody knows whether anything could be detected"


def lane_data(
    required: Sequence[str], abilities: Mapping[str, CapabilityData], alarms: Iterable[AlarmData], since: str
) -> LaneData:
    """The summary. `abilities`: by device, of those that are known. `alarms`: points that are told of."""
    found = tuple(_best(name, abilities) for name in required)
    threats: Counter[Priority] = Counter()
    others: Counter[Priority] = Counter()
    aside = 0
    for alarm in alarms:
        life, threat = life_of(alarm, Care.of(alarm.category)), alarm.category is AlarmCategory.THREAT
        aside += life.aside
        if life.stands and (threat or not life.aside):
            (threats if threat else others)[alarm.priority] += 1
    data = LaneData(LaneState.NO_ALARM, since, found, _sorted(threats), _sorted(others), aside)
    state = _state(data)
    return replace(data, state=state, why=_why(state, found))


def _state(data: LaneData) -> LaneState:
    if data.threats:
        return LaneState.ALARM
    if any(one.level is Level.NONE for one in data.required):
        return LaneState.BLIND
    if not all(in_full(one.level, one.cause) for one in data.required):
        return LaneState.DEGRADED
    if data.others or data.aside:
        return LaneState.ATTENTION
    return LaneState.NO_ALARM if data.required else LaneState.UNASSESSED


def _best(name: str, abilities: Mapping[str, CapabilityData]) -> RequiredData:
    """What the device has that has most of it, the first of equals."""
    found = (
        RequiredData(name, item.level, item.cause, device)
        for device, data in abilities.items()
        for item in data.capabilities
        if item.name == name
    )
    nobody = RequiredData(name, Level.NONE, Cause.NO_DEVICE)
    return min(found, key=lambda one: (grade(one.level), one.cause is not Cause.NONE), default=nobody)


def _why(state: LaneState, required: Iterable[RequiredData]) -> str:
    if state is LaneState.UNASSESSED:
        return UNASSESSED
    lacking = (one for one in required if not in_full(one.level, one.cause))
    return "; ".join(f"{one.name}: {one.level}" + (f" ({one.cause})" if one.cause else "") for one in lacking)


def _sorted(counts: Counter[Priority]) -> dict[Priority, int]:
    return {priority: counts[priority] for priority in Priority if counts[priority]}


class Lane:
    """Says what follows for the lane from what is published, when that is news."""

    def __init__(self, ids: Callable[[], str], required: Sequence[str], published: Published) -> None:
        self._ids = ids
        self._required = required
        self._published = published
        self._told: LaneData | None = None
        self._said = 0.0
        self._news = -1

    def revise(self, required: Sequence[str]) -> None:
        """Other things are required from now on."""
        self._required, self._news = required, -1

    def say(self, now: Stamp) -> list[Message]:
        """The summary where it has changed or is to be repeated, and an event where its word has."""
        known, before = self._published, self._told
        if self._news == known.news and now.mono - self._said < REPEAT:
            return []
        self._news = known.news
        data = lane_data(self._required, known.abilities, known.alarms.values(), instant(now.utc))
        if before is not None and before.state is data.state:
            data = replace(data, since=before.since)
        if data == before and now.mono - self._said < REPEAT:
            return []
        self._told, self._said = data, now.mono
        told = [self._message(Kind.LANE, "lane", now, data)]
        if before is None or before.state is not data.state:
            event = replace(data, before=None if before is None else before.state)
            told.append(self._message(Kind.EVENT, "lane.changed", now, event))
        return told

    def _message(self, kind: Kind, word: str, now: Stamp, data: LaneData) -> Message:
        return Message(kind=kind, type=word, id=self._ids(), time=now.utc, mono=now.mono, data=data)
