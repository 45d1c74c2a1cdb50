"""The program under test: appends to a real journal, and says on standard output what the journal said.

    stored POSITION STREAM NUMBER ID SHA256   `append` returned for it; NUMBER is `-` where a consumer counts none
    refused ID                                `append` raised for it; it is appended again
    delivered POSITION                        everything up to there may be forgotten from now on
    done                                      all of it was stored

The environment: `APPENDER_EVENTS` (0 is for ever), `APPENDER_CHECKPOINT` (pages after which SQLite moves the log
into the file), `APPENDER_KEEP` (nothing is delivered or forgotten), `APPENDER_SABOTAGE` (see `SABOTAGE`), `DISK_LIFT` (a
file that is made after some refusals; without it, it goes on trying).
"""

import asyncio
import hashlib
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from devicehub.clock import Clock
from devicehub.journal import Journal
from devicehub.model.errors import JournalError
from devicehub.model.message import Kind, Message, Place
from devicehub.model.payload import HubEventData
from devicehub.model.stream import Stream
from devicehub.publish.envelope import Encoder, outgoing
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics
from tests.unit.publish.examples import TIME, alarm

NAME = "journal.sqlite"
STATE = "state"
PATIENCE = 9
DESPAIR = 60
_TOPICS = Topics("site", "node", exercise=True)
_ENCODER = Encoder("site", "node", boot="b", exercise=True)


def encode(message: Message, place: Place) -> Outgoing:
    return outgoing(message, _ENCODER.encode(message, place), _TOPICS)


def event(number: int) -> Message:
    """Every fifth is the state of one of three alarm points; some are larger than a page."""
    name = f"{number:026d}"
    if number % 5 == 0:
        return Message(Kind.ALARM, "alarm.raised", name, TIME, 1.0, alarm(), "trace-1", f"point-{number % 3}")
    text = str(number) if number % 7 else str(number) * 2000
    return Message(Kind.EVENT, "hub.started", name, TIME, 1.0, HubEventData(text))


class Plain(sqlite3.Connection):
    """As the journal uses it, but for how often the log is moved into the file."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        cursor = super().execute(sql, parameters)
        if sql == "PRAGMA journal_mode=WAL":
            super().execute(f"PRAGMA wal_autocheckpoint={os.environ.get('APPENDER_CHECKPOINT', '1000')}")
        return cursor


class Normal(Plain):
    """Commits are not forced to the disk."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous=FULL", "synchronous=NORMAL"), parameters)


class Late(Plain):
    """Says that it has committed, and commits before the next transaction begins."""

    owes = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self.owes = True
            return super().execute("SELECT 1")
        if self.owes and sql.startswith(("BEGIN", "PRAGMA wal_checkpoint")):
            self.owes = False
            super().execute("COMMIT")
        return super().execute(sql, parameters)


class Deaf(Plain):
    """Does not hear that a commit failed."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        try:
            return super().execute(sql, parameters)
        except sqlite3.OperationalError:
            if sql != "COMMIT":
                raise
            self.rollback()
            return super().execute("SELECT 1")


class Trusting(Plain):
    """Goes on with the log of a sync that failed."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql.startswith("PRAGMA wal_checkpoint"):
            return super().execute("SELECT 0, 0, 0")
        return super().execute(sql, parameters)


SABOTAGE: Mapping[str, type[Plain]] = MappingProxyType(
    {"": Plain, "normal": Normal, "late": Late, "deaf": Deaf, "trusting": Trusting}
)


class Appender:
    """Appends, appends again what was refused, and lifts the fault when it was refused often enough."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[int, str] = {}
        self._numbers: dict[int, int | None] = {}
        self._refusals = 0

    async def run(self, events: int) -> None:
        """`events` 0 is for ever."""
        async with self._opened() as journal:
            number = begin = journal.last
            while not events or number < begin + events:
                counts = (1, 3, 7)
                firsts = [number + 1, number + 2, number + 5]
                number += sum(counts)
                some = (range(first, first + count) for first, count in zip(firsts, counts, strict=True))
                await asyncio.gather(*(self._append(journal, [event(one) for one in mine]) for mine in some))
                if number % 8 == 0 and "APPENDER_KEEP" not in os.environ:
                    await self._deliver(journal)
        print("done", flush=True)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Journal]:
        journal = await self._persistently(self._open, ())
        yield journal
        await self._persistently(journal.close, ())

    async def _open(self) -> Journal:
        journal = Journal(self._folder / NAME, self._encoded, Clock())
        try:
            await journal.open()
        except JournalError:
            await journal.close()
            raise
        return journal

    def _encoded(self, message: Message, place: Place) -> Outgoing:
        out = encode(message, place)
        self._digests[place.position] = hashlib.sha256(out.payload).hexdigest()
        self._numbers[place.position] = place.number
        return out

    async def _append(self, journal: Journal, messages: Sequence[Message]) -> None:
        last = await self._persistently(partial(journal.append, messages), [one.id for one in messages])
        lines = []
        for position, message in enumerate(messages, last - len(messages) + 1):
            number = self._numbers[position]
            stream = Stream.ALARMS if message.kind is Kind.ALARM else Stream.EVENTS
            counted = "-" if number is None else number
            lines.append(f"stored {position} {stream} {counted} {message.id} {self._digests[position]}\n")
        print("".join(lines), end="", flush=True)

    async def _deliver(self, journal: Journal) -> None:
        """All but the last fifty positions, which are then forgotten."""
        floor = journal.last - 50
        print(f"delivered {floor}", flush=True)
        for stream in Stream:
            for entry in await self._persistently(partial(journal.peek, stream, 0, 10_000), ()):
                if entry.position <= floor:
                    journal.ack(entry)
        await self._persistently(partial(journal.forget, Clock().utc() + 1), ())

    async def _persistently(self, work: Any, names: Iterable[str]) -> Any:
        """What `work` gives, sooner or later."""
        while True:
            try:
                return await work()
            except JournalError as error:
                self._refused(names, error)

    def _refused(self, names: Iterable[str], error: JournalError) -> None:
        self._refusals += 1
        print("".join(f"refused {name}\n" for name in names), end="", flush=True)
        print(error, file=sys.stderr)
        lift = os.environ.get("DISK_LIFT")
        if lift is None:
            return
        if self._refusals >= PATIENCE:
            Path(lift).touch()
        if self._refusals > DESPAIR:
            sys.exit(f"not recovered after {DESPAIR} refusals: {error}")


if __name__ == "__main__":
    kind = SABOTAGE[os.environ.get("APPENDER_SABOTAGE", "")]
    connect = sqlite3.connect
    sqlite3.connect = lambda path, **named: connect(path, **(named | {"factory": kind}))  # type: ignore[assignment]
    with suppress(KeyboardInterrupt):
        asyncio.run(Appender(Path(sys.argv[1])).run(int(os.environ.get("APPENDER_EVENTS", "0"))))
