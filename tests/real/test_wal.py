"""Logs that SQLite wrote, read before SQLite does: what it will replay, and whether it should worry anybody."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.journal.wal import FRAME, HEADER, Log, inspect

pytestmark = pytest.mark.real

PAGE = 4096
STEP = FRAME + PAGE


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "x", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("CREATE TABLE t (a)")
        yield db


def log(tmp_path: Path) -> bytes:
    return (tmp_path / "x-wal").read_bytes()


def grown(db: sqlite3.Connection, commits: int) -> None:
    for _ in range(commits):
        db.execute("INSERT INTO t VALUES (zeroblob(6000))")


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def sizes(data: bytes) -> list[int]:
    """Of each frame how many pages the database has, where it commits."""
    return [struct.unpack_from(">I", data, at + 4)[0] for at in range(HEADER, len(data), STEP)]


def test_a_log_as_sqlite_wrote_it_is_sound(db: sqlite3.Connection, tmp_path: Path) -> None:
    grown(db, 5)
    count = len(sizes(log(tmp_path)))
    assert inspect(log(tmp_path)) == Log(PAGE, count, count)


def test_frames_of_an_older_log_do_not_count(db: sqlite3.Connection, tmp_path: Path) -> None:
    grown(db, 9)
    db.execute("PRAGMA wal_checkpoint(RESTART)")
    grown(db, 1)
    found = inspect(log(tmp_path))
    assert found.fault == ""
    assert 0 < found.committed < found.frames


def test_what_was_not_committed_does_not_count(db: sqlite3.Connection, tmp_path: Path) -> None:
    """SQLite writes frames before the commit when its memory is full, and leaves them there after a rollback."""
    db.execute("PRAGMA cache_size = 1")
    grown(db, 2)
    whole = inspect(log(tmp_path))
    db.execute("BEGIN")
    grown(db, 30)
    db.execute("ROLLBACK")
    found = inspect(log(tmp_path))
    assert (found.fault, found.committed) == ("", whole.committed)
    assert found.frames > whole.frames


@pytest.mark.parametrize("frame", [0, 3, -1])
def test_any_changed_bit_of_a_committed_frame_is_a_fault(db: sqlite3.Connection, tmp_path: Path, frame: int) -> None:
    """Every bit of its head, and every 97th of its page; also where the bit says that the frame commits."""
    while sizes(log(tmp_path))[-1].bit_count() != 1:
        grown(db, 1)
    data = log(tmp_path)
    start = HEADER + (frame % len(sizes(data))) * STEP
    bits = [*range(8 * start, 8 * (start + FRAME)), *range(8 * (start + FRAME), 8 * (start + STEP), 97)]
    assert [bit for bit in bits if not inspect(flipped(data, bit)).fault] == []


def test_any_changed_bit_of_the_header_is_a_fault(db: sqlite3.Connection, tmp_path: Path) -> None:
    grown(db, 3)
    data = log(tmp_path)
    assert [bit for bit in range(8 * HEADER) if not inspect(flipped(data, bit)).fault] == []


def test_a_log_cut_anywhere_is_torn_and_no_fault(db: sqlite3.Connection, tmp_path: Path) -> None:
    """What is left is what SQLite replays."""
    grown(db, 3)
    data = log(tmp_path)
    ends = [HEADER + (place + 1) * STEP for place, size in enumerate(sizes(data)) if size]
    for cut in range(0, len(data), 509):
        found = inspect(data[:cut])
        assert found.fault == ""
        assert found.committed == max([(end - HEADER) // STEP for end in ends if end <= cut], default=0)
