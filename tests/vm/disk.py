"""A disk with a volatile cache: what is not flushed when the power goes is there in any part, or not at all."""

from random import Random
from typing import Final

SECTOR: Final = 512


class Disk:
    """Whole sectors are read and written. `flushes`: how often everything was forced to the medium."""

    def __init__(self, content: bytes) -> None:
        """`content`: of the medium, whole sectors."""
        self._medium = bytearray(content)
        self._cache: dict[int, bytes] = {}
        self.flushes = 0

    def __len__(self) -> int:
        return len(self._medium)

    @property
    def unflushed(self) -> int:
        """Sectors that are not on the medium."""
        return len(self._cache)

    def read(self, offset: int, size: int) -> bytes:
        """As they were written last."""
        data = bytearray(self._medium[offset : offset + size])
        for at in range(0, size, SECTOR):
            if (cached := self._cache.get(offset + at)) is not None:
                data[at : at + SECTOR] = cached
        return bytes(data)

    def write(self, offset: int, data: bytes) -> None:
        """Into the cache."""
        for at in range(0, len(data), SECTOR):
            self._cache[offset + at] = data[at : at + SECTOR]

    def flush(self) -> None:
        """What was written so far is on the medium from now on."""
        self.flushes += 1
        for offset, data in self._cache.items():
            self._medium[offset : offset + SECTOR] = data
        self._cache.clear()

    def lose_power(self, random: Random, keep: float) -> None:
        """Each sector that was not flushed is on the medium with chance `keep`, whatever became of those before it."""
        for offset, data in self._cache.items():
            if random.random() < keep:
                self._medium[offset : offset + SECTOR] = data
        self._cache.clear()
