"""What was carried over from a damaged journal and consumers may lack: they know it by the number in its bytes.

It has no number in this journal, so no receipt can name it. It is sent again to consumers that have confirmed nothing
of this journal's epoch, in which everything comes after it, and kept for them.
"""

import sqlite3
from typing import Final

from devicehub.model.stream import Stream

CARRIED: Final = """(number IS NULL AND retain = 0
    AND position <= ifnull((SELECT value FROM meta WHERE name = 'carried'), 0)
    AND position > ifnull((SELECT value FROM meta WHERE name = 'owed.' || stream), 0)
    AND instr(payload, CAST('"sequence":' AS BLOB)) AND instr(payload, CAST('"epoch":' AS BLOB)))"""
"""Whether a row of `event` is such an event."""

_ANY: Final = f"SELECT 1 FROM event WHERE stream = ? AND {CARRIED} LIMIT 1"


def streams(db: sqlite3.Connection) -> frozenset[Stream]:
    """Streams that have such events. Raises `sqlite3.Error`."""
    return frozenset(one for one in Stream if db.execute(_ANY, (one.value,)).fetchone())
