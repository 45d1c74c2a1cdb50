"""Durable consumers: their receipts as they come, on the disk, and in the watermarks."""

import logging
from collections.abc import Callable
from typing import Final

from devicehub.clock import Clock
from devicehub.commands.pace import Pace
from devicehub.deliver.receipts import MOST_CONSUMERS, Receipts, RefusedReceipt, checked
from devicehub.journal import Journal, owed, tables
from devicehub.model.errors import JournalError
from devicehub.model.payload import StreamData
from devicehub.model.stream import Stream
from devicehub.publish.port import Incoming

_log = logging.getLogger(__name__)

LOOK: Final = 0.5
KEEP: Final = 10
MOST_TOLD: Final = 64
TOLD_PER_MINUTE: Final = 10.0
TOLD_BURST: Final = 80.0
Remark = Callable[[str, str], None]


class Consumers:
    """Knows who has what. `remark` tells the hub's subscribers."""

    def __init__(self, journal: Journal, receipts: Receipts, clock: Clock, remark: Remark) -> None:
        self._journal = journal
        self._receipts = receipts
        self._clock = clock
        self._told = _Told(remark, clock)
        self._listeners: list[Callable[[], None]] = []
        self._look = False
        self._refused: set[str] = set()
        self._met: set[str] = set()
        self._joined: set[str] = set()
        self._joining: list[tuple[Stream, int]] = []
        self._carried: frozenset[Stream] = frozenset()

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
        self._carried = await self._journal.file(owed.streams)

    def receipt(self, message: Incoming) -> None:
        """Take a receipt; one that cannot be right is told once per consumer until it sends a right one."""
        consumer = message.topic.rpartition("/")[2]
        if not message.payload:
            self._leave(consumer)
            return
        live = consumer in self._met or not message.retain
        now = self._clock.monotonic()
        try:
            numbers = checked(consumer, message.payload, self._journal.epoch, self._journal.stored)
            new = self._receipts.note(consumer, numbers, self._clock.utc(), now, live=live)
        except RefusedReceipt as refused:
            if consumer not in self._refused and len(self._refused) < MOST_TOLD:
                self._refused.add(consumer)
                self._told.tell("receipt-refused", f"{consumer}: {refused}")
            return
        self._refused.discard(consumer)
        self._met.add(consumer)
        if new:
            self._told.tell("consumer-registered", consumer)
        if live and consumer not in self._joined and len(self._joined) < MOST_CONSUMERS:
            self._joined.add(consumer)
            self._receipts.joined(consumer)
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
        acked = {stream: mark.number for stream, mark in self._journal.acked.items()}
        found = [
            (stream, self._receipts.stalled(stream, number, now, carried=stream in self._carried))
            for stream, number in acked.items()
        ]
        return [(stream, number) for stream, number in found if number is not None]

    def watermarks(self, sent: Callable[[Stream], int]) -> dict[str, StreamData]:
        """How far each stream has come."""
        return {
            stream.value: StreamData(
                epoch=self._journal.epoch,
                stored=self._journal.stored[stream].number,
                sent=sent(stream),
                acked=self._journal.acked[stream].number,
                received=min(receipts.values(), default=None),
                consumers=receipts,
            )
            for stream in Stream
            for receipts in (self._receipts.of(stream),)
        }

    async def run(self) -> None:
        """For ever: look whether somebody has stalled, and keep receipts on the disk."""
        turns = 0
        while True:
            await self._clock.sleep(LOOK)
            self._told.rest()
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
            self._met.discard(consumer)
            self._told.tell("consumer-lapsed", f"{consumer} was silent for the whole retention")

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _leave(self, consumer: str) -> None:
        self._met.discard(consumer)
        if self._receipts.leave(consumer):
            self._told.tell("consumer-left", consumer)


class _Told:
    """Remarks about consumers: ten a minute, after a burst in which all that there may be can come.

    The rest is counted. So one that comes and goes all the time writes no more than that into the journal.
    """

    def __init__(self, remark: Remark, clock: Clock) -> None:
        self._remark = remark
        self._clock = clock
        self._pace = Pace(TOLD_PER_MINUTE / 60, TOLD_BURST)
        self._untold = 0

    def tell(self, what: str, why: str) -> None:
        """A remark, if the pace allows it."""
        if self._pace.take(self._clock.monotonic()):
            self._remark(what, why)
        else:
            self._untold += 1

    def rest(self) -> None:
        """How many were not told, once the pace allows a remark again."""
        if self._untold and self._pace.take(self._clock.monotonic()):
            count, self._untold = self._untold, 0
            self._remark("consumer-remarks-dropped", f"{count} remarks about consumers were not told: too many at once")
