"""Each driver's own edge, as real as a process without hardware can have it, with its simulated device below it.

Pseudo-terminals, the simulated bus below unmodified pyusb and watch folders are those of a training station. Bluetooth
peripherals are on a private BlueZ below unmodified bleak, cameras in a fake kernel, networked ones at sockets of loopback.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.clock import Clock
from devicehub.driver import BleLink, Driver, FileLink, Link, NetworkLink, OperatorLink, SerialLink, UsbLink, VideoLink
from devicehub.registry import load_simulator
from devicehub.simulator import BleSimulator, NetworkSimulator, VideoSimulator
from devicehub.transport.ble import BleTransport
from devicehub.transport.ble_radio import BleRadio
from devicehub.transport.link import Transport
from devicehub.transport.network import open_network
from devicehub.transport.video import VideoTransport
from devicehub.transport.world import SimulatedWorld
from tests.real.ble_world import ADDRESS, LIMITS, simulated_bluetooth
from tests.real.fake_v4l2 import FakeCamera, FakeKernel
from tests.real.loopback import HOST
from tests.real.network_world import tcp_device, udp_device

TICK = 0.02
NAMES: dict[type[Link], str] = {
    SerialLink: "pseudo-terminal",
    UsbLink: "simulated bus, pyusb",
    FileLink: "watch folder",
    BleLink: "private BlueZ, bleak",
    VideoLink: "fake kernel",
    NetworkLink: "loopback",
    OperatorLink: "",
}

Open = Callable[[], Awaitable[Transport]]


@asynccontextmanager
async def edge(driver: Driver, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Transport]:
    """The open link of a driver. A fixture's `monkeypatch` leads bleak to the private bus."""
    link = driver.link
    if isinstance(link, BleLink):
        opened = _bluetooth(driver.name, link, folder, monkeypatch)
    elif isinstance(link, VideoLink):
        opened = _video(driver.name, link, folder)
    elif isinstance(link, NetworkLink):
        opened = _network(driver.name, link)
    else:
        opened = _world(driver.name, link, folder)
    async with opened as transport:
        yield transport
        await transport.close()


@asynccontextmanager
async def _world(name: str, link: Link, folder: Path) -> AsyncIterator[Transport]:
    async with SimulatedWorld(folder, Clock(), seed=1) as world:
        yield await world.plug("d", link, load_simulator(name))()


@asynccontextmanager
async def _bluetooth(
    name: str, link: BleLink, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Transport]:
    simulator = cast(BleSimulator, _simulated(name))
    async with simulated_bluetooth(folder, monkeypatch) as bluez:
        bluez.add(ADDRESS, simulator)
        radio = BleRadio(limits=replace(LIMITS, notifications=64))
        async with _living(bluez.advance):
            yield await BleTransport.open(link, radio=radio)
        radio.close()


@asynccontextmanager
async def _video(name: str, link: VideoLink, folder: Path) -> AsyncIterator[Transport]:
    with FakeKernel(folder) as kernel:
        camera = FakeCamera(cast(VideoSimulator, _simulated(name)))
        usb = f"{link.ids[0].vendor:04x}:{link.ids[0].product:04x}" if link.ids else "1908:2311"
        kernel.plug(camera, "video0", usb=usb)
        async with _living(camera.tick):
            yield await VideoTransport.open(link, clock=Clock(), kernel=kernel)


@asynccontextmanager
async def _network(name: str, link: NetworkLink) -> AsyncIterator[Transport]:
    simulator, anywhere = cast(NetworkSimulator, _simulated(name)), replace(link, local=0)
    if link.scheme == "tcp":
        async with tcp_device(simulator) as port:
            yield await open_network(anywhere, f"tcp://{HOST}:{port}", Clock())
    else:
        async with udp_device(simulator, link.ports) as device:
            yield await open_network(anywhere, f"udp://{HOST}:{device.first}", Clock())


def _simulated(name: str) -> object:
    simulator = load_simulator(name)(Random(1))
    simulator.do("demo")
    return simulator


@asynccontextmanager
async def _living(advance: Callable[[float], object]) -> AsyncIterator[None]:
    """Time passes for what has no clock of its own."""

    async def live() -> None:
        clock = Clock()
        while True:
            await clock.sleep(TICK)
            advance(TICK)

    task = asyncio.create_task(live())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
