"""A journal of version 1, made by SQL alone, is opened by this version."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.journal.salvage import examine
from devicehub.journal.tables import standing
from devicehub.model.errors import JournalError
from devicehub.model.stream import Stream
from tests.real.journals import NAME, event, opened

pytestmark = pytest.mark.real

ROOT = "devicehub/v1/site/node"
SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY, recorded REAL NOT NULL, topic TEXT NOT NULL, qos INTEGER NOT NULL,
    retain INTEGER NOT NULL, expiry INTEGER, type TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL,
    payload BLOB NOT NULL) STRICT;
CREATE TABLE announced (device TEXT PRIMARY KEY) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE INDEX retained ON event (topic, seq) WHERE retain = 1;
INSERT INTO meta VALUES ('schema', 1), ('acked', 3), ('last', 8), ('sequence', 7), ('running', 1);
INSERT INTO announced VALUES ('trace-1'), ('gamma-1');
"""
# topic below the root, retained, type, whether it has a payload; positions 1 and 2 were forgotten
ROWS = (
    ("alarm/trace-1/tnt", 1, "alarm.raised", True),
    ("event/alarm-raised", 0, "alarm.raised", True),
    ("event/hub-started", 0, "hub.started", True),
    ("scan/door-1", 0, "scan", True),
    ("reading/gamma-1/dose", 0, "reading", True),
    ("alarm/trace-1/rdx", 1, "alarm.cleared", False),
)


def payload(seq: int) -> bytes:
    return json.dumps({"sequence": f"{seq:012d}", "data": "x" * (seq * 900)}).encode()


def version_1(folder: Path, *changes: str) -> dict[int, bytes]:
    """The file; gives the stored bytes by position."""
    stored: dict[int, bytes] = {}
    with closing(sqlite3.connect(folder / NAME)) as db:
        db.executescript(SCHEMA)
        for seq, (topic, retain, kind, some) in enumerate(ROWS, 3):
            stored[seq] = payload(seq) if some else b""
            values = (seq, 1000.0 + seq, f"{ROOT}/{topic}", 1, retain, None, f"io.devicehub.{kind}", f"ID{seq}", "s")
            db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, stored[seq]))
        for change in changes:
            db.execute(change)
        db.commit()
    return stored


def kept(folder: Path) -> set[str]:
    """Databases that were put aside."""
    return {path.name.removesuffix("-wal") for path in folder.glob(f"{NAME}.*")}


async def test_what_waits_is_delivered_in_its_stream_with_its_bytes(tmp_path: Path) -> None:
    stored = version_1(tmp_path)
    async with opened(tmp_path) as journal:
        found = {
            stream: {
                entry.position: entry.out.payload
                for entry in await journal.peek(stream, journal.acked[stream].position, 99)
            }
            for stream in Stream
        }
        assert found == {
            Stream.ALARMS: {4: stored[4], 8: b""},
            Stream.EVENTS: {5: stored[5], 7: stored[7]},
            Stream.SCANS: {6: stored[6]},
        }
        assert sum(journal.depths.values()) == 5


async def test_what_was_known_stays_known(tmp_path: Path) -> None:
    """Marks, the unclean end, when it was, announced devices, what stands; positions go on, numbers begin."""
    stored = version_1(tmp_path)
    async with opened(tmp_path) as journal:
        assert [mark.position for mark in journal.acked.values()] == [3, 3, 3]
        assert (journal.unclean, journal.recorded, journal.last) == (True, 1008.0, 8)
        assert journal.former == ("gamma-1", "trace-1")
        assert [entry.out.payload for entry in await journal.file(standing)] == [stored[3]]
        assert journal.damages == ()
        assert await journal.append([event(1)]) == 9
        *_, carried, new = await journal.peek(Stream.EVENTS, 0, 99)
        assert (carried.number, new.number) == (None, 1), "no published message has a number of the new epoch"
    assert examine(tmp_path / NAME) == []


async def test_the_old_file_is_kept(tmp_path: Path) -> None:
    stored = version_1(tmp_path)
    before = (tmp_path / NAME).read_bytes()
    async with opened(tmp_path):
        pass
    assert (tmp_path / f"{NAME}.v1-1").read_bytes() == before
    with closing(sqlite3.connect(tmp_path / f"{NAME}.v1-1")) as db:
        assert dict(db.execute("SELECT seq, payload FROM event")) == stored


async def test_it_is_migrated_once(tmp_path: Path) -> None:
    version_1(tmp_path)
    async with opened(tmp_path) as journal:
        epoch = journal.epoch
    async with opened(tmp_path) as journal:
        assert (journal.epoch, journal.unclean) == (epoch, False)
    assert kept(tmp_path) == {f"{NAME}.v1-1"}


async def test_one_that_a_crash_left_in_its_log_is_migrated_too(tmp_path: Path) -> None:
    version_1(tmp_path)
    with closing(sqlite3.connect(tmp_path / NAME)) as db:
        db.execute("UPDATE meta SET value = 4 WHERE name = 'acked'")
        db.commit()
        for name in (NAME, f"{NAME}-wal"):
            (tmp_path / "copy").mkdir(exist_ok=True)
            (tmp_path / "copy" / name).write_bytes((tmp_path / name).read_bytes())
    async with opened(tmp_path / "copy") as journal:
        assert sum(journal.depths.values()) == 4


async def test_of_a_damaged_one_everything_that_can_be_read_is_carried_over(tmp_path: Path) -> None:
    """Version 1 has no digests: what SQLite cannot reach is lost, and that is told."""
    stored = version_1(tmp_path)
    data = bytearray((tmp_path / NAME).read_bytes())
    inside = data.index(stored[8 - 1][:40])
    page = inside // 4096 * 4096
    data[page : page + 8] = b"\xff" * 8
    (tmp_path / NAME).write_bytes(data)
    async with opened(tmp_path) as journal:
        (damage,) = journal.damages
        assert damage.findings
        assert damage.carried < len(ROWS)
        assert damage.events > 0
        assert await journal.append([event(1)]) == 9


async def test_an_empty_one_is_migrated(tmp_path: Path) -> None:
    version_1(tmp_path, "DELETE FROM event", "UPDATE meta SET value = 0 WHERE name != 'schema'")
    async with opened(tmp_path) as journal:
        assert (journal.last, sum(journal.depths.values()), journal.recorded) == (0, 0, None)
        assert await journal.append([event(1)]) == 1


async def test_a_version_1_that_no_event_can_be_read_of_does_not_end_the_start(tmp_path: Path) -> None:
    version_1(tmp_path)
    (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes()[:5000])
    async with opened(tmp_path) as journal:
        assert len(journal.damages) == 1
        await journal.append([event(1)])


def test_it_cannot_be_verified(tmp_path: Path) -> None:
    version_1(tmp_path)
    with pytest.raises(JournalError, match="version 1, which has no digests"):
        examine(tmp_path / NAME)
