"""The delivering stage: journal and board to the broker, through a window of messages in flight.

Acknowledgements advance the journal's marks in order of sending: what the broker did not take is sent again by the
next connection, duplicates possible, nothing left out. New events go out once and in the order of their stream; what
a durable consumer lacks goes out again beside them (see `lanes`).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.deliver.consumers import Consumers
from devicehub.deliver.flight import Flight
from devicehub.deliver.lanes import Due, Lanes, Why
from devicehub.deliver.quarantine import Quarantine
from devicehub.health import Gauges
from devicehub.journal import Entry, Journal
from devicehub.model.errors import DeliveryError, DeliveryRefusedError, JournalError
from devicehub.publish.envelope import historical
from devicehub.publish.port import Connect, Incoming, Outgoing, Publisher

_log = logging.getLogger(__name__)

RECONNECT_FIRST = 0.5
RECONNECT_MOST = 1.8
RECONNECT_REFUSED = 30.0
LATE = 10.0
DEADLINE = 8.0
STEADY = 10.0
READ_AGAIN = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the composition root wants to hear, none of which waits.

    `connected`: a connection was made. `incoming`: a message of `filters` came. `deaf`: the broker refuses them.
    """

    connected: Callable[[Publisher], None]
    incoming: Callable[[Incoming], None]
    deaf: Callable[[str], None]
    filters: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Lots:
    """The parts of delivery that last longer than a connection."""

    lanes: Lanes
    consumers: Consumers
    quarantine: Quarantine
    flight: Flight


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
        lots: Lots,
        hooks: Hooks,
        window: int,
    ) -> None:
        """`window`: most messages in flight."""
        self._journal = journal
        self._board = board
        self._connect = connect
        self._clock = clock
        self._gauges = gauges
        self._lots = lots
        self._hooks = hooks
        self._window = window
        self._failures = 0
        self._since = 0.0
        self._unreadable = False
        self._wake = asyncio.Event()
        self._finishing = False
        self._flight = lots.flight
        journal.listen(lambda _: self._wake.set())
        board.listen(self._wake.set)
        lots.consumers.listen(self._wake.set)

    def resume(self, standing: Sequence[Entry]) -> None:
        """Take over the last events of the journal's retained topics, before `run`."""
        for entry in standing:
            if entry.position <= self._journal.acked[entry.stream].position:
                self._flight.stands(entry)

    async def run(self) -> None:
        """Connect, deliver, and on loss back off and connect again, until `finish` and everything was delivered."""
        while True:
            try:
                async with self._connect() as publisher:
                    await self._connected(publisher)
                    return
            except DeliveryError as error:
                self._on_lost(error)
                await self._clock.sleep(self._clock.jitter(self._pause(error)))

    def wake(self) -> None:
        """Something is to be sent that nobody told of."""
        self._wake.set()

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
        self._flight.lost()

    def _pause(self, error: DeliveryError) -> float:
        """Most seconds until the next attempt. Short for a broker that is away, because it may be back at any moment.

        The first pause is already long enough for a hundred hubs not to come at once. A broker that answers and says
        no is asked less and less often.
        """
        most = RECONNECT_REFUSED if isinstance(error, DeliveryRefusedError) else RECONNECT_MOST
        return min(most, RECONNECT_FIRST * 2.0 ** min(self._failures, 10))

    async def _connected(self, publisher: Publisher) -> None:
        """Deliver until the connection ends or `finish`. Raises `DeliveryError`."""
        _log.info("broker connected, delivery %s", publisher.delivery)
        self._since = self._clock.monotonic()
        self._gauges.connected = True
        self._board.rebirth()
        self._hooks.connected(publisher)
        await self._clock.sleep(0)  # what was subscribed there leaves before anything that it is to bring back
        self._lots.lanes.restart(self._since)
        self._lots.consumers.connected()
        self._lots.quarantine.restart()
        self._republish(publisher)
        watch = asyncio.ensure_future(publisher.lost())
        watch.add_done_callback(self._on_end)
        listening = asyncio.ensure_future(self._listen(publisher))
        try:
            while not watch.done():
                self._wake.clear()
                await self._answers()
                await self._fill(publisher)
                if self._finishing and self._empty():
                    return
                await self._wait()
            await watch
        finally:
            watch.cancel()
            await _ended(listening)

    async def _listen(self, publisher: Publisher) -> None:
        """Hand over what others send. Without it delivery goes on; a lost connection is for `lost` to tell."""
        if not self._hooks.filters:
            return
        try:
            await publisher.subscribe(self._hooks.filters)
        except DeliveryRefusedError as error:
            self._hooks.deaf(str(error))
        except DeliveryError as error:
            _log.debug("no subscription: %s", error)
            return
        with contextlib.suppress(DeliveryError):
            async for message in publisher.incoming():
                self._hooks.incoming(message)

    def _republish(self, publisher: Publisher) -> None:
        """The retained messages of events that were delivered, before the events that were not."""
        now = self._clock.monotonic()
        for entry in self._flight.standing():
            self._submit(publisher, self._dated(entry), None, now)

    def _on_end(self, watch: asyncio.Future[None]) -> None:
        """The connection ended; why is asked for here too, since a failing publish may be the first to say so."""
        if not watch.cancelled():
            watch.exception()
        self._wake.set()

    def _empty(self) -> bool:
        return not self._flight and self._lots.lanes.idle() and self._board.idle()

    async def _answers(self) -> None:
        """While the disk cannot keep what was refused, that stays in flight, and nothing passes it."""
        try:
            await self._flight.reap()
        except JournalError as error:
            self._cannot("refused events cannot be put aside", error)

    async def _fill(self, publisher: Publisher) -> None:
        """Hand over what is due: the board first, then the journal up to the window."""
        now = self._clock.monotonic()
        for out in self._board.take():
            self._submit(publisher, out, None, now)
        room = self._window - len(self._flight)
        if room <= 0:
            return
        for due in await self._take(room, now):
            self._submit(publisher, self._dated(due.entry, again=due.why is Why.AGAIN), due, now)

    async def _take(self, room: int, now: float) -> list[Due]:
        """What comes next. While the disk cannot be read nothing does, and it is tried again in a second."""
        lanes, quarantine = self._lots.lanes, self._lots.quarantine
        try:
            if lanes.overtaken:
                await quarantine.free(lanes.overtaken)
                lanes.overtaken.clear()
            lanes.retry(await quarantine.due(now))
            for stream, number in self._lots.consumers.joined():
                await lanes.rewind(stream, number)
            for stream, number in self._lots.consumers.stalled(now):
                await lanes.replay(stream, number)
            due = await lanes.take(room, now)
        except JournalError as error:
            self._cannot("not delivering", error)
            return []
        self._unreadable = False
        if not due and not lanes.idle():
            self._later()
        return due

    def _cannot(self, what: str, error: JournalError) -> None:
        if not self._unreadable:
            _log.error("%s: %s", what, error)
        self._unreadable = True
        self._later()

    def _later(self) -> None:
        asyncio.get_running_loop().call_later(READ_AGAIN, self._wake.set)

    def _submit(self, publisher: Publisher, out: Outgoing, due: Due | None, now: float) -> None:
        try:
            done = publisher.submit(out)
        except DeliveryError:
            if due is None:
                self._board.lost(out)
            raise
        done.add_done_callback(lambda _: self._wake.set())
        self._flight.add(done, out, due, now)

    def _dated(self, entry: Entry, *, again: bool = False) -> Outgoing:
        """The stored bytes, marked as historical when they come late. A repetition changes no retained state."""
        late = again or entry.mono is None or self._clock.monotonic() - entry.mono > LATE
        if not late or not entry.out.payload:
            return entry.out
        retain = entry.out.retain and not again
        return msgspec.structs.replace(entry.out, payload=historical(entry.out.payload), retain=retain)

    async def _wait(self) -> None:
        """Until there is something to do; a publish unanswered past its deadline ends the connection."""
        oldest = self._flight.unanswered()
        if oldest is None:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout_at(oldest + DEADLINE):
                await self._wake.wait()
        except TimeoutError:
            raise DeliveryError(f"no acknowledgement within {DEADLINE:.0f} s") from None


async def _ended(task: asyncio.Future[None]) -> None:
    """Cancel until it ends: `wait_for` of Python 3.11 swallows a cancellation that comes with its result."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)
    await asyncio.gather(task, return_exceptions=True)
