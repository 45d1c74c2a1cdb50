"""A subscriber to everything a hub says, which holds every message against the published schema as it comes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from devicehub.model.errors import DeliveryError
from devicehub.model.message import Kind
from devicehub.model.stream import Stream
from devicehub.publish.mqtt import Incoming, subscribe
from devicehub.publish.settings import BrokerSettings
from tests.contract import violations
from tests.patience import PATIENCE

EVERYTHING = ("devicehub/v1/#", "devicehub-sim/v1/#")
TO_THE_HUB = frozenset({"cmd", "receipt"})


@dataclass(frozen=True)
class Heard:
    """One valid message. `body` is empty where a retained message was deleted; `at`: loop second of arrival."""

    topic: str
    kind: Kind
    place: str
    body: dict[str, Any]
    retain: bool
    at: float

    @property
    def data(self) -> dict[str, Any]:
        data = self.body["data"]
        assert isinstance(data, dict)
        return data

    @property
    def stream(self) -> str:
        return str(self.body.get("stream", ""))

    @property
    def sequence(self) -> int | None:
        return int(self.body["sequence"]) if "sequence" in self.body else None


DELETED = frozenset({Kind.ALARM, Kind.DESCRIBE, Kind.DEVICE, Kind.CAPABILITY, Kind.STATE, Kind.INSPECTION})


def understood(message: Incoming, at: float) -> Heard:
    """A message that fulfils the contract. Raises `AssertionError` for any other."""
    heard = taken(message, at)
    if heard.body:
        assert violations(heard.kind, message.payload) == [], message
    else:
        assert heard.kind in DELETED, f"{message.topic}: only what is retained of alarms and devices may be deleted"
    return heard


def taken(message: Incoming, at: float) -> Heard:
    """A message as it is, for a computer that takes too long to hold it against the contract."""
    _, _, _, _, kind, *place = message.topic.split("/")
    body = json.loads(message.payload) if message.payload else {}
    return Heard(message.topic, Kind(kind), "/".join(place), body, message.retain, at)


@dataclass
class Ears:
    """What was heard so far, over all connections. `understand`: a message, or raise."""

    heard: list[Heard] = field(default_factory=list)
    understand: Callable[[Incoming, float], Heard] = understood
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _failure: Exception | None = None

    def of(self, kind: Kind, place: str | None = None) -> list[Heard]:
        """Messages of a kind, and of a device, point or type where `place` says so."""
        return [one for one in self.heard if one.kind is kind and place in {None, one.place}]

    def sequences(self, stream: Stream = Stream.EVENTS) -> list[int]:
        """Numbers of a stream, in the order of first arrival."""
        return list(dict.fromkeys(one.sequence for one in self.heard if one.sequence and one.stream == stream))

    def gapless(self) -> list[int]:
        """Those numbers, which in every stream must be all from 1 on, each for the first time in its place."""
        for stream in Stream:
            numbers = self.sequences(stream)
            assert numbers == list(range(1, len(numbers) + 1)), stream
        return self.sequences()

    async def until(self, what: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait until `what()` is true of the messages heard."""
        async with asyncio.timeout(seconds):
            while not what():
                await self._arrived.wait()
                self._arrived.clear()
                if self._failure is not None:
                    raise self._failure

    async def first(self, kind: Kind, place: str, seconds: float = PATIENCE) -> Heard:
        """The first message of a kind and place."""
        await self.until(lambda: self.of(kind, place), seconds)
        return self.of(kind, place)[0]

    async def listen(self, incoming: AsyncIterator[Incoming]) -> None:
        """Take in messages until the broker goes; it may come back."""
        try:
            async for message in incoming:
                if message.topic.split("/")[4] in TO_THE_HUB:
                    continue
                self.heard.append(self.understand(message, asyncio.get_running_loop().time()))
                self._arrived.set()
        except DeliveryError:
            return
        except Exception as error:
            self._failure = error
            self._arrived.set()
            raise


@asynccontextmanager
async def hearing(
    settings: BrokerSettings, ears: Ears | None = None, filters: Sequence[str] = EVERYTHING, *, qos: int = 1
) -> AsyncIterator[Ears]:
    """Listen while the context is open. A message that breaks the contract fails the test at the latest when it closes.

    With `qos` 0 nothing is written back, so that a broker that dies takes nothing with it that it has sent.
    """
    ears = ears or Ears()
    async with subscribe(settings, filters, qos=qos) as incoming:
        listening = asyncio.create_task(ears.listen(incoming))
        try:
            yield ears
        finally:
            listening.cancel()
            done = await asyncio.gather(listening, return_exceptions=True)
    failed = [one for one in done if isinstance(one, Exception)]
    if failed:
        raise failed[0]
