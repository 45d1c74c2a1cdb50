"""What `journal verify` says of a journal that was changed."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.cli.main import main
from devicehub.journal.proof import Fault, Finding
from devicehub.journal.rows import digest, link
from devicehub.journal.salvage import examine
from devicehub.journal.verify import reading, verify
from devicehub.model.stream import Stream
from tests.real.damaged import changed, deliver, filled, waiting
from tests.real.journals import NAME, RAISED, alarm_state, event, opened

pytestmark = pytest.mark.real


def row_of(db: sqlite3.Connection, position: int) -> tuple[tuple[object, ...], bytes, bytes]:
    """Head, payload and chain of a row."""
    (found,) = db.execute("SELECT * FROM event WHERE position = ?", (position,))
    return found[:-3], found[-3], found[-1]


def told(folder: Path) -> list[tuple[Fault, int]]:
    return [(one.fault, one.position) for one in examine(folder / NAME)]


async def test_a_journal_as_it_was_written_has_no_findings(tmp_path: Path) -> None:
    await filled(tmp_path)
    assert examine(tmp_path / NAME) == []


async def test_who_waits_is_told_how_far_it_has_come(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with opened(tmp_path) as journal:
        await journal.append([event(1), event(2), event(3)])
    assert examine(tmp_path / NAME, lambda position, last: seen.append((position, last))) == []
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_program_that_verifies_is_told_every_percent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "devicehub.toml").write_text('[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n')

    async def store() -> None:
        async with opened(tmp_path / "state") as journal:
            await journal.append([event(number) for number in range(1, 201)])

    asyncio.run(store())
    words = ["journal", "verify", "--config", str(tmp_path / "devicehub.toml")]
    assert main([*words, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert lines == [{"progress": "verifying", "percent": percent} for percent in range(101)]
    assert main(words) == 0
    assert capsys.readouterr().err == ""


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


async def test_of_a_huge_journal_what_waits_and_the_end_are_verified(tmp_path: Path) -> None:
    await filled(tmp_path, delivered=5)
    for position, expected in ((9, {9}), (7, {7, 9}), (3, {7, 9})):
        changed(tmp_path, f"UPDATE event SET qos = 7 WHERE position = {position}")
        with closing(reading(tmp_path / NAME)) as db:
            assert {one.position for one in verify(db, whole=False)} == expected
    assert {one.position for one in examine(tmp_path / NAME)} == {3, 7, 9}


@pytest.mark.parametrize("whole", [True, False])
async def test_an_index_that_does_not_find_every_row_is_damage(tmp_path: Path, whole: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Delivery reads by it: an event that it does not find would wait for ever, without a word."""
    await filled(tmp_path)
    query = "SELECT sql FROM sqlite_master WHERE name = 'lane'"

    def partial(db: sqlite3.Connection) -> None:
        (text,) = db.execute(query).fetchone()
        db.execute("DROP INDEX lane")
        db.execute(f"{text} WHERE position != 5")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'lane'", (text,))

    changed(tmp_path, partial)
    with closing(reading(tmp_path / NAME)) as db:
        assert {one.fault for one in verify(db, whole=whole)} == {Fault.STRUCTURE}
    async with opened(tmp_path) as journal:
        assert await waiting(journal) == list(range(1, 10))


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
