"""How much the journal may hold: refused before it is accepted rather than forgotten afterwards."""

from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.journal import Journal, aside, tables
from devicehub.journal.space import BALLAST, BULK, Ballast
from devicehub.journal.tables import Receipt
from devicehub.model.errors import JournalError
from devicehub.model.message import Kind, Message
from devicehub.model.payload import HubEventData
from devicehub.model.stream import Stream
from tests.real.journals import NAME, RAISED, alarm_state, delivered, encode, event, everything, image, opened
from tests.unit.publish.examples import TIME, ULID

pytestmark = pytest.mark.real

LIMIT = 512 * 1024


def bulk(number: int) -> Message:
    return Message(Kind.EVENT, "hub.started", f"{number:026d}", TIME, 1.0, HubEventData("x" * 8000))


def transition() -> Message:
    return Message(Kind.EVENT, "alarm.raised", ULID, TIME, 1.0, RAISED, "trace-1", "tnt")


async def small(folder: Path) -> Journal:
    journal = Journal(folder / NAME, encode, Clock(), limit=LIMIT)
    await journal.open()
    return journal


async def filled(journal: Journal) -> int:
    """Append until the journal takes no more; how many it took."""
    taken = 0
    while True:
        try:
            await journal.append([bulk(taken)])
        except JournalError:
            return taken
        taken += 1


async def test_what_does_not_fit_is_refused_and_everything_accepted_stays(tmp_path: Path) -> None:
    journal = await small(tmp_path)
    taken = await filled(journal)
    with pytest.raises(JournalError, match=r"journal\.gib allows"):
        await journal.append([bulk(0)])
    assert [int(entry.out.id) for entry in await everything(journal)] == list(range(taken))
    used = await journal.file(tables.used)
    assert LIMIT * BULK < used < LIMIT
    await journal.close()


async def test_alarms_still_fit_when_the_bulk_does_not(tmp_path: Path) -> None:
    journal = await small(tmp_path)
    await filled(journal)
    for _ in range(5):
        await journal.append([transition(), alarm_state("tnt", RAISED)])
    with pytest.raises(JournalError, match="allows"):
        await journal.append([bulk(0)])
    assert journal.stored[Stream.ALARMS].number == 5
    await journal.close()


async def test_room_comes_back_with_what_was_delivered(tmp_path: Path) -> None:
    """A crowded journal forgets before the time is over what nobody is owed any more."""
    journal = await small(tmp_path)
    taken = await filled(journal)
    assert await journal.forget(before=0.0) == 0, "nothing was delivered: all of it is owed"
    await delivered(journal, journal.last)
    assert await journal.forget(before=0.0) == taken
    assert await filled(journal) > taken // 2
    await journal.close()


async def test_what_a_durable_consumer_lacks_takes_room_until_it_has_it(tmp_path: Path) -> None:
    journal = await small(tmp_path)
    taken = await filled(journal)
    await delivered(journal, journal.last)
    now = Clock().utc()
    await journal.file(lambda db: tables.keep_receipts(db, [Receipt("archive", Stream.EVENTS, 10, now)]))
    assert await journal.forget(before=now - 30 * 86_400) == 10
    assert [entry.number for entry in await everything(journal)] == list(range(11, taken + 1))
    await journal.close()


async def test_room_is_made_at_once_when_it_is_needed(tmp_path: Path) -> None:
    """Nobody waits for the next look at what is old."""
    journal = await small(tmp_path)
    for number in range(10 * LIMIT // 8000):
        await journal.append([bulk(number)])
        await delivered(journal, journal.last)
    assert await journal.file(tables.used) < LIMIT
    await journal.close()


async def test_what_stands_is_not_forgotten_and_what_was_refused_is_kept_as_long_as_what_was_delivered(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as journal:
        await journal.append([event(1), alarm_state("tnt", RAISED), event(3), event(4)])
        await delivered(journal, 4)
        await journal.file(lambda db: aside.quarantine(db, [(3, "Not authorized")]))
        assert await journal.forget(before=0.0) == 0
        assert await journal.forget(before=4e9) == 3
        assert [entry.position for entry in await everything(journal)] == [2]
        assert await journal.file(aside.reasons) == {}


async def test_marks_are_durable_before_what_they_cover_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as journal:
        await journal.append([event(number) for number in range(1, 6)])
        await delivered(journal, 5)
        await journal.forget(before=4e9)
        async with opened(image(tmp_path / "a", tmp_path / "b")) as after:
            assert (sum(after.depths.values()), after.acked[Stream.EVENTS].number) == (0, 5)


async def test_the_ballast_is_there_while_the_disk_has_room(tmp_path: Path) -> None:
    async with opened(tmp_path):
        assert (tmp_path / "ballast").stat().st_blocks * 512 >= BALLAST


def test_ballast_gives_its_room_back_and_takes_it_again(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 1 << 20)
    assert ballast.load()
    assert ballast.load()
    ballast.release()
    assert (tmp_path / "ballast").stat().st_size == 0
    assert ballast.load()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 1 << 20
