"""Events put aside in the journal's file because a broker did not take them. See `devicehub.deliver.quarantine`.

Every function takes an open connection and raises `sqlite3.Error`.
"""

import sqlite3
from collections.abc import Sequence

from devicehub.disk import transaction
from devicehub.journal.rows import COLUMNS, Entry, entry_of


def overtaken(db: sqlite3.Connection, entries: Sequence[Entry]) -> set[int]:
    """Positions of those retained events whose topic has a newer one."""
    query = "SELECT max(position) FROM event WHERE retain = 1 AND topic = ?"
    newest = {entry.position: db.execute(query, (entry.out.topic,)).fetchone()[0] for entry in entries}
    return {position for position, last in newest.items() if last is not None and last > position}


def quarantine(db: sqlite3.Connection, refused: Sequence[tuple[int, str]]) -> None:
    """Put aside events that the broker refused, by position and why; they stay stored. One transaction."""
    with transaction(db):
        db.executemany("INSERT OR REPLACE INTO quarantine VALUES (?, ?)", refused)


def quarantined(db: sqlite3.Connection, after: int = 0, most: int = 500, why: str = "") -> list[tuple[Entry, str]]:
    """What is in quarantine above a position and why, in order, at most `most`; of one reason alone where given."""
    query = f"""SELECT {COLUMNS}, why FROM event JOIN quarantine USING (position)
        WHERE position > ?1 AND (?2 = '' OR why = ?2) ORDER BY position LIMIT ?3"""
    return [(entry_of(one[:-1]), one[-1]) for one in db.execute(query, (after, why, most))]


def newest_quarantined(db: sqlite3.Connection, most: int = 1000) -> list[tuple[Entry, str]]:
    """The newest in quarantine and why, in order."""
    query = f"""SELECT {COLUMNS}, why FROM event JOIN quarantine USING (position) ORDER BY position DESC LIMIT ?"""
    return [(entry_of(one[:-1]), one[-1]) for one in db.execute(query, (most,))][::-1]


def reasons(db: sqlite3.Connection) -> dict[str, int]:
    """How many events are in quarantine for which reason."""
    return dict(db.execute("SELECT why, count(*) FROM quarantine GROUP BY why"))


def release(db: sqlite3.Connection, positions: Sequence[int]) -> None:
    """Take events out of quarantine."""
    db.executemany("DELETE FROM quarantine WHERE position = ?", [(one,) for one in positions])


def busy(db: sqlite3.Connection, why: str) -> int:
    """Let everything in quarantine count as refused for `why` alone; gives how many."""
    return db.execute("UPDATE quarantine SET why = ?", (why,)).rowcount
