"""The proof that alarms are still raised here: once a tick a synthetic value goes beyond a limit and comes back.

Its limit is the last one of the engine that judges all others, and its values stand in the batch of the tick among
those of the devices. Both edges come out where edges become alarms, and become alarms of points that nobody sees; so
does an alarm that a device reports. What is proven of that is the code that all alarm points run through, not what
those of the hub hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from devicehub.core.alarms import AlarmPoints
from devicehub.core.register import RAISED
from devicehub.core.standing import Cause
from devicehub.core.turns import RETURNED
from devicehub.core.watch import Feed, Numbers
from devicehub.model.alarm import AlarmCategory, Condition, Limit, Transition
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import DeviceAlarm, Measurement, Reading, Stamp

LIMIT = Limit("proof", "", "proof", Condition.HIGH, 0.5, category=AlarmCategory.HUB)
"""Of no device, so that nobody can act on it."""

KEY = (LIMIT.device, LIMIT.channel)
_BEYOND, _INSIDE = 1.0, 0.0
_DEVICE = "proof"


def with_proof(limits: Sequence[Limit]) -> list[Limit]:
    """The same limits, and the one of the proof."""
    return [*limits, LIMIT]


def _points() -> AlarmPoints:
    return AlarmPoints([replace(LIMIT, device=_DEVICE)], lambda: _DEVICE, "")


@dataclass(frozen=True, slots=True)
class _Raised:
    """An alarm that stands, since when, and the points that it stands in."""

    at: Stamp
    points: AlarmPoints = field(default_factory=_points)


class Proof:
    """`at`: the tick whose synthetic value raised and ended its alarms last; None before the first."""

    def __init__(self) -> None:
        self.at: Stamp | None = None
        self._raised: _Raised | None = None

    def put(self, numbers: Numbers, places: Sequence[Feed], now: Stamp) -> None:
        """Add the values of a tick."""
        for value in (_BEYOND, _INSIDE):
            numbers.take(places, Measurement(LIMIT.channel, value), Cause(now))

    def heard(self, edge: Transition, cause: Cause) -> None:
        """An edge of the proof's limit."""
        if edge.active and edge.value == _BEYOND:
            raised = _Raised(cause.at)
            self._raised = raised if _tells(RAISED, raised.points, edge, cause) else None
        elif not edge.active and edge.value == _INSIDE and self._raised is not None and self._raised.at == cause.at:
            self.at = cause.at if _tells(RETURNED, self._raised.points, edge, cause) else self.at


def _tells(word: str, points: AlarmPoints, edge: Transition, cause: Cause) -> bool:
    """Whether an edge of a limit, and the same of a device, become the event and the state that are published."""
    alarm = DeviceAlarm("device", active=edge.active, category=LIMIT.category)
    told = (
        points.on_limit(replace(edge, limit=0), cause),
        points.on_device(Reading(_DEVICE, cause.at, alarm), alarm),
    )
    wanted = [(Kind.EVENT, word, edge.active), (Kind.ALARM, word, edge.active)]
    return all([_said(message) for message in messages] == wanted for messages in told)


def _said(message: Message) -> tuple[Kind, str, bool | None]:
    return message.kind, message.type, message.data.active if isinstance(message.data, AlarmData) else None
