"""What happened to alarm points and in inspections, as the journal holds it."""

import sqlite3
from collections.abc import Iterator
from typing import Final

from devicehub.model.stream import Stream

# The index of streams gives them in order.
_EVENTS: Final = "SELECT topic, payload FROM event WHERE stream = ? AND number IS NOT NULL ORDER BY position"


def alarm_events(db: sqlite3.Connection, prefix: str) -> Iterator[bytes]:
    """The payloads of all events of alarms of the node with that topic prefix, oldest first. Raises `sqlite3.Error`."""
    yield from _events(db, Stream.ALARMS, f"{prefix}/event/alarm-")


def inspection_events(db: sqlite3.Connection, prefix: str) -> Iterator[bytes]:
    """The payloads of all beginnings and ends of inspections there, oldest first. Raises `sqlite3.Error`."""
    yield from _events(db, Stream.EVENTS, f"{prefix}/event/inspection-")


def _events(db: sqlite3.Connection, stream: Stream, place: str) -> Iterator[bytes]:
    for topic, payload in db.execute(_EVENTS, (stream.value,)):
        if topic.startswith(place):
            yield payload
