"""The journal's file: SQLite in WAL mode with `synchronous=FULL`. Used by one thread at a time, never by a loop.

After an error the connection is given up and opened anew by the next call. A file that was removed or
replaced under the running hub is noticed before anything is written into what nobody can find again:
what is still to be delivered is written into the new file, and no number is ever used twice.
"""

import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from devicehub.model.message import Message
from devicehub.publish.port import Outgoing

SCHEMA_VERSION = 1

_log = logging.getLogger(__name__)

T = TypeVar("T")
Encode = Callable[[Message, int | None, float], Outgoing]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY, recorded REAL NOT NULL, topic TEXT NOT NULL, qos INTEGER NOT NULL,
    retain INTEGER NOT NULL, expiry INTEGER, type TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL,
    payload BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS announced (device TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS retained ON event (topic, seq) WHERE retain = 1;
INSERT OR IGNORE INTO meta VALUES ('schema', 1), ('acked', 0), ('last', 0), ('sequence', 0), ('running', 0);
"""
_INSERT = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LAST_RETAINED = "SELECT max(seq) FROM event WHERE retain = 1 GROUP BY topic"
_COLUMNS = "seq, recorded, topic, qos, retain, expiry, type, id, subject, payload"


class Entry(Struct, frozen=True):
    """A stored event. `mono`: monotonic second its cause arrived at, None for one of an earlier run."""

    seq: int
    recorded: float
    mono: float | None
    out: Outgoing


class Ledger:
    """See the module's docstring. Every method raises `sqlite3.Error` or `OSError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._closed = True
        self._sequence = 0
        self.last = 0
        self.acked = 0
        self.unclean = False
        self.recorded: float | None = None

    def open(self) -> None:
        """Open or create the file, mark it as in use, and learn what it holds."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db, meta = self._connected()
        self.last, self.acked, self._sequence = meta["last"], meta["acked"], meta["sequence"]
        self.unclean = bool(meta["running"])
        self.recorded = db.execute(
            "SELECT max(recorded) FROM event WHERE seq = (SELECT max(seq) FROM event)"
        ).fetchone()[0]
        self._db, self._closed = db, False

    def announce(self, devices: Sequence[str]) -> tuple[str, ...]:
        """Remember devices whose states a broker retains, for ever; gives those remembered that are none of them."""
        return self._guarded(lambda db: _announce(db, devices))

    def write(self, messages: Sequence[Message], encode: Encode, recorded: float, mark: int) -> list[Entry]:
        """Number, encode and commit; all of it or nothing. `mark`: everything up to there was delivered."""
        return self._guarded(lambda db: self._append(db, messages, encode, recorded, mark))

    def read(self, after: int, most: int) -> list[Entry]:
        """Stored events above `after`, in order."""
        query = f"SELECT {_COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - constant columns
        return self._guarded(lambda db: [_entry(row) for row in db.execute(query, (after, most))])

    def standing(self) -> list[Entry]:
        """The last event of each retained topic, unless it deleted the topic, in order."""
        query = f"SELECT {_COLUMNS} FROM event WHERE seq IN ({_LAST_RETAINED}) AND payload != x'' ORDER BY seq"  # noqa: S608 - constants
        return self._guarded(lambda db: [_entry(row) for row in db.execute(query)])

    def forget(self, mark: int, before: float) -> int:
        """Delete what is at or below `mark` and was recorded before that second, but what stands; gives how many.

        The mark becomes durable first: what is gone must not count as undelivered after a crash.
        """
        return self._guarded(lambda db: _forget(db, mark, before))

    def missing(self) -> int | None:
        """After the file was replaced: the last position the new one holds. None when nothing is missing."""
        held = self._guarded(_last)
        return held if held < self.last else None

    def refill(self, entries: Sequence[Entry]) -> None:
        """Write events again, under their numbers, into a file that replaced the one that held them."""
        self._guarded(lambda db: _commit(db, entries, self._sequence, entries[0].seq - 1))

    def close(self, mark: int) -> None:
        """Write the delivery mark and close cleanly."""
        self._guarded(lambda db: _finish(db, mark))
        self._closed = True
        self._give_up()

    def _append(
        self, db: sqlite3.Connection, messages: Sequence[Message], encode: Encode, recorded: float, mark: int
    ) -> list[Entry]:
        entries: list[Entry] = []
        sequence = self._sequence
        for seq, message in enumerate(messages, self.last + 1):
            sequence += message.data is not None
            number = sequence if message.data is not None else None
            entries.append(Entry(seq, recorded, message.mono, encode(message, number, recorded)))
        _commit(db, entries, sequence, mark)
        self.last, self._sequence = entries[-1].seq, sequence
        return entries

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._connection())
        except (sqlite3.Error, OSError):
            self._give_up()
            raise

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.ProgrammingError("the journal is closed")
        if self._db is None:
            self._db, meta = self._connected()
            self.last, self._sequence = max(self.last, meta["last"]), max(self._sequence, meta["sequence"])
            _log.debug("journal %s opened again", self._path)
        if self._identity() != self._file:
            raise OSError("the file was removed or replaced")
        return self._db

    def _connected(self) -> tuple[sqlite3.Connection, dict[str, int]]:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.executescript(_SCHEMA)
            meta: dict[str, int] = dict(db.execute("SELECT name, value FROM meta"))
            if meta["schema"] != SCHEMA_VERSION:
                raise sqlite3.DatabaseError(f"schema version {meta['schema']} is not {SCHEMA_VERSION}")
            db.execute("UPDATE meta SET value = 1 WHERE name = 'running'")
            self._file = self._identity()
        except (sqlite3.Error, OSError):
            db.close()
            raise
        return db, meta

    def _identity(self) -> tuple[int, int]:
        facts = os.stat(self._path)  # noqa: PTH116 - before every commit; a third of the time of Path.stat
        return facts.st_dev, facts.st_ino

    def _give_up(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()


def _last(db: sqlite3.Connection) -> int:
    row: tuple[int] = db.execute("SELECT value FROM meta WHERE name = 'last'").fetchone()
    return row[0]


def _announce(db: sqlite3.Connection, devices: Sequence[str]) -> tuple[str, ...]:
    known = json.dumps(list(devices))
    db.execute("INSERT OR IGNORE INTO announced SELECT value FROM json_each(?)", (known,))
    names: list[tuple[str]] = db.execute("SELECT device FROM announced ORDER BY device").fetchall()
    return tuple(name for (name,) in names if name not in devices)


def _commit(db: sqlite3.Connection, entries: Sequence[Entry], sequence: int, mark: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(_INSERT, [_row(entry) for entry in entries])
        values = (("last", entries[-1].seq), ("sequence", sequence), ("acked", mark))
        db.executemany("UPDATE meta SET value = ?2 WHERE name = ?1", values)
        db.execute("COMMIT")
    except sqlite3.Error:
        db.rollback()
        raise


def _finish(db: sqlite3.Connection, mark: int) -> None:
    db.executemany("UPDATE meta SET value = ?2 WHERE name = ?1", (("acked", mark), ("running", 0)))


def _row(entry: Entry) -> tuple[object, ...]:
    out = entry.out
    head = (entry.seq, entry.recorded, out.topic, out.qos, int(out.retain), out.expiry)
    return (*head, out.type, out.id, out.subject, out.payload)


def _entry(row: tuple[int, float, str, int, int, int | None, str, str, str, bytes]) -> Entry:
    seq, recorded, topic, qos, retain, expiry, kind, name, subject, payload = row
    out = Outgoing(topic, payload, qos, bool(retain), expiry, kind, name, subject)
    return Entry(seq, recorded, None, out)


def _forget(db: sqlite3.Connection, mark: int, before: float) -> int:
    query = f"DELETE FROM event WHERE seq <= ? AND recorded < ? AND seq NOT IN ({_LAST_RETAINED})"  # noqa: S608 - constants
    db.execute("UPDATE meta SET value = max(value, ?) WHERE name = 'acked'", (mark,))
    return db.execute(query, (mark, before)).rowcount
