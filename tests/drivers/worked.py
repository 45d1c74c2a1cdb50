"""How long code of ours works on something: processor time of this thread, which others' work hardly raises."""

import time
from collections.abc import Callable

TRIES = 3


def seconds_of(work: Callable[[], object]) -> float:
    """The least of a few tries, in seconds."""
    return min(_once(work) for _ in range(TRIES))


def _once(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began
