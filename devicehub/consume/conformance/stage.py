"""Where hub and consumer meet: the broker, the receipts as they come, and what is stored."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec
from msgspec import Struct, structs

from devicehub.clock import Clock
from devicehub.consume.conformance.broken import Broken
from devicehub.consume.conformance.hub import Numbered, PlayedHub
from devicehub.consume.conformance.process import Process
from devicehub.model.errors import DeliveryError
from devicehub.model.receipt import Receipt
from devicehub.model.stream import Stream
from devicehub.publish.port import Connect, Incoming, Outgoing, Publisher

PATIENCE: Final = 10.0
STALLED: Final = 1.0
AHEAD: Final = 2000


class Told(Struct, frozen=True):
    """A receipt as it came; `at`: monotonic second."""

    receipt: Receipt
    at: float


class Stage:
    """One consumer, named `name`, before the hub that is played to it. Made by `staged`.

    `told` are its receipts, `highest` the highest number it has confirmed of each epoch and stream.
    """

    def __init__(self, hub: PlayedHub, process: Process, publisher: Publisher, clock: Clock, name: str) -> None:
        self.hub = hub
        self.process = process
        self.clock = clock
        self.topic = f"{hub.topics.prefix}/receipt/{name}"
        self.told: list[Told] = []
        self._publisher = publisher
        self.highest: dict[tuple[str, Stream], int] = {}
        self._wrong: list[str] = []
        self._gone: DeliveryError | None = None
        self._news = asyncio.Event()

    @property
    def streams(self) -> list[Stream]:
        """Those that the consumer counts, by its newest receipt."""
        return [stream for stream in Stream if self.told and stream in self.told[-1].receipt.received]

    @property
    def bulk(self) -> Stream:
        """The stream that most is played in."""
        return Stream.EVENTS if Stream.EVENTS in self.streams else self.streams[0]

    def received(self, stream: Stream) -> int:
        """What the consumer says it has of the hub's epoch."""
        return self.highest.get((self.hub.epoch, stream), 0)

    def judge(self) -> None:
        """Raises `Broken` for what was wrong with any receipt since the last call, or when the consumer has ended."""
        wrong, self._wrong = self._wrong, []
        if wrong:
            raise Broken(wrong[0])
        self.process.check()

    async def send(self, messages: Iterable[Numbered], *, again: bool = False) -> None:
        """Publish and wait until the broker has it."""
        answers = []
        for one in messages:
            self.hub.reach.publish(one)
            answers.append(self._publisher.submit(one.again if again else one.out))
        await asyncio.gather(*answers)

    async def publish(self, out: Outgoing) -> None:
        """Publish what has no number."""
        await self._publisher.submit(out)

    async def receipt(self, since: int, seconds: float = PATIENCE) -> Told:
        """The first receipt after the first `since` ones. Raises `Broken`."""
        await self._until(lambda: len(self.told) > since, seconds, "no receipt came")
        return self.told[since]

    async def confirmed(self, stream: Stream, number: int, seconds: float = PATIENCE) -> None:
        """Wait for a receipt up to there. Raises `Broken`."""
        what = f"{stream} was not confirmed up to {number}"
        await self._until(lambda: self.received(stream) >= number, seconds, what)

    async def settle(self) -> None:
        """Send again from the receipts, as a hub does, until everything is confirmed. Raises `Broken`."""
        for stream in self.streams:
            while (before := self.received(stream)) < self.hub.last[stream]:
                await self.send(self.hub.after(stream, before, AHEAD), again=True)
                target = min(self.hub.last[stream], before + AHEAD)
                with suppress(Broken):
                    await self.confirmed(stream, target, STALLED)
                await self._comes_forward(stream, before)

    async def _comes_forward(self, stream: Stream, before: int) -> None:
        what = f"{stream} does not come forward from {before} though everything was sent again"
        await self._until(lambda: self.received(stream) > before, PATIENCE, what)

    async def _until(self, what: Callable[[], bool], seconds: float, otherwise: str) -> None:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                while not what():
                    self.process.check()
                    if self._gone is not None:
                        raise self._gone
                    self._news.clear()
                    await self._something()
        except TimeoutError:
            if not limit.expired():
                raise
            raise Broken(f"{otherwise} within {seconds:g} s") from None

    async def _something(self) -> None:
        """Until a receipt comes or the consumer ends."""
        waiting = {asyncio.create_task(self._news.wait()), asyncio.create_task(self.process.ended())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def listen(self) -> None:
        """Take in receipts until the broker goes; whoever waits for one is told."""
        try:
            async for message in self._publisher.incoming():
                if message.payload:
                    self._hear(message)
        except DeliveryError as error:
            self._gone = error
            self._news.set()

    def _hear(self, message: Incoming) -> None:
        try:
            receipt = msgspec.json.decode(message.payload, type=Receipt)
        except msgspec.MsgspecError as error:
            self._wrong.append(f"a receipt is not as the contract says: {error}")
            return
        if not message.retain and self._publisher.delivery == "broker-acked":
            self._wrong.append("a receipt was published without the retain flag")
        for stream, number in receipt.received.items():
            self._hold(receipt.epoch, stream, number)
        self.told.append(Told(receipt, self.clock.monotonic()))
        self._news.set()

    def _hold(self, epoch: str, stream: Stream, number: int) -> None:
        if number > (reach := self.hub.reach.of(epoch, stream)):
            self._wrong.append(
                f"{stream} is confirmed up to {number}, of which only {reach} were published or told lost"
            )
        if number < (highest := self.highest.get((epoch, stream), 0)):
            self._wrong.append(f"{stream} was confirmed up to {highest} before, and now up to {number}")
        self.highest[epoch, stream] = max(number, highest)


@asynccontextmanager
async def staged(hub: PlayedHub, process: Process, connect: Connect, clock: Clock, name: str) -> AsyncIterator[Stage]:
    """A stage without a consumer on it. At the end the consumer is killed, and what is retained is deleted.

    Raises `DeliveryError` when the broker cannot be reached or goes.
    """
    async with connect() as publisher:
        stage = Stage(hub, process, publisher, clock, name)
        empty = Outgoing(stage.topic, b"", qos=1, retain=True, expiry=None, type="", id=clock.ulid(), subject="")
        await publisher.submit(empty)
        await publisher.submit(hub.status())
        await publisher.subscribe([stage.topic])
        listening = asyncio.create_task(stage.listen())
        try:
            yield stage
        finally:
            await process.kill()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            with suppress(DeliveryError):
                await publisher.submit(empty)
                await publisher.submit(structs.replace(empty, topic=hub.topics.status))
