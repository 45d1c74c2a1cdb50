"""What the alarm core is compared with: each judges one value per channel against a high limit, and tells its edges.

A limit comes when three values in a row are beyond it, and goes when three in a row are back by the hysteresis. An
edge is told as channel, state and value: in a list, or in columns. None but the engine and `Careful` ask whether a
value is a number and can be trusted, and none but the engine knows other conditions.
"""

import importlib
from collections.abc import Callable
from math import inf
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.engine import CROSSOVER, AlarmEngine
from devicehub.model.alarm import Condition, Limit, Transition

ON, OFF, COUNT = 50.0, 48.0, 3
ENGINE, READ, TUNED, PLAIN = "**the engine**", "the engine, a record read of each edge", "numpy, tuned", "plain Python"
CAREFUL = "plain Python that asks the same"
Floats = NDArray[np.float64]


class Peer(Protocol):
    """One way to judge a batch of one value per channel."""

    def step(self, value: Floats, numbers: list[float]) -> int:
        """How many conditions changed. `numbers`: the same values as a list."""
        ...


class Ours:
    """The engine: lists where the core would give it lists."""

    def __init__(self, channels: int) -> None:
        self.judge = AlarmEngine(limits(channels)).step
        self.every = list(range(channels)) if channels < CROSSOVER else range(channels)
        self.trust = [True] * channels if channels < CROSSOVER else np.ones(channels, dtype=np.bool_)
        self.lists = channels < CROSSOVER
        self.at = 0.0

    def step(self, value: Floats, numbers: list[float]) -> int:
        """How many conditions changed."""
        self.at += 1.0
        return len(self.judge(self.every, numbers if self.lists else value, self.trust, self.at))


class OursRead(Ours):
    """The engine, and every edge is looked at."""

    def step(self, value: Floats, numbers: list[float]) -> int:
        """How many conditions changed."""
        self.at += 1.0
        return len(list(self.judge(self.every, numbers if self.lists else value, self.trust, self.at)))


class Tuned:
    """Numpy without a single new array: whole numbers of eight bits, no masks in assignments."""

    def __init__(self, channels: int) -> None:
        self.on, self.off = np.full(channels, ON), np.full(channels, OFF)
        self.active, self.count = np.zeros(channels, dtype=np.uint8), np.zeros(channels, dtype=np.uint8)
        self.above, self.inside = np.empty(channels, dtype=np.bool_), np.empty(channels, dtype=np.bool_)

    def step(self, value: Floats, _: list[float]) -> int:
        """How many conditions changed."""
        above, inside = self.above.view(np.uint8), self.inside.view(np.uint8)
        np.greater(value, self.on, out=self.above)
        np.greater(value, self.off, out=self.inside)
        np.bitwise_and(inside, self.active, out=inside)
        np.bitwise_or(above, inside, out=above)
        np.bitwise_xor(above, self.active, out=above)
        np.add(self.count, 1, out=self.count)
        np.multiply(self.count, above, out=self.count)
        np.greater_equal(self.count, COUNT, out=self.inside)
        np.bitwise_xor(self.active, inside, out=self.active)
        np.bitwise_xor(inside, 1, out=above)
        np.multiply(self.count, above, out=self.count)
        edges = np.flatnonzero(self.inside)
        return len(told(edges, self.active.view(np.bool_), value))


class Straightforward:
    """Numpy as one writes it."""

    def __init__(self, channels: int) -> None:
        self.on, self.off = np.full(channels, ON), np.full(channels, OFF)
        self.active, self.count = np.zeros(channels, dtype=np.bool_), np.zeros(channels, dtype=np.int64)

    def step(self, value: Floats, _: list[float]) -> int:
        """How many conditions changed."""
        wanted = np.where(self.active, value > self.off, value > self.on)
        differs = wanted != self.active
        self.count[differs] += 1
        self.count[~differs] = 0
        edges = np.flatnonzero(self.count >= COUNT)
        self.active[edges] = wanted[edges]
        self.count[edges] = 0
        return len(told(edges, self.active, value))


class PlainPython:
    """A loop over lists."""

    def __init__(self, channels: int) -> None:
        self.on, self.off = [ON] * channels, [OFF] * channels
        self.active, self.count = [False] * channels, [0] * channels

    def step(self, _: Floats, numbers: list[float]) -> int:
        """How many conditions changed."""
        on, off, active, count = self.on, self.off, self.active, self.count
        edges = []
        for channel, number in enumerate(numbers):
            wanted = number > off[channel] if active[channel] else number > on[channel]
            if wanted == active[channel]:
                count[channel] = 0
                continue
            count[channel] += 1
            if count[channel] >= COUNT:
                active[channel] = wanted
                count[channel] = 0
                edges.append((channel, wanted, number))
        return len(edges)


class Careful:
    """A loop over lists that knows of quality, of what is no number, and of k of n; edges are the engine's records.

    Feeds, values, quality and time come in as they come to the engine.
    """

    def __init__(self, channels: int) -> None:
        self.on, self.off = [ON] * channels, [OFF] * channels
        self.active, self.votes = [False] * channels, [0] * channels
        self.need, self.mask = [COUNT] * channels, [(1 << COUNT) - 1] * channels
        self.every, self.trust = list(range(channels)), [True] * channels
        self.at = 0.0

    def step(self, _: Floats, numbers: list[float]) -> int:
        """How many conditions changed."""
        self.at += 1.0
        return len(self.judge(self.every, numbers, self.trust, self.at))

    def judge(self, index: list[int], value: list[float], good: list[bool], _at: float) -> list[Transition]:
        """The edges."""
        if not len(index) == len(value) == len(good):
            raise ValueError("columns differ in length")
        on, off, active, votes = self.on, self.off, self.active, self.votes
        edges: list[Transition] = []
        for place, channel in enumerate(index):
            number = value[place]
            if not good[place] or not -inf < number < inf:
                continue
            differs = number <= off[channel] if active[channel] else number > on[channel]
            if not differs and not votes[channel]:
                continue
            votes[channel] = (votes[channel] << 1 | differs) & self.mask[channel]
            if votes[channel].bit_count() >= self.need[channel]:
                active[channel] = not active[channel]
                votes[channel] = 0
                edges.append(Transition(channel, active[channel], number, place))
        return edges


class WithNumba:
    """The loop, compiled."""

    def __init__(self, channels: int, compiled: Callable[..., int]) -> None:
        self.on, self.off = np.full(channels, ON), np.full(channels, OFF)
        self.active, self.count = np.zeros(channels, dtype=np.bool_), np.zeros(channels, dtype=np.uint8)
        self.compiled, self.edges = compiled, np.zeros(channels, dtype=np.intp)

    def step(self, value: Floats, _: list[float]) -> int:
        """How many conditions changed."""
        edges = self.compiled(value, self.on, self.off, self.active, self.count, self.edges)
        return len(told(self.edges[:edges], self.active, value))


class WithPandas:
    """Columns, as one writes them."""

    def __init__(self, channels: int, series: Callable[..., Any]) -> None:
        self.series = series
        self.on, self.off = series(np.full(channels, ON)), series(np.full(channels, OFF))
        self.active, self.count = series(np.zeros(channels, dtype=np.bool_)), series(np.zeros(channels, dtype=np.int64))

    def step(self, value: Floats, _: list[float]) -> int:
        """How many conditions changed."""
        new = self.series(value)
        wanted = (new > self.off).where(self.active, new > self.on)
        count = (self.count + 1).where(wanted != self.active, 0)
        edges = count >= COUNT
        self.active, self.count = self.active.where(~edges, wanted), count.where(~edges, 0)
        return len(told(np.flatnonzero(edges), self.active.to_numpy(), value))


def told(edges: NDArray[np.intp], active: NDArray[np.bool_], value: Floats) -> NDArray[np.intp]:
    """The columns of the edges are made; gives the first."""
    active[edges], value[edges]
    return edges


def looped(
    value: Floats, on: Floats, off: Floats, active: NDArray[np.bool_], count: NDArray[np.uint8], out: NDArray[np.intp]
) -> int:
    edges = 0
    for n in range(value.size):
        wanted = value[n] > off[n] if active[n] else value[n] > on[n]
        if wanted == active[n]:
            count[n] = 0
            continue
        count[n] += 1
        if count[n] >= COUNT:
            active[n] = wanted
            count[n] = 0
            out[edges] = n
            edges += 1
    return edges


def peers() -> tuple[dict[str, Callable[[int], Peer]], list[str]]:
    """What makes each peer for so many channels, and what is not installed."""
    found: dict[str, Callable[[int], Peer]] = {
        ENGINE: Ours,
        READ: OursRead,
        TUNED: Tuned,
        "numpy, straightforward": Straightforward,
        PLAIN: PlainPython,
        CAREFUL: Careful,
    }
    missing = []
    try:
        compiled = importlib.import_module("numba").njit(looped)
        found["numba"] = lambda channels: WithNumba(channels, compiled)
    except ImportError:
        missing.append("numba")
    try:
        series = importlib.import_module("pandas").Series
        found["pandas"] = lambda channels: WithPandas(channels, series)
    except ImportError:
        missing.append("pandas")
    return found, missing


def limits(channels: int) -> list[Limit]:
    return [
        Limit(f"p{n}", "d", "c", Condition.HIGH, ON, hysteresis=ON - OFF, count=COUNT, of=COUNT)
        for n in range(channels)
    ]
