"""One row of the journal: an event as it will be published, its SHA-256 and its link in the chain.

`digest` is SHA-256 over the row's head (a JSON array of all columns before the payload), a line feed and the
payload. `chain` is SHA-256 over the chain of the position before and this digest. A changed row fails its
digest; a row that was deleted, inserted or moved breaks the chain. A row whose digest was damaged and whose
content was not still fits the chain.
"""

import hashlib
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.model.stream import Stream
from devicehub.publish.port import Outgoing

PAYLOAD_SCHEMA: Final = 1
COLUMNS: Final = (
    "position, stream, number, recorded, topic, qos, retain, expiry, type, id, subject, schema, payload, digest, chain"
)
TABLE: Final = """
CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY, stream TEXT NOT NULL, number INTEGER, recorded REAL NOT NULL,
    topic TEXT NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL, expiry INTEGER,
    type TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL, schema INTEGER NOT NULL,
    payload BLOB NOT NULL, digest BLOB NOT NULL, chain BLOB NOT NULL) STRICT;
"""

Row = tuple[int, str, int | None, float, str, int, int, int | None, str, str, str, int, bytes, bytes, bytes]
"""The columns of a row, in their order."""


class Entry(Struct, frozen=True):
    """A stored event. `mono`: monotonic second its cause arrived at, None for one of an earlier run.

    `number` None: not numbered, because its topic's latest is all that counts. `recorded`: UTC seconds.
    """

    position: int
    stream: Stream
    number: int | None
    recorded: float
    mono: float | None
    out: Outgoing


class Mark(Struct, frozen=True):
    """A place in a stream: the position of its last event, and the last number up to there."""

    position: int = 0
    number: int = 0

    def after(self, entry: Entry) -> "Mark":
        """The mark once `entry` is passed."""
        return Mark(entry.position, self.number if entry.number is None else entry.number)


def genesis(epoch: str) -> bytes:
    """The chain before the first position of a journal."""
    return hashlib.sha256(b"devicehub journal 2\n" + epoch.encode()).digest()


def digest(head: tuple[object, ...], payload: bytes) -> bytes:
    """SHA-256 of a row's content. `head`: the columns before the payload."""
    return hashlib.sha256(msgspec.json.encode(head) + b"\n" + payload).digest()


def link(previous: bytes, content: bytes) -> bytes:
    """The chain at a row, from the chain before it and its digest."""
    return hashlib.sha256(previous + content).digest()


def row(entry: Entry, previous: bytes) -> Row:
    """An entry as it is stored, after the row whose chain is `previous`."""
    out = entry.out
    content = digest(_head(entry), out.payload)
    return (*_head(entry), out.payload, content, link(previous, content))


def entry_of(stored: Row) -> Entry:
    """A stored row as an entry. Raises `ValueError` for a stream of another make."""
    position, stream, number, recorded, topic, qos, retain, expiry, kind, name, subject, _, payload, _, _ = stored
    out = Outgoing(topic, payload, qos, bool(retain), expiry, kind, name, subject)
    return Entry(position, Stream(stream), number, recorded, None, out)


def _head(
    entry: Entry,
) -> tuple[int, str, int | None, float, str, int, int, int | None, str, str, str, int]:
    out = entry.out
    place = (entry.position, entry.stream.value, entry.number, entry.recorded)
    return (*place, out.topic, out.qos, int(out.retain), out.expiry, out.type, out.id, out.subject, PAYLOAD_SCHEMA)
