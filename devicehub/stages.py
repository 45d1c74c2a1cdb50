"""The processing stage: inputs from the pipe to durable events and to the board."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
from devicehub.model.reading import Image
from devicehub.pipe import Pipe
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import RULES, Lane

_log = logging.getLogger(__name__)

BATCH = 512
GROUP = 0.005
TICK = 1.0


class Process:
    """Pipe to core to journal and board. What the journal cannot take stays in the pipe."""

    def __init__(self, pipe: Pipe, core: Core, sinks: "Sinks", clock: Clock) -> None:
        self._pipe = pipe
        self._core = core
        self._sinks = sinks
        self._clock = clock

    async def run(self) -> None:
        """Until the pipe is closed and drained. A lone input is taken at once, a stream of them in groups."""
        while inputs := await self._pipe.take(BATCH):
            began = self._clock.monotonic()
            self._sinks.gauges.readings += len(inputs)
            await self._sinks.accept(self._core.step(inputs))
            if len(inputs) < BATCH:
                await self._clock.sleep(began + GROUP - self._clock.monotonic())

    async def tick(self) -> None:
        """Once a second, for ever: latest values and staleness."""
        while True:
            await self._clock.sleep(TICK)
            await self._sinks.accept(Outcome(self._core.tick(self._clock.stamp())))


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where messages go by their kind: the journal, or the board; captured images to the evidence folder.

    `encode` makes the published bytes of a board message, which has no sequence number.
    """

    journal: Journal
    board: Board
    evidence: EvidenceStore
    encode: Callable[[Message], Outgoing]
    gauges: Gauges
    clock: Clock

    async def accept(self, outcome: Outcome) -> None:
        """Images first, then events, then states: nothing is named before it is on disk.

        Waits, loudly, while the disk takes nothing; the pipe fills up meanwhile and counts what it refuses.
        """
        for image in outcome.captures:
            await self._insist(partial(self._keep, image))
        journalled = [message for message in outcome.messages if RULES[message.kind].lane is Lane.JOURNAL]
        if journalled:
            await self._insist(partial(self.journal.append, journalled))
        for message in outcome.messages:
            if RULES[message.kind].lane is Lane.BOARD:
                self.board.post(self.encode(message))

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
                self.gauges.refusing = False
                return
