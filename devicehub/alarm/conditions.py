"""What a condition looks at, and its state: a struct of arrays, one element per limit, shared by both ways to judge.

Each kind of condition makes one number of a value, the *measure*; beyond `on` it meets the condition, at `off` or
below it is over. Limits on a low value, or on a falling one, are limits of the negated value.

The state is kept in arrays of Python's own, so that plain Python reads an element as cheaply as of a list, and numpy
has views of the same memory.
"""

from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from math import inf, nan, nextafter

import numpy as np
from numpy.typing import NDArray

from devicehub.model.alarm import Condition, Distrust, Limit

MOST_VALUES = 32
_BEHIND = 64

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]
Selection = slice | Indices
Words = NDArray[np.unsignedinteger]


class Kind(IntEnum):
    """How the measure comes from the value."""

    LEVEL = 0
    RATE = 1
    DEVIATION = 2
    STALE = 3
    REFERENCE = 4


_KINDS = {
    Condition.HIGH_HIGH: (Kind.LEVEL, 1.0),
    Condition.HIGH: (Kind.LEVEL, 1.0),
    Condition.LOW: (Kind.LEVEL, -1.0),
    Condition.LOW_LOW: (Kind.LEVEL, -1.0),
    Condition.STATE: (Kind.LEVEL, 1.0),
    Condition.RISE: (Kind.RATE, 1.0),
    Condition.FALL: (Kind.RATE, -1.0),
    Condition.DEVIATION: (Kind.DEVIATION, 1.0),
    Condition.STALE: (Kind.STALE, 1.0),
}
_RULES = {Distrust.IGNORE: 0, Distrust.JUDGE: 1, Distrust.RAISE: 2}
JUDGE, RAISE = _RULES[Distrust.JUDGE], _RULES[Distrust.RAISE]


class Rules:
    """What never changes, per limit: lists for plain Python, arrays of the same for numpy.

    A *feed* is a place where values come in: first one per limit, then one per reference. `owner` gives the limit of
    a feed. Raises `ValueError` for a rule that cannot be: a device's own alarm, `count` of `of` values out of
    1..32, a rate or staleness without a window, a deviation without a reference.
    """

    def __init__(self, limits: Sequence[Limit]) -> None:
        for limit in limits:
            _check(limit)
        self.size = len(limits)
        referring = [index for index, limit in enumerate(limits) if limit.condition is Condition.DEVIATION]
        self.owner = [*range(self.size), *referring]
        self.kind = [int(_KINDS[limit.condition][0]) for limit in limits] + [int(Kind.REFERENCE)] * len(referring)
        self.sign = [_KINDS[limit.condition][1] for limit in limits]
        self.on = [_edge(limit) for limit in limits]
        self.off = [on - _margin(limit) for on, limit in zip(self.on, limits, strict=True)]
        self.rule = [_RULES[limit.distrust] for limit in limits]
        self.need = [limit.count for limit in limits]
        self.mask = [(1 << limit.of) - 1 for limit in limits]
        self.window = [limit.window_s for limit in limits]
        self.owners: Indices = np.array(self.owner, dtype=np.intp)
        self.kinds = np.array(self.kind, dtype=np.uint8)
        self.signs, self.ons, self.offs, self.windows = map(_floats, (self.sign, self.on, self.off, self.window))
        self.rules = np.array(self.rule, dtype=np.uint8)
        self.needs = np.array(self.need, dtype=np.uint8)
        most = max((limit.of for limit in limits), default=1)
        self.word = "B" if most <= 8 else "H" if most <= 16 else "I"
        self.masks: Words = np.array(self.mask, dtype=self.word)
        self.referring = bool(referring)
        self.plain = not any(self.kind)
        self.upward, self.downward = 1.0 in self.sign, -1.0 in self.sign
        self.single = all(limit.of == 1 for limit in limits)
        feeds = range(len(self.owner))
        self.calm = [[self._calm(feed, active=active) for feed in feeds] for active in (False, True)]
        self.calms = np.array(self.calm, dtype=np.float64).swapaxes(0, 1).reshape(2 * len(self.owner), 2)

    def _calm(self, feed: int, *, active: bool) -> tuple[float, float]:
        """The least and the greatest value that changes nothing, by whether the condition is met. References: all."""
        if feed >= self.size:
            return -inf, inf
        up, on, least = self.sign[feed] > 0, self.on[feed], nextafter(self.off[feed], inf)
        if active:
            return (least, inf) if up else (-inf, -least)
        return (-inf, on) if up else (-on, inf)


class State:
    """What changes. The views of numpy are named like what they look at, in the plural.

    `votes`: the last values that spoke for a change, as bits, newest lowest, in words no wider than they need. What is
    held against a limit speaks for a change where it is below `floors` or above `ceilings`, if it can be trusted. A
    value between them changes nothing unless its feed is `busy`: it is to be remembered, or votes are under way. Numpy
    looks at one side only where all limits at rest have the same, and at each value of a feed that is `awake`: busy, or
    met. `floor` and `ceiling` are the same for plain Python, as lists, which it reads fastest, and with a floor
    that is no number, so that no value is above it, for a feed that is busy. They follow the arrays when plain Python
    comes to its turn: `catch_up`.
    `old` and `new`: two earlier values of a rate; `new` alone: the reference of a deviation; `new_at`
    alone: the instant at which a limit grows stale.
    """

    def __init__(self, rules: Rules) -> None:
        feeds, size = len(rules.owner), rules.size
        self.rules = rules
        self.active = bytearray(size)
        self.votes = array(rules.word, [0]) * size
        self.always = [_attentive(rules, feed) for feed in range(feeds)]
        self.awake = bytearray(self.always)
        self.old_at, self.old, self.new_at, self.new = (array("d", [nan]) * size for _ in range(4))
        self.actives: Flags = np.frombuffer(self.active, dtype=np.bool_)
        self.votings: Words = np.frombuffer(self.votes, dtype=rules.word)
        self.awakes: Flags = np.frombuffer(self.awake, dtype=np.bool_)
        self.attentive: Flags = self.awakes.copy()
        self.olds_at, self.olds, self.news_at, self.news = map(_view, (self.old_at, self.old, self.new_at, self.new))
        self.floors, self.ceilings = rules.calms[::2].T.copy()
        self._every: Indices = np.arange(feeds)
        self.floor, self.ceiling = np.where(self.awakes, nan, self.floors).tolist(), self.ceilings.tolist()
        self.behind: list[Indices] = []

    def turn(self, limit: int, *, active: bool) -> None:
        """A condition came or went: votes begin anew, and the values that change nothing are others."""
        self.active[limit] = active
        floor, ceiling = self.rules.calm[active][limit]
        self.floors[limit], self.ceilings[limit], self.ceiling[limit] = floor, ceiling, ceiling
        self.vote(limit, 0)

    def turn_all(self, limits: Indices, active: Flags) -> None:
        """The same for many. `limits`: each once."""
        self.actives[limits] = active
        self.votings[limits] = 0
        self.awakes[limits] = self.attentive[limits] | active
        calm = self.rules.calms.take(2 * limits + active, axis=0)
        self.floors[limits], self.ceilings[limits] = calm[:, 0], calm[:, 1]
        self._left_behind(limits)

    def vote(self, limit: int, votes: int) -> None:
        """Votes of one limit that change nothing yet."""
        self.votes[limit] = votes
        busy, active = votes != 0 or self.always[limit], self.active[limit]
        self.awake[limit] = busy or active
        self.floor[limit] = nan if busy else self.rules.calm[active][limit][0]

    def vote_all(self, limits: Selection, votes: Words) -> None:
        """The same for many. `limits`: each once."""
        before = self.votings[limits]
        self._left_behind(self._every if isinstance(limits, slice) else limits[votes != before])
        self.votings[limits] = votes
        self.awakes[limits] = self.attentive[limits] | self.actives[limits] | (votes != 0)

    def _left_behind(self, limits: Indices) -> None:
        """The lists say no more what the arrays say of `limits`."""
        if limits is self._every or len(self.behind) > _BEHIND:
            self.behind = [self._every]
        else:
            self.behind.append(limits)

    def catch_up(self) -> None:
        """Make the lists say what the arrays say."""
        count = sum(limits.size for limits in self.behind)
        if count > len(self.floor) // 8:
            self.floor[:], self.ceiling[:] = self._floors(self._every).tolist(), self.ceilings.tolist()
        elif count:
            limits = np.concatenate(self.behind)
            columns = (limits.tolist(), self._floors(limits).tolist(), self.ceilings[limits].tolist())
            for limit, floor, ceiling in zip(*columns, strict=True):
                self.floor[limit], self.ceiling[limit] = floor, ceiling
        self.behind.clear()

    def _floors(self, feeds: Indices) -> Floats:
        busy = self.attentive[feeds] | (self.votings[self.rules.owners[feeds]] != 0)
        return np.where(busy, nan, self.floors[feeds])


def inputs(limits: Iterable[Limit]) -> list[tuple[str, str]]:
    """Device and channel of each feed: of each limit, then of each reference."""
    limits = list(limits)
    out = [(limit.device, limit.channel) for limit in limits]
    for limit in limits:
        if limit.condition is Condition.DEVIATION:
            device, slash, channel = limit.reference.rpartition("/")
            out.append((device if slash else limit.device, channel))
    return out


def _check(limit: Limit) -> None:
    if limit.condition not in _KINDS:
        raise ValueError(f"alarm point {limit.device}/{limit.name}: no value meets {limit.condition}")
    if not 1 <= limit.count <= limit.of <= MOST_VALUES:
        raise ValueError(f"alarm point {limit.device}/{limit.name}: {limit.count} of {limit.of} values")
    if _KINDS[limit.condition][0] is not Kind.LEVEL and not 0 < limit.window_s < inf:
        raise ValueError(f"alarm point {limit.device}/{limit.name}: {limit.condition} needs a window")
    if limit.condition is Condition.DEVIATION and not limit.reference:
        raise ValueError(f"alarm point {limit.device}/{limit.name}: a deviation needs a reference")


def _edge(limit: Limit) -> float:
    """The measure that a condition is met beyond. A state is met or not: 1 or 0 is fed."""
    if limit.condition is Condition.STATE:
        return 0.5
    return -limit.limit if limit.condition in {Condition.LOW, Condition.LOW_LOW} else limit.limit


def _margin(limit: Limit) -> float:
    return 0.0 if limit.condition is Condition.STATE else limit.hysteresis


def _attentive(rules: Rules, feed: int) -> bool:
    """Whether every value of a feed needs a closer look: it is remembered, or may raise without being a number."""
    return rules.kind[feed] != Kind.LEVEL or rules.rule[feed] == RAISE


def _floats(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _view(values: "array[float]") -> Floats:
    return np.frombuffer(values, dtype=np.float64)
