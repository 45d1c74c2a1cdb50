"""What the alarm core is compared with: each judges one value per channel against a high limit, and counts edges.

A limit comes when three values in a row are beyond it, and goes when three in a row are back by the hysteresis. None
but the engine asks whether a value is a number and can be trusted, or knows other conditions.
"""

import importlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.engine import CROSSOVER, AlarmEngine
from devicehub.model.alarm import Condition, Limit

ON, OFF, COUNT = 50.0, 48.0, 3
ENGINE, READ, TUNED, PLAIN = "**the engine**", "the engine, a record read of each edge", "numpy, tuned", "plain Python"
Floats = NDArray[np.float64]


class Peer(Protocol):
    """One way to judge a batch of one value per channel."""

    def step(self, value: Floats, numbers: list[float]) -> int:
        """How many conditions changed. `numbers`: the same values as a list."""
        ...


class Ours:
    """The engine: lists where the core would give it lists."""

    def __init__(self, channels: int) -> None:
        self.engine = AlarmEngine(limits(channels))
        self.every = range(channels)
        self.trust = [True] * channels if channels < CROSSOVER else np.ones(channels, dtype=np.bool_)
        self.lists = channels < CROSSOVER
        self.at = 0.0

    def step(self, value: Floats, numbers: list[float]) -> int:
        """How many conditions changed."""
        self.at += 1.0
        return len(self.engine.step(self.every, numbers if self.lists else value, self.trust, self.at))


class OursRead(Ours):
    """The engine, and every edge is looked at."""

    def step(self, value: Floats, numbers: list[float]) -> int:
        """How many conditions changed."""
        self.at += 1.0
        return len(list(self.engine.step(self.every, numbers if self.lists else value, self.trust, self.at)))


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
        return len(np.flatnonzero(self.inside))


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
        return len(edges)


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


class WithNumba:
    """The loop, compiled."""

    def __init__(self, channels: int, compiled: Callable[..., int]) -> None:
        self.on, self.off = np.full(channels, ON), np.full(channels, OFF)
        self.active, self.count = np.zeros(channels, dtype=np.bool_), np.zeros(channels, dtype=np.uint8)
        self.compiled = compiled

    def step(self, value: Floats, _: list[float]) -> int:
        """How many conditions changed."""
        return self.compiled(value, self.on, self.off, self.active, self.count)


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
        return int(edges.sum())


def looped(value: Floats, on: Floats, off: Floats, active: NDArray[np.bool_], count: NDArray[np.uint8]) -> int:
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
