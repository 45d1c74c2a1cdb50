"""What the journal holds of the past for whoever judges it once more: readings, and what interrupted them.

A running hub is not disturbed: each part is read by a transaction of its own, so that its log need not grow meanwhile.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

PART: Final = 2000
READING: Final = "io.devicehub.reading"
TYPES: Final = (
    READING,
    *(f"io.devicehub.device.{word}" for word in ("ready", "lost", "faulted", "offline")),
    *(f"io.devicehub.hub.{word}" for word in ("started", "stopped", "reloaded", "clock-stepped")),
    *("io.devicehub.gap", "io.devicehub.alarm.rules", "io.devicehub.alarm.disabled"),
)

_PART: Final = f"""SELECT position, type, subject, payload FROM event WHERE position BETWEEN ? AND ? AND recorded >= ?
    AND type IN ({", ".join("?" * len(TYPES))}) AND topic LIKE ? AND payload != x'' ORDER BY position"""


class Kept(Struct, frozen=True):
    """A stored event. `type` and `subject` as they were published."""

    position: int
    type: str
    subject: str
    payload: bytes


def kept(db: sqlite3.Connection, prefix: str, since: float, bounds: tuple[int, int]) -> Iterator[list[Kept]]:
    """Part by part, what one node stored since that UTC second, in order, of `TYPES`. Raises `sqlite3.Error`.

    `bounds`: first and last position, as `bounds` gives them.
    """
    for first in range(bounds[0], bounds[1] + 1, PART):
        last = min(first + PART - 1, bounds[1])
        rows = db.execute(_PART, (first, last, since, *TYPES, f"{prefix}/%")).fetchall()
        yield [Kept(*row) for row in rows]


def bounds(db: sqlite3.Connection) -> tuple[int, int]:
    """The first position that is kept and the last; the first is the greater one where nothing is."""
    first, last = db.execute("SELECT min(position), max(position) FROM event").fetchone()
    return (1, 0) if first is None else (first, last)
