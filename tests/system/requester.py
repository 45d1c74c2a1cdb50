"""Somebody who sends commands to a hub and hears its answers, over the broker in process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from devicehub.clock import Clock
from devicehub.model.instant import instant
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing, Publisher
from tests.system.house import House, decoded

PREFIX = "devicehub-sim/v1/bcp-test/ws-1"
Body = dict[str, object]


class Requester:
    """One connection. `number` makes ids."""

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock
        self._number = 0
        self.answers: list[tuple[str, Body]] = []
        self._news = asyncio.Condition()

    async def hear(self) -> None:
        """Take note of every answer, for ever."""
        async for message in self._publisher.incoming():
            async with self._news:
                self.answers.append((message.topic.removeprefix(PREFIX + "/"), json.loads(message.payload)))
                self._news.notify_all()

    def payload(self, *, seconds: float = 10.0, **changes: object) -> Body:
        """A command, ready to be sent."""
        self._number += 1
        deadline = instant(self._clock.utc() + seconds)
        return {"id": f"c-{self._number}", "issuer": "op-1147", "deadline": deadline} | changes

    async def send(self, address: str, body: Body, **wishes: object) -> str:
        """Send a command; gives its id. `wishes`: fields of `Outgoing`."""
        await self.send_bytes(address, json.dumps(body).encode(), **wishes)
        return str(body["id"])

    async def send_bytes(self, address: str, payload: bytes, **wishes: object) -> None:
        """Send anything as a command."""
        topic, kind = f"{PREFIX}/cmd/{address}", "io.devicehub.command"
        out = Outgoing(topic, payload, 1, retain=False, expiry=None, type=kind, id="", subject="")
        await self._publisher.submit(_with(out, wishes))

    async def states(self, command: str, most: int = 2) -> list[Body]:
        """The data of the answers to a command, once there are `most` of them."""
        async with self._news, asyncio.timeout(120):
            await self._news.wait_for(lambda: len(self._of(command)) >= most)
        return self._of(command)

    async def ask(self, address: str, *, answers: int = 2, **changes: object) -> list[Body]:
        """Send a command and wait for its answers."""
        return await self.states(await self.send(address, self.payload(**changes)), answers)  # type: ignore[arg-type]  # seconds is a number

    def _of(self, command: str) -> list[Body]:
        found = [cast("Body", body["data"]) for _, body in self.answers]
        return [data for data in found if data["command"] == command]


def _with(out: Outgoing, wishes: dict[str, object]) -> Outgoing:
    fields = {name: getattr(out, name) for name in out.__struct_fields__} | wishes
    return Outgoing(**fields)


@asynccontextmanager
async def requester(running: House) -> AsyncIterator[Requester]:
    """A client that is subscribed to all answers of the hub."""
    async with running.broker.connect() as publisher:
        await publisher.subscribe([f"{PREFIX}/res/#"])
        client = Requester(publisher, running.clock)
        hearing = asyncio.create_task(client.hear())
        try:
            yield client
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


def said(states: list[Body]) -> list[str]:
    """The states, in order."""
    return [str(data["state"]) for data in states]


def records(broker: MemoryBroker) -> list[Body]:
    """The audit records, in order, each delivery of the same one once."""
    found = {out.id: decoded(out) for _, out in broker.log if out.topic == f"{PREFIX}/event/command"}
    return [cast("Body", body["data"]) for body in found.values()]
