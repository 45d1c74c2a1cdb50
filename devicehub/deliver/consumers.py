"""Durable consumers: their receipts as they come, on the disk, and in the watermarks."""

import logging
from collections.abc import Callable
from typing import Final

from devicehub.clock import Clock
from devicehub.deliver.receipts import Receipts, RefusedReceipt
from devicehub.journal import Journal, tables
from devicehub.model.errors import JournalError
from devicehub.model.payload import StreamData
from devicehub.model.stream import Stream
from devicehub.publish.port import Incoming

_log = logging.getLogger(__name__)

LOOK: Final = 0.5
KEEP: Final = 10
MOST_TOLD: Final = 64
Remark = Callable[[str, str], None]


class Consumers:
    """Knows who has what. `remark` tells the hub's subscribers."""

    def __init__(self, journal: Journal, receipts: Receipts, clock: Clock, remark: Remark) -> None:
        self._journal = journal
        self._receipts = receipts
        self._clock = clock
        self._remark = remark
        self._listeners: list[Callable[[], None]] = []
        self._look = False
        self._refused: set[str] = set()
        self._met: set[str] = set()
        self._joined: set[str] = set()
        self._joining: list[tuple[Stream, int]] = []

    def connected(self) -> None:
        """A new connection: the first receipt of each consumer may be what the broker retains of it."""
        self._met.clear()
        self._joined.clear()
        self._joining.clear()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` when a receipt came or it is time to ask `stalled`."""
        self._listeners.append(listener)

    async def resume(self) -> None:
        """Take over what earlier runs were told. Raises `JournalError`."""
        self._receipts.resume(await self._journal.file(tables.receipts))

    def receipt(self, message: Incoming) -> None:
        """Take a receipt; one that cannot be right is told once per consumer until it sends a right one."""
        consumer = message.topic.rpartition("/")[2]
        if not message.payload:
            self._leave(consumer)
            return
        try:
            numbers = self._receipts.take(consumer, message.payload, self._journal.epoch, self._journal.stored)
        except RefusedReceipt as refused:
            if consumer not in self._refused and len(self._refused) < MOST_TOLD:
                self._refused.add(consumer)
                self._remark("receipt-refused", f"{consumer}: {refused}")
            return
        self._refused.discard(consumer)
        live = consumer in self._met or not message.retain
        self._met.add(consumer)
        if self._receipts.note(consumer, numbers, self._clock.utc(), self._clock.monotonic(), live=live):
            self._remark("consumer-registered", consumer)
        if live and consumer not in self._joined:
            self._joined.add(consumer)
            self._joining += numbers.items()
        self._tell()

    def joined(self) -> list[tuple[Stream, int]]:
        """What consumers have that were heard for the first time on this connection, since the last call."""
        joining, self._joining = self._joining, []
        return joining

    def stalled(self, now: float) -> list[tuple[Stream, int]]:
        """Streams to be sent again and behind which number, asked at most every half second."""
        if not self._look:
            return []
        self._look = False
        found = [(stream, self._receipts.stalled(stream, self._journal.acked[stream].number, now)) for stream in Stream]
        return [(stream, number) for stream, number in found if number is not None]

    def watermarks(self, sent: Callable[[Stream], int]) -> dict[str, StreamData]:
        """How far each stream has come."""
        return {
            stream.value: StreamData(
                epoch=self._journal.epoch,
                stored=self._journal.stored[stream].number,
                sent=sent(stream),
                acked=self._journal.acked[stream].number,
                received=min(self._receipts.of(stream).values(), default=None),
                consumers=self._receipts.of(stream),
            )
            for stream in Stream
        }

    async def run(self) -> None:
        """For ever: look whether somebody has stalled, and keep receipts on the disk."""
        turns = 0
        while True:
            await self._clock.sleep(LOOK)
            if self._receipts:
                self._look = True
                self._tell()
            turns += 1
            if turns % KEEP == 0:
                await self.keep()

    async def keep(self) -> None:
        """Store receipts that are new. One that is not stored is an older one after a crash, and costs a replay."""
        changed, gone = self._receipts.changes()
        if not (changed or gone):
            return
        try:
            await self._journal.file(lambda db: tables.keep_receipts(db, changed, gone))
        except JournalError as error:
            _log.warning("receipts are not kept: %s", error)
            self._receipts.unsaved(changed, gone)

    def lapse(self, before: float) -> None:
        """Wait no longer for consumers that were not heard of since that UTC second."""
        for consumer in self._receipts.silent(before):
            self._receipts.leave(consumer)
            self._remark("consumer-lapsed", f"{consumer} was silent for the whole retention")

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _leave(self, consumer: str) -> None:
        if self._receipts.leave(consumer):
            self._remark("consumer-left", consumer)
