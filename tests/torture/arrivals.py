"""What arrived, as numbers: whether anything is missing or out of order once repetitions are left out."""

import os
from collections.abc import Iterable, Mapping
from itertools import pairwise

from tests.real.hearing import Heard

Numbers = Mapping[tuple[str, str], list[int]]


def times(count: int) -> int:
    """How often a trial is run: `count`, or DEVICEHUB_TORTURE times as often."""
    return count * int(os.environ.get("DEVICEHUB_TORTURE", "1"))


def numbered(heard: Iterable[Heard]) -> Numbers:
    """Sequence numbers of each epoch and stream, in the order of first arrival."""
    found: dict[tuple[str, str], dict[int, None]] = {}
    for one in heard:
        if one.sequence is not None:
            stream = (str(one.body.get("epoch", "")), str(one.body.get("stream", "")))
            found.setdefault(stream, {})[one.sequence] = None
    return {stream: list(numbers) for stream, numbers in found.items()}


def missing(numbers: Numbers) -> int:
    """How many numbers up to the highest of each stream never came."""
    return sum(max(of_stream) - len(of_stream) for of_stream in numbers.values())


def inversions(numbers: Numbers) -> int:
    """How many came for the first time after a higher one."""
    return sum(sum(before > after for before, after in pairwise(of_stream)) for of_stream in numbers.values())


def repeated(heard: Iterable[Heard]) -> int:
    """How many arrivals were repetitions."""
    one_each: list[object] = [one.body["id"] for one in heard if one.sequence is not None]
    return len(one_each) - len(set(one_each))
