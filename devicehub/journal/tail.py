"""The newest events of a stream, kept in memory until they are delivered, bounded in number and bytes."""

from bisect import bisect_right
from collections import deque
from itertools import islice

from devicehub.journal.rows import Entry

TAIL = 20_000
TAIL_SIZE = 32 * 1024 * 1024


class Tail:
    """Every event of its stream with a position above `since`, in order."""

    def __init__(self, since: int = 0) -> None:
        self.since = since
        self._entries: deque[Entry] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """The newest; the oldest go where it gets too much."""
        self._entries.append(entry)
        self._size += _size(entry)
        while len(self._entries) > TAIL or (self._size > TAIL_SIZE and len(self._entries) > 1):
            self._pop()

    def passed(self, position: int) -> None:
        """Everything up to there was delivered."""
        while self._entries and self._entries[0].position <= position:
            self._pop()

    def after(self, position: int, most: int) -> list[Entry] | None:
        """Events above `position`, at most `most`; None where memory does not reach back that far."""
        if position < self.since:
            return None
        skip = bisect_right(self._entries, position, key=lambda entry: entry.position)
        return list(islice(self._entries, skip, skip + most))

    def entries(self) -> tuple[Entry, ...]:
        """All of them."""
        return tuple(self._entries)

    def _pop(self) -> None:
        entry = self._entries.popleft()
        self._size -= _size(entry)
        self.since = entry.position


def _size(entry: Entry) -> int:
    """About how many bytes an entry holds in memory."""
    return 1024 + len(entry.out.payload)
