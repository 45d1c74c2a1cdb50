"""Limits with hysteresis and debounce on 1, 100 and 100 000 channels, beside Python, numpy, numba and pandas.

Loads: *quiet*, where no value is near its limit; *usual* and *busy*, where one channel in a thousand or in a hundred
comes and goes within twelve batches; *storm*, where each value is on either side by chance, so that one channel in
fourteen changes with every batch. The edges of all peers must be as many, or nothing is told.
"""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from alarm_peers import CAREFUL, ENGINE, ON, PLAIN, TUNED, Floats, Peer, peers
from written import table

CHANNELS = 100_000
BATCHES = 12
GOAL_TUNED, GOAL_PYTHON = 1.5, 50.0
Batch = tuple[Floats, list[float]]
TOLD = """One value for each limit, three in a row to come and to go; microseconds of processor time a batch, in the
fastest round of all, in turn. All tell an edge as channel, state and value. Below 128 values the engine is plain Python
itself and gives a record for each edge; above, columns, of which a record is made where one is read. `quiet`: nothing
near a limit; `usual`, `busy`: one channel in 1000, in 100 comes and goes within twelve batches; `storm`: one in 14
changes with every batch. None but the engine and the plain Python that asks the same take feeds, quality and a time
beside the values, and look whether a value is a number and can be trusted. The hub gives lists; arrays and ranges of
feeds, as here for 100000, are for who has them."""


def part(rounds: int) -> tuple[str, list[str]]:
    """The figures as Markdown, and what is not installed."""
    makers, missing = peers()
    sizes = {size: loads(size) for size in (1, 100, CHANNELS)}
    columns = [(size, load) for size, found in sizes.items() for load in found]
    took = {}
    for size, load in columns:
        batches = [(value, value.tolist()) for value in sizes[size][load]]
        took[size, load] = fastest({name: make(size) for name, make in makers.items()}, batches, rounds)
    rows = [[name, *(us(took[column][name]) for column in columns)] for name in makers]
    goals = (
        (TUNED, False, f"engine to tuned numpy, goal <= {GOAL_TUNED} for {CHANNELS}"),
        (CAREFUL, False, "engine to plain Python that asks the same, goal <= 1 for 1 and 100"),
        (PLAIN, True, f"plain Python to engine, goal >= {GOAL_PYTHON:g} for {CHANNELS}"),
    )
    for peer, up, title in goals:
        parts = [(took[column][ENGINE], took[column][peer]) for column in columns]
        rows.append([title, *(ratio(theirs / ours if up else ours / theirs) for ours, theirs in parts)])
    titles = ["us a batch", *(f"{size}, {load}" for size, load in columns)]
    return f"{TOLD}\n\n{table(titles, rows)}", missing


def us(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"


def ratio(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def loads(channels: int) -> dict[str, list[Floats]]:
    """Batches that begin again after the last."""
    chance = np.random.default_rng(4)
    quiet = [chance.uniform(0.0, 40.0, channels) for _ in range(BATCHES)]
    storm = [chance.uniform(0.0, 2 * ON, channels) for _ in range(BATCHES)]
    if channels == 1:
        return {"quiet": quiet, "storm": storm}
    if channels < CHANNELS:
        return {"quiet": quiet, "busy": moving(quiet, 100), "storm": storm}
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


def fastest(found: Mapping[str, Peer], batches: Sequence[Batch], rounds: int) -> dict[str, float]:
    """Microseconds of one batch by peer, in the fastest round. Raises `SystemExit` where edges differ in number."""
    edges = {name: [peer.step(*batch) for batch in batches] for name, peer in found.items()}
    if any(found != edges[ENGINE] for found in edges.values()):
        raise SystemExit(f"the edges differ: {edges}")
    best = dict.fromkeys(found, float("inf"))
    for _ in range(rounds):
        for name, peer in found.items():
            for value, numbers in batches:  # what another peer left in the processor's memory is no part of this one
                peer.step(value, numbers)
            start = time.process_time()
            for value, numbers in batches:
                peer.step(value, numbers)
            best[name] = min(best[name], time.process_time() - start)
    return {name: seconds / len(batches) * 1e6 for name, seconds in best.items()}
