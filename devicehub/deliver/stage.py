"""The delivering stage: journal and board to the broker, in order, a window at a time, for ever.

A broker may forget its retained messages, so they are published again on every connection: those of the
board in their latest state, and those of the journal in the state up to which events were delivered. What
the journal holds beyond that follows in order, and the end of an alarm with it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.health import Gauges
from devicehub.journal import Journal
from devicehub.ledger import Entry
from devicehub.model.errors import DeliveryError, DeliveryRefusedError, JournalError
from devicehub.publish.envelope import historical
from devicehub.publish.port import Connect, Outgoing, Publisher
from devicehub.refusals import Refusals

_log = logging.getLogger(__name__)

RECONNECT_FIRST = 0.2
RECONNECT_MOST = 2.0
LATE = 10.0
DEADLINE = 8.0
STEADY = 10.0
READ_AGAIN = 1.0


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the composition root wants to hear, none of which waits: a connection was made; what was refused."""

    connected: Callable[[Publisher], None]
    refusals: Refusals


@dataclass(frozen=True, slots=True)
class _InFlight:
    """A message handed to the broker and not yet acknowledged; `entry` None for one that is only a state."""

    done: asyncio.Future[None]
    out: Outgoing
    entry: Entry | None
    sent_at: float


class Deliver:
    """Takes from journal and board, gives to a publisher; on loss connects again with full jitter."""

    def __init__(  # noqa: PLR0913 - the last stage joins both stores to the connection
        self,
        journal: Journal,
        board: Board,
        connect: Connect,
        clock: Clock,
        gauges: Gauges,
        *,
        hooks: Hooks,
        window: int,
    ) -> None:
        """`window`: most messages in flight."""
        self._journal = journal
        self._board = board
        self._connect = connect
        self._clock = clock
        self._gauges = gauges
        self._hooks = hooks
        self._window = window
        self._failures = 0
        self._since = 0.0
        self._unreadable = False
        self._wake = asyncio.Event()
        self._finishing = False
        self._flight: deque[_InFlight] = deque()
        self._cursor = 0
        self._standing: dict[str, Entry] = {}
        journal.listen(self._wake.set)
        board.listen(self._wake.set)

    def resume(self, standing: Sequence[Entry]) -> None:
        """Take over the last events of the journal's retained topics, before `run`."""
        for entry in standing:
            if entry.seq <= self._journal.acked:
                self._stands(entry)

    async def run(self) -> None:
        """Connect, deliver, and on loss back off and connect again, until `finish` and everything was delivered."""
        while True:
            try:
                async with self._connect() as publisher:
                    await self._connected(publisher)
                    return
            except DeliveryError as error:
                self._on_lost(error)
                most = min(RECONNECT_MOST, RECONNECT_FIRST * 2 ** min(self._failures, 10))
                await self._clock.sleep(self._clock.jitter(most))

    def finish(self) -> None:
        """Nothing more will come: deliver what is there and disconnect politely."""
        self._finishing = True
        self._wake.set()

    def _on_lost(self, error: DeliveryError) -> None:
        """Back off the more the more often it fails; a connection that lasted counts as a success."""
        if self._gauges.connected or self._failures == 0:
            _log.warning("broker is away: %s", error)
        lasted = self._gauges.connected and self._clock.monotonic() - self._since >= STEADY
        self._failures = 1 if lasted else self._failures + 1
        self._gauges.connected = False
        for flying in self._flight:
            if flying.entry is None and not _taken(flying.done):
                self._board.lost(flying.out)
        self._flight.clear()

    async def _connected(self, publisher: Publisher) -> None:
        """Deliver until the connection ends or `finish`. Raises `DeliveryError`."""
        _log.info("broker connected, delivery %s", publisher.delivery)
        self._since = self._clock.monotonic()
        self._gauges.connected = True
        self._board.rebirth()
        self._hooks.connected(publisher)
        self._cursor = self._journal.acked
        self._republish(publisher)
        watch = asyncio.ensure_future(publisher.lost())
        watch.add_done_callback(self._on_end)
        try:
            while not watch.done():
                self._wake.clear()
                self._reap()
                await self._fill(publisher)
                if self._finishing and self._empty():
                    return
                await self._wait()
            await watch
        finally:
            watch.cancel()

    def _republish(self, publisher: Publisher) -> None:
        """The retained messages of events that were delivered, before the events that were not."""
        now = self._clock.monotonic()
        for entry in self._standing.values():
            self._submit(publisher, self._dated(entry), None, now)

    def _on_end(self, watch: asyncio.Future[None]) -> None:
        """The connection ended; why is asked for here too, since a failing publish may be the first to say so."""
        if not watch.cancelled():
            watch.exception()
        self._wake.set()

    def _empty(self) -> bool:
        return not self._flight and self._cursor >= self._journal.last and self._board.idle()

    async def _fill(self, publisher: Publisher) -> None:
        """Hand over what is due: the board first, then the journal up to the window."""
        now = self._clock.monotonic()
        for out in self._board.take():
            self._submit(publisher, out, None, now)
        room = self._window - len(self._flight)
        if room <= 0 or self._cursor >= self._journal.last:
            return
        for entry in await self._peek(room):
            self._submit(publisher, self._dated(entry), entry, now)
            self._cursor = entry.seq

    async def _peek(self, most: int) -> list[Entry]:
        """What comes next. While the disk cannot be read nothing does, and it is tried again in a second."""
        try:
            entries = await self._journal.peek(self._cursor, most)
        except JournalError as error:
            if not self._unreadable:
                _log.error("not delivering: %s", error)
            self._unreadable = True
            entries = []
        else:
            self._unreadable = False
        if not entries:
            asyncio.get_running_loop().call_later(READ_AGAIN, self._wake.set)
        return entries

    def _submit(self, publisher: Publisher, out: Outgoing, entry: Entry | None, now: float) -> None:
        try:
            done = publisher.submit(out)
        except DeliveryError:
            if entry is None:
                self._board.lost(out)
            raise
        done.add_done_callback(lambda _: self._wake.set())
        self._flight.append(_InFlight(done, out, entry, now))

    def _dated(self, entry: Entry) -> Outgoing:
        """The stored bytes, marked as historical when they come late."""
        late = entry.mono is None or self._clock.monotonic() - entry.mono > LATE
        if not late or not entry.out.payload:
            return entry.out
        return msgspec.structs.replace(entry.out, payload=historical(entry.out.payload))

    def _reap(self) -> None:
        """Take note of what the broker answered, in order of sending."""
        while self._flight and self._flight[0].done.done():
            flying = self._flight[0]
            try:
                flying.done.result()
            except DeliveryRefusedError as error:
                self._refused(flying, error)
            else:
                self._gauges.published += 1
                self._hooks.refusals.taken(flying.out, self._clock.monotonic())
            self._flight.popleft()
            if flying.entry is not None:
                self._acknowledged(flying.entry)

    def _acknowledged(self, entry: Entry) -> None:
        self._journal.ack(entry.seq)
        self._stands(entry)
        if entry.mono is not None:
            self._gauges.latencies.append(self._clock.monotonic() - entry.mono)

    def _stands(self, entry: Entry) -> None:
        """Remember the newest delivered event of each retained topic, unless it deleted the topic."""
        if not entry.out.retain:
            return
        self._standing.pop(entry.out.topic, None)
        if entry.out.payload:
            self._standing[entry.out.topic] = entry

    def _refused(self, flying: _InFlight, error: DeliveryRefusedError) -> None:
        """The broker will never take it: count it, have it told, go on with the next."""
        self._gauges.refused += 1
        self._hooks.refusals.refused(flying.out, str(error), self._clock.monotonic())
        if flying.entry is not None:
            self._hooks.refusals.lost(flying.out)

    async def _wait(self) -> None:
        """Until there is something to do; a publish unanswered past its deadline ends the connection."""
        if not self._flight:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout_at(self._flight[0].sent_at + DEADLINE):
                await self._wake.wait()
        except TimeoutError:
            raise DeliveryError(f"no acknowledgement within {DEADLINE:.0f} s") from None


def _taken(done: asyncio.Future[None]) -> bool:
    """Whether the broker acknowledged it, though nobody took note of that yet."""
    return done.done() and not done.cancelled() and done.exception() is None
