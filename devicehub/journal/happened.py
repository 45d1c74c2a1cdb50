"""What happened to alarm points and in inspections, as the journal holds it."""

import sqlite3
from collections.abc import Iterator
from typing import Final

from devicehub.model.message import Kind
from devicehub.model.stream import Stream
from devicehub.publish.topics import root_of

# The index of streams gives them in order.
_EVENTS: Final = "SELECT topic, payload FROM event WHERE stream = ? AND number IS NOT NULL ORDER BY position"


def alarm_events(db: sqlite3.Connection, *, exercise: bool) -> Iterator[bytes]:
    """The payloads of all events of alarms, oldest first: of what is real, or simulated. Raises `sqlite3.Error`.

    Under whichever name the station had then.
    """
    yield from _events(db, Stream.ALARMS, "alarm-", exercise=exercise)


def inspection_events(db: sqlite3.Connection, *, exercise: bool) -> Iterator[bytes]:
    """The payloads of all beginnings and ends of inspections, as above. Raises `sqlite3.Error`."""
    yield from _events(db, Stream.EVENTS, "inspection-", exercise=exercise)


def _events(db: sqlite3.Connection, stream: Stream, word: str, *, exercise: bool) -> Iterator[bytes]:
    root = f"{root_of(exercise=exercise)}/"
    for topic, payload in db.execute(_EVENTS, (stream.value,)):
        below = topic.removeprefix(root).split("/")  # SITE/NODE/event/TYPE
        if topic.startswith(root) and below[2] == Kind.EVENT and below[3].startswith(word):
            yield payload
