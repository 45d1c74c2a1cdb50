"""A store that is an SQLite database: table `message` holds what was published, `progress` and `node` how far it is.

WAL with `synchronous=FULL`: a commit is on stable storage when it returns. Messages and progress go into one
transaction. Others may read while it is written.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from devicehub.consume.book import Book, Counted, Current, State
from devicehub.consume.count import Ranges
from devicehub.consume.heard import Heard
from devicehub.consume.store import ForeignFileError, StoreError
from devicehub.disk import Database, transaction, write_ahead
from devicehub.model.stream import Stream

APPLICATION: Final = 0x64766863
VERSION: Final = 1
_WAIT_S: Final = 10.0
_TABLES: Final = """
CREATE TABLE message (
    id INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL, stream TEXT NOT NULL, sequence INTEGER NOT NULL,
    type TEXT NOT NULL, recorded TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (node, epoch, stream, sequence)
) STRICT;
CREATE TABLE progress (
    node TEXT NOT NULL, epoch TEXT NOT NULL, stream TEXT NOT NULL, next INTEGER NOT NULL, missing TEXT NOT NULL,
    PRIMARY KEY (node, epoch, stream)
) STRICT, WITHOUT ROWID;
CREATE TABLE node (node TEXT PRIMARY KEY, epoch TEXT NOT NULL, recorded TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


class Table:
    """See the module's docstring. Raises `StoreError`. `message.id` counts in the order of storing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _reported(path):
            path.touch(0o600)
            self._db = sqlite3.connect(
                path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False, factory=Database
            )
        try:
            with _reported(path):
                self._prepare()
        except StoreError:
            self._db.close()
            raise

    def load(self, book: Book) -> None:
        """See `Store.load`."""
        with _reported(self._path):
            progress = self._db.execute("SELECT node, epoch, stream, next, missing FROM progress").fetchall()
            nodes = self._db.execute("SELECT node, epoch, recorded FROM node").fetchall()
        counts = (
            Counted(node, epoch, Stream(stream), number, msgspec.json.decode(missing, type=Ranges))
            for node, epoch, stream, number, missing in progress
        )
        book.restore(State(tuple(counts), tuple(Current(*one) for one in nodes)))

    def store(self, batch: Sequence[Heard], changes: State) -> None:
        """See `Store.store`."""
        with _reported(self._path), transaction(self._db):
            self._db.executemany(
                "INSERT INTO message VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                [(o.node, o.epoch, o.stream, o.number, o.type, o.recorded, o.body.decode()) for o in batch],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?)",
                [(*one.key, one.next, msgspec.json.encode(one.missing).decode()) for one in changes.counts],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO node VALUES (?, ?, ?)",
                [(one.node, one.epoch, one.recorded) for one in changes.current],
            )

    def close(self) -> None:
        """See `Store.close`."""
        with _reported(self._path):
            self._db.close()

    def _prepare(self) -> None:
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        empty = not self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not empty and application != APPLICATION:
            raise ForeignFileError(f"{self._path} is a database of something else; it is left alone")
        if version > VERSION:
            raise ForeignFileError(f"{self._path} was written by a newer devicehub; it is left alone")
        write_ahead(self._db)
        if empty:
            marks = f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION};"
            self._db.executescript(f"BEGIN IMMEDIATE; {_TABLES} {marks} COMMIT;")
        # What a killed run wrote last is in memory only, and will now be confirmed.
        self._db.execute("PRAGMA wal_checkpoint(FULL)")


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise ForeignFileError(f"{path} is no SQLite database; it is left alone") from error
        raise StoreError(f"{path}: {error}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
