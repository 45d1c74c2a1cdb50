"""The processing stage: inputs from the pipe to durable events and to the board."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.core import Core, Outcome
from devicehub.core.frames import digest, evidence, evidence_name
from devicehub.evidence import EvidenceStore
from devicehub.health import Gauges
from devicehub.journal import Journal
from devicehub.model.errors import JournalError
from devicehub.model.message import Message
from devicehub.model.reading import Dropped, Image, Reading, Tick
from devicehub.pipe import Pipe
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import RULES, Lane
from devicehub.transport.progress import Progress

_log = logging.getLogger(__name__)

BATCH = 512
GROUP = 0.005
TICK = 1.0


class Process:
    """Pipe to core to journal and board. What the journal cannot take stays in the pipe."""

    def __init__(self, pipe: Pipe, core: Core, sinks: "Sinks", progress: Progress, clock: Clock) -> None:
        """`progress` is told how far what came is durable."""
        self._pipe = pipe
        self._core = core
        self._sinks = sinks
        self._progress = progress
        self._clock = clock
        self._ticking = False

    async def run(self) -> None:
        """Until the pipe is closed and drained. A lone input is taken at once, a stream of them in groups."""
        while inputs := await self._pipe.take(BATCH):
            began = self._clock.monotonic()
            self._sinks.gauges.readings += sum(isinstance(item, Reading) for item in inputs)
            self._ticking = self._ticking and not any(isinstance(item, Tick) for item in inputs)
            oldest = self._pipe.oldest()
            await self._sinks.accept(self._core.step(inputs))
            dropped = [item for item in inputs if isinstance(item, Dropped)]
            self._progress.advance(began if oldest is None else oldest.mono, dropped)
            if len(inputs) < BATCH:
                await self._clock.sleep(began + GROUP - self._clock.monotonic())

    async def tick(self) -> None:
        """Once a second, for ever: latest values and staleness at once, what is missing in its turn in the pipe."""
        while True:
            await self._clock.sleep(TICK)
            now = self._clock.stamp()
            await self._sinks.accept(Outcome(self._core.tick(now)))
            if not self._ticking:
                self._ticking = True
                self._pipe.offer(Tick(now))


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where messages go by their kind: the journal, or the board; captured images to the evidence folder.

    `encode` makes the published bytes of a board message, which has no sequence number. What is accepted
    reaches the board in the order of the calls, at once, and the journal in the same order, in turn.
    """

    journal: Journal
    board: Board
    evidence: EvidenceStore
    encode: Callable[[Message], Outgoing]
    gauges: Gauges
    clock: Clock
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    listeners: list[Callable[[Message], None]] = field(default_factory=list)

    async def accept(self, outcome: Outcome) -> None:
        """States at once, then images, then events: no event or image is named before it is on disk.

        Call it on what the core just gave, without waiting in between: states are on the board before this
        waits for anything, so that a state computed earlier never replaces a later one, and that "nothing
        can be detected" goes out while the disk takes nothing. A state says what is, and names nothing on disk.

        Waits, loudly, while the disk takes nothing; the pipe fills up meanwhile and counts what it refuses.
        """
        journalled: list[Message] = []
        for message in outcome.messages:
            if RULES[message.kind].lane is Lane.BOARD:
                self.board.post(self.encode(message))
            else:
                journalled.append(message)
        if outcome.captures or journalled:
            async with self.turn:
                await self._store(outcome.captures, journalled)

    async def _store(self, captures: Sequence[Image], journalled: Sequence[Message]) -> None:
        for image in captures:
            await self._insist(partial(self._keep, image))
        if journalled:
            await self._insist(partial(self.journal.append, journalled))
        for listener in self.listeners:
            for message in journalled:
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
            except JournalError as error:
                if not self.gauges.refusing:
                    _log.error("not accepting events: %s", error)
                self.gauges.refusing = True
                await self.clock.sleep(TICK)
            else:
                if self.gauges.refusing:
                    _log.warning("accepting events again")
                self.gauges.refusing = False
                return
