"""The processing stage: inputs from the pipe to durable events and to the board."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.core import Outcome, Station
from devicehub.core.frames import digest, evidence, evidence_name
from devicehub.core.register import RAISED
from devicehub.evidence import EvidenceStore
from devicehub.health import Gauges
from devicehub.journal import Journal
from devicehub.model.errors import JournalError, JournalFullError
from devicehub.model.gap import GapReason
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import GapData
from devicehub.model.reading import Dropped, Image, Reading, Stamp, Tick
from devicehub.model.stream import Stream
from devicehub.pipe import Pipe
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import RULES, Lane, stream_of
from devicehub.transport.progress import Progress

_log = logging.getLogger(__name__)

BATCH = 512
GROUP = 0.005
TICK = 1.0
EXPOSED = 16


class Process:
    """Pipe to core to journal and board. What the journal cannot take stays in the pipe."""

    def __init__(self, pipe: Pipe, station: Station, sinks: "Sinks", progress: Progress, clock: Clock) -> None:
        """`progress` is told how far what came is durable."""
        self._pipe = pipe
        self._station = station
        self._sinks = sinks
        self._progress = progress
        self._clock = clock
        self._ticking = False
        self._proven: Stamp | None = None

    async def run(self) -> None:
        """Until the pipe is closed and drained. A lone input is taken at once, a stream of them in groups."""
        while inputs := await self._pipe.take(BATCH):
            began = self._clock.monotonic()
            self._sinks.gauges.readings += sum(isinstance(item, Reading) for item in inputs)
            self._ticking = self._ticking and not any(isinstance(item, Tick) for item in inputs)
            oldest = self._pipe.oldest()
            outcome = self._station.step(inputs)
            await self._sinks.accept(outcome)
            self._prove(outcome.proven)
            dropped = [item for item in inputs if isinstance(item, Dropped)]
            self._progress.advance(began if oldest is None else oldest.mono, dropped)
            if len(inputs) < BATCH:
                await self._clock.sleep(began + GROUP - self._clock.monotonic())

    def _prove(self, tick: Stamp | None) -> None:
        """What came in one step with a synthetic value that became an edge is accepted: the alarm path works."""
        if tick is not None and tick is not self._proven:
            now, path = self._clock.monotonic(), self._sinks.gauges.alarms
            self._proven, path.proven, path.took = tick, now, now - tick.mono

    async def tick(self) -> None:
        """Once a second, for ever: latest values and staleness at once, what is missing in its turn in the pipe."""
        while True:
            await self._clock.sleep(TICK)
            now = self._clock.stamp()
            await self._sinks.accept(Outcome(self._station.tick(now)))
            if not self._ticking:
                self._ticking = True
                self._pipe.offer(Tick(now))


@dataclass(slots=True)
class Refused:
    """Events that a full journal had no room for, from UTC second `since` to `until`, until they are told.

    `full`: the newest of them was refused.
    """

    count: int = 0
    since: float = 0.0
    until: float = 0.0
    full: bool = False

    def add(self, count: int, since: float, until: float) -> None:
        """More of them."""
        self.since = self.since if self.count else since
        self.count, self.until, self.full = self.count + count, until, True

    def take(self) -> GapData | None:
        """What there is to tell, once there is room for it again."""
        if not self.count or self.full:
            return None
        gap = GapData("hub", GapReason.OVERFLOW, self.count, since=instant(self.since), until=instant(self.until))
        self.count = 0
        return gap


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where messages go by their kind: the journal, or the board; captured images to the evidence folder.

    `encode` makes the published bytes of a board message, which has no sequence number. What is accepted
    reaches the board in the order of the calls, at once, and the journal in the same order, in turn: alarms in a turn
    of their own, ahead of the bulk, which has room while the bulk has none any more. `exposed`: images on which alarms
    came, and what tells of them, for `develop`.
    """

    journal: Journal
    board: Board
    evidence: EvidenceStore
    encode: Callable[[Message], Outgoing]
    gauges: Gauges
    clock: Clock
    turns: tuple[asyncio.Lock, asyncio.Lock] = field(default_factory=lambda: (asyncio.Lock(), asyncio.Lock()))
    refused: Refused = field(default_factory=Refused)
    exposed: asyncio.Queue[tuple[Message, Image]] = field(default_factory=partial(asyncio.Queue, EXPOSED))
    listeners: list[Callable[[Message], None]] = field(default_factory=list)

    async def accept(self, outcome: Outcome) -> None:
        """States at once, then images, then events: no event or image is named before it is on disk.

        Call it on what the core just gave, without waiting in between: states are on the board before this
        waits for anything, so that a state computed earlier never replaces a later one, and that "nothing
        can be detected" goes out while the disk takes nothing. A state says what is, and names nothing on disk.

        Waits, loudly, while the disk takes nothing; the pipe fills up meanwhile and counts what it refuses.
        """
        ahead: list[Message] = []
        bulk: list[Message] = []
        for message in outcome.messages:
            if (image := outcome.exposed.get(message.id)) is not None:
                self._expose(message, image)
            elif RULES[message.kind].lane is Lane.BOARD:
                self.board.post(self.encode(message))
            else:
                (ahead if stream_of(message) is Stream.ALARMS else bulk).append(message)
        if ahead:
            async with self.turns[0]:
                await self._insist(partial(self.journal.append, ahead))
            self._hear(ahead)
            self._detected(ahead)
        if outcome.captures or bulk:
            async with self.turns[1]:
                await self._store(outcome.captures, bulk)

    async def develop(self) -> None:
        """Store images on which alarms came, and what tells of them, for ever. No alarm waits for that.

        What the disk does not take at the first try is refused and counted.
        """
        while True:
            message, image = await self.exposed.get()
            try:
                await self._keep(image)
                async with self.turns[1]:
                    await self._store((), [message])
            except JournalError as error:
                self._lose(message, error)
            finally:
                self.exposed.task_done()

    def _expose(self, message: Message, image: Image) -> None:
        try:
            self.exposed.put_nowait((message, image))
        except asyncio.QueueFull:
            self._lose(message, JournalError(f"images of {EXPOSED} alarms wait for the disk"))

    def _lose(self, message: Message, error: JournalError) -> None:
        self.refused.add(1, message.time, message.time)
        self._refusing(error)

    def _detected(self, stored: Sequence[Message]) -> None:
        now = self.clock.monotonic()
        for message in stored:
            if message.kind is Kind.EVENT and message.type == RAISED:
                self.gauges.alarms.detection.add(now - message.mono)

    async def _store(self, captures: Sequence[Image], bulk: Sequence[Message]) -> None:
        """What the journal has no room for is refused and counted: nothing that comes later waits for it."""
        for image in captures:
            await self._insist(partial(self._keep, image))
        try:
            await self._insist(partial(self.journal.append, bulk))
        except JournalFullError as error:
            self.refused.add(len(bulk), bulk[0].time, bulk[-1].time)
            self._refusing(error)
            return
        self.refused.full = False
        self._accepting()
        self._hear(bulk)

    def _hear(self, stored: Sequence[Message]) -> None:
        for listener in self.listeners:
            for message in stored:
                listener(message)

    @contextmanager
    def heard(self, listener: Callable[[Message], None]) -> Iterator[None]:
        """Call `listener` with each event once it is on disk, its image too, for as long as this is entered."""
        self.listeners.append(listener)
        try:
            yield
        finally:
            self.listeners.remove(listener)

    async def _keep(self, image: Image) -> None:
        data = evidence(image)
        await self.evidence.keep(evidence_name(digest(data)), data)

    async def _insist(self, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
            except JournalFullError:
                raise
            except JournalError as error:
                self._refusing(error)
                await self.clock.sleep(TICK)
            else:
                self._accepting()
                return

    def _refusing(self, error: JournalError) -> None:
        self.gauges.alarms.tries += 1
        if not self.gauges.refusing:
            _log.error("not accepting events: %s", error)
        self.gauges.refusing = True

    def _accepting(self) -> None:
        """Unless it is only the alarms that still fit."""
        if self.refused.full:
            return
        if self.gauges.refusing:
            _log.warning("accepting events again")
        self.gauges.refusing = False
