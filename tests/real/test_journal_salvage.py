"""A journal whose files are damaged is opened: what is kept, what is told, what is never lost."""

import json
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.journal import rebuild, salvage
from devicehub.journal.proof import Fault
from devicehub.journal.salvage import examine
from devicehub.journal.tables import Receipt, keep_receipts, remember
from devicehub.model.errors import JournalError
from devicehub.model.stream import Stream
from tests.real.damaged import changed, deliver, filled, names, waiting
from tests.real.journals import NAME, event, image, made, opened
from tests.torture.flips import large

pytestmark = pytest.mark.real

WAL = NAME + "-wal"


async def test_the_start_loses_only_what_is_damaged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A new epoch, the old files kept, the lost event named in the log and in what is to be told."""
    await filled(tmp_path, delivered=2)
    before = (tmp_path / NAME).read_bytes()
    changed(tmp_path, "UPDATE event SET payload = x'00' WHERE position = 5")
    damaged = (tmp_path / NAME).read_bytes()
    async with opened(tmp_path) as journal:
        assert await waiting(journal) == [3, 4, 6, 7, 8, 9]
        (damage,) = journal.damages
        assert damage.epoch.encode() in before
        assert journal.epoch != damage.epoch
        assert damage.lost == {Stream.EVENTS: ((5, 5),)}
        assert [(one.fault, one.position, one.detail) for one in damage.findings] == [(Fault.CONTENT, 5, "lost")]
        (gap,) = damage.gaps()
        assert (gap.stream, gap.reason, gap.epoch, gap.count, gap.ranges) == (
            "events", "damaged", damage.epoch, 1, ((5, 5),),
        )  # fmt: skip
        assert await journal.append([event(10)]) == 10, "positions go on"
        (new,) = await journal.peek(Stream.EVENTS, 9, 9)
        assert (new.number, json.loads(new.out.payload)["epoch"]) == (1, journal.epoch)
        assert [one.number for one in await journal.peek(Stream.EVENTS, 2, 6)] == [None] * 6
    assert (tmp_path / damage.kept).read_bytes() == damaged
    assert f"position 5 events 5 {5:026d}: content changed (lost)" in caplog.text
    assert examine(tmp_path / NAME) == []


async def test_damage_is_told_until_it_was_told(tmp_path: Path) -> None:
    await filled(tmp_path)
    for position in (3, 6):
        changed(tmp_path, f"UPDATE event SET qos = 7 WHERE position = {position}")
        async with opened(tmp_path):
            pass
    async with opened(tmp_path) as journal:
        assert [one.findings[0].position for one in journal.damages] == [3, 6]
        assert [one.lost for one in journal.damages] == [{Stream.EVENTS: ((3, 3),)}, {}], "the second had no number"
        assert [gap.stream for one in journal.damages for gap in one.gaps()] == ["events", "hub"]
        await journal.file(rebuild.told)
    async with opened(tmp_path) as journal:
        assert journal.damages == ()


@pytest.mark.parametrize("what", ["meta", "seal"])
async def test_of_one_damaged_copy_of_the_marks_the_other_counts(tmp_path: Path, what: str) -> None:
    """Nothing is delivered twice, and nothing is taken for delivered that was not."""
    await filled(tmp_path, delivered=4)
    change = {
        "meta": "UPDATE meta SET value = 9 WHERE name = 'acked.events'",
        "seal": "UPDATE seal SET value = replace(value, '\"acked.events\":4', '\"acked.events\":9')",
    }
    changed(tmp_path, change[what])
    async with opened(tmp_path) as journal:
        assert await waiting(journal) == [5, 6, 7, 8, 9]
        assert journal.damages[0].lost == {}


async def test_without_any_marks_everything_is_delivered_again(tmp_path: Path) -> None:
    await filled(tmp_path, delivered=4)
    changed(tmp_path, "DELETE FROM meta", "DELETE FROM seal", "VACUUM")
    async with opened(tmp_path) as journal:
        assert await waiting(journal) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert journal.damages[0].epoch != "", "the events say it"


@pytest.mark.parametrize("size", [1, 50, 4096, 6000])
async def test_a_file_that_is_no_database_does_not_keep_the_hub_from_starting(tmp_path: Path, size: int) -> None:
    tmp_path.joinpath(NAME).write_bytes(b"x" * size)
    async with opened(tmp_path) as journal:
        assert [one.fault for one in journal.damages[0].findings] == [Fault.STRUCTURE]
        assert await journal.append([event(1)]) == 1


async def test_a_database_that_lost_its_beginning_gives_its_events(tmp_path: Path) -> None:
    await filled(tmp_path, delivered=4)
    data = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(bytes(4096) + data[4096:])
    async with opened(tmp_path) as journal:
        assert await waiting(journal) == [5, 6, 7, 8, 9]


async def crashed(folder: Path) -> Path:
    """A journal whose events are all in the log, as a crash leaves it."""
    async with opened(folder / "running") as journal:
        for number in range(1, 10):
            await journal.append([event(number)])
        return image(folder / "running", folder / "crashed")


def frames(folder: Path) -> list[int]:
    """Where the frames of the log begin that end a commit."""
    data = (folder / WAL).read_bytes()
    return [at for at in range(32, len(data), 24 + 4096) if struct.unpack_from(">I", data, at + 4)[0]]


async def test_a_torn_last_commit_is_no_damage(tmp_path: Path) -> None:
    """It was never acknowledged. Cut off, or not written, or of an older log."""
    folder = await crashed(tmp_path)
    *_, before, last = frames(folder)
    whole = (folder / WAL).read_bytes()
    after = before + 24 + 4096
    for tail in (b"", whole[after : last + 24], bytes(len(whole) - after), whole[after : last - 3] + bytes(400)):
        copy = shutil.copytree(folder, tmp_path / str(len(tail)), dirs_exist_ok=True)
        (copy / WAL).write_bytes(whole[:after] + tail)
        async with opened(copy) as journal:
            assert journal.damages == ()
            assert await waiting(journal) == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("commit", [0, 3, 8])
async def test_a_bad_frame_in_the_middle_of_the_log_loses_no_later_commit(tmp_path: Path, commit: int) -> None:
    """SQLite alone stops there, says nothing, and uses numbers again."""
    folder = await crashed(tmp_path)
    data = bytearray((folder / WAL).read_bytes())
    data[frames(folder)[commit] + 24 + 1000] ^= 1
    (folder / WAL).write_bytes(data)
    copy = shutil.copytree(folder, tmp_path / "copy")
    with closing(sqlite3.connect(copy / NAME)) as db:
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'event'").fetchone()[0]
        assert not tables or db.execute("SELECT count(*) FROM event").fetchone()[0] < 9
    async with opened(folder) as journal:
        assert await waiting(journal) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert [one.fault for one in journal.damages[0].findings] == [Fault.LOG]
        assert journal.damages[0].events == 0


@pytest.mark.parametrize("at", [0, 7, 16, 24])
async def test_a_bad_header_of_the_log_loses_nothing(tmp_path: Path, at: int) -> None:
    folder = await crashed(tmp_path)
    data = bytearray((folder / WAL).read_bytes())
    data[at] ^= 4
    (folder / WAL).write_bytes(data)
    async with opened(folder) as journal:
        assert await waiting(journal) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


async def test_a_log_without_its_database_loses_nothing(tmp_path: Path) -> None:
    folder = await crashed(tmp_path)
    (folder / NAME).unlink()
    async with opened(folder) as journal:
        assert await waiting(journal) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


async def test_what_a_durable_consumer_did_not_confirm_is_delivered_again(tmp_path: Path) -> None:
    """It cannot ask for it: numbers of the old epoch have ended. It stays registered, and has nothing of the new one."""
    async with opened(tmp_path) as journal:
        for number in range(1, 10):
            await journal.append([event(number)])
        await deliver(journal, 7)
        receipts = [Receipt("archive", Stream.EVENTS, 3, 5.0), Receipt("centre", Stream.EVENTS, 6, 5.0)]
        await journal.file(lambda db: keep_receipts(db, receipts))
    changed(tmp_path, "UPDATE event SET qos = 7 WHERE position = 1")
    async with opened(tmp_path) as journal:
        assert await waiting(journal) == [4, 5, 6, 7, 8, 9]
        kept = await journal.file(lambda db: db.execute("SELECT consumer, number FROM receipt").fetchall())
        assert kept == [("archive", 0), ("centre", 0)]
        assert journal.damages[0].lost == {}, "everybody has number 1"


async def test_a_swap_that_a_power_cut_interrupted_is_finished(tmp_path: Path) -> None:
    """At any of its steps: the new journal is whole, the old one is still there or not any more."""
    folder = await filled(tmp_path / "made")
    changed(folder, "UPDATE event SET qos = 7 WHERE position = 5")
    old = (folder / NAME).read_bytes()
    async with opened(folder):
        pass
    new = (folder / NAME).read_bytes()
    whole, kept = f"{NAME}.to-damaged-1", f"{NAME}.damaged-1"
    for number, files in enumerate(
        ({NAME: old, WAL: b"log", whole: new}, {kept: old, WAL: b"log", whole: new}, {kept: old, whole: new})
    ):
        place = tmp_path / str(number)
        place.mkdir()
        for name, data in files.items():
            (place / name).write_bytes(data)
        async with opened(place) as journal:
            assert await waiting(journal) == [1, 2, 3, 4, 6, 7, 8, 9]
            assert len(journal.damages) == 1
        assert (place / kept).read_bytes() == old
        assert not (place / whole).exists()


async def test_a_full_disk_or_another_user_is_no_damage(tmp_path: Path) -> None:
    await filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM announced")
        with pytest.raises(JournalError, match="locked"):
            await made(tmp_path).open()
    assert not any("damaged" in name for name in names(tmp_path))


async def test_damage_that_is_met_on_the_way_is_looked_for_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a huge journal the start looks at what waits only; a running one cannot change its epoch."""
    monkeypatch.setattr(salvage, "WHOLE", 0)
    await filled(tmp_path, delivered=9)
    changed(tmp_path, "UPDATE event SET qos = 7 WHERE position = 2")
    journal = made(tmp_path)
    await journal.open()
    assert journal.damages == ()
    with pytest.raises(JournalError):
        await journal.file(lambda db: db.execute("SELECT broken FROM event"))
    await journal.close()
    async with opened(tmp_path) as journal:
        assert [one.position for damage in journal.damages for one in damage.findings] == [2]
    async with opened(tmp_path) as journal:
        assert names(tmp_path) & {f"{NAME}.suspect"} == set()


async def test_a_newer_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    await filled(tmp_path)
    changed(tmp_path, lambda db: remember(db, [("schema", 3)]))
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(JournalError, match="version 3, this devicehub knows 2; update it"):
        await made(tmp_path).open()
    assert (tmp_path / NAME).read_bytes() == before


async def test_a_damaged_version_is_no_newer_journal(tmp_path: Path) -> None:
    await filled(tmp_path)
    changed(tmp_path, "UPDATE meta SET value = 3 WHERE name = 'schema'")
    async with opened(tmp_path) as journal:
        assert [one.fault for one in journal.damages[0].findings] == [Fault.META]
        assert len(await waiting(journal)) == 9


async def test_large_events_are_carried_over_with_their_bytes(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([large(number, f"{number}" * 3000) for number in range(1, 8)])
        stored = {entry.position: entry.out for entry in await journal.peek(Stream.EVENTS, 0, 9)}
    changed(tmp_path, "UPDATE event SET qos = 7 WHERE position = 3")
    async with opened(tmp_path) as journal:
        carried = {entry.position: entry.out for entry in await journal.peek(Stream.EVENTS, 0, 9)}
    assert carried == {position: out for position, out in stored.items() if position != 3}
