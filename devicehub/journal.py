"""Durable, ordered store-and-forward: what `append` returned for is on stable storage and stays until delivered.

One writer at a time. Commits are grouped by themselves: what arrives while one commit runs goes into
the next. Positions are contiguous and are assigned inside the transaction, and so are the published
sequence numbers, which count only messages that have a body: the deletion of a retained message has
a position and no number. Events are stored as the bytes that will be published.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from devicehub.clock import Clock
from devicehub.ledger import Encode, Entry, Ledger
from devicehub.model.errors import JournalError
from devicehub.model.message import Message

TAIL = 20_000
TAIL_SIZE = 32 * 1024 * 1024

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Messages of one `append`, waiting for a commit; `done` gives the last position or the error."""

    messages: tuple[Message, ...]
    done: asyncio.Future[int]


class Journal:
    """See the module's docstring. Use from one event loop."""

    def __init__(self, path: Path, encode: Encode, clock: Clock, executor: Executor | None = None) -> None:
        """`encode` makes the published bytes of a message from its number (None: no body) and time of recording.

        `executor`: where SQLite runs; None for the loop's own.
        """
        self._path = path
        self._encode = encode
        self._clock = clock
        self._executor = executor
        self._ledger = Ledger(path)
        self._turn = asyncio.Lock()
        self._waiting: list[_Arrival] = []
        self._committing: asyncio.Task[None] | None = None
        self._suspect = False
        self._open = False
        self._tail: deque[Entry] = deque()
        self._tail_size = 0
        self._listeners: list[Callable[[], None]] = []
        self.last = 0
        self.acked = 0
        self.unclean = False
        self.recorded: float | None = None
        self.former: tuple[str, ...] = ()

    async def open(self, devices: Iterable[str] = ()) -> None:
        """Open or create the file. Raises `JournalError`.

        `unclean` tells whether an earlier run did not `close`, `recorded` when the last event was stored (UTC).
        `devices` of this run are remembered; `former` are those of earlier runs that are none of it.
        """
        await self._do(self._ledger.open)
        self.former = await self._do(partial(self._ledger.announce, tuple(devices)))
        self.last, self.acked, self.unclean = self._ledger.last, self._ledger.acked, self._ledger.unclean
        self.recorded = self._ledger.recorded
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

    async def peek(self, after: int, most: int) -> list[Entry]:
        """Stored events with a position above `after`, in order, at most `most`. Raises `JournalError`."""
        if after >= self.last:
            return []
        if remembered := self._remembered(after, most):
            return remembered
        read = await self._do(partial(self._ledger.read, after, most))
        border = self._tail[0].seq if self._tail else self.last + 1
        early = [entry for entry in read if entry.seq < border]
        return early + self._remembered(max(after, border - 1), most - len(early))

    async def standing(self) -> list[Entry]:
        """The last event of each retained topic, unless it deleted the topic, in order. Raises `JournalError`."""
        return await self._do(self._ledger.standing)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever something was stored."""
        self._listeners.append(listener)

    def ack(self, seq: int) -> None:
        """Everything up to `seq` was delivered. Becomes durable with the next commit: at least once."""
        self.acked = max(self.acked, seq)
        while self._tail and self._tail[0].seq <= self.acked:
            self._pop()

    def depth(self) -> int:
        """How many events wait for delivery."""
        return self.last - self.acked

    def size(self) -> int:
        """Bytes on disk."""
        total = 0
        for file in (self._path, self._path.with_name(self._path.name + "-wal")):
            with contextlib.suppress(FileNotFoundError):
                total += file.stat().st_size
        return total

    async def forget(self, before: float) -> int:
        """Delete delivered events recorded before that UTC second, but what stands; gives how many.

        Raises `JournalError`.
        """
        return await self._do(partial(self._ledger.forget, self.acked, before))

    async def close(self) -> None:
        """Finish what was begun, write the delivery mark and close cleanly. Raises `JournalError`."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        if self._open:
            self._open = False
            await self._do(partial(self._ledger.close, self.acked))

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
        tail = tuple(self._tail) if self._suspect else None
        work = self._thread(partial(self._write, messages, self._clock.utc(), self.acked, tail))
        await asyncio.wait([work])
        if (error := work.exception()) is not None:
            if len(group) > 1 and not isinstance(error, sqlite3.Error | OSError):
                for arrival in group:
                    await self._commit([arrival])
                return
            self._suspect = True
            for arrival in group:
                _settle(arrival.done, self._translated(error))
            return
        self._suspect = False
        entries = work.result()
        position = entries[0].seq - 1
        for arrival in group:
            position += len(arrival.messages)
            _settle(arrival.done, position)
        self._remember(entries)

    def _write(self, messages: list[Message], recorded: float, mark: int, tail: Sequence[Entry] | None) -> list[Entry]:
        """Runs in the executor. `tail`: what is known to wait for delivery, given when the file is in doubt."""
        if tail is not None and (held := self._ledger.missing()) is not None:
            kept = [entry for entry in tail if entry.seq > held]
            begin = kept[0].seq if kept else self._ledger.last + 1
            if begin > max(mark, held) + 1:
                _log.error(
                    "journal %s was replaced: events %d to %d are lost", self._path, max(mark, held) + 1, begin - 1
                )
            if kept:
                self._ledger.refill(kept)
        return self._ledger.write(messages, self._encode, recorded, mark)

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
        foreign = isinstance(error, sqlite3.Error | OSError)
        return JournalError(f"journal {self._path}: {error}") if foreign else error

    def _remembered(self, after: int, most: int) -> list[Entry]:
        """From memory, where it reaches back that far."""
        if not self._tail or after < self._tail[0].seq - 1:
            return []
        skip = after - self._tail[0].seq + 1
        return list(islice(self._tail, skip, skip + most))

    def _pop(self) -> None:
        self._tail_size -= _size(self._tail.popleft())

    def _remember(self, entries: list[Entry]) -> None:
        """Keep the newest in memory, without a hole between them; what came before is read from the disk."""
        if self._tail and self._tail[-1].seq + 1 != entries[0].seq:
            self._tail.clear()
            self._tail_size = 0
        self._tail.extend(entries)
        self._tail_size += sum(map(_size, entries))
        while len(self._tail) > TAIL or (self._tail_size > TAIL_SIZE and len(self._tail) > 1):
            self._pop()
        self.last = entries[-1].seq
        for listener in self._listeners:
            listener()


def _size(entry: Entry) -> int:
    """About how many bytes an entry holds in memory."""
    return 1024 + len(entry.out.payload)


def _settle(done: asyncio.Future[int], outcome: int | BaseException) -> None:
    """Tell a caller, unless it left."""
    if done.done():
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
