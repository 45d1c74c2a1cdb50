"""From the values of one step to the edges of the limits on them, and back to what each edge came from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from devicehub.alarm.conditions import inputs
from devicehub.alarm.engine import AlarmEngine
from devicehub.core.standing import Cause
from devicehub.model.alarm import Condition, Limit, Transition
from devicehub.model.reading import Measurement, Quality, Stamp
from devicehub.model.units import Unit

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Feed:
    """A place of the engine that a channel's values go to. `states`: those whose label is looked for."""

    index: int
    states: tuple[str, ...] = ()


def feeds(limits: Sequence[Limit]) -> dict[Key, list[Feed]]:
    """Where the values of each device and channel go: to its own limits, and to those that refer to it."""
    found: dict[Key, list[Feed]] = {}
    for index, key in enumerate(inputs(limits)):
        states = limits[index].states if index < len(limits) else ()
        found.setdefault(key, []).append(Feed(index, states))
    return found


@dataclass(slots=True)
class Numbers:
    """Values of one step that limits are held against, and what each came from."""

    index: list[int] = field(default_factory=list[int])
    value: list[float] = field(default_factory=list[float])
    good: list[bool] = field(default_factory=list[bool])
    at: list[float] = field(default_factory=list[float])
    source: list[Cause] = field(default_factory=list[Cause])
    measured: list[float] = field(default_factory=list[float])

    def take(self, places: Sequence[Feed], measurement: Measurement, cause: Cause) -> None:
        """A value, for each place that it goes to."""
        for feed in places:
            self.index.append(feed.index)
            self.value.append(float(measurement.label in feed.states) if feed.states else measurement.value)
            self.good.append(measurement.quality is not Quality.BAD)
            self.at.append(cause.at.mono)
            self.source.append(cause)
            self.measured.append(measurement.value)

    def edges(self, engine: AlarmEngine) -> Iterator[tuple[Transition, Cause]]:
        """The edges of these values in order, each with what is behind it."""
        for edge in engine.step(self.index, self.value, self.good, self.at):
            limit, cause = engine.limits[edge.limit], self.source[edge.reading]
            if limit.condition is Condition.STATE:
                yield replace(edge, value=self.measured[edge.reading]), cause
            elif limit.condition in {Condition.RISE, Condition.FALL}:
                yield edge, Cause(cause.at, cause.message, cause.quality)
            elif edge.late:
                yield edge, _silence(cause.at, edge)
            else:
                yield edge, cause


def silences(engine: AlarmEngine, now: Stamp) -> Iterator[tuple[Transition, Cause]]:
    """The edges of limits that have grown stale by now, each as of its own instant."""
    for edge in engine.tick(now.mono):
        yield edge, _silence(now, edge)


def _silence(at: Stamp, edge: Transition) -> Cause:
    return Cause(Stamp(at.utc - edge.late, at.mono - edge.late), quality=Quality.BAD, unit=Unit.SECOND)
