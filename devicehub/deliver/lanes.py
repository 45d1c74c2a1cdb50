"""What of the journal is to be sent next: alarms first, then by turns what is new, sent again and retried."""

from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Final

from msgspec import Struct, field

from devicehub.deliver.receipts import ALIVE, Receipts, reach, served
from devicehub.journal import Entry, Journal, Mark, aside, tables
from devicehub.model.stream import Stream

GRACE: Final = 4.5
PATIENCE: Final = 2.0
PREFETCH: Final = 500


class Why(StrEnum):
    """Why an entry is sent: for the first time on this connection, for a consumer that lacks it, from quarantine."""

    NEW = "new"
    AGAIN = "again"
    RETRY = "retry"


class Due(Struct, frozen=True):
    """An entry to be sent."""

    entry: Entry
    why: Why


class _Replay(Struct):
    """What is sent again of a stream: behind `mark` up to where new ones begin; `read`: the next of it.

    `asked`: by an operator, who gets all of it at once. For consumers it stays within reach of their receipts.
    """

    mark: Mark
    begin: int
    asked: bool = False
    read: deque[Entry] = field(default_factory=deque)


class _History(Struct):
    """What waited in a stream when the connection was made: up to position `end`.

    `blocked`: since when it waits for receipts of a consumer that is overrun otherwise. `outpaced`: it waits no more.
    """

    end: int = 0
    blocked: float | None = None
    outpaced: bool = False


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
        self.overtaken: list[Entry] = []
        self._since = 0.0
        self._history = {stream: _History() for stream in Stream}

    def restart(self, now: float) -> None:
        """A new connection: everything behind what is known to be delivered is new to it."""
        self._since = now
        self._cursors = dict(self._journal.acked)
        self._history = {stream: _History(mark.position) for stream, mark in self._journal.stored.items()}
        self._replays.clear()
        self._retries.clear()

    def sent(self, stream: Stream) -> int:
        """The highest number handed over on this connection, or acknowledged before."""
        return max(self._cursors[stream].number, self._journal.acked[stream].number)

    async def rewind(self, stream: Stream, number: int) -> None:
        """A consumer is there that lacks what is behind a number. Raises `JournalError`.

        While history is sent it begins anew from there: what the consumer would only drop is not sent in vain.
        """
        history, cursor = self._history[stream], self._cursors[stream]
        if stream is Stream.ALARMS or history.outpaced:
            return  # states of alarms that are no longer true must not be retained again
        if number < cursor.number and cursor.position < history.end:
            position = await self._journal.file(lambda db: tables.position_of(db, stream, number))
            self._cursors[stream] = Mark(position, number)

    async def replay(self, stream: Stream, number: int, *, asked: bool = False) -> None:
        """Send what is behind a number again, unless that is under way. Raises `JournalError`."""
        running = self._replays.get(stream)
        if running is not None:
            if number >= running.mark.number:
                return
            asked = asked or running.asked
        position = await self._journal.file(lambda db: tables.position_of(db, stream, number))
        if position < self._cursors[stream].position:
            self._replays[stream] = _Replay(Mark(position, number), number, asked=asked)

    def retry(self, entries: Sequence[Entry]) -> None:
        """Send entries that are in quarantine."""
        self._retries.extend(entries)

    def idle(self) -> bool:
        """Nothing new waits; what is sent again keeps nobody from ending."""
        return all(self._cursors[stream].position >= self._journal.stored[stream].position for stream in Stream)

    async def take(self, room: int, now: float) -> list[Due]:
        """What is due, in order of sending, at most `room`. Raises `JournalError`."""
        due = await self._new(Stream.ALARMS, room, now)
        due += await self._retried(min(len(self._retries), -(-(room - len(due)) // 4)))
        sources = deque([partial(self._new, stream, now=now) for stream in (Stream.EVENTS, Stream.SCANS)])
        sources.extend([partial(self._again, stream, now=now) for stream in self._replays])
        while sources and len(due) < room:
            share = -(-(room - len(due)) // len(sources))
            source = sources.popleft()
            taken = await source(share)
            due += taken
            if len(taken) == share:
                sources.append(source)
        return due

    async def _retried(self, most: int) -> list[Due]:
        """Of retained topics only what is the newest: an older state must not take its place."""
        entries = [self._retries.popleft() for _ in range(most)]
        retained = [entry for entry in entries if entry.out.retain]
        if not retained:
            return [Due(entry, Why.RETRY) for entry in entries]
        old = await self._journal.file(lambda db: aside.overtaken(db, retained))
        self.overtaken += [entry for entry in retained if entry.position in old]
        return [Due(entry, Why.RETRY) for entry in entries if entry.position not in old]

    async def _new(self, stream: Stream, most: int, now: float) -> list[Due]:
        if stream is not Stream.ALARMS:
            most = min(most, self._within_reach(stream, now))
        entries = await self._journal.peek(stream, self._cursors[stream].position, most) if most > 0 else []
        for entry in entries:
            self._cursors[stream] = self._cursors[stream].after(entry)
        return [Due(entry, Why.NEW) for entry in entries]

    def _within_reach(self, stream: Stream, now: float) -> int:
        """How much history a consumer that keeps up can take; one that does not holds nobody up for long."""
        history, cursor = self._history[stream], self._cursors[stream]
        if cursor.position >= history.end or history.outpaced:
            return PREFETCH
        # A consumer that was there before the connection broke needs a moment to come back too.
        coming = now - self._since < GRACE
        most = reach(self._receipts.living(stream, 0.0 if coming else now - ALIVE), cursor.number)
        if most is None or most > cursor.number:
            history.blocked = None
            return PREFETCH if most is None else most - cursor.number
        if coming:
            return 0
        if history.blocked is None:
            history.blocked = now
        history.outpaced = now - history.blocked >= PATIENCE
        return 0

    async def _again(self, stream: Stream, most: int, now: float) -> list[Due]:
        """What follows in a replay, without what is in quarantine, and telling what is gone."""
        replay = self._replays.get(stream)
        if replay is None:
            return []
        end = None if replay.asked else served(self._receipts.living(stream, now - ALIVE), replay.begin)
        if end is not None:
            most = min(most, end - replay.mark.number)
        if most <= 0:
            return []
        if not replay.read:
            await self._read(stream, replay)
        due: list[Due] = []
        while replay.read and len(due) < most:
            entry = replay.read.popleft()
            self._skipped(stream, replay.mark.number, entry.number or 0)
            replay.mark = replay.mark.after(entry)
            due.append(Due(entry, Why.AGAIN))
        return due

    async def _read(self, stream: Stream, replay: _Replay) -> None:
        """Read ahead; a replay that has caught up with what is new ends."""
        end = self._cursors[stream]
        work = partial(tables.again, stream=stream, after=replay.mark.position, end=end.position, most=PREFETCH)
        replay.read.extend(await self._journal.file(work))
        if not replay.read:
            del self._replays[stream]
            self._skipped(stream, replay.mark.number, end.number + 1)

    def _skipped(self, stream: Stream, before: int, number: int) -> None:
        if number > before + 1:
            self._on_hole(stream, before + 1, number - 1)
