"""A journal on a real disk, for its tests. As a program: appends for ever and prints what was acknowledged."""

import asyncio
import resource
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from devicehub.clock import Clock
from devicehub.journal import Entry, Journal, tables
from devicehub.model.message import Kind, Message, Place
from devicehub.model.payload import AlarmData, HubEventData
from devicehub.model.stream import Stream
from devicehub.publish.envelope import Encoder, outgoing
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics
from tests.unit.publish.examples import TIME, ULID, alarm

NAME = "journal.sqlite"


def event(number: int) -> Message:
    """An event that says its number."""
    return Message(Kind.EVENT, "hub.started", f"{number:026d}", TIME, 1.0, HubEventData(str(number)))


def alarm_state(point: str, data: AlarmData | None) -> Message:
    """The retained state of an alarm point; None deletes it."""
    return Message(Kind.ALARM, "alarm.raised", ULID, TIME, 1.0, data, "trace-1", point)


RAISED = alarm()
TOPICS = Topics("site", "node", exercise=True)


def encoding(site: str, *, exercise: bool) -> Callable[[Message, Place], Outgoing]:
    """As a hub publishes that is called like that, and runs an exercise or not."""
    encoder, topics = Encoder(site, "node", boot="b", exercise=exercise), Topics(site, "node", exercise=exercise)

    def encoded(message: Message, place: Place) -> Outgoing:
        return outgoing(message, encoder.encode(message, place), topics)

    return encoded


encode = encoding("site", exercise=True)


def made(folder: Path, encode: Callable[[Message, Place], Outgoing] = encode) -> Journal:
    return Journal(folder / NAME, encode, Clock())


@asynccontextmanager
async def opened(folder: Path, site: str = "site", *, exercise: bool = True) -> AsyncIterator[Journal]:
    """The journal of a hub at that site, closed at the end."""
    journal = made(folder, encoding(site, exercise=exercise))
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


async def everything(journal: Journal, after: int = 0) -> list[Entry]:
    """What is stored above a position, of all streams, in their one order."""
    found = [entry for stream in Stream for entry in await journal.peek(stream, after, 1_000_000)]
    return sorted(found, key=lambda entry: entry.position)


async def delivered(journal: Journal, position: int) -> None:
    """Everything up to that position was delivered."""
    for entry in await everything(journal, min(mark.position for mark in journal.acked.values())):
        if entry.position <= position:
            journal.ack(entry)


async def standing(journal: Journal) -> list[str]:
    """Subjects of the retained events that stand."""
    return [entry.out.subject for entry in await journal.file(tables.standing)]


def image(folder: Path, copy: Path) -> Path:
    """What a crash at this instant leaves: the files as they are, without the index that lives in memory."""
    copy.mkdir(parents=True)
    for name in (NAME, NAME + "-wal"):
        if (folder / name).exists():
            shutil.copy(folder / name, copy / name)
    return copy


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow: every commit fails with an error of the disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def _append_for_ever(folder: Path) -> None:
    async with opened(folder) as journal:
        number = journal.last

        async def some(count: int) -> None:
            nonlocal number
            mine = [event(number + place + 1) for place in range(count)]
            number += count
            last = await journal.append(mine)
            print(
                "".join(f"{last - count + place + 1} {one.id}\n" for place, one in enumerate(mine)), end="", flush=True
            )
            await delivered(journal, last - 50)

        while True:
            await asyncio.gather(*(some(count) for count in (1, 3, 7)))


if __name__ == "__main__":
    asyncio.run(_append_for_ever(Path(sys.argv[1])))
