"""What a condition looks at, and its state: columns, one element per limit, for both ways to judge.

Each kind of condition makes one number of a value, the *measure*; beyond `on` it meets the condition, at `off` or
below it is over. Limits on a low value, or on a falling one, are limits of the negated value.
"""

from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from math import inf, nan, nextafter
from typing import Any

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
        self.mask = [(1 << limit.of) - 1 for limit in limits] + [0] * len(referring)
        feeds = range(len(self.owner))
        self.least = [0 if self._attentive(feed) else (1 << self.need[feed]) - 1 for feed in feeds]
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
        self.calm = [[self._calm(feed, active=active) for feed in feeds] for active in (False, True)]
        self.calms = np.array(self.calm, dtype=np.float64).swapaxes(0, 1).reshape(2 * len(self.owner), 2)
        borders = [[self._border(feed, active=active) for feed in feeds] for active in (False, True)]
        self.borders = np.array([[bound for bound, _ in each] for each in borders], dtype=np.float64).T.ravel()
        self.flips: Flags = np.array([flip for _, flip in borders[False]], dtype=np.bool_)

    def _calm(self, feed: int, *, active: bool) -> tuple[float, float]:
        """The least and the greatest value that speak for no change, by whether the condition is met.

        The least is no number for a feed whose every value needs a closer look.
        """
        if self._attentive(feed):
            return nan, inf
        up, on, least = self.sign[feed] > 0, self.on[feed], nextafter(self.off[feed], inf)
        if active:
            return (least, inf) if up else (-inf, -least)
        return (-inf, on) if up else (-on, inf)

    def _attentive(self, feed: int) -> bool:
        """Whether a value is remembered, or may raise without being a number."""
        return self.kind[feed] != Kind.LEVEL or self.rule[feed] == RAISE

    def _border(self, feed: int, *, active: bool) -> tuple[float, bool]:
        """The same as one comparison: what changes something is greater than a number or, if so said, not greater."""
        if feed >= self.size:
            return inf, False
        bound = self.off[feed] if active else self.on[feed]
        up = self.sign[feed] > 0
        return (bound if up else nextafter(-bound, -inf)), up is active


class State:
    """What changes, twice: in lists, which plain Python reads and writes fastest, and in arrays for numpy.

    Arrays of what is in a list too are named like it, in the plural. Who judges next first takes over what the other
    has changed: plain Python by `catch_up`, numpy by `take_over`.

    `votes`: the last values that spoke for a change, as bits, newest lowest, in words no wider than they need. What
    speaks for a change is, for plain Python, a value that is not from `floor` to `ceiling`; a feed whose every value
    needs a closer look (it is remembered, or may raise without being a number) has no number as its floor. For numpy
    it is one comparison: a value greater than its `bounds`, or one that is not where its limit is `flipped`. The
    others change nothing unless their feed is *busy*: it needs that closer look, or votes are under way.
    `old` and `new`: two earlier values of a rate; `new` alone: the reference of a deviation; `new_at`
    alone: the instant at which a limit grows stale. They are Python's own arrays, of which numpy has views.
    """

    def __init__(self, rules: Rules) -> None:
        feeds, size = len(rules.owner), rules.size
        self.rules = rules
        self.actives: Flags = np.zeros(size, dtype=np.bool_)
        self.votings: Words = np.zeros(feeds, dtype=rules.word)
        self.attentive: Flags = np.isnan(rules.calms[::2, 0])
        self.busies: Flags = self.attentive.copy()
        self.bounds: Floats = rules.borders[::2].copy()
        self.flipped: Flags = rules.flips.copy()
        self._every: Indices = np.arange(size)
        self.active: list[bool] = self.actives.tolist()
        self.votes: list[int] = self.votings.tolist()
        self.floor: list[float] = rules.calms[::2, 0].tolist()
        self.ceiling: list[float] = rules.calms[::2, 1].tolist()
        self.old_at, self.old, self.new_at, self.new = (array("d", [nan]) * size for _ in range(4))
        self.olds_at, self.olds, self.news_at, self.news = map(_view, (self.old_at, self.old, self.new_at, self.new))
        self.ahead: set[int] = set()
        self.behind: list[Indices] = []

    def turn(self, limit: int, *, active: bool) -> None:
        """A condition came or went: votes begin anew, and the values that change nothing are others."""
        self.active[limit], self.votes[limit] = active, 0
        self.floor[limit], self.ceiling[limit] = self.rules.calm[active][limit]
        self.ahead.add(limit)

    def vote(self, limit: int, votes: int) -> None:
        """Votes of one limit that change nothing yet."""
        self.votes[limit] = votes
        self.ahead.add(limit)

    def turn_all(self, where: Selection, changes: Flags, limits: Indices) -> None:
        """As `turn`, for many that have no votes any more: `limits`, each once, which `changes` marks in `where`."""
        if isinstance(where, slice):  # a row of bytes is turned faster than some of them are looked up
            self.actives[where] ^= changes
            self.flipped[where] ^= changes
        else:
            self.actives[limits] ^= True
            self.flipped[limits] ^= True
        self.bounds[limits] = self.rules.borders[2 * limits + self.actives[limits]]
        self._left_behind(limits)

    def vote_all(self, limits: Selection, votes: Words) -> None:
        """As `vote`, for many. `limits`: each once."""
        self._left_behind(self._every if isinstance(limits, slice) else limits[votes != self.votings[limits]])
        self.votings[limits] = votes
        self.busies[limits] = self.attentive[limits] | (votes != 0)

    def take_over(self) -> None:
        """Make the arrays say what the lists say."""
        if not self.ahead:
            return
        ahead = list(self.ahead)
        limits: Indices = np.array(ahead, dtype=np.intp)
        self.actives[limits] = active = np.array([self.active[limit] for limit in ahead], dtype=np.bool_)
        self.votings[limits] = votes = np.array([self.votes[limit] for limit in ahead], dtype=self.rules.word)
        self.busies[limits] = self.attentive[limits] | (votes != 0)
        self.flipped[limits] = self.rules.flips[limits] ^ active
        self.bounds[limits] = self.rules.borders[2 * limits + active]
        self.ahead.clear()

    def catch_up(self) -> None:
        """Make the lists say what the arrays say."""
        if not self.behind:
            return
        limits = np.concatenate(self.behind)
        self.behind.clear()
        if limits.size > len(self.active) // 8:
            size = len(self.active)
            self.active[:], self.votes[:size], self.floor[:size], self.ceiling[:size] = self._listed(self._every)
        else:
            for limit, *now in zip(limits.tolist(), *self._listed(limits), strict=True):
                self.active[limit], self.votes[limit], self.floor[limit], self.ceiling[limit] = now

    def _left_behind(self, limits: Indices) -> None:
        """The lists say no more what the arrays say of `limits`."""
        if limits is self._every or len(self.behind) > _BEHIND:
            self.behind[:] = [self._every]
        else:
            self.behind.append(limits)

    def _listed(self, limits: Indices) -> tuple[list[Any], ...]:
        """Conditions, votes, floors and ceilings."""
        active = self.actives[limits]
        calm = self.rules.calms[2 * limits + active]
        return active.tolist(), self.votings[limits].tolist(), calm[:, 0].tolist(), calm[:, 1].tolist()


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


def _floats(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _view(values: "array[float]") -> Floats:
    return np.frombuffer(values, dtype=np.float64)
