"""A whole hub in this process on a real event loop, with a real journal and broker, for devices that a test plays."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post
from devicehub.core import Setting
from devicehub.driver import Driver
from devicehub.hub import Hub, Plan, will
from devicehub.model.alarm import Limit
from devicehub.model.payload import InfoData
from devicehub.publish.envelope import Encoder
from devicehub.publish.mqtt import connect
from devicehub.publish.settings import BrokerSettings
from devicehub.publish.topics import Topics

DIGEST = "sha256:" + "0" * 64


@asynccontextmanager
async def running_hub(
    state: Path, broker: BrokerSettings, drivers: dict[str, Driver], posts: Sequence[Post], limits: Sequence[Limit] = ()
) -> AsyncIterator[Hub]:
    """The hub runs while the context is open, then stops in order."""
    clock, boot = Clock(), "e2e"
    topics, encoder = Topics("s", "n", exercise=True), Encoder("s", "n", boot=boot, exercise=True)
    names = tuple(driver.name for driver in drivers.values())
    info = InfoData("0", boot, DIGEST, 1, names, tuple(drivers), "system", "2026-01-01T00:00:00.000Z")
    plan = Plan(
        setting=Setting(devices=drivers, limits=limits, rules_digest=DIGEST, ids=clock.ulid),
        posts=posts,
        connect=partial(connect, broker, will(topics, encoder, clock, boot)),
        topics=topics,
        encoder=encoder,
        boot=boot,
        info=lambda: info,
        state=state,
    )
    hub, stop = Hub(plan, clock), asyncio.Event()
    task = asyncio.create_task(hub.run(stop))
    try:
        yield hub
    finally:
        stop.set()
        await task
