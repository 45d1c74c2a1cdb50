"""Simulated devices that are unplugged one by one and plugged in anew: nothing of the old one is left."""

import asyncio
import os
from pathlib import Path
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.config import DeviceConfig
from devicehub.links import Links
from devicehub.model.errors import LinkError
from devicehub.registry import load_driver
from devicehub.transport.link import Transport
from devicehub.transport.progress import Progress
from devicehub.transport.world import SimulatedWorld
from tests.patience import PATIENCE

pytestmark = pytest.mark.real

DRIVERS = ["trace.aci_pids3", "thermal.seek_compact", "thermal.flir_rjpeg"]


def device(driver: str) -> DeviceConfig:
    return DeviceConfig(id="dev", driver=driver, port="sim:")


@pytest.mark.parametrize("name", DRIVERS)
async def test_a_device_is_plugged_in_again_after_it_was_taken_away(tmp_path: Path, name: str) -> None:
    driver = load_driver(name)
    async with SimulatedWorld(tmp_path, Clock(), seed=1) as world:
        links = Links(Clock(), world, Progress())
        before = len(asyncio.all_tasks())
        for _ in range(3):
            transport = await links.opener(device(name), driver)()
            await transport.close()
            await links.retire("dev")
            assert os.listdir(tmp_path) == [], "no terminal and no folder"  # noqa: PTH208 - of a moment, in a loop
        shared = 1 if name == "thermal.seek_compact" else 0  # the bus of all USB devices
        assert len(asyncio.all_tasks()) == before + shared
        links.close()


async def _to_the_end(transport: Transport) -> None:
    while True:
        await transport.read()


async def test_an_open_link_to_a_device_that_is_taken_away_breaks(tmp_path: Path) -> None:
    async with SimulatedWorld(tmp_path, Clock(), seed=Random(1).getrandbits(32)) as world:
        links = Links(Clock(), world, Progress())
        transport = await links.opener(device(DRIVERS[0]), load_driver(DRIVERS[0]))()
        await links.retire("dev")
        with pytest.raises(LinkError):
            await asyncio.wait_for(_to_the_end(transport), PATIENCE)
        await transport.close()
        await links.retire("dev")
        await links.retire("never plugged in")
        links.close()
