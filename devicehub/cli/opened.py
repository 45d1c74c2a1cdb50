"""Opens the link of one configured device, as the hub would, for as long as a command needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from devicehub.clock import Clock
from devicehub.config import DeviceConfig
from devicehub.driver import Driver
from devicehub.links import Links
from devicehub.transport.link import Transport
from devicehub.transport.world import SimulatedWorld

SEED = 1


@asynccontextmanager
async def opened(device: DeviceConfig, driver: Driver, clock: Clock) -> AsyncIterator[Transport]:
    """The open link. Raises `LinkError`."""
    with TemporaryDirectory(prefix="devicehub-") as folder:
        async with SimulatedWorld(Path(folder), clock, SEED) as world:
            transport = await Links(clock, world).opener(device, driver)()
            try:
                yield transport
            finally:
                await transport.close()
