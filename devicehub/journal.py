"""Durable, ordered store-and-forward: what `append` returned for is on stable storage and stays until delivered.

SQLite in WAL mode with `synchronous=FULL`, one writer at a time. Commits are grouped by themselves:
what arrives while one commit runs goes into the next. Positions are contiguous and are assigned
inside the transaction, and so are the published sequence numbers, which count only messages that
have a body: the deletion of a retained message has a position and no number. Events are stored as
the bytes that will be published.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from devicehub.clock import Clock
from devicehub.model.errors import JournalError
from devicehub.model.message import Message
from devicehub.publish.port import Outgoing

SCHEMA_VERSION = 1
TAIL = 20_000

T = TypeVar("T")
Encode = Callable[[Message, int | None, float], Outgoing]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY, recorded REAL NOT NULL, topic TEXT NOT NULL, qos INTEGER NOT NULL,
    retain INTEGER NOT NULL, expiry INTEGER, type TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL,
    payload BLOB NOT NULL) STRICT;
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


@dataclass(slots=True)
class _Arrival:
    """Messages of one `append`, waiting for a commit."""

    messages: tuple[Message, ...]
    stored: bool = False
    last: int = 0


class Journal:
    """See the module's docstring. Use from one event loop."""

    def __init__(self, path: Path, encode: Encode, clock: Clock, executor: Executor | None = None) -> None:
        """`encode` makes the published bytes of a message from its number (None: no body) and time of recording.

        `executor`: where SQLite runs; None for the loop's own.
        """
        self._path = path
        self._encode = encode
        self._clock = clock
        self._executor = executor
        self._turn = asyncio.Lock()
        self._waiting: list[_Arrival] = []
        self._tail: deque[Entry] = deque()
        self._listeners: list[Callable[[], None]] = []
        self._db: sqlite3.Connection | None = None
        self._sequence = 0
        self.last = 0
        self.acked = 0
        self.unclean = False

    async def open(self) -> None:
        """Open or create the file; `unclean` tells whether an earlier run did not `close`. Raises `JournalError`."""
        await self._do(self._open)

    async def append(self, messages: Sequence[Message]) -> int:
        """Make messages durable, in order; gives the last sequence number. Raises `JournalError`."""
        arrival = _Arrival(tuple(messages))
        self._waiting.append(arrival)
        async with self._turn:
            if not arrival.stored:
                group, self._waiting = self._waiting, []
                await self._store(group)
        return arrival.last

    async def _store(self, group: list["_Arrival"]) -> None:
        """One commit for all that wait. On failure they wait no longer: whoever insists appends again."""
        entries = await self._run(lambda: self._write([message for arrival in group for message in arrival.messages]))
        for arrival in group:
            arrival.stored, arrival.last = True, entries[-1].seq
        self._remember(entries)

    async def peek(self, after: int, most: int) -> list[Entry]:
        """Stored events with a sequence number above `after`, in order, at most `most`. Raises `JournalError`."""
        if self._tail and after >= self._tail[0].seq - 1:
            skip = after - self._tail[0].seq + 1
            return [self._tail[place] for place in range(skip, min(skip + most, len(self._tail)))]
        if after >= self.last:
            return []
        return await self._do(lambda: self._read(after, most))

    async def standing(self) -> list[Entry]:
        """The last event of each retained topic, unless it deleted the topic, in order. Raises `JournalError`."""
        return await self._do(self._standing)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever something was stored."""
        self._listeners.append(listener)

    def ack(self, seq: int) -> None:
        """Everything up to `seq` was delivered. Becomes durable with the next commit: at least once."""
        self.acked = max(self.acked, seq)
        while self._tail and self._tail[0].seq <= self.acked:
            self._tail.popleft()

    def depth(self) -> int:
        """How many events wait for delivery."""
        return self.last - self.acked

    def size(self) -> int:
        """Bytes on disk."""
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def forget(self, before: float) -> int:
        """Delete delivered events recorded before that UTC second, but what stands; gives how many.

        Raises `JournalError`.
        """
        return await self._do(lambda: self._forget(before))

    async def close(self) -> None:
        """Write the delivery mark and close cleanly. Raises `JournalError`."""
        if self._db is not None:
            await self._do(self._close)

    async def _do(self, work: Callable[[], T]) -> T:
        async with self._turn:
            return await self._run(work)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"journal {self._path}: {error}") from error

    def _remember(self, entries: list[Entry]) -> None:
        contiguous = not self._tail or self._tail[-1].seq + 1 == entries[0].seq
        behind = self.acked < entries[0].seq - 1 and not self._tail
        if contiguous and not behind:
            self._tail.extend(entries)
        if len(self._tail) > TAIL:
            self._tail.clear()
        for listener in self._listeners:
            listener()

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_SCHEMA)
        meta: dict[str, int] = dict(db.execute("SELECT name, value FROM meta"))
        if meta["schema"] != SCHEMA_VERSION:
            db.close()
            raise sqlite3.DatabaseError(f"schema version {meta['schema']} is not {SCHEMA_VERSION}")
        self.last, self.acked, self.unclean = meta["last"], meta["acked"], bool(meta["running"])
        self._sequence = meta["sequence"]
        db.execute("UPDATE meta SET value = 1 WHERE name = 'running'")
        self._db = db

    def _write(self, group: list[Message]) -> list[Entry]:
        db = self._open_db()
        recorded = self._clock.utc()
        entries: list[Entry] = []
        sequence = self._sequence
        for seq, message in enumerate(group, self.last + 1):
            sequence += message.data is not None
            number = sequence if message.data is not None else None
            entries.append(Entry(seq, recorded, message.mono, self._encode(message, number, recorded)))
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany(_INSERT, [_row(entry) for entry in entries])
            db.execute("UPDATE meta SET value = ? WHERE name = 'last'", (entries[-1].seq,))
            db.execute("UPDATE meta SET value = ? WHERE name = 'sequence'", (sequence,))
            db.execute("UPDATE meta SET value = ? WHERE name = 'acked'", (self.acked,))
            db.execute("COMMIT")
        except sqlite3.Error:
            db.rollback()
            raise
        self.last, self._sequence = entries[-1].seq, sequence
        return entries

    def _read(self, after: int, most: int) -> list[Entry]:
        query = f"SELECT {_COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - constant columns
        return [_entry(row) for row in self._open_db().execute(query, (after, most))]

    def _standing(self) -> list[Entry]:
        query = f"SELECT {_COLUMNS} FROM event WHERE seq IN ({_LAST_RETAINED}) AND payload != x'' ORDER BY seq"  # noqa: S608 - constants
        return [_entry(row) for row in self._open_db().execute(query)]

    def _forget(self, before: float) -> int:
        query = f"DELETE FROM event WHERE seq <= ? AND recorded < ? AND seq NOT IN ({_LAST_RETAINED})"  # noqa: S608 - same
        return self._open_db().execute(query, (self.acked, before)).rowcount

    def _close(self) -> None:
        db, self._db = self._open_db(), None
        db.execute("UPDATE meta SET value = ? WHERE name = 'acked'", (self.acked,))
        db.execute("UPDATE meta SET value = 0 WHERE name = 'running'")
        db.close()

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            raise sqlite3.ProgrammingError("the journal is closed")
        return self._db


def _row(entry: Entry) -> tuple[object, ...]:
    out = entry.out
    head = (entry.seq, entry.recorded, out.topic, out.qos, int(out.retain), out.expiry)
    return (*head, out.type, out.id, out.subject, out.payload)


def _entry(row: tuple[int, float, str, int, int, int | None, str, str, str, bytes]) -> Entry:
    seq, recorded, topic, qos, retain, expiry, kind, name, subject, payload = row
    out = Outgoing(topic, payload, qos, bool(retain), expiry, kind, name, subject)
    return Entry(seq, recorded, None, out)
