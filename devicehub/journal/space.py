"""How much the journal may hold, and what it forgets: by age, by size, and never what is still owed.

Owed is what the broker did not acknowledge, what a durable consumer did not confirm and what stands. What is in
quarantine was told as refused, and is kept like what was delivered. Where nothing more may be forgotten, new events are
refused, the bulk of them a tenth before the alarms: refused before it is accepted is told to the caller, forgotten
afterwards would be a lie.
"""

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devicehub.disk import transaction
from devicehub.journal import tables
from devicehub.journal.owed import CARRIED
from devicehub.journal.rows import Mark
from devicehub.model.stream import Stream

BALLAST: Final = 16 * 1024 * 1024
BULK: Final = 0.9
ROOM: Final = 0.8
SLICE: Final = 5_000

_OWED = f"""
  WHERE stream = ? AND position <= ? AND recorded < ?
    AND position NOT IN (SELECT max(position) FROM event WHERE retain = 1 GROUP BY topic)
    AND (number IS NULL OR number <= ?)
    AND NOT (? AND {CARRIED})
"""
_OLDEST = f"SELECT position FROM event {_OWED} ORDER BY position LIMIT ?"


def floor(db: sqlite3.Connection, stream: Stream) -> int | None:
    """The lowest receipt of a stream; None where there is none."""
    query = "SELECT min(number) FROM receipt WHERE stream = ?"
    found: tuple[int | None] = db.execute(query, (stream.value,)).fetchone()
    return found[0]


def oldest(db: sqlite3.Connection, stream: Stream) -> int | None:
    """The lowest number of a stream that is kept; None where none is."""
    query = "SELECT min(number) FROM event WHERE stream = ? AND number IS NOT NULL"
    found: tuple[int | None] = db.execute(query, (stream.value,)).fetchone()
    return found[0]


def forget(db: sqlite3.Connection, marks: Mapping[Stream, Mark], before: float) -> int:
    """Delete the oldest events recorded before that UTC second that are not owed, a slice of them; gives how many.

    The marks become durable first: what is gone must not count as undelivered after a crash.
    """
    positions: list[int] = []
    for stream, mark in marks.items():
        owed = floor(db, stream)
        confirmed = mark.number if owed is None else owed
        limits = (stream.value, mark.position, before, confirmed, owed == 0, SLICE - len(positions))
        positions += [row[0] for row in db.execute(_OLDEST, limits)]
    if positions:
        with transaction(db):
            tables.mark(db, marks)
            tables.prune(db, positions)
    return len(positions)


class Ballast:
    """A file that only takes room, so that on a full disk there is some to give back.

    SQLite needs room to delete rows, and the hub needs some to say that it refuses.
    """

    def __init__(self, path: Path, size: int = BALLAST) -> None:
        self._path = path
        self._size = size

    def there(self) -> bool:
        """Whether the file is there, of whatever size."""
        return self._path.exists()

    def load(self) -> bool:
        """Take the room, if the disk has it; whether it is taken. Raises `OSError` for anything but a full disk."""
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_blocks * 512 >= self._size:
                return True
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the room back. A file that cannot be removed is emptied."""
        with contextlib.suppress(OSError):
            os.truncate(self._path, 0)


class QuotaError(sqlite3.OperationalError):
    """The journal holds as much as it may. Nothing is wrong with its file."""


class Quota:
    """The most bytes a journal may hold, for the bulk and, a tenth later, for alarms."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def check(self, db: sqlite3.Connection, *, alarms: bool) -> None:
        """Raises `QuotaError` when what is to be written no longer fits."""
        limit = self.limit if alarms else int(self.limit * BULK)
        held = tables.used(db)
        if held > limit:
            raise QuotaError(f"it holds {held} bytes, journal.gib allows {limit} for this")

    def crowded(self, held: int) -> bool:
        """Whether what is not owed should be forgotten before its time."""
        return held > self.limit * ROOM
