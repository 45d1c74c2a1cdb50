"""The loop of a durable consumer: subscribe, store, confirm; for ever, whatever the broker does.

What arrived within 100 ms or 100 messages, whichever is first, goes to stable storage together. Only then receipts say
so. Nothing is acknowledged by hand: what the receipt does not say is sent again by the hub.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.clock import Clock
from devicehub.consume.book import Book, Key
from devicehub.consume.count import Verdict
from devicehub.consume.heard import Heard, announced, node_of, understood
from devicehub.consume.store import Store
from devicehub.model.errors import DeliveryError, DeliveryRefusedError, ProtocolError
from devicehub.publish.port import Connect, Incoming, Outgoing, Publisher

TOGETHER: Final = 100
GATHERING: Final = 0.1
PAUSE: Final = 0.1
AGAIN: Final = 4.0
WAITING_MOST: Final = 10_000
RECONNECT_FIRST: Final = 0.2
RECONNECT_MOST: Final = 5.0
LAST_WORDS: Final = 2.0

_log = logging.getLogger(__name__)


class _Told(Struct):
    """The newest receipt of a node that is true of stable storage; `at`: when it was last published, None not yet."""

    payload: bytes
    at: float | None = None
    news: bool = True


class Consumer:
    """Stores what is heard in `book`'s streams and publishes receipts as `name`. Made for one `run`."""

    def __init__(
        self, store: Store, book: Book, connect: Connect, clock: Clock, name: str, executor: Executor | None = None
    ) -> None:
        """`book` knows already what `store` has. `executor`: where that writes; None for the loop's own."""
        self._store = store
        self._book = book
        self._connect = connect
        self._clock = clock
        self._name = name
        self._batch: list[Heard] = []
        self._told: dict[str, _Told] = {}
        self._holes: dict[Key, int] = {}
        self._publisher: Publisher | None = None
        self._answers: set[asyncio.Future[None]] = set()
        self._wake = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._ending = asyncio.Event()
        self._ended = asyncio.Event()
        self._refused = ""
        self._executor = executor
        self.stored = 0
        for node in book.nodes:
            self._meet(node)

    async def run(self, filters: Sequence[str]) -> None:
        """Until `stop`. Raises `StoreError` in a group when nothing more can be stored."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(filters))
            tasks.create_task(self._keep())

    def stop(self) -> None:
        """Store what has come, say so and end."""
        self._ending.set()
        self._full.set()
        self._wake.set()

    async def _listen(self, filters: Sequence[str]) -> None:
        failures = 0
        while not self._ended.is_set():
            try:
                async with self._connect() as publisher:
                    await publisher.subscribe(filters)
                    _log.info("subscribed")
                    failures = 0
                    await self._attend(publisher)
            except DeliveryError as error:
                if failures == 0:
                    _log.warning("broker is away: %s", error)
                failures += 1
                most = min(RECONNECT_MOST, RECONNECT_FIRST * 2 ** min(failures, 10))
                await self._until_ended(self._clock.jitter(most))

    async def _attend(self, publisher: Publisher) -> None:
        """Hear what comes on one connection, until it or everything ends."""
        self._publisher = publisher
        self._holes.clear()
        for told in self._told.values():
            told.at = None
        self._wake.set()
        reading = asyncio.create_task(self._read(publisher))
        ended = asyncio.create_task(self._ended.wait())
        try:
            done, _ = await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended not in done:
                reading.result()
        finally:
            self._publisher = None
            reading.cancel()
            ended.cancel()
            await asyncio.gather(reading, ended, return_exceptions=True)

    async def _read(self, publisher: Publisher) -> None:
        async for message in publisher.incoming():
            while len(self._batch) >= WAITING_MOST:
                self._room.clear()
                await self._room.wait()
            if not self._ending.is_set():
                self._hear(message)

    def _hear(self, message: Incoming) -> None:
        if not message.payload:
            return  # something retained was deleted, a node perhaps
        try:
            self._meet(node_of(message.topic))
            status = announced(message.topic, message.payload)
            heard = understood(message.topic, message.payload)
        except ProtocolError as error:
            _log.warning("%s: left out: %s", message.topic[:200], error)
            return
        if status is not None and self._book.announce(status):
            _log.info("%s is in epoch %s", status.node, status.epoch)
            self._wake.set()
        if heard is not None:
            self._take(heard)

    def _meet(self, node: str) -> None:
        self._book.meet(node)
        if node not in self._told:
            self._told[node] = _Told(msgspec.json.encode(self._book.receipt(node)))
            self._wake.set()

    def _take(self, heard: Heard) -> None:
        verdict = self._book.judge(heard)
        if heard.lost:
            self._wake.set()
        match verdict:
            case Verdict.STORE | Verdict.LATE:
                self._batch.append(heard)
                self._wake.set()
                if len(self._batch) >= TOGETHER:
                    self._full.set()
            case Verdict.HOLE:
                self._meet_hole(heard)
            case Verdict.DUPLICATE:
                pass

    def _meet_hole(self, heard: Heard) -> None:
        """Confirm at once what is there, once for each hole."""
        key, waits_for = Key(heard.node, heard.epoch, heard.stream), self._book.next(heard)
        if self._holes.get(key) == waits_for:
            return
        self._holes[key] = waits_for
        _log.debug("%s: %s has %d before %d came", heard.node, heard.stream, heard.number, waits_for)
        self._told[heard.node].at = None
        self._full.set()
        self._wake.set()

    async def _keep(self) -> None:
        """Store and confirm in turn; what comes while a batch is written goes into the next."""
        while not self._ending.is_set():
            await self._woken(PAUSE if any(told.news for told in self._told.values()) else AGAIN / 8)
            if self._batch and not self._full.is_set():
                await self._within(self._full, GATHERING)
            await self._write()
            self._confirm()
        await self._write()
        self._confirm(anyway=True)
        if self._answers:
            await asyncio.wait(self._answers, timeout=LAST_WORDS)
        self._ended.set()

    async def _woken(self, seconds: float) -> None:
        await self._within(self._wake, seconds)
        self._wake.clear()

    async def _within(self, event: asyncio.Event, seconds: float) -> None:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await event.wait()
        except TimeoutError:
            if not limit.expired():
                raise

    async def _until_ended(self, seconds: float) -> None:
        await self._within(self._ending, seconds)
        if self._ending.is_set():
            await self._ended.wait()

    async def _write(self) -> None:
        self._full.clear()
        changes = self._book.changes()
        batch, self._batch = self._batch, []
        self._room.set()
        nodes = {one.node for one in changes.counts} | {one.node for one in changes.current}
        if not (batch or nodes):
            return
        receipts = {node: msgspec.json.encode(self._book.receipt(node)) for node in nodes}
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, partial(self._store.store, batch, changes))
        self.stored += len(batch)
        for node, payload in receipts.items():
            told = self._told[node]
            told.news = told.news or told.payload != payload
            told.payload = payload

    def _confirm(self, *, anyway: bool = False) -> None:
        """Publish each receipt that is due."""
        now = self._clock.monotonic()
        for node, told in self._told.items():
            pause = PAUSE if told.news else AGAIN
            if told.at is None or now - told.at >= pause or (anyway and told.news):
                self._publish(node, told, now)

    def _publish(self, node: str, told: _Told, now: float) -> None:
        if self._publisher is None:
            return
        try:
            answer = self._publisher.submit(receipt_message(node, self._name, told.payload, self._clock))
        except DeliveryError:
            return  # the reader of the same connection is told, and connects again
        told.at, told.news = now, False
        self._answers.add(answer)
        answer.add_done_callback(self._answered)

    def _answered(self, answer: asyncio.Future[None]) -> None:
        self._answers.discard(answer)
        error = None if answer.cancelled() else answer.exception()
        said = f"receipts are not taken, so nothing counts as received: {error}; check the broker's access list"
        why = said if isinstance(error, DeliveryRefusedError) else ""
        if why and not self._refused:
            _log.error("%s", why)
        self._refused = why


def receipt_message(node: str, name: str, payload: bytes, clock: Clock) -> Outgoing:
    """A receipt for a node's topic prefix; an empty payload ends the registration of `name`."""
    topic = f"{node}/receipt/{name}"
    return Outgoing(
        topic, payload, qos=1, retain=True, expiry=None, type="io.devicehub.receipt", id=clock.ulid(), subject=""
    )
