"""What is due when, on the monotonic clock."""

from collections.abc import Hashable, Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Deadlines(Generic[Key]):
    """One deadline per key, in seconds of the monotonic clock. Looking whether one is due costs nothing."""

    def __init__(self) -> None:
        self._at: dict[Key, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._serial = 0

    def set(self, key: Key, at: float) -> None:
        """`key` is due at `at`, whatever was said before."""
        self._serial += 1
        self._at[key] = (at, self._serial)
        heappush(self._heap, (at, self._serial, key))
        if len(self._heap) > 2 * len(self._at) + 64:
            self._heap = sorted((at, serial, key) for key, (at, serial) in self._at.items())

    def cancel(self, key: Key) -> bool:
        """`key` is not due any more; gives whether it was to be."""
        return self._at.pop(key, None) is not None

    def at(self, key: Key) -> float | None:
        """When `key` is due."""
        entry = self._at.get(key)
        return None if entry is None else entry[0]

    def due(self, now: float) -> Iterator[tuple[float, Key]]:
        """Takes what is due at `now`, earliest first, even what is set meanwhile."""
        while self._heap and self._heap[0][0] <= now:
            at, serial, key = heappop(self._heap)
            if self._at.get(key) == (at, serial):
                del self._at[key]
                yield at, key
