"""What the journal bounds: one bad message to its author, what it remembers in memory, whose states are retained."""

import asyncio
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.journal import Journal
from devicehub.journal.tail import TAIL_SIZE
from devicehub.model.message import Kind, Message
from devicehub.model.payload import HubEventData
from devicehub.model.stream import Stream
from tests.real.journals import delivered, event, everything, made, opened
from tests.unit.publish.examples import TIME

pytestmark = pytest.mark.real


def large(number: int, size: int) -> Message:
    return Message(Kind.EVENT, "hub.started", f"{number:026d}", TIME, 1.0, HubEventData("x" * size))


async def ids(journal: Journal) -> list[int]:
    return [int(entry.out.id) for entry in await everything(journal)]


async def test_a_message_that_cannot_be_encoded_harms_only_its_author(tmp_path: Path) -> None:
    poison = Message(Kind.EVENT, "hub.started", "9" * 26, TIME, 1.0, HubEventData("\ud800"))
    async with opened(tmp_path) as journal:
        groups = [[event(1), event(2)], [event(3), poison, event(4)], [event(5)]]
        outcomes = await asyncio.gather(*(journal.append(group) for group in groups), return_exceptions=True)
        assert [outcomes[0], outcomes[2]] == [2, 3]
        assert isinstance(outcomes[1], UnicodeEncodeError)
        assert await ids(journal) == [1, 2, 5]
        assert await journal.append([event(6)]) == 4
    async with opened(tmp_path) as journal:
        assert await ids(journal) == [1, 2, 5, 6]


async def test_what_is_remembered_in_memory_is_bounded_in_bytes_and_the_rest_is_read_from_disk(tmp_path: Path) -> None:
    size, count = TAIL_SIZE // 8, 20
    async with opened(tmp_path) as journal:
        for number in range(count):
            await journal.append([large(number, size)])
        assert sum(len(entry.out.payload) for entry in journal._tails[Stream.EVENTS].entries()) <= TAIL_SIZE
        assert await ids(journal) == list(range(count))
        await delivered(journal, count)
        assert not journal._tails[Stream.EVENTS]
        await journal.append([large(number, size) for number in range(5)])
        assert len(journal._tails[Stream.EVENTS]) == 5, "room came back with what was delivered"


async def test_devices_of_earlier_runs_are_remembered(tmp_path: Path) -> None:
    async def run(*devices: str) -> tuple[str, ...]:
        journal = made(tmp_path)
        await journal.open(devices)
        await Clock().sleep(0)
        await journal.close()
        return journal.former

    assert await run("trace-1", "cam") == ()
    assert await run("trace-1") == ("cam",)
    assert await run("trace-2") == ("cam", "trace-1"), "nobody knows whether the broker heard of the deletion"
    assert await run("cam", "trace-1", "trace-2") == ()
