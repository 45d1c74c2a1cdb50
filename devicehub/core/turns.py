"""The changes of an alarm point that no person makes: from what is known of it to its next state. Pure."""

from msgspec.structs import replace

from devicehub.alarm.lifecycle import Care, Life, graded, raised, returned
from devicehub.core.measure import finite
from devicehub.core.register import CLEARED, RAISED, Turn
from devicehub.core.standing import Cause, Record, quality
from devicehub.model.alarm import AlarmQuality, Priority, Shelf
from devicehub.model.instant import instant
from devicehub.model.payload import AlarmData

RETURNED = "alarm.returned"


def began(record: Record | None, fresh: AlarmData, care: Care, cause: Cause) -> Turn:
    """An alarm where none stood."""
    life = raised(Life() if record is None else record.life, care)
    shelved = None if record is None else record.data.shelved
    return Turn(RAISED, cause, life, replace(fresh, shelved=shelved, quality=quality(cause)))


def again(record: Record, fresh: AlarmData, care: Care, cause: Cause) -> Turn:
    """The condition of an alarm that still stands came once more: to be acknowledged anew."""
    data = replace(
        record.data,
        priority=graded(record.data.priority, fresh.priority, record.life),
        value=fresh.value,
        unit=fresh.unit,
        quality=quality(cause),
        activations=record.data.activations + 1,
        chattering=fresh.chattering,
        returned=None,
        acked=None,
        disposition=None,
        audit=None,
    )
    return Turn(RAISED, cause, raised(record.life, care), data)


def went(record: Record, cause: Cause, value: float | None, why: str) -> Turn:
    """The condition ended; so does the alarm, if nobody has to do anything about it any more."""
    life = returned(record.life)
    data = replace(
        record.data,
        value=finite(value),
        quality=quality(cause),
        returned=instant(cause.at.utc),
        why=why,
        audit=None,
    )
    return Turn(RETURNED if life.stands else CLEARED, cause, life, data)


def doubted(record: Record, cause: Cause, trust: AlarmQuality) -> Turn:
    """How far the value behind a standing alarm can be trusted has changed."""
    return Turn("alarm.quality", cause, record.life, replace(record.data, quality=trust, audit=None))


def realarmed(record: Record, care: Care, cause: Cause) -> Turn:
    """A condition that has lasted is announced again."""
    data = replace(record.data, acked=None, disposition=None, audit=None)
    return Turn("alarm.realarmed", cause, raised(record.life, care), data)


def unshelved(record: Record, cause: Cause) -> Turn:
    """A shelving ended by itself."""
    life = replace(record.life, shelf=Shelf.NONE)
    return Turn("alarm.unshelved", cause, life, replace(record.data, audit=None))


def unsilenced(record: Record, cause: Cause) -> Turn:
    """A silence ended by itself."""
    life = replace(record.life, silenced=False)
    return Turn("alarm.unsilenced", cause, life, replace(record.data, audit=None))


def regraded(record: Record, cause: Cause, priority: Priority) -> Turn:
    """The rules give the alarm another priority."""
    return Turn("alarm.regraded", cause, record.life, replace(record.data, priority=priority, audit=None))


def removed(record: Record, cause: Cause, why: str) -> Turn:
    """A point that was put aside, and that nothing watches any more."""
    return Turn("alarm.removed", cause, Life(), replace(record.data, why=why, audit=None))
