"""What SQLite says of a damaged schema need not be text: it is an error of the database all the same."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.disk import Database

pytestmark = pytest.mark.real


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """The index names a column that is no text."""
    path = tmp_path / "damaged.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE event (number INTEGER) STRICT")
        db.execute("CREATE INDEX counted ON event (number)")
        db.commit()
    content = path.read_bytes()
    place = content.index(b"(number)")
    path.write_bytes(content[: place + 2] + b"\xa0" + content[place + 3 :])
    return path


def test_it_is_an_error_of_the_database_for_whoever_opens_it_as_the_journal_does(damaged: Path) -> None:
    with closing(sqlite3.connect(damaged)) as db, pytest.raises(UnicodeDecodeError):
        db.execute("SELECT * FROM event")
    with (
        closing(sqlite3.connect(damaged, factory=Database)) as db,
        pytest.raises(sqlite3.DatabaseError, match="schema is damaged"),
    ):
        db.execute("SELECT * FROM event WHERE number = ?", (1,))
