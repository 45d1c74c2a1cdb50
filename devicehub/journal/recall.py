"""The newest records of commands, for whoever has to remember across a restart what was asked."""

import sqlite3
from collections.abc import Iterator
from typing import Final

# The type stands in the statement, so that SQLite may use the index of commands for it. All of them are looked at: a
# wall clock that was set leaves times that do not ascend, so that none may end the search.
_NEWEST: Final = "SELECT payload FROM event WHERE type = 'io.devicehub.command' AND recorded >= ? ORDER BY position"


def commands(db: sqlite3.Connection, since: float) -> Iterator[bytes]:
    """The payloads of the records of commands that were stored since that UTC second, oldest first, one by one.

    Raises `sqlite3.Error`.
    """
    for (payload,) in db.execute(_NEWEST, (since,)):
        yield payload
