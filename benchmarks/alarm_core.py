"""100 000 limits with hysteresis and debounce, one value each, beside numpy and plain Python in the same run.

Run: python benchmarks/alarm_core.py [--channels 100000] [--rounds 15] [--json]

Every peer does what the engine does for a high limit: it comes when three values in a row are beyond it, and goes
when three in a row are back by the hysteresis. *Tuned* is numpy as far as it goes: every result into an array that is
there already, whole numbers of eight bits, no masks in assignments. *Straightforward* is numpy as one writes it.
*Plain Python* is a loop over lists. None but the engine asks whether a value is a number and can be trusted, knows
other conditions, or makes a record of each edge; the edges of all must be as many, or nothing is printed.

Four loads: *quiet*, where no value is near its limit; *usual* and *busy*, where one channel in a thousand or in a
hundred comes and goes within twelve batches; *storm*, where each value is on either side by chance, so that
one channel in fourteen changes with every batch. The second table is of small batches, in which the engine judges
value by value: the same work as plain Python's.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.engine import AlarmEngine
from devicehub.model.alarm import Condition, Limit

ON, OFF, COUNT = 50.0, 48.0, 3
BATCHES = 12
SMALL = (1, 3, 10, 30, 100, 300)
GOAL_TUNED, GOAL_PYTHON = 1.5, 50.0
Floats = NDArray[np.float64]


class Peer(Protocol):
    """One way to judge a batch of one value per channel."""

    def step(self, value: Floats, numbers: list[float]) -> int:
        """How many conditions changed. `numbers`: the same values as a list."""
        ...


class Ours:
    """The engine."""

    def __init__(self, channels: int) -> None:
        self.engine = AlarmEngine(limits(channels))
        self.every = range(channels)
        self.good = np.ones(channels, dtype=np.bool_)
        self.at = 0.0

    def step(self, value: Floats, _: list[float]) -> int:
        """How many conditions changed."""
        self.at += 1.0
        return len(self.engine.step(self.every, value, self.good, self.at))


class Tuned:
    """Numpy without a single new array."""

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
        return len(self.some(range(len(self.on)), numbers))

    def some(self, index: Sequence[int], value: Sequence[float]) -> list[tuple[int, bool, float]]:
        """The edges of values of some channels."""
        on, off, active, count = self.on, self.off, self.active, self.count
        edges = []
        for channel, number in zip(index, value, strict=True):
            wanted = number > off[channel] if active[channel] else number > on[channel]
            if wanted == active[channel]:
                count[channel] = 0
                continue
            count[channel] += 1
            if count[channel] >= COUNT:
                active[channel] = wanted
                count[channel] = 0
                edges.append((channel, wanted, number))
        return edges


def limits(channels: int) -> list[Limit]:
    return [
        Limit(f"p{n}", "d", "c", Condition.HIGH, ON, hysteresis=ON - OFF, count=COUNT, of=COUNT)
        for n in range(channels)
    ]


def loads(channels: int) -> dict[str, list[Floats]]:
    """Batches that begin again after the last."""
    chance = np.random.default_rng(4)
    quiet = [chance.uniform(0.0, 40.0, channels) for _ in range(BATCHES)]
    storm = [chance.uniform(0.0, 2 * ON, channels) for _ in range(BATCHES)]
    return {"quiet": quiet, "usual": moving(quiet, 1000), "busy": moving(quiet, 100), "storm": storm}


def moving(quiet: Sequence[Floats], share: int) -> list[Floats]:
    """One channel in `share` is beyond its limit for half of the batches."""
    chance = np.random.default_rng(share)
    batches = [batch.copy() for batch in quiet]
    for channel in chance.choice(quiet[0].size, quiet[0].size // share, replace=False):
        begin = int(chance.integers(BATCHES))
        for step in range(BATCHES // 2):
            batches[(begin + step) % BATCHES][channel] += 60.0
    return batches


def fastest(work: Callable[[], object], rounds: int) -> float:
    """Microseconds of the fastest call."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def middle(peer: Sequence[Peer], batches: Sequence[tuple[Floats, list[float]]], rounds: int) -> list[float]:
    """Microseconds of one batch by peer: the median over `rounds` of all batches, in which they take turns."""
    took: list[list[float]] = [[] for _ in peer]
    for _ in range(rounds):
        for one, times in zip(peer, took, strict=True):
            for value, numbers in batches:
                start = time.perf_counter()
                one.step(value, numbers)
                times.append(time.perf_counter() - start)
    return [float(np.median(times)) * 1e6 for times in took]


def large(channels: int, rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds by load and peer. Raises `SystemExit` where there are not as many edges."""
    out: dict[str, dict[str, float]] = {}
    for load, arrays in loads(channels).items():
        batches = [(value, value.tolist()) for value in arrays]
        peers: dict[str, Peer] = {
            "ours": Ours(channels),
            "tuned numpy": Tuned(channels),
            "straightforward numpy": Straightforward(channels),
            "plain Python": PlainPython(channels),
        }
        edges = {name: [peer.step(*batch) for batch in batches] for name, peer in peers.items()}
        if any(found != edges["ours"] for found in edges.values()):
            raise SystemExit(f"{load}: the edges differ: {edges}")
        out[load] = dict(zip(peers, middle(list(peers.values()), batches, rounds), strict=True))
    return out


def small(rounds: int) -> dict[int, tuple[float, float]]:
    """Microseconds of batches of lists, as the core makes them, by size: ours and plain Python's."""
    engine, python = AlarmEngine(limits(1000)), PlainPython(1000)
    out = {}
    for size in SMALL:
        index = [int(n) for n in np.random.default_rng(size).choice(1000, size, replace=False)]
        value, good, at = [20.0] * size, [True] * size, [1.0] * size

        def ours() -> object:
            return engine.step(index, value, good, at)  # noqa: B023  # called before the next turn

        def theirs() -> object:
            return python.some(index, value)  # noqa: B023  # called before the next turn

        out[size] = fastest(ours, 200 * rounds), fastest(theirs, 200 * rounds)
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    big, little = large(args.channels, args.rounds), small(args.rounds)
    if args.json:
        print(json.dumps({"channels": args.channels, "us": big, "small_us": little}))
        return
    for load, took in big.items():
        print(f"{load}:")
        for name, us in took.items():
            print(f"  {name:24}{us:10.0f} us  ratio to ours {us / took['ours']:7.2f}")
    print(f"goals: tuned numpy >= {1 / GOAL_TUNED:.2f}, plain Python >= {GOAL_PYTHON:g}")
    print("small batches, us: values, ours, plain Python, ratio")
    for size, (ours, theirs) in little.items():
        print(f"  {size:5}{ours:8.2f}{theirs:8.2f}{ours / theirs:7.2f}")


if __name__ == "__main__":
    main()
