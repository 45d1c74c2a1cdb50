"""What is known of an alarm point, and the way to and from what is published of it. Pure."""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from devicehub.alarm.acts import Act
from devicehub.alarm.lifecycle import Care, Life, derived
from devicehub.core.measure import finite
from devicehub.model.alarm import AlarmQuality, AlarmState, Condition, Limit, Shelf, Verb
from devicehub.model.instant import instant
from devicehub.model.payload import ActData, AlarmData, AuditData, DispositionData, ShelvingData, TextData, TimedData
from devicehub.model.reading import DeviceAlarm, Quality, Reading, Stamp
from devicehub.model.units import Unit

REPORTED = frozenset({Condition.DEVICE, Condition.LISTED, Condition.DETECTION})
"""Of alarms that no limit has."""


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm of an earlier run, as it was last published."""

    device: str
    point: str
    data: AlarmData


@dataclass(frozen=True, slots=True)
class Cause:
    """What is behind a change: when, the id of its message or command, how far its value is trusted, its unit."""

    at: Stamp
    message: str = ""
    quality: Quality = Quality.GOOD
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An alarm point that is told of. Monotonic: `since` the alarm came, `came` its condition came last."""

    data: AlarmData
    life: Life
    since: float
    came: float


@dataclass(frozen=True, slots=True)
class Remaining:
    """Seconds that a shelving, a silence and an announcement last from now on; written with every revision."""

    now: Stamp
    shelf: float = 0.0
    silence: float = 0.0
    realarm: float | None = None


def life_of(data: AlarmData, care: Care) -> Life:
    """The state of a point, back from what was published of it."""
    older = not data.event  # written before alarms had a life of their own: it stands, and was never acknowledged
    return Life(
        enabled=data.enabled,
        active=data.active,
        acked=data.acknowledged,
        confirmed=data.confirmed,
        latched=care.latch if older else data.latched,
        shelf=Shelf.NONE if data.shelved is None else data.shelved.kind,
        suppressed=data.suppressed,
        out_of_service=data.out_of_service,
        silenced=data.silenced is not None,
    )


def written(data: AlarmData, life: Life, remaining: Remaining) -> AlarmData:
    """What is published of a state."""
    letter, word = derived(life)
    shelved, silenced, again = data.shelved, data.silenced, remaining.realarm
    return replace(
        data,
        state=word,
        letter=letter,
        enabled=life.enabled,
        active=life.active,
        acknowledged=life.acked,
        confirmed=life.confirmed,
        latched=life.latched,
        suppressed=life.suppressed,
        out_of_service=life.out_of_service,
        shelved=replace(shelved, left_s=remaining.shelf) if shelved and life.shelf is not Shelf.NONE else None,
        silenced=replace(silenced, left_s=remaining.silence) if silenced and life.silenced else None,
        realarm=None if again is None else TimedData(instant(remaining.now.utc + again), again),
    )


def left(timed: TimedData, now: Stamp) -> float:
    """Seconds that something still lasts after a restart: what was left when it was written, or until its end.

    The lesser of both: nobody knows how long the hub was away, and the wall clock may have been set
    meanwhile. A clock that is wrong can end it early, which is the safe side, and never make it longer.
    """
    return max(min(timed.left_s, seconds_of(timed.until) - now.utc), 0.0)


def to_the_next(timed: TimedData, every: float, now: Stamp) -> float:
    """Seconds to what comes round. `every`: how often it did since, without being told; 0: it waits to be told."""
    late = now.utc - seconds_of(timed.until)
    return every - late % every if every > 0 and late >= 0 else left(timed, now)


def elapsed(since: str, now: Stamp) -> float:
    """Seconds from an instant of an earlier run to now by the wall clock, never negative."""
    return max(now.utc - seconds_of(since), 0.0)


def seconds_of(text: str) -> float:
    """UTC seconds of a published instant."""
    return datetime.fromisoformat(text).timestamp()


def quality(cause: Cause) -> AlarmQuality:
    """How far the value behind a change is trusted."""
    return AlarmQuality(cause.quality.value)


def of_limit(limit: Limit, alarm: str, at: Stamp, rules_digest: str) -> AlarmData:
    """A new alarm of a limit."""
    return AlarmData(
        alarm=alarm,
        revision=0,
        state=AlarmState.NORMAL,
        priority=limit.priority,
        category=limit.category,
        condition=limit.condition,
        message=TextData(limit.message, {"device": limit.device, "channel": limit.channel, **_further(limit)}),
        raised=instant(at.utc),
        rules_digest=rules_digest,
        limit=None if limit.condition is Condition.STATE else limit.limit,
    )


def _further(limit: Limit) -> dict[str, str]:
    """What a text about the limit may name beside its device and channel."""
    if limit.condition is Condition.STATE:
        return {"states": ", ".join(limit.states)}
    return {"reference": limit.reference} if limit.condition is Condition.DEVIATION else {}


def of_device(reading: Reading, alarm: DeviceAlarm, name: str, rules_digest: str) -> AlarmData:
    """A new alarm that a device itself reports, or that the watch list raises on what it scanned."""
    return AlarmData(
        alarm=name,
        revision=0,
        state=AlarmState.NORMAL,
        priority=alarm.priority,
        category=alarm.category,
        condition=alarm.condition,
        message=TextData(f"alarm.{alarm.condition}", {"device": reading.device, "text": alarm.text or alarm.point}),
        raised=instant(reading.at.utc),
        rules_digest=rules_digest,
        value=finite(alarm.value),
    )


def watched(limit: Limit) -> tuple[str, str, str, Condition]:
    """What makes two limits the same alarm point, whatever its value is."""
    return limit.device, limit.name, limit.channel, limit.condition


def acted(data: AlarmData, act: Act, seconds: float, now: Stamp) -> AlarmData:
    """What an act leaves on the point beside its flags. `seconds`: how long it lasts, for a shelving or a silence."""
    at, until = instant(now.utc), instant(now.utc + seconds)
    by, why = act.issuer, act.why
    match act.verb:
        case Verb.ACK:
            return replace(data, acked=ActData(at, by, why))
        case Verb.CONFIRM if act.disposition is not None:
            return replace(data, disposition=DispositionData(act.disposition, at, by, why))
        case Verb.SHELVE:
            kind = Shelf.ONE_SHOT if act.one_shot else Shelf.TIMED
            return replace(data, shelved=ShelvingData(until=until, left_s=seconds, kind=kind, by=by, why=why))
        case Verb.SILENCE:
            return replace(data, silenced=TimedData(until=until, left_s=seconds))
        case Verb.COMMENT if not act.record_only:
            return replace(data, comment=ActData(at, by, why))
        case _:
            return data


def audit(act: Act, old: AlarmData, before: Life, after: Life, now: Stamp) -> AuditData:
    """The record of an act."""
    return AuditData(
        verb=act.verb,
        by=act.issuer,
        old=derived(before)[1],
        new=derived(after)[1],
        command=act.command,
        mono_s=round(now.mono, 3),
        why=act.why,
        previous=old.event,
    )
