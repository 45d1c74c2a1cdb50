"""What `journal verify` and the start say of a journal that was changed, and what becomes of its events."""

import json
import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.cli.main import main
from devicehub.journal import rebuild
from devicehub.journal.proof import Fault, Finding
from devicehub.journal.rows import digest, link
from devicehub.journal.salvage import examine
from devicehub.journal.store import Journal
from devicehub.journal.tables import Receipt, keep_receipts, remember
from devicehub.model.errors import JournalError
from devicehub.model.stream import Stream
from tests.real.journals import NAME, RAISED, alarm_state, event, image, made, opened
from tests.torture.flips import large

pytestmark = pytest.mark.real

WAL = NAME + "-wal"
Change = Callable[[sqlite3.Connection], object]


async def filled(folder: Path, count: int = 9, *, delivered: int = 0) -> Path:
    """A journal with `count` events, one commit each, closed; events up to a position are delivered."""
    async with opened(folder) as journal:
        for number in range(1, count + 1):
            await journal.append([event(number)])
        await deliver(journal, delivered)
    return folder


async def deliver(journal: Journal, last: int) -> None:
    for entry in await journal.peek(Stream.EVENTS, 0, last):
        journal.ack(entry)


def changed(folder: Path, *changes: str | Change) -> None:
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as db:
        for change in changes:
            db.execute(change) if isinstance(change, str) else change(db)


def row_of(db: sqlite3.Connection, position: int) -> tuple[tuple[object, ...], bytes, bytes]:
    """Head, payload and chain of a row."""
    (found,) = db.execute("SELECT * FROM event WHERE position = ?", (position,))
    return found[:-3], found[-3], found[-1]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def waiting(journal: Journal) -> list[int]:
    """The numbers that the events waiting for delivery say, in order."""
    entries = await journal.peek(Stream.EVENTS, journal.acked[Stream.EVENTS].position, 1000)
    return [int(json.loads(entry.out.payload)["id"]) for entry in entries]


def told(folder: Path) -> list[tuple[Fault, int]]:
    return [(one.fault, one.position) for one in examine(folder / NAME)]


async def test_a_journal_as_it_was_written_has_no_findings(tmp_path: Path) -> None:
    await filled(tmp_path)
    assert examine(tmp_path / NAME) == []


async def test_a_journal_in_use_is_examined(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([event(1), event(2)])
        assert examine(tmp_path / NAME) == []


async def test_retention_leaves_no_findings(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([event(1), alarm_state("tnt", RAISED), event(2), event(3)])
        await deliver(journal, 2)
        for entry in await journal.peek(Stream.ALARMS, 0, 1):
            journal.ack(entry)
        assert await journal.forget(1e12) == 2
        await journal.append([event(4), event(5)])
    assert examine(tmp_path / NAME) == []


async def test_a_changed_content_is_named(tmp_path: Path) -> None:
    await filled(tmp_path)
    changed(tmp_path, "UPDATE event SET payload = CAST(replace(payload, 'hub', 'hob') AS BLOB) WHERE position = 4")
    (found,) = examine(tmp_path / NAME)
    assert (found.fault, found.position, found.stream, found.number) == (Fault.CONTENT, 4, "events", 4)
    assert found.id == f"{4:026d}"
    assert str(found) == f"position 4 events 4 {4:026d}: content changed"


@pytest.mark.parametrize(
    ("change", "findings"),
    [
        ("UPDATE event SET topic = 'x' WHERE position = 1", [(Fault.CONTENT, 1)]),
        ("UPDATE event SET number = 40 WHERE position = 4", [(Fault.CONTENT, 4)]),
        ("UPDATE event SET digest = zeroblob(32) WHERE position = 4", [(Fault.DIGEST, 4)]),
        ("UPDATE event SET chain = zeroblob(32) WHERE position = 4", [(Fault.CHAIN, 4)]),
        ("UPDATE event SET chain = zeroblob(32) WHERE position = 9", [(Fault.CHAIN, 9)]),
        ("DELETE FROM event WHERE position IN (4, 5)", [(Fault.MISSING, 4)]),
        ("DELETE FROM event WHERE position = 1", [(Fault.MISSING, 1)]),
        ("DELETE FROM event WHERE position > 7", [(Fault.TAIL, 8)]),
        ("UPDATE event SET position = 20 - position WHERE position IN (9)", [(Fault.INSERTED, 11), (Fault.TAIL, 9)]),
        ("UPDATE meta SET value = 8 WHERE name = 'acked.events'", [(Fault.META, 0)]),
        ("UPDATE meta SET value = 10 WHERE name = 'number.events'", [(Fault.META, 0)]),
        ("UPDATE seal SET value = replace(value, 'last', 'lost')", [(Fault.META, 0)]),
        ("DELETE FROM seal", [(Fault.META, 0)]),
    ],
)
async def test_every_kind_of_change_is_told_apart(
    tmp_path: Path, change: str, findings: list[tuple[Fault, int]]
) -> None:
    await filled(tmp_path)
    changed(tmp_path, change)
    assert told(tmp_path) == findings


async def test_a_content_that_was_replaced_with_its_digest_is_named_by_the_row_behind_it(tmp_path: Path) -> None:
    """Also of the last row, by the chain's end."""
    for position in (4, 9):
        folder = await filled(tmp_path / str(position))

        def replaced(db: sqlite3.Connection, position: int = position) -> None:
            head, payload, _ = row_of(db, position)
            payload = payload.replace(b"hub", b"hob")
            values = (payload, digest(head, payload), position)
            db.execute("UPDATE event SET payload = ?, digest = ? WHERE position = ?", values)

        changed(folder, replaced)
        assert told(folder) == [(Fault.CONTENT, position)]


async def test_rows_that_changed_places_are_named(tmp_path: Path) -> None:
    """Each with a right digest and a chain that fits the row before: the rows behind them do not follow from that."""
    await filled(tmp_path)

    def swapped(db: sqlite3.Connection) -> None:
        (_, _, before), (first, one, _), (second, two, _) = (row_of(db, position) for position in (3, 4, 5))
        for head, payload in (((4, *second[1:]), two), ((5, *first[1:]), one)):
            own = digest(head, payload)
            before = link(before, own)
            db.execute("DELETE FROM event WHERE position = ?", (head[0],))
            places = ", ".join("?" * (len(head) + 3))
            db.execute(f"INSERT INTO event VALUES ({places})", (*head, payload, own, before))

    changed(tmp_path, swapped)
    found = examine(tmp_path / NAME)
    assert [one.position for one in found if one.fault is Fault.ORDER] == [4, 5, 6], "by their numbers"
    assert (found[-1].fault, found[-1].position) == (Fault.CONTENT, 6), "by the chain"
    assert "or of rows before it" in found[-1].detail


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


def test_findings_are_words_for_a_log_line() -> None:
    assert str(Finding(Fault.MISSING, 4, last=6)) == "position 4 to 6: row missing"
    assert str(Finding(Fault.META, detail="x")) == "what is known of the journal changed (x)"


async def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await filled(tmp_path)
    command = ["journal", "verify", "--state", str(tmp_path)]
    assert main(command) == 0
    assert "every row is what was stored" in capsys.readouterr().out
    changed(tmp_path, "UPDATE event SET qos = 7 WHERE position = 3")
    assert main(command) == 65
    assert f"position 3 events 3 {3:026d}: content changed" in capsys.readouterr().out
    assert main([*command, "--json"]) == 65
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["fault"], finding["position"], finding["number"]) == ("content changed", 3, 3)
    assert main(["journal", "verify", "--state", str(tmp_path / "nowhere")]) == 66
