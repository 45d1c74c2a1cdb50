"""The life of an alarm point: orthogonal states after OPC UA Part 9, and what follows from them.

A point has independent flags, as OPC 10000-9 (5.7, 5.8) gives them; the one word and letter that people
and lists want are derived from the flags and stored nowhere else. Pure: states in, states out.
"""

from msgspec import Struct
from msgspec.structs import replace

from devicehub.model.alarm import AlarmCategory, AlarmState, Letter, Priority, Shelf

_URGENCY = (Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.CRITICAL)


class Care(Struct, frozen=True):
    """What an alarm point demands before it closes. `managed`: a detection, closed by a confirmation only.

    A managed point is latched, never shelved, never suppressed, and needs acknowledgement and confirmation
    (the *highly managed* class of ISA-18.2). `latch` without `managed`: stays until it is reset.
    """

    managed: bool
    latch: bool

    @classmethod
    def of(cls, category: AlarmCategory, *, latch: bool = False) -> "Care":
        """A positive detection is managed, everything else is an ordinary alarm."""
        managed = category is AlarmCategory.THREAT
        return cls(managed, managed or latch)


class Life(Struct, frozen=True):
    """The orthogonal state of an alarm point. The default is a point at rest: first row of Table B.1 of Part 9."""

    enabled: bool = True
    active: bool = False
    acked: bool = True
    confirmed: bool = True
    latched: bool = False
    shelf: Shelf = Shelf.NONE
    suppressed: bool = False
    out_of_service: bool = False
    silenced: bool = False

    @property
    def stands(self) -> bool:
        """Whether there is an alarm that somebody or something has still to end."""
        return self.active or self.latched or not (self.acked and self.confirmed)

    @property
    def aside(self) -> bool:
        """Whether alarms of the point are not announced."""
        return self.suppressed or self.out_of_service or not self.enabled or self.shelf is not Shelf.NONE

    @property
    def told(self) -> bool:
        """Whether a late subscriber has to see the point: `Retain` of Part 9, and points put aside."""
        return self.stands or self.aside


def derived(life: Life) -> tuple[Letter, AlarmState]:
    """The letter of ISA-18.2 / IEC 62682 and the contract's word. The first row that fits holds.

    ====================================  ======  ==============
    flags                                 letter  word
    ====================================  ======  ==============
    not enabled, or out of service        G       out-of-service
    suppressed by design                  F       suppressed
    shelved                               E       shelved
    active, not acknowledged              B       unack-active
    active, acknowledged                  C       ack-active
    latched, not acknowledged             B       latched
    latched or unconfirmed, acknowledged  C       latched
    not acknowledged                      D       rtn-unack
    none of these                         A       normal
    ====================================  ======  ==============

    A latched alarm stays in the alarm states B and C after its condition has ended, as both standards
    demand; the word tells it from one whose condition is still there. Disabled and out of service are both G:
    the standards know one state for "not in use".
    """
    if life.out_of_service or not life.enabled:
        return Letter.G, AlarmState.OUT_OF_SERVICE
    if life.suppressed:
        return Letter.F, AlarmState.SUPPRESSED
    if life.shelf is not Shelf.NONE:
        return Letter.E, AlarmState.SHELVED
    return _in_use(life)


def _in_use(life: Life) -> tuple[Letter, AlarmState]:
    if life.active:
        return (Letter.C, AlarmState.ACK_ACTIVE) if life.acked else (Letter.B, AlarmState.UNACK_ACTIVE)
    if life.latched:
        return (Letter.C if life.acked else Letter.B), AlarmState.LATCHED
    if not life.acked:
        return Letter.D, AlarmState.RTN_UNACK
    return (Letter.A, AlarmState.NORMAL) if life.confirmed else (Letter.C, AlarmState.LATCHED)


def raised(life: Life, care: Care) -> Life:
    """The condition came, or is announced again: to be acknowledged, and audible."""
    return replace(life, active=True, acked=False, confirmed=True, latched=care.latch, silenced=False)


def returned(life: Life) -> Life:
    """The condition ended."""
    return replace(life, active=False)


def acknowledged(life: Life, care: Care) -> Life:
    """Somebody saw it. A managed alarm waits for its confirmation from now on."""
    return replace(life, acked=True, confirmed=not care.managed)


def confirmed(life: Life) -> Life:
    """Somebody settled what it was: no longer held."""
    return replace(life, confirmed=True, latched=False)


def graded(told: Priority, wanted: Priority, life: Life) -> Priority:
    """The priority to tell: while an alarm is unacknowledged it only rises, lest an operator overlook what it was."""
    if life.acked:
        return wanted
    return max(told, wanted, key=_URGENCY.index)
