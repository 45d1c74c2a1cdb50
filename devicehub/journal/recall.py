"""The newest records of commands, for whoever has to remember across a restart what was asked."""

import sqlite3
from typing import Final

# Type and number stand in the statement, so that SQLite may use the index of commands for it.
_NEWEST: Final = "SELECT payload FROM event WHERE type = 'io.devicehub.command' ORDER BY position DESC LIMIT 10000"


def commands(db: sqlite3.Connection) -> list[bytes]:
    """The payloads of the newest records of commands, oldest first. Raises `sqlite3.Error`."""
    return [payload for (payload,) in reversed(db.execute(_NEWEST).fetchall())]
