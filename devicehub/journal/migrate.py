"""Journals of version 1: one sequence over everything, no epoch, no digests. What they hold goes into a new one.

Streams are told by topic and type. The bytes stay as they are and name a sequence without an epoch; a number of the
new epoch would be one that no published message has, so they get none. The old files stay as `journal.sqlite.v1-N`.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from devicehub.journal.proof import Fault, Finding, printable
from devicehub.journal.rebuild import Contents, Damage, free_name, replace
from devicehub.journal.rows import PAYLOAD_SCHEMA, Mark, Row
from devicehub.journal.tables import Meta
from devicehub.journal.verify import of_the_file, reading
from devicehub.model.message import Kind
from devicehub.model.stream import Stream
from devicehub.publish.topics import RULES

_log = logging.getLogger(__name__)

_ROWS: Final = "SELECT seq, recorded, topic, qos, retain, expiry, type, id, subject, payload FROM event ORDER BY seq"
_KIND: Final = 4


def migrate(path: Path, epoch: str) -> None:
    """Replace a journal of version 1 by one of this version with that epoch. Raises `sqlite3.Error` and `OSError`.

    Damage does not stop it: what can still be read is carried over, and the rest is told.
    """
    faults: list[Finding] = []
    with closing(reading(path)) as db:
        rows = list(_read(db, faults))
        known: dict[str, object] = dict(_pairs(db, "SELECT name, value FROM meta", faults))
        announced = [str(name) for (name,) in _pairs(db, "SELECT device FROM announced ORDER BY device", faults)]
    last = max([_whole(known, "last"), *(row[0] for row in rows)])
    acked = Mark(min(_whole(known, "acked"), last))
    meta = Meta(
        epoch=epoch,
        last=last,
        numbers=dict.fromkeys(Stream, 0),
        acked=dict.fromkeys(Stream, acked),
        chain=b"",
        running=bool(_whole(known, "running")),
        recorded=rows[-1][3] if rows else None,
    )
    kept = free_name(path, "v1")
    waiting = sum(row[0] > acked.position for row in rows)
    lost = max(last - acked.position - waiting, 0) if faults else 0
    damages = [Damage("", tuple(faults), {}, lost, len(rows), kept)] if faults else []
    replace(path, Contents(rows, meta, announced, damages=damages), kept)
    _log.warning("journal %s was of version 1: %d events carried over, the old one is %s", path, len(rows), kept)


def _read(db: sqlite3.Connection, faults: list[Finding]) -> Iterator[Row]:
    for seq, recorded, topic, qos, retain, expiry, kind, name, subject, payload in _pairs(db, _ROWS, faults):
        place = (int(seq), stream_of_topic(topic, kind).value, None, float(recorded))
        head = (*place, topic, qos, retain, expiry, kind, name, subject, PAYLOAD_SCHEMA)
        yield (*head, payload, b"", b"")


def stream_of_topic(topic: str, kind: str) -> Stream:
    """The stream of a message by its topic and full type, as `stream_of` tells it before it is published."""
    segments = topic.split("/")
    word = segments[_KIND] if len(segments) > _KIND else ""
    if word == Kind.EVENT and kind.removeprefix("io.devicehub.").startswith("alarm."):
        return Stream.ALARMS
    return RULES[Kind(word)].stream if word in set(Kind) else Stream.EVENTS


def _pairs(db: sqlite3.Connection, query: str, faults: list[Finding]) -> Iterator[Any]:
    """Rows, up to where the file is damaged."""
    try:
        yield from db.execute(query)
    except sqlite3.Error as error:
        if not of_the_file(error):
            raise
        faults.append(Finding(Fault.STRUCTURE, detail=printable(str(error))))


def _whole(known: dict[str, object], name: str) -> int:
    value = known.get(name)
    return value if isinstance(value, int) else 0
