"""What other rules would have changed: alarms of two trials over the same time, held against each other. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from devicehub.core.register import Point
from devicehub.core.trial import Verdict
from devicehub.model.payload import AlarmData

_SAME = 0.0005


@dataclass(frozen=True, slots=True)
class Episode:
    """The condition of an alarm point was met, in UTC seconds; `went` is infinite while it is. `data`: as it came."""

    device: str
    point: str
    came: float
    went: float
    data: AlarmData


class Effect(StrEnum):
    """What other rules make of an alarm. REGRADED: it comes at the same time, with another priority."""

    SAME = "same"
    GAINED = "gained"
    LOST = "lost"
    EARLIER = "earlier"
    LATER = "later"
    REGRADED = "regraded"


@dataclass(frozen=True, slots=True)
class Difference:
    """An alarm by the old rules and by the new ones; one of them is missing where it came by the others alone."""

    effect: Effect
    old: Episode | None
    new: Episode | None

    @property
    def episode(self) -> Episode:
        """The new one, or the old one where there is none."""
        found = self.new or self.old
        assert found is not None
        return found


def episodes(verdicts: Iterable[Verdict]) -> list[Episode]:
    """From comings and goings in their order to alarms, by the time they came."""
    open_: dict[Point, Verdict] = {}
    found: list[Episode] = []
    for one in verdicts:
        point = (one.device, one.point)
        if one.active:
            open_.setdefault(point, one)
        elif (came := open_.pop(point, None)) is not None:
            found.append(Episode(*point, came.at.utc, one.at.utc, came.data))
    found += [Episode(*point, one.at.utc, inf, one.data) for point, one in open_.items()]
    return sorted(found, key=_order)


def compared(old: Sequence[Episode], new: Sequence[Episode]) -> list[Difference]:
    """All alarms of both, those that belong together as one: of one point, and met at the same time for a while."""
    sides: dict[Point, tuple[list[Episode], list[Episode]]] = defaultdict(lambda: ([], []))
    for side, found in enumerate((old, new)):
        for one in sorted(found, key=_order):
            sides[one.device, one.point][side].append(one)
    pairs = [pair for before, after in sides.values() for pair in _paired(before, after)]
    return sorted((Difference(_effect(*pair), *pair) for pair in pairs), key=lambda one: _order(one.episode))


def _paired(old: Sequence[Episode], new: Sequence[Episode]) -> Iterator[tuple[Episode | None, Episode | None]]:
    """Both in the order of their time, in which alarms of one point do not overlap."""
    before, after = list(old), list(new)
    while before or after:
        if not after or (before and before[0].went < after[0].came):
            yield before.pop(0), None
        elif not before or after[0].went < before[0].came:
            yield None, after.pop(0)
        else:
            yield before.pop(0), after.pop(0)


def _effect(old: Episode | None, new: Episode | None) -> Effect:
    if old is None or new is None:
        return Effect.GAINED if old is None else Effect.LOST
    if abs(new.came - old.came) > _SAME:
        return Effect.EARLIER if new.came < old.came else Effect.LATER
    return Effect.SAME if new.data.priority is old.data.priority else Effect.REGRADED


def _order(one: Episode) -> tuple[float, str, str]:
    return one.came, one.device, one.point
