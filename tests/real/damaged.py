"""A journal that is filled, closed and changed behind its back, for its tests."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from devicehub.journal.store import Journal
from devicehub.model.stream import Stream
from tests.real.journals import NAME, event, opened

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


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def waiting(journal: Journal) -> list[int]:
    """The numbers that the events waiting for delivery say, in order."""
    entries = await journal.peek(Stream.EVENTS, journal.acked[Stream.EVENTS].position, 1000)
    return [int(json.loads(entry.out.payload)["id"]) for entry in entries]
