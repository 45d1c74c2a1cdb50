"""Durable, ordered store-and-forward: what `append` returned for is on stable storage and stays until delivered.

One writer at a time. Commits are grouped by themselves: what arrives while one commit runs goes into the next.
Positions are contiguous over all streams, numbers are contiguous within a stream and count only what a consumer
counts; both are assigned inside the transaction. Events are stored as the bytes that will be published.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from devicehub.clock import Clock
from devicehub.journal import space, tables
from devicehub.journal.ledger import Encode, Ledger
from devicehub.journal.rebuild import Damage
from devicehub.journal.rows import Entry, Mark
from devicehub.journal.space import Ballast, Quota, QuotaError
from devicehub.journal.tail import Tail
from devicehub.model.errors import JournalError, JournalFullError
from devicehub.model.message import Message
from devicehub.model.stream import Stream

GIB = 1 << 30

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Messages of one `append`, waiting for a commit; `done` gives the last position or the error."""

    messages: tuple[Message, ...]
    done: asyncio.Future[int]


class Journal:
    """See the module's docstring. Use from one event loop."""

    def __init__(
        self, path: Path, encode: Encode, clock: Clock, executor: Executor | None = None, *, limit: int = 4 * GIB
    ) -> None:
        """`encode` makes the published bytes of a message from its place. `limit`: most bytes it may hold.

        `executor`: where SQLite runs; None for the loop's own.
        """
        self._path = path
        self._encode = encode
        self._clock = clock
        self._executor = executor
        self.quota = Quota(limit)
        self._ledger = Ledger(path, clock.token(4).hex(), self.quota)
        self._ballast = Ballast(path.with_name("ballast"))
        self._turn = asyncio.Lock()
        self._waiting: list[_Arrival] = []
        self._committing: asyncio.Task[None] | None = None
        self._suspect = False
        self._open = False
        self._tails = {stream: Tail() for stream in Stream}
        self.depths = dict.fromkeys(Stream, 0)
        self._listeners: list[Callable[[Sequence[Entry]], None]] = []
        self.acked: dict[Stream, Mark] = dict.fromkeys(Stream, Mark())
        self.stored: dict[Stream, Mark] = dict.fromkeys(Stream, Mark())
        self.last = 0
        self.unclean = False
        self.emptied = False
        self.recorded: float | None = None
        self.former: tuple[str, ...] = ()
        self.damages: tuple[Damage, ...] = ()

    @property
    def epoch(self) -> str:
        """Of the file: numbers are unique within it."""
        return self._ledger.meta.epoch

    async def open(self, devices: Iterable[str] = ()) -> None:
        """Open or create the file. Raises `JournalError`.

        `unclean` tells whether an earlier run did not `close`, `recorded` when the last event was stored (UTC).
        `devices` of this run are remembered; `former` are those of earlier runs that are none of it. `damages`: what
        earlier journals lost, until it is `rebuild.told`.
        """
        # The ballast is made by whoever opened the journal before.
        self.emptied = self._ballast.there() and not (self._path.exists() and self._path.stat().st_size)
        await self._do(self._ledger.open)
        meta = self._ledger.meta
        self.former = await self.file(partial(tables.announce, devices=tuple(devices)))
        self.depths = await self.file(partial(tables.waiting, marks=meta.acked))
        self.last, self.unclean, self.recorded = meta.last, self._ledger.unclean, meta.recorded
        self.damages = self._ledger.damages
        self.acked = dict(meta.acked)
        self.stored = await self.file(partial(tables.ends, meta=meta))
        self._tails = {stream: Tail(meta.last) for stream in Stream}
        await self._do(self._ballast.load)
        self._open = True

    async def append(self, messages: Sequence[Message]) -> int:
        """Make messages durable, in order; gives the last one's position. Raises `JournalError`.

        After an error nothing of them is stored. A caller that is cancelled does not know: they may be.
        """
        if not messages:
            return self.last
        loop = asyncio.get_running_loop()
        arrival = _Arrival(tuple(messages), loop.create_future())
        self._waiting.append(arrival)
        if self._committing is None or self._committing.done():
            self._committing = loop.create_task(self._commit_all())
        return await arrival.done

    async def peek(self, stream: Stream, after: int, most: int) -> list[Entry]:
        """Stored events of a stream above position `after`, in order, at most `most`. Raises `JournalError`."""
        if after >= self.stored[stream].position:
            return []
        tail = self._tails[stream]
        if (remembered := tail.after(after, most)) is not None:
            return remembered
        read = await self._do(partial(self._ledger.read, stream, after, most))
        early = [entry for entry in read if entry.position <= tail.since]
        return early + (tail.after(tail.since, most - len(early)) or [])

    async def file(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work` on the open file, in its thread and in turn. Raises `JournalError`."""
        return await self._do(partial(self._ledger.call, work))

    def listen(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """Call `listener` with whatever is stored from now on."""
        self._listeners.append(listener)

    def ack(self, entry: Entry) -> None:
        """Everything of its stream up to there was delivered. Becomes durable with the next commit: at least once."""
        mark = self.acked[entry.stream]
        if entry.position <= mark.position:
            return
        self.acked[entry.stream] = mark.after(entry)
        self.depths[entry.stream] -= 1
        self._tails[entry.stream].passed(entry.position)

    def size(self) -> int:
        """Bytes on disk."""
        total = 0
        for file in (self._path, self._path.with_name(self._path.name + "-wal")):
            with contextlib.suppress(FileNotFoundError):
                total += file.stat().st_size
        return total

    async def forget(self, before: float) -> int:
        """Delete events recorded before that UTC second, of a crowded journal all, but what is owed; how many.

        Raises `JournalError`.
        """
        return await self.file(partial(self._forget, before))

    async def close(self) -> None:
        """Finish what was begun, write the delivery marks and close cleanly. Raises `JournalError`."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        if self._open:
            self._open = False
            await self._do(partial(self._ledger.close, self.acked))

    def _forget(self, before: float, db: sqlite3.Connection) -> int:
        """Runs in the executor. A crowded journal does not wait for age, and ends its wait for the disk's room."""
        self._ballast.load()
        total = 0
        while forgotten := space.forget(db, self.acked, before):
            total += forgotten
        return total + self._make_room(db)

    def _make_room(self, db: sqlite3.Connection) -> int:
        """Runs in the executor. What is owed to nobody goes before its time, oldest first, while it is crowded."""
        total = 0
        while self.quota.crowded(tables.used(db)):
            forgotten = space.forget(db, self.acked, self._clock.utc())
            if not forgotten:
                break
            total += forgotten
        return total

    async def _commit_all(self) -> None:
        """One commit after another for as long as somebody waits for one."""
        while self._waiting:
            async with self._turn:
                group = [arrival for arrival in self._waiting if not arrival.done.done()]
                self._waiting = []
                if group:
                    await self._commit(group)

    async def _commit(self, group: Sequence[_Arrival]) -> None:
        """One commit for the whole group: all of it is stored, or all of it is told the error.

        Where the error is of a message itself, not of the disk, the others of the group are stored without it.
        """
        messages = [message for arrival in group for message in arrival.messages]
        tail = self._remembered() if self._suspect else None
        work = self._thread(partial(self._write, messages, self._clock.utc(), dict(self.acked), tail))
        await asyncio.wait([work])
        if (error := work.exception()) is not None:
            if len(group) > 1 and not _of_the_disk(error):
                for arrival in group:
                    await self._commit([arrival])
                return
            self._suspect = self._suspect or _of_the_disk(error)
            for arrival in group:
                _settle(arrival.done, self._translated(error))
            return
        self._suspect = False
        entries = work.result()
        position = entries[0].position - 1
        for arrival in group:
            position += len(arrival.messages)
            _settle(arrival.done, position)
        self._remember(entries)

    def _write(
        self, messages: list[Message], recorded: float, marks: Mapping[Stream, Mark], tail: Sequence[Entry] | None
    ) -> list[Entry]:
        """Runs in the executor. `tail`: what is known to wait for delivery, given when the file is in doubt."""
        if tail is not None and (held := self._ledger.missing()) is not None:
            kept = [entry for entry in tail if entry.position > held]
            begin = kept[0].position if kept else self._ledger.meta.last + 1
            _log.error("journal %s was replaced: it holds %d, and is filled again from %d", self._path, held, begin)
            if kept:
                self._ledger.refill(kept, marks)
        try:
            return self._ledger.write(messages, self._encode, recorded, marks)
        except QuotaError:
            if not self._ledger.call(self._make_room):
                raise
            return self._ledger.write(messages, self._encode, recorded, marks)
        except (sqlite3.Error, OSError) as error:
            if _of_the_disk(error):
                self._ballast.release()
            raise

    def _remembered(self) -> tuple[Entry, ...]:
        """What waits for delivery and is in memory, in the order of all streams."""
        entries = [entry for tail in self._tails.values() for entry in tail.entries()]
        return tuple(sorted(entries, key=lambda entry: entry.position))

    async def _do(self, work: Callable[[], T]) -> T:
        """Run in turn. A caller that is cancelled leaves, the work goes on and keeps its turn."""
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(work)))

    async def _in_turn(self, work: Callable[[], T]) -> T:
        async with self._turn:
            try:
                return await self._thread(work)
            except (sqlite3.Error, OSError) as error:
                self._suspect = self._open
                raise self._translated(error) from error

    def _thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _translated(self, error: BaseException) -> BaseException:
        if isinstance(error, QuotaError):
            return JournalFullError(f"journal {self._path}: {error}")
        foreign = isinstance(error, sqlite3.Error | OSError)
        return JournalError(f"journal {self._path}: {error}") if foreign else error

    def _remember(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._tails[entry.stream].add(entry)
            self.depths[entry.stream] += 1
            self.stored[entry.stream] = self.stored[entry.stream].after(entry)
        self.last = entries[-1].position
        for listener in self._listeners:
            listener(entries)


def _of_the_disk(error: BaseException) -> bool:
    """Whether the file is in doubt, rather than a message at fault or the quota used up."""
    return isinstance(error, sqlite3.Error | OSError) and not isinstance(error, QuotaError)


def _settle(done: asyncio.Future[int], outcome: int | BaseException) -> None:
    """Tell a caller, unless it left."""
    if done.done():
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
