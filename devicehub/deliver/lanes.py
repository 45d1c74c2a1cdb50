"""What of the journal is to be sent next: alarms first, then by turns what is new, sent again and retried."""

from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Final

from msgspec import Struct, structs

from devicehub.deliver.receipts import Receipts
from devicehub.journal import Entry, Journal, Mark, tables
from devicehub.model.stream import Stream

CREDIT: Final = 2000


class Why(StrEnum):
    """Why an entry is sent: for the first time on this connection, for a consumer that lacks it, from quarantine."""

    NEW = "new"
    AGAIN = "again"
    RETRY = "retry"


class Due(Struct, frozen=True):
    """An entry to be sent."""

    entry: Entry
    why: Why


class _Replay(Struct, frozen=True):
    """What is sent again of a stream: behind `mark` up to where new ones begin.

    `asked`: by an operator, who gets all of it at once. For consumers it stays within reach of their receipts.
    """

    mark: Mark
    asked: bool = False


class Lanes:
    """Cursors over the journal's streams, for one connection at a time."""

    def __init__(self, journal: Journal, receipts: Receipts, on_hole: Callable[[Stream, int, int], None]) -> None:
        """`on_hole`: of a stream, numbers from first to last are to be sent again and are not kept any more."""
        self._journal = journal
        self._receipts = receipts
        self._on_hole = on_hole
        self._cursors: dict[Stream, Mark] = dict.fromkeys(Stream, Mark())
        self._replays: dict[Stream, _Replay] = {}
        self._retries: deque[Entry] = deque()

    def restart(self) -> None:
        """A new connection: everything behind what is known to be delivered is new to it."""
        self._cursors = dict(self._journal.acked)
        self._replays.clear()
        self._retries.clear()

    def sent(self, stream: Stream) -> int:
        """The highest number handed over on this connection, or acknowledged before."""
        return max(self._cursors[stream].number, self._journal.acked[stream].number)

    async def replay(self, stream: Stream, number: int, *, asked: bool = False) -> None:
        """Send what is behind a number again. Raises `JournalError`."""
        position = await self._journal.file(lambda db: tables.position_of(db, stream, number))
        if position < self._cursors[stream].position:
            self._replays[stream] = _Replay(Mark(position, number), asked=asked)

    def retry(self, entries: Sequence[Entry]) -> None:
        """Send entries that are in quarantine."""
        self._retries.extend(entries)

    def idle(self) -> bool:
        """Nothing new waits; what is sent again keeps nobody from ending."""
        return all(self._cursors[stream].position >= self._journal.stored[stream].position for stream in Stream)

    async def take(self, room: int) -> list[Due]:
        """What is due, in order of sending, at most `room`. Raises `JournalError`."""
        due = await self._new(Stream.ALARMS, room)
        retries = min(len(self._retries), -(-(room - len(due)) // 4))
        due += [Due(self._retries.popleft(), Why.RETRY) for _ in range(retries)]
        sources = deque([partial(self._new, Stream.EVENTS), partial(self._new, Stream.SCANS)])
        sources.extend([partial(self._again, stream) for stream in self._replays])
        while sources and len(due) < room:
            share = -(-(room - len(due)) // len(sources))
            source = sources.popleft()
            taken = await source(share)
            due += taken
            if len(taken) == share:
                sources.append(source)
        return due

    async def _new(self, stream: Stream, most: int) -> list[Due]:
        entries = await self._journal.peek(stream, self._cursors[stream].position, most)
        for entry in entries:
            self._cursors[stream] = self._cursors[stream].after(entry)
        return [Due(entry, Why.NEW) for entry in entries]

    async def _again(self, stream: Stream, most: int) -> list[Due]:
        """What follows in a replay, without what is in quarantine, and telling what is gone."""
        replay = self._replays.get(stream)
        if replay is None:
            return []
        lowest = self._receipts.lowest(stream)
        if not replay.asked and lowest is not None:
            most = min(most, lowest + CREDIT - replay.mark.number)
        if most <= 0:
            return []
        end = self._cursors[stream].position
        entries = await self._journal.file(lambda db: tables.again(db, stream, replay.mark.position, end, most))
        mark = replay.mark
        for entry in entries:
            if entry.number is not None and entry.number > mark.number + 1:
                self._on_hole(stream, mark.number + 1, entry.number - 1)
            mark = mark.after(entry)
        if len(entries) < most:
            del self._replays[stream]
            if self._cursors[stream].number > mark.number:
                self._on_hole(stream, mark.number + 1, self._cursors[stream].number)
        else:
            self._replays[stream] = structs.replace(replay, mark=mark)
        return [Due(entry, Why.AGAIN) for entry in entries]
