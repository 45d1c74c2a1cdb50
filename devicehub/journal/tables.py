"""The tables of the journal's file: events, what is known of them, receipts, quarantine, devices, taken records.

Every function takes an open connection and raises `sqlite3.Error`.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Final, Self

from msgspec import Struct, structs

from devicehub.disk import transaction, write_ahead
from devicehub.journal.owed import CARRIED
from devicehub.journal.proof import Value, seal
from devicehub.journal.rows import COLUMNS, TABLE, Entry, Mark, Row, entry_of, genesis
from devicehub.model.message import REMEMBERED
from devicehub.model.stream import Stream

SCHEMA_VERSION: Final = 2

_SCHEMA = f"""
{TABLE}
CREATE INDEX IF NOT EXISTS lane ON event (stream, position);
CREATE INDEX IF NOT EXISTS counted ON event (stream, number) WHERE number IS NOT NULL;
CREATE INDEX IF NOT EXISTS retained ON event (topic, position) WHERE retain = 1;
CREATE INDEX IF NOT EXISTS commands ON event (position) WHERE type = 'io.devicehub.command';
CREATE TABLE IF NOT EXISTS announced (device TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS taken (device TEXT NOT NULL, record TEXT NOT NULL, UNIQUE (device, record)) STRICT;
CREATE INDEX IF NOT EXISTS taken_by ON taken (device);
CREATE TABLE IF NOT EXISTS quarantine (position INTEGER PRIMARY KEY, why TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS receipt (
    consumer TEXT NOT NULL, stream TEXT NOT NULL, number INTEGER NOT NULL, heard REAL NOT NULL,
    PRIMARY KEY (consumer, stream)) STRICT;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS seal (one INTEGER PRIMARY KEY CHECK (one = 1), value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS damage (value BLOB NOT NULL) STRICT;
"""
_INSERT = f"INSERT INTO event VALUES ({', '.join('?' * len(COLUMNS.split(',')))})"
_LAST_RETAINED = "SELECT max(position) FROM event WHERE retain = 1 GROUP BY topic"
_UPDATE = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"


class Receipt(Struct, frozen=True):
    """A durable consumer has everything of a stream up to `number`; `heard` at a UTC second."""

    consumer: str
    stream: Stream
    number: int
    heard: float


class Meta(Struct, frozen=True):
    """What a journal knows of itself. `pruned`: the highest position that retention deleted. `chain`: at `last`.

    `carried`: up to there are events of a journal that was damaged.
    """

    epoch: str
    last: int
    numbers: Mapping[Stream, int]
    acked: Mapping[Stream, Mark]
    chain: bytes
    pruned: int = 0
    running: bool = False
    recorded: float | None = None
    carried: int = 0

    @classmethod
    def fresh(cls, epoch: str) -> Self:
        """Of an empty journal."""
        return cls(epoch, 0, dict.fromkeys(Stream, 0), dict.fromkeys(Stream, Mark()), genesis(epoch))

    def advanced(self, last: int, numbers: Mapping[Stream, int], recorded: float) -> Self:
        """After a commit."""
        return structs.replace(self, last=last, numbers=numbers, recorded=recorded)

    def chained(self, chain: bytes) -> Self:
        """With the chain's new end."""
        return structs.replace(self, chain=chain)


def prepared(db: sqlite3.Connection, epoch: str) -> Meta:
    """Make the tables where they are not, mark the journal as in use, and give what is known of it.

    `running` is what was marked before: True after an unclean end. `epoch`: for a journal that is new.
    """
    write_ahead(db)
    with transaction(db):
        create(db)
        db.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?)", (SCHEMA_VERSION,))
        db.execute("INSERT OR IGNORE INTO meta VALUES ('epoch', ?)", (epoch,))
        meta = known(db)
        remember(db, [("running", 1)])
    return meta


def create(db: sqlite3.Connection) -> None:
    """Make the tables where they are not, in a transaction of the caller's if there is one."""
    for statement in _SCHEMA.split(";"):
        db.execute(statement)


def known(db: sqlite3.Connection) -> Meta:
    """What a journal knows of itself. Raises `sqlite3.DatabaseError` for one of another version."""
    return meta_of(dict(db.execute("SELECT name, value FROM meta")))


def meta_of(found: Mapping[str, Value]) -> Meta:
    """What a journal knows of itself, from its names and values. Raises as `known`, `KeyError` and `ValueError`."""
    schema = found.get("schema")
    if schema != SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"schema version {schema!r} is not {SCHEMA_VERSION}")
    epoch = found["epoch"]
    if not isinstance(epoch, str):
        raise sqlite3.DatabaseError("its epoch is no text")

    def whole(name: str) -> int:
        return int(found.get(name, 0))

    chain, recorded = found.get("chain"), found.get("recorded")
    return Meta(
        epoch=epoch,
        last=whole("last"),
        numbers={stream: whole(f"number.{stream}") for stream in Stream},
        acked={stream: Mark(whole(f"acked.{stream}"), whole(f"acked-number.{stream}")) for stream in Stream},
        chain=chain if isinstance(chain, bytes) else genesis(epoch),
        pruned=whole("pruned"),
        running=bool(whole("running")),
        recorded=float(recorded) if isinstance(recorded, int | float) else None,
        carried=whole("carried"),
    )


def last(db: sqlite3.Connection) -> int:
    """The last position; 0 in an empty journal."""
    return known(db).last


def insert(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Store rows, in a transaction of the caller's."""
    db.executemany(_INSERT, rows)


def write(db: sqlite3.Connection, meta: Meta, marks: Mapping[Stream, Mark]) -> None:
    """Store what is known, in a transaction of the caller's."""
    values: list[tuple[str, Value]] = [("epoch", meta.epoch), ("last", meta.last), ("chain", meta.chain)]
    values += [(f"number.{stream}", number) for stream, number in meta.numbers.items()]
    if meta.recorded is not None:
        values.append(("recorded", meta.recorded))
    remember(db, values + _marked(marks))


def finish(db: sqlite3.Connection, marks: Mapping[Stream, Mark]) -> None:
    """The end of a run: what was delivered, and that nobody uses the journal."""
    remember(db, [*_marked(marks), ("running", 0)])


def mark(db: sqlite3.Connection, marks: Mapping[Stream, Mark]) -> None:
    """What was delivered, in a transaction of the caller's."""
    remember(db, _marked(marks))


def rewind(db: sqlite3.Connection, stream: Stream, number: int) -> int:
    """Let everything of a stream behind `number` count as undelivered; gives how many events wait for it now."""
    back = Mark(position_of(db, stream, number), number)
    acked = known(db).acked[stream]
    if back.position < acked.position:
        mark(db, {stream: back})
    return waiting(db, {stream: back})[stream]


def prune(db: sqlite3.Connection, positions: Sequence[int]) -> None:
    """Delete events and remember up to where holes are no damage, in a transaction of the caller's."""
    places = [(one,) for one in positions]
    db.executemany("DELETE FROM event WHERE position = ?", places)
    db.executemany("DELETE FROM quarantine WHERE position = ?", places)
    remember(db, [("pruned", max(known(db).pruned, *positions))])


def remember(db: sqlite3.Connection, values: Sequence[tuple[str, Value]]) -> None:
    """Store what is known and seal it, in a transaction of the caller's if there is one."""
    with nullcontext() if db.in_transaction else transaction(db):
        held: dict[str, Value] = dict(db.execute("SELECT name, value FROM meta"))
        news = {name: value for name, value in values if held.get(name) != value}
        db.executemany(_UPDATE, news.items())
        db.execute("REPLACE INTO seal VALUES (1, ?)", (seal(held | news),))


def withdraw(db: sqlite3.Connection, last: int) -> None:
    """Delete events above `last`, in a transaction of the caller's."""
    db.execute("DELETE FROM event WHERE position > ?", (last,))


def settle(db: sqlite3.Connection) -> bool:
    """Write all of the write-ahead log into the file and begin the log anew; not while another connection reads."""
    db.execute("PRAGMA synchronous=FULL")
    (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def announce(db: sqlite3.Connection, devices: Sequence[str]) -> tuple[str, ...]:
    """Remember devices whose states a broker retains, for ever; gives those remembered that are none of them."""
    db.execute("INSERT OR IGNORE INTO announced SELECT value FROM json_each(?)", (json.dumps(list(devices)),))
    names: list[tuple[str]] = db.execute("SELECT device FROM announced ORDER BY device").fetchall()
    return tuple(name for (name,) in names if name not in devices)


def take(db: sqlite3.Connection, records: Sequence[tuple[str, str]]) -> None:
    """Remember records of devices' memories, in a transaction of the caller's; of each device the last `REMEMBERED`."""
    db.executemany("INSERT OR IGNORE INTO taken VALUES (?, ?)", records)
    oldest = "SELECT rowid FROM taken WHERE device = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2"
    forget = f"DELETE FROM taken WHERE device = ?1 AND rowid <= ({oldest})"
    db.executemany(forget, [(device, REMEMBERED) for device in dict(records)])


def taken(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Which records of devices' memories were stored as events, oldest first; none in an old journal."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'taken'").fetchone():
        return []
    return db.execute("SELECT device, record FROM taken ORDER BY rowid").fetchall()


def standing(db: sqlite3.Connection) -> list[Entry]:
    """The last event of each retained topic, unless it deleted the topic, in order."""
    query = f"SELECT {COLUMNS} FROM event WHERE position IN ({_LAST_RETAINED}) AND payload != x'' ORDER BY position"
    return [entry_of(one) for one in db.execute(query)]


def waiting(db: sqlite3.Connection, marks: Mapping[Stream, Mark]) -> dict[Stream, int]:
    """How many events of each stream wait for delivery."""
    query = "SELECT count(*) FROM event WHERE stream = ? AND position > ?"
    return {stream: db.execute(query, (stream.value, mark.position)).fetchone()[0] for stream, mark in marks.items()}


def ends(db: sqlite3.Connection, meta: Meta) -> dict[Stream, Mark]:
    """The last event of each stream."""
    query = "SELECT coalesce(max(position), 0) FROM event WHERE stream = ?"
    return {one: Mark(db.execute(query, (one.value,)).fetchone()[0], meta.numbers[one]) for one in Stream}


def position_of(db: sqlite3.Connection, stream: Stream, number: int) -> int:
    """The position up to which everything numbered `number` or lower is passed; 0 where nothing of it is kept."""
    query = "SELECT max(position) FROM event WHERE stream = ? AND number IS NOT NULL AND number <= ?"
    found: tuple[int | None] = db.execute(query, (stream.value, number)).fetchone()
    return found[0] or 0


def again(db: sqlite3.Connection, stream: Stream, after: int, end: int, most: int) -> list[Entry]:
    """What is counted of a stream above position `after` and up to `end`, without what is in quarantine, in order."""
    query = f"""SELECT {COLUMNS} FROM event WHERE stream = ? AND position > ? AND position <= ?
        AND (number IS NOT NULL OR {CARRIED}) AND position NOT IN (SELECT position FROM quarantine)
        ORDER BY position LIMIT ?"""
    return [entry_of(one) for one in db.execute(query, (stream.value, after, end, most))]


def receipts(db: sqlite3.Connection) -> list[Receipt]:
    """How far each durable consumer has come."""
    rows = db.execute("SELECT consumer, stream, number, heard FROM receipt ORDER BY consumer, stream")
    return [Receipt(consumer, Stream(stream), number, heard) for consumer, stream, number, heard in rows]


def keep_receipts(db: sqlite3.Connection, new: Sequence[Receipt], gone: Sequence[str] = ()) -> None:
    """Remember receipts, the newest of each consumer and stream, and forget consumers. One transaction."""
    rows = [(one.consumer, one.stream.value, one.number, one.heard) for one in new]
    names = [(name,) for name in {one.consumer for one in new}.union(gone)]
    with transaction(db):
        db.executemany("DELETE FROM receipt WHERE consumer = ?", names)
        db.executemany("INSERT INTO receipt VALUES (?, ?, ?, ?)", rows)


def used(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something; what was deleted is used again and does not count."""
    sizes = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")]
    return int((sizes[0] - sizes[1]) * sizes[2])


def _marked(marks: Mapping[Stream, Mark]) -> list[tuple[str, Value]]:
    values: list[tuple[str, Value]] = [(f"acked.{stream}", mark.position) for stream, mark in marks.items()]
    return values + [(f"acked-number.{stream}", mark.number) for stream, mark in marks.items()]
