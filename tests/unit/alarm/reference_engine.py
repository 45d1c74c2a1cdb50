"""The conditions once more, slow and scalar: each limit remembers everything it was ever told and looks it up.

It shares no code with the product beyond the vocabulary, and knows nothing of batches.
"""

from dataclasses import dataclass, field
from math import isfinite, nan

from devicehub.model.alarm import Condition, Distrust, Limit

Edge = tuple[bool, float, float]


@dataclass(eq=False)
class ReferenceLimit:
    """One limit. An edge is (active, what was held against the limit, seconds too late)."""

    limit: Limit
    active: bool = False
    votes: list[bool] = field(default_factory=list)
    marks: list[tuple[float, float]] = field(default_factory=list)
    references: list[tuple[float, float]] = field(default_factory=list)
    fresh: float | None = None

    def feed(self, value: float, at: float, *, good: bool) -> list[Edge]:
        """A value of the channel."""
        match self.limit.condition:
            case Condition.STALE:
                return self.stale(value, at, good=good)
            case Condition.RISE | Condition.FALL:
                held = self.rate(value, at, good=good)
            case Condition.DEVIATION:
                held = self.distance(value, at)
            case _:
                held = value
        return self.hold(held, trusted=good and isfinite(value))

    def refer(self, value: float, at: float, *, good: bool) -> None:
        """A value of the reference channel."""
        if good and isfinite(value):
            self.references.append((at, value))

    def lapse(self, at: float) -> list[Edge]:
        """Time alone."""
        if self.limit.condition is not Condition.STALE:
            return []
        if self.fresh is None:
            self.fresh = at
        due = self.fresh + self.limit.window_s
        if self.active or at <= due:
            return []
        self.active = True
        return [(True, nan, at - due)]

    def stale(self, value: float, at: float, *, good: bool) -> list[Edge]:
        out = self.lapse(at)
        if good and isfinite(value):
            self.fresh = at
            if self.active:
                self.active = False
                out.append((False, nan, 0.0))
        return out

    def rate(self, value: float, at: float, *, good: bool) -> float:
        """Marks are good values, each the first that is a window after the mark before."""
        if not isfinite(value):
            return nan
        old = next((mark for mark in reversed(self.marks) if at - mark[0] >= self.limit.window_s), None)
        if good and (not self.marks or at - self.marks[-1][0] >= self.limit.window_s):
            self.marks.append((at, value))
        return nan if old is None else (value - old[1]) / (at - old[0])

    def distance(self, value: float, at: float) -> float:
        if not self.references or at - self.references[-1][0] > self.limit.window_s:
            return nan
        return abs(value - self.references[-1][1])

    def hold(self, held: float, *, trusted: bool) -> list[Edge]:
        """Count what speaks for a change among the last values that count."""
        beyond, over = self.beyond(held), self.over(held)
        if not (trusted and isfinite(held)):
            beyond = beyond and self.limit.distrust is not Distrust.IGNORE
            beyond = beyond or (self.limit.distrust is Distrust.RAISE and not trusted)
            over = False
            if not beyond:
                return []
        self.votes.append(over if self.active else beyond)
        if sum(self.votes[-self.limit.of :]) < self.limit.count:
            return []
        self.active, self.votes = not self.active, []
        return [(self.active, held, 0.0)]

    def beyond(self, held: float) -> bool:
        match self.limit.condition:
            case Condition.STATE:
                return held > 0.5
            case Condition.LOW | Condition.LOW_LOW:
                return held < self.limit.limit
            case Condition.FALL:
                return -held > self.limit.limit
            case _:
                return held > self.limit.limit

    def over(self, held: float) -> bool:
        match self.limit.condition:
            case Condition.STATE:
                return held <= 0.5
            case Condition.LOW | Condition.LOW_LOW:
                return held >= self.limit.limit + self.limit.hysteresis
            case Condition.FALL:
                return -held <= self.limit.limit - self.limit.hysteresis
            case _:
                return held <= self.limit.limit - self.limit.hysteresis
