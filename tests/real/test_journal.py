"""The journal on a real disk: what it returned for is there, in order, whatever happens next."""

import asyncio
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from devicehub.clock import Clock
from devicehub.journal import Entry, Mark
from devicehub.model.errors import JournalError
from devicehub.model.stream import Stream
from tests.real.journals import (
    NAME,
    RAISED,
    alarm_state,
    delivered,
    event,
    everything,
    full_disk,
    image,
    opened,
    standing,
)

pytestmark = pytest.mark.real


def ids(entries: list[Entry]) -> list[int]:
    return [int(entry.out.id) for entry in entries]


async def test_what_append_returned_for_survives_the_crash_of_that_moment(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as journal:
        for number in range(1, 6):
            assert await journal.append([event(number)]) == number
            async with opened(image(tmp_path / "a", tmp_path / f"crash-{number}")) as after:
                assert after.unclean
                assert ids(await everything(after)) == list(range(1, number + 1))


async def test_concurrent_appends_share_commits_and_keep_their_order(tmp_path: Path) -> None:
    commits: list[int] = []
    async with opened(tmp_path) as journal:
        journal.listen(lambda _: commits.append(journal.last))
        positions = await asyncio.gather(*(journal.append([event(2 * n), event(2 * n + 1)]) for n in range(100)))
        assert positions == list(range(2, 201, 2))
        assert ids(await everything(journal)) == list(range(200))
    assert len(commits) < 20
    assert all(before < after for before, after in pairwise(commits))


async def test_published_numbers_have_no_hole_for_a_deletion_that_has_no_body(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([event(1), alarm_state("tnt", None), event(2)])
    async with opened(tmp_path) as journal:
        await journal.append([alarm_state("tnt", None), event(3)])
        entries = await everything(journal)
    assert [entry.position for entry in entries] == [1, 2, 3, 4, 5]
    bodies = [msgspec.json.decode(entry.out.payload) for entry in entries if entry.out.payload]
    assert [body["sequence"] for body in bodies] == ["000000000001", "000000000002", "000000000003"]


async def test_reading_crosses_from_disk_to_memory_without_a_seam(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([event(number) for number in range(1, 11)])
        await delivered(journal, 4)
    async with opened(tmp_path) as journal:
        assert (journal.last, journal.acked[Stream.EVENTS], sum(journal.depths.values())) == (10, Mark(4, 4), 6)
        await journal.append([event(number) for number in range(11, 16)])
        for after in range(4, 16):
            for most in (1, 3, 20):
                assert ids(await journal.peek(Stream.EVENTS, after, most)) == list(range(after + 1, 16))[:most]
        await delivered(journal, 10)
        await journal.append([event(16)])
        newest = await journal.peek(Stream.EVENTS, 15, 5)
        assert [(entry.position, entry.mono) for entry in newest] == [(16, 1.0)], "new events are known with their time"


async def test_a_delivery_mark_becomes_durable_with_the_next_commit(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as journal:
        await journal.append([event(1), event(2), event(3)])
        await delivered(journal, 2)
        async with opened(image(tmp_path / "a", tmp_path / "early")) as early:
            assert early.acked[Stream.EVENTS] == Mark(), "delivered again rather than not at all"
        await journal.append([event(4)])
        async with opened(image(tmp_path / "a", tmp_path / "late")) as late:
            assert late.acked[Stream.EVENTS] == Mark(2, 2)
        for entry in (await everything(journal))[:1]:
            journal.ack(entry)
        assert journal.acked[Stream.EVENTS] == Mark(2, 2), "a mark never goes back"


async def test_only_what_was_delivered_and_is_old_and_does_not_stand_is_forgotten(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([alarm_state("tnt", RAISED), event(2), event(3), alarm_state("rdx", RAISED)])
        await journal.append([alarm_state("rdx", None), event(6)])
        await delivered(journal, 5)
        assert await journal.forget(before=0.0) == 0
        assert await journal.forget(before=4e9) == 3
        assert [entry.position for entry in await everything(journal)] == [1, 5, 6]
        assert await standing(journal) == ["trace-1/tnt"]
    async with opened(tmp_path) as journal:
        assert await standing(journal) == ["trace-1/tnt"]
        assert await journal.append([event(7)]) == 7


async def test_a_clean_end_is_told_from_an_unclean_one(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as journal:
        assert not journal.unclean
        image(tmp_path / "a", tmp_path / "b")
    async with opened(tmp_path / "a") as journal:
        assert not journal.unclean
    async with opened(tmp_path / "b") as journal:
        assert journal.unclean


async def test_after_the_end_nothing_is_accepted(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        pending = asyncio.ensure_future(journal.append([event(1)]))
        await Clock().sleep(0)
    assert await pending == 1, "what was handed over before the end is stored before the end"
    with pytest.raises(JournalError, match="closed"):
        await journal.append([event(2)])
    await journal.close()


async def test_a_full_disk_stores_nothing_of_the_whole_group_and_tells_each_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as journal:
        await journal.append([event(1)])
        with full_disk():
            failed = await asyncio.gather(*(journal.append([event(n)]) for n in (50, 51, 52)), return_exceptions=True)
        assert [type(one) for one in failed] == [JournalError] * 3
        assert journal.last == 1
        async with opened(image(tmp_path / "a", tmp_path / "b")) as after:
            assert ids(await everything(after)) == [1]
        assert list(await asyncio.gather(journal.append([event(2)]), journal.append([event(3)]))) == [2, 3]
        assert ids(await everything(journal)) == [1, 2, 3]


async def test_a_caller_that_leaves_takes_nobody_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        for delay in range(6):
            calls = [asyncio.ensure_future(journal.append([event(10 * delay + n)])) for n in range(3)]
            for _ in range(delay):
                await Clock().sleep(0)
            calls[0].cancel()
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(outcomes[0], asyncio.CancelledError | int)
            assert all(isinstance(outcome, int) for outcome in outcomes[1:])
        entries = await everything(journal)
        assert [entry.position for entry in entries] == list(range(1, journal.last + 1))
        assert {10 * delay + n for delay in range(6) for n in (1, 2)} <= set(ids(entries))


async def test_a_reader_that_leaves_keeps_its_turn_until_the_disk_answered(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([event(number) for number in range(1, 200)])
    async with opened(tmp_path) as journal:
        reader = asyncio.ensure_future(journal.peek(Stream.EVENTS, 0, 100))
        await Clock().sleep(0)
        reader.cancel()
        assert await journal.append([event(200)]) == 200
        assert ids(await everything(journal)) == list(range(1, 201))


@pytest.mark.parametrize("new", [None, b""], ids=["removed", "replaced"])
async def test_a_file_that_vanished_is_noticed_and_what_waits_is_written_again(
    tmp_path: Path, new: bytes | None
) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([event(number) for number in range(1, 6)])
        await delivered(journal, 2)
        for name in (NAME, NAME + "-wal", NAME + "-shm"):
            (tmp_path / name).rename(tmp_path / f"gone-{name}")
        if new is not None:
            (tmp_path / NAME).write_bytes(new)
        with pytest.raises(JournalError, match=r"removed or replaced|No such file"):
            await journal.append([event(6)])
        assert await journal.append([event(6)]) == 6
    async with opened(tmp_path) as journal:
        assert (journal.last, journal.acked[Stream.EVENTS]) == (6, Mark(2, 2))
        assert ids(await everything(journal, 2)) == [3, 4, 5, 6]


async def test_a_file_that_is_no_database_is_put_aside_and_keeps_nobody_from_starting(tmp_path: Path) -> None:
    words = b"this is not a database, whatever its name says" * 100
    (tmp_path / NAME).write_bytes(words)
    async with opened(tmp_path) as journal:
        assert await journal.append([event(1)]) == 1
    assert (tmp_path / f"{NAME}.damaged-1").read_bytes() == words


async def test_a_journal_that_was_emptied_or_removed_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        assert not journal.emptied
        await journal.append([event(1)])
    (tmp_path / NAME).write_bytes(b"")
    async with opened(tmp_path) as journal:
        assert journal.emptied
    (tmp_path / NAME).unlink()
    async with opened(tmp_path) as journal:
        assert journal.emptied
    async with opened(tmp_path) as journal:
        assert not journal.emptied


async def test_every_commit_is_forced_to_the_disk_also_after_an_error(tmp_path: Path) -> None:
    """A killed process cannot show this: what the kernel holds survives it, and not a power cut."""
    async with opened(tmp_path) as journal:
        for _ in range(2):
            await journal.append([event(1)])
            assert journal._ledger._db is not None
            assert journal._ledger._db.execute("PRAGMA synchronous").fetchone() == (2,)
            assert journal._ledger._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            with full_disk(), pytest.raises(JournalError):
                await journal.append([event(2)])
