"""Edges of limits that wait: an alarm comes when its condition has lasted, and goes when it has been gone as long."""

from dataclasses import dataclass

from devicehub.alarm.deadlines import Deadlines
from devicehub.core.register import Due, Point, Timer
from devicehub.core.standing import Cause
from devicehub.model.alarm import Limit, Transition
from devicehub.model.reading import Stamp


@dataclass(frozen=True, slots=True)
class Held:
    """An edge that waits for its delay: the value, and what is behind it."""

    value: float
    cause: Cause
    delay: float


class Delays:
    """Waiting edges, at most one of each point. Not kept over a restart: the next value begins the delay anew."""

    def __init__(self, deadlines: Deadlines[Due]) -> None:
        self._deadlines = deadlines
        self._held: dict[Point, Held] = {}

    def hold(self, point: Point, edge: Transition, cause: Cause, limit: Limit) -> bool:
        """Whether an edge is not to be told now: it takes back the one that waits, or waits itself."""
        if point in self._held:
            self.forget(point)
            return True
        delay = limit.on_delay_s if edge.active else limit.off_delay_s
        if delay > 0:
            self._held[point] = Held(edge.value, cause, delay)
            timer = Timer.ON_DELAY if edge.active else Timer.OFF_DELAY
            self._deadlines.set((point, timer), cause.at.mono + delay)
        return delay > 0

    def waits(self, point: Point) -> bool:
        """Whether an edge of a point waits."""
        return point in self._held

    def over(self, point: Point, mono: float) -> tuple[Cause, float]:
        """The edge that has waited until `mono`, as of then. The wall clock, which may have been set, is not asked."""
        held = self._held.pop(point)
        at = Stamp(held.cause.at.utc + held.delay, mono)
        return Cause(at, held.cause.message, held.cause.quality, held.cause.unit), held.value

    def forget(self, point: Point) -> None:
        """What waits at a point is not to be told any more."""
        self._held.pop(point, None)
        for timer in (Timer.ON_DELAY, Timer.OFF_DELAY):
            self._deadlines.cancel((point, timer))
