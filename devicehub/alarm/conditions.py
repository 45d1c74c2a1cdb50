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
        self.single = all(limit.of == 1 for limit in limits)
        feeds = range(len(self.owner))
        self.calm = [[self._calm(feed, active=active) for feed in feeds] for active in (False, True)]
        self.calms = np.array(self.calm, dtype=np.float64).swapaxes(0, 1).reshape(2 * len(self.owner), 2)
        self.border = [[self._border(feed, active=active) for feed in feeds] for active in (False, True)]
        self.borders = np.array([[bound for bound, _ in each] for each in self.border], dtype=np.float64).T.ravel()

    def _calm(self, feed: int, *, active: bool) -> tuple[float, float]:
        """The least and the greatest value that changes nothing, by whether the condition is met. References: all."""
        if feed >= self.size:
            return -inf, inf
        up, on, least = self.sign[feed] > 0, self.on[feed], nextafter(self.off[feed], inf)
        if active:
            return (least, inf) if up else (-inf, -least)
        return (-inf, on) if up else (-on, inf)

    def _border(self, feed: int, *, active: bool) -> tuple[float, bool]:
        """The same as one comparison: what changes something is greater than a number or, if so said, not greater."""
        if feed >= self.size:
            return inf, False
        bound = self.off[feed] if active else self.on[feed]
        up = self.sign[feed] > 0
        return (bound if up else nextafter(-bound, -inf)), up is active


class State:
    """What changes. The views of numpy are named like what they look at, in the plural.

    `votes`: the last values that spoke for a change, as bits, newest lowest, in words no wider than they need. A value
    that can be trusted speaks for a change where it is greater than its `bounds`, or where it is not if its limit is
    `flipped`: so numpy needs one comparison. Other values change nothing unless their feed is `busy`: they are to be
    remembered, or votes are under way. For plain Python `floor` and `ceiling` say what lies between, as lists, which it
    reads fastest, with a floor that is no number, so that no value is above it, for a feed that is busy. They follow
    the arrays when plain Python comes to its turn: `catch_up`.
    `old` and `new`: two earlier values of a rate; `new` alone: the reference of a deviation; `new_at`
    alone: the instant at which a limit grows stale.
    """

    def __init__(self, rules: Rules) -> None:
        feeds, size = len(rules.owner), rules.size
        self.rules = rules
        self.active = bytearray(size)
        self.votes = array(rules.word, [0]) * size
        self.always = [_attentive(rules, feed) for feed in range(feeds)]
        self.busy = bytearray(self.always)
        self.bound = array("d", (bound for bound, _ in rules.border[False]))
        self.flip = bytearray(flip for _, flip in rules.border[False])
        self.old_at, self.old, self.new_at, self.new = (array("d", [nan]) * size for _ in range(4))
        self.actives: Flags = np.frombuffer(self.active, dtype=np.bool_)
        self.votings: Words = np.frombuffer(self.votes, dtype=rules.word)
        self.busies: Flags = np.frombuffer(self.busy, dtype=np.bool_)
        self.attentive: Flags = self.busies.copy()
        self.flipped: Flags = np.frombuffer(self.flip, dtype=np.bool_)
        self.bounds = _view(self.bound)
        self.olds_at, self.olds, self.news_at, self.news = map(_view, (self.old_at, self.old, self.new_at, self.new))
        self._every: Indices = np.arange(feeds)
        self.floor, self.ceiling = self._calm(self._every)
        self.behind: list[Indices] = []

    def turn(self, limit: int, *, active: bool) -> None:
        """A condition came or went: votes begin anew, and the values that change nothing are others."""
        rules, always = self.rules, self.always[limit]
        least, self.ceiling[limit] = rules.calm[active][limit]
        self.floor[limit] = nan if always else least
        self.active[limit], self.votes[limit], self.busy[limit] = active, 0, always
        self.bound[limit], self.flip[limit] = rules.border[active][limit]

    def turn_all(self, where: Selection, changes: Flags, limits: Indices) -> None:
        """The same for many that have no votes any more: `limits`, each once, which `changes` marks within `where`."""
        if isinstance(where, slice):  # a row of bytes is turned faster than some of them are looked up
            self.actives[where] ^= changes
            self.flipped[where] ^= changes
        else:
            self.actives[limits] ^= True
            self.flipped[limits] ^= True
        self.bounds[limits] = self.rules.borders[2 * limits + self.actives[limits]]
        self._left_behind(limits)

    def vote(self, limit: int, votes: int) -> None:
        """Votes of one limit that change nothing yet."""
        self.votes[limit] = votes
        self.busy[limit] = busy = votes != 0 or self.always[limit]
        self.floor[limit] = nan if busy else self.rules.calm[self.active[limit]][limit][0]

    def vote_all(self, limits: Selection, votes: Words) -> None:
        """The same for many. `limits`: each once."""
        self._left_behind(self._every if isinstance(limits, slice) else limits[votes != self.votings[limits]])
        self.votings[limits] = votes
        self.busies[limits] = self.attentive[limits] | (votes != 0)

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
            self.floor[:], self.ceiling[:] = self._calm(self._every)
        elif count:
            limits = np.concatenate(self.behind)
            for limit, floor, ceiling in zip(limits.tolist(), *self._calm(limits), strict=True):
                self.floor[limit], self.ceiling[limit] = floor, ceiling
        self.behind.clear()

    def _calm(self, feeds: Indices) -> tuple[list[float], list[float]]:
        owners = self.rules.owners[feeds]
        met = self.actives[owners] & (feeds < self.rules.size)
        calm = self.rules.calms[2 * feeds + met]
        busy = self.attentive[feeds] | (self.votings[owners] != 0)
        return np.where(busy, nan, calm[:, 0]).tolist(), calm[:, 1].tolist()


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
