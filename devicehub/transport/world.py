"""Simulated devices plugged into edges as real as a process without hardware can have.

Serial devices sit behind real pseudo-terminals, USB devices on a simulated bus below unmodified
pyusb, file devices write into a real watch folder; BLE peripherals and cameras, which need a
kernel's help, are joined in process.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Self, cast

from devicehub.clock import Clock
from devicehub.driver import FileLink, Link, SerialLink, UsbLink
from devicehub.simulator import AnySimulator, FileSimulator, SerialSimulator, SimulatorFactory, UsbSimulator
from devicehub.transport.blocking import Blocking
from devicehub.transport.file import FileTransport
from devicehub.transport.link import Transport
from devicehub.transport.pty import SimulatedLine
from devicehub.transport.serial import SerialTransport
from devicehub.transport.simulated import SimulatedPort
from devicehub.transport.usb import UsbTransport
from devicehub.transport.usb_bus import UsbBus

TICK = 0.05

OpenLink = Callable[[], Awaitable[Transport]]


class SimulatedWorld:
    """All simulated devices of one hub. Use as an async context manager: leaving it unplugs everything."""

    def __init__(self, folder: Path, clock: Clock, seed: int) -> None:
        """`folder`: where ports appear. `seed`: of all simulators' chance."""
        self._folder = folder
        self._clock = clock
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose
        self._stack = AsyncExitStack()
        self._plugged: dict[str, AsyncExitStack] = {}
        self._bus: UsbBus | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for device in list(self._plugged):
            await self.unplug(device)
        await self._stack.aclose()

    async def unplug(self, device: str) -> None:
        """Take a device away, and what it left in its folder. Does nothing for one that is not plugged in."""
        plugged = self._plugged.pop(device, None)
        if plugged is not None:
            await plugged.aclose()

    def plug(self, device: str, link: Link, factory: SimulatorFactory) -> OpenLink:
        """Power a simulated device up, its operator acting by himself; gives how to open its link."""
        seed = self._random.getrandbits(64)

        def make() -> AnySimulator:
            simulator = factory(Random(seed))  # noqa: S311 - repeatable on purpose
            simulator.do("demo")
            return simulator

        stack = self._plugged[device] = AsyncExitStack()
        if isinstance(link, SerialLink):
            return self._serial(device, link, make, stack)
        if isinstance(link, UsbLink):
            return self._usb(link, cast(UsbSimulator, make()), stack)
        if isinstance(link, FileLink):
            return self._files(device, link, cast(FileSimulator, make()), stack)
        return SimulatedPort(link, make, self._clock).open

    def _serial(
        self, device: str, link: SerialLink, make: Callable[[], AnySimulator], stack: AsyncExitStack
    ) -> OpenLink:
        line = SimulatedLine(
            lambda: cast(SerialSimulator, make()), self._clock, link=self._folder / f"tty-{device}", baud=link.baud
        )
        line.plug()
        stack.push_async_callback(line.close)
        blocking = Blocking(device)
        return lambda: SerialTransport.open(link, line.path, clock=self._clock, blocking=blocking)

    def _usb(self, link: UsbLink, simulator: UsbSimulator, stack: AsyncExitStack) -> OpenLink:
        if self._bus is None:
            self._bus = UsbBus()
            _run(self._bus.run(self._clock), self._stack)
        bus = self._bus
        bus.plug(simulator)
        stack.callback(bus.unplug, simulator)
        return lambda: UsbTransport.open(link, backend=bus.backend, clock=self._clock)

    def _files(self, device: str, link: FileLink, simulator: FileSimulator, stack: AsyncExitStack) -> OpenLink:
        folder = self._folder / device
        folder.mkdir(parents=True, exist_ok=True)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _run(self._write(folder, simulator), stack)
        blocking = Blocking(device)
        return lambda: FileTransport.open(folder, link, self._clock, blocking=blocking)

    async def _write(self, folder: Path, simulator: FileSimulator) -> None:
        last = self._clock.monotonic()
        blocking = Blocking(f"writing for {folder.name}")
        while True:
            await self._clock.sleep(TICK)
            now = self._clock.monotonic()
            for name, data in simulator.advance(now - last):
                part = folder / f".{name}.part"
                await blocking.run(part.write_bytes, data)
                await blocking.run(part.rename, folder / name)
            last = now


def _run(work: Awaitable[None], stack: AsyncExitStack) -> None:
    """In a task, until `stack` is closed."""
    task = asyncio.ensure_future(work)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
