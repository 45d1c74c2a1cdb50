"""Room on a disk, and what makes a file stable: its name in its folder, and SQLite's log and transactions."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import cast


def room(folder: Path) -> tuple[int, int]:
    """Bytes of the disk of a folder: all, and those that are free. Raises `OSError`."""
    usage = disk_usage(folder)
    return usage.total, usage.free


def sync_folder(folder: Path) -> None:
    """Make new and renamed files of a folder survive a loss of power. Raises `OSError`."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_ahead(db: sqlite3.Connection) -> None:
    """A commit is on stable storage when it returns. Raises `sqlite3.Error`."""
    (mode,) = db.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":  # SQLite raises nothing then, and the end of a commit in its other modes is not durable
        raise sqlite3.OperationalError(f"there is no write-ahead log, but {mode}")
    db.execute("PRAGMA synchronous=FULL")


class Database(sqlite3.Connection):
    """A connection whose failures are all `sqlite3.Error`.

    What SQLite says of a schema with damaged letters is no text, which raises `UnicodeDecodeError` instead.
    """

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        """As `sqlite3.Connection.execute`."""
        try:
            return super().execute(sql, cast(Sequence[str], parameters))  # whatever SQLite takes
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError(f"the schema is damaged: {error}") from None


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing. Raises `sqlite3.Error`."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise
