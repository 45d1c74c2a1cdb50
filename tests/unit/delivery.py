"""A deliverer with a real journal and a broker in process, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.deliver import Delivery, Hooks
from devicehub.health import Gauges
from devicehub.journal import Journal, tables
from devicehub.model.message import Kind, Message
from devicehub.model.payload import HubEventData
from devicehub.model.stream import Stream
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Connect, Outgoing, Publisher
from tests.real.journals import NAME, TOPICS, encode


@dataclass
class Post:
    """The parts of a running deliverer that a test may touch, and what it told."""

    journal: Journal
    board: Board
    broker: MemoryBroker
    clock: Clock
    gauges: Gauges
    connections: list[float] = field(default_factory=list[float])
    remarks: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    attempts: list[float] = field(default_factory=list[float])
    number: int = 0

    async def append(self, count: int = 1) -> None:
        """Make so many events durable."""
        await self.journal.append([self._event() for _ in range(count)])

    def _event(self) -> Message:
        self.number += 1
        name = f"{self.number:026d}"
        return Message(Kind.EVENT, "hub.started", name, 0.0, self.clock.monotonic(), HubEventData(str(self.number)))

    @property
    def acked(self) -> int:
        """How many events were delivered, as the journal knows it."""
        return self.journal.acked[Stream.EVENTS].number

    def on_connected(self, publisher: Publisher) -> None:
        self.connections.append(self.clock.monotonic())

    def arrived(self) -> list[int]:
        """Numbers of the events that the broker took, duplicates too."""
        return [int(out.id) for _, out in self.broker.log if out.type == "io.devicehub.hub.started"]

    def late(self) -> set[int]:
        """Those that were marked as historical when they first came."""
        first = {out.id: out.payload for _, out in reversed(self.broker.log) if out.type == "io.devicehub.hub.started"}
        return {int(name) for name, payload in first.items() if msgspec.json.decode(payload).get("historical")}


def state(topic: str, payload: bytes = b"{}", *, retain: bool = True, qos: int = 1) -> Outgoing:
    return Outgoing(topic, payload, qos, retain, None, "io.devicehub.state", "id", "d")


@asynccontextmanager
async def delivering(
    folder: Path, broker: MemoryBroker, *, window: int = 10, will: Outgoing | None = None, seed: int = 1
) -> AsyncIterator[tuple[Post, Delivery, "asyncio.Task[None]"]]:
    """A deliverer at work; it is cancelled at the end if it did not finish by itself."""
    clock = Clock(utc=asyncio.get_running_loop().time, seed=seed)
    journal, board, gauges = Journal(folder / NAME, encode, clock), Board(), Gauges()
    await journal.open()
    post = Post(journal, board, broker, clock, gauges, number=journal.stored[Stream.EVENTS].number)
    connect = _counted(post, will)
    hooks = Hooks(
        connected=post.on_connected,
        incoming=lambda message: deliver.receipt(message),  # noqa: PLW0108 - not made yet
        deaf=lambda why: post.remarks.append(("deaf", why)),
        filters=(TOPICS.receipts,),
    )
    deliver = Delivery(
        journal,
        board,
        connect,
        clock,
        gauges,
        hooks=hooks,
        remark=lambda what, why: post.remarks.append((what, why)),
        window=window,
    )
    await deliver.resume(await journal.file(tables.standing))
    task = asyncio.create_task(deliver.run())
    try:
        yield post, deliver, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await journal.close()


def _counted(post: Post, will: Outgoing | None) -> Connect:
    def connect() -> AbstractAsyncContextManager[Publisher]:
        post.attempts.append(post.clock.monotonic())
        return post.broker.connect(will)

    return connect
