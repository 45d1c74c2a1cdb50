"""The newest events of one type, for whoever has to remember across a restart what they were about."""

import sqlite3
from typing import Final

MOST: Final = 10_000


def newest(db: sqlite3.Connection, kind: str) -> list[bytes]:
    """The payloads of the newest events of the CloudEvents type `kind`, oldest first. Raises `sqlite3.Error`."""
    # The type stands in the statement, so that SQLite may use the index of commands for it.
    found = db.execute(f"SELECT payload FROM event WHERE type = '{kind}' ORDER BY position DESC LIMIT {MOST}")  # noqa: S608 - a constant of ours
    return [payload for (payload,) in reversed(found.fetchall())]
