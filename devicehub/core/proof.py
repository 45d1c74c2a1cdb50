"""The proof that alarms are still raised here: once a tick a synthetic value goes beyond a limit and comes back.

Its limit is the last one of the engine that judges all others, and its values stand in the batch of the tick among
those of the devices. Both edges come out where edges become alarms, and become none.
"""

from collections.abc import Sequence

from devicehub.core.standing import Cause
from devicehub.core.watch import Feed, Numbers
from devicehub.model.alarm import Condition, Limit, Transition
from devicehub.model.reading import Measurement, Stamp

LIMIT = Limit("proof", "", "proof", Condition.HIGH, 0.5)
"""Of no device, so that nobody can act on it."""

KEY = (LIMIT.device, LIMIT.channel)
_BEYOND, _INSIDE = 1.0, 0.0


def with_proof(limits: Sequence[Limit]) -> list[Limit]:
    """The same limits, and the one of the proof."""
    return [*limits, LIMIT]


class Proof:
    """`at`: the tick whose synthetic value raised and ended its condition last; None before the first."""

    def __init__(self) -> None:
        self.at: Stamp | None = None
        self._raised: Stamp | None = None

    def put(self, numbers: Numbers, places: Sequence[Feed], now: Stamp) -> None:
        """Add the values of a tick."""
        for value in (_BEYOND, _INSIDE):
            numbers.take(places, Measurement(LIMIT.channel, value), Cause(now))

    def heard(self, edge: Transition, cause: Cause) -> None:
        """An edge of the proof's limit."""
        if edge.active and edge.value == _BEYOND:
            self._raised = cause.at
        elif not edge.active and edge.value == _INSIDE and self._raised == cause.at:
            self.at = cause.at
