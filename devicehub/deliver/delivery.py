"""All of delivery behind one face: the stage, its lanes, receipts, quarantine and holes."""

import asyncio
from collections.abc import Sequence

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.deliver.consumers import Consumers, Remark
from devicehub.deliver.flight import Flight
from devicehub.deliver.holes import Holes
from devicehub.deliver.lanes import Lanes
from devicehub.deliver.quarantine import RETRY_FIRST, Quarantine
from devicehub.deliver.receipts import Receipts
from devicehub.deliver.stage import Deliver, Hooks, Lots
from devicehub.health import Gauges
from devicehub.journal import Entry, Journal
from devicehub.model.gap import GapReason
from devicehub.model.payload import GapData, StreamData
from devicehub.model.stream import Stream
from devicehub.publish.port import Connect, Incoming


class Delivery:
    """One run's delivery. `resume` before `run`."""

    def __init__(  # noqa: PLR0913 - joins both stores to the connection
        self,
        journal: Journal,
        board: Board,
        connect: Connect,
        clock: Clock,
        gauges: Gauges,
        *,
        hooks: Hooks,
        remark: Remark,
        window: int,
    ) -> None:
        """`remark`: something about delivery that the hub's subscribers should know. `window`: most in flight."""
        self._journal = journal
        self._clock = clock
        self._holes = Holes()
        self._receipts = Receipts()
        self._quarantine = Quarantine(journal, self._holes)
        self._lanes = Lanes(journal, self._receipts, self._expired)
        self._consumers = Consumers(journal, self._receipts, clock, remark)
        flight = Flight(journal, board, self._quarantine, gauges, clock)
        lots = Lots(self._lanes, self._consumers, self._quarantine, flight)
        self._stage = Deliver(journal, board, connect, clock, gauges, lots=lots, hooks=hooks, window=window)

    async def resume(self, standing: Sequence[Entry]) -> None:
        """Take over what earlier runs left: standing retained events, receipts, quarantine. Raises `JournalError`."""
        self._stage.resume(standing)
        await self._consumers.resume()
        await self._quarantine.resume()

    async def run(self) -> None:
        """Deliver, until `finish` and everything new was delivered."""
        others = [asyncio.create_task(work) for work in (self._consumers.run(), self._retrying())]
        try:
            await self._stage.run()
        finally:
            for other in others:
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    def finish(self) -> None:
        """Nothing more will come: deliver what is there and disconnect politely."""
        self._stage.finish()

    async def close(self) -> None:
        """After `run`: keep what was learnt of consumers, and wake whoever waits for `gaps`."""
        await self._consumers.keep()
        self._holes.close()

    async def gaps(self) -> list[GapData]:
        """Waits for numbers that will not come by themselves; empty once closed and all was told."""
        return await self._holes.gaps(self._journal.epoch)

    def receipt(self, message: Incoming) -> None:
        """A durable consumer says what it has."""
        self._consumers.receipt(message)

    async def lapse(self, before: float) -> None:
        """Before anything is forgotten: wait no longer for consumers that were not heard of since that UTC second."""
        self._consumers.lapse(before)
        await self._consumers.keep()

    async def replay(self, stream: Stream, number: int) -> None:
        """Send a stream again behind a number, because an operator asked. Raises `JournalError`."""
        await self._lanes.replay(stream, number, asked=True)
        self._stage.wake()

    def replay_quarantine(self) -> int:
        """Send everything in quarantine again; gives how many that is."""
        count = self._quarantine.ask()
        self._stage.wake()
        return count

    def watermarks(self) -> tuple[dict[str, StreamData], int]:
        """How far each stream has come, and how many events are in quarantine."""
        return self._consumers.watermarks(self._lanes.sent), self._quarantine.count

    async def _retrying(self) -> None:
        """For ever: see to it that what is in quarantine is tried, also when nothing else is sent."""
        while True:
            await self._clock.sleep(RETRY_FIRST)
            if self._quarantine.waiting():
                self._stage.wake()

    def _expired(self, stream: Stream, first: int, last: int) -> None:
        self._holes.add(stream, first, last, GapReason.EXPIRED)
