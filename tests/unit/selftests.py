"""A hub's self-test and the connection it uses, at any broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from devicehub.clock import Clock
from devicehub.deliver.selftest import SelfTest, Telling
from devicehub.health import Gauges
from devicehub.publish.port import Connect, Outgoing, Publisher
from devicehub.publish.topics import Topics

PERIOD = 10.0


@dataclass
class Station:
    """A hub's self-test and the connection it uses, with a status on every connection as the hub has it."""

    connect: Connect
    topics: Topics
    durable: bool = False
    own_broker: bool = False
    remarks: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    changes: list[bool] = field(default_factory=list[bool])
    number: int = 0
    clock: Clock = field(default_factory=Clock)
    gauges: Gauges = field(default_factory=Gauges)

    def __post_init__(self) -> None:
        telling = Telling(
            remark=lambda what, why: self.remarks.append((what, why)),
            changed=lambda: self.changes.append(self.gauges.silent),
            durable=lambda: self.durable,
        )
        self.test = SelfTest(
            self.topics, self.clock, self.gauges, telling, period=lambda: PERIOD, own_broker=self.own_broker
        )

    @property
    def words(self) -> list[str]:
        return [what for what, _ in self.remarks]

    def say(self, publisher: Publisher, kind: str = "status") -> None:
        self.number += 1
        name = f"{kind}-{self.number}"
        body = b'{"id":"%s"}' % name.encode()
        retain, qos = True, int(kind == "status")
        out = Outgoing(f"{self.topics.prefix}/{kind}", body, qos, retain, None if qos else 60, "", name, "")
        self.test.said(out)
        publisher.submit(out)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Publisher]:
        async with self.connect() as publisher:
            self.test.connected(publisher)
            await self.clock.sleep(0)
            self.say(publisher)
            reading = asyncio.create_task(self._read(publisher))
            try:
                yield publisher
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, publisher: Publisher) -> None:
        async for message in publisher.incoming():
            assert self.test.wants(message.topic)
            self.test.heard(message)
