"""A configured device to the way its link is opened. The only module that knows every transport."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from devicehub.clock import Clock
from devicehub.config import DeviceConfig
from devicehub.driver import BleLink, Driver, FileLink, Link, NetworkLink, OperatorLink, SerialLink, UsbLink, VideoLink
from devicehub.model.device import UsbId
from devicehub.model.errors import ConfigError, LinkError, LinkMissingError
from devicehub.registry import simulator_of
from devicehub.simulator import SimulatorFactory
from devicehub.transport.ble import BleTransport
from devicehub.transport.ble_radio import BleRadio
from devicehub.transport.blocking import Blocking
from devicehub.transport.faults import FaultTransport, parse_faults
from devicehub.transport.file import FileTransport
from devicehub.transport.guard import GuardedTransport
from devicehub.transport.link import LinkIdentity, Transport
from devicehub.transport.memory import MemoryTransport
from devicehub.transport.network import open_network
from devicehub.transport.progress import Progress
from devicehub.transport.replay import ReplayTransport
from devicehub.transport.serial import SerialTransport
from devicehub.transport.serial_ports import list_serial_ports
from devicehub.transport.usb import UsbTransport
from devicehub.transport.usb_find import UsbMatch
from devicehub.transport.video import VideoTransport

OpenLink = Callable[[], Awaitable[Transport]]


class World(Protocol):
    """Where simulated devices are."""

    def plug(self, device: str, link: Link, factory: SimulatorFactory) -> OpenLink:
        """Power one up; how to open its link."""
        ...

    async def unplug(self, device: str) -> None:
        """Take one away."""
        ...


class Links:
    """Opens links. Holds what they share: the clock, the Bluetooth radio, the simulated world."""

    def __init__(self, clock: Clock, world: World, progress: Progress | None = None) -> None:
        """`progress`: how far what devices say is stored; None where nothing is."""
        self._progress = progress
        self._clock = clock
        self._world = world
        self._radio = BleRadio()

    def close(self) -> None:
        """Give the Bluetooth radio back."""
        self._radio.close()

    async def retire(self, device: str) -> None:
        """A device is not to be opened again as it was: unplug it, where it is simulated."""
        await self._world.unplug(device)

    def opener(self, device: DeviceConfig, driver: Driver) -> OpenLink:
        """How to open the link of a device. Raises `ConfigError` for a port that does not fit the driver."""
        plain = _guarded(self._plain(device, driver), driver)
        if not device.fault:
            return plain
        plan = parse_faults(device.fault)

        async def faulty() -> Transport:
            return FaultTransport(await plain(), plan, self._clock)

        return faulty

    def _plain(self, device: DeviceConfig, driver: Driver) -> OpenLink:
        if device.port == "sim:":
            return self._simulated(device.id, driver)
        if device.port.startswith("replay:"):
            return self._replay(device.id, Path(device.port.removeprefix("replay:")))
        return self._real(device, driver.link)

    def _simulated(self, device: str, driver: Driver) -> OpenLink:
        """Powered up when it is opened first: the one that it may take the place of is unplugged by then."""
        simulator = simulator_of(driver)
        plugged: OpenLink | None = None

        async def powered() -> Transport:
            nonlocal plugged
            if plugged is None:
                plugged = self._world.plug(device, driver.link, simulator)
            return await plugged()

        return powered

    def _real(self, device: DeviceConfig, link: Link) -> OpenLink:
        match link:
            case SerialLink():
                return self._serial(device, link)
            case UsbLink():
                return self._usb(device, link)
            case BleLink():
                return lambda: BleTransport.open(link, radio=self._radio, address=device.address or None)
            case VideoLink():
                return self._video(device, link)
            case FileLink() | OperatorLink() | NetworkLink():
                return self._without_cable(device, link)

    def _without_cable(self, device: DeviceConfig, link: FileLink | OperatorLink | NetworkLink) -> OpenLink:
        match link:
            case FileLink():
                return self._folder(device, link)
            case OperatorLink():
                return _entered
            case NetworkLink():
                return lambda: open_network(link, device.port, self._clock)

    def _replay(self, device: str, path: Path) -> OpenLink:
        played = False
        blocking = Blocking(device)

        async def once() -> Transport:
            nonlocal played
            if played:
                raise LinkMissingError(f"recording {path} was played to its end")
            transport = await ReplayTransport.open(path, self._clock, blocking=blocking)
            played = True
            return transport

        return once

    def _serial(self, device: DeviceConfig, link: SerialLink) -> OpenLink:
        blocking = Blocking(device.id)

        async def found() -> Transport:
            port = device.port or await blocking.run(_serial_port, _usb_id(device), device.serial)
            return await SerialTransport.open(link, port, clock=self._clock, blocking=blocking)

        return found

    def _usb(self, device: DeviceConfig, link: UsbLink) -> OpenLink:
        match = UsbMatch(_usb_id(device), device.serial, device.port)
        blocking = Blocking(device.id)
        return lambda: UsbTransport.open(link, match=match, clock=self._clock, blocking=blocking)

    def _video(self, device: DeviceConfig, link: VideoLink) -> OpenLink:
        usb = _usb_id(device)
        wanted = link if usb is None else replace(link, ids=(usb,))
        blocking = Blocking(device.id)
        return lambda: VideoTransport.open(
            wanted, path=device.port, serial=device.serial, clock=self._clock, blocking=blocking
        )

    def _folder(self, device: DeviceConfig, link: FileLink) -> OpenLink:
        folder = device.folder
        if folder is None:
            raise ConfigError(f"device {device.id}: its driver watches a folder; give 'folder'")
        blocking = Blocking(device.id)
        stored = None if self._progress is None else partial(self._progress.settled, device.id)
        return lambda: FileTransport.open(folder, link, self._clock, blocking=blocking, stored=stored)


def _guarded(plain: OpenLink, driver: Driver) -> OpenLink:
    async def guarded() -> Transport:
        return GuardedTransport(await plain(), driver.forbidden, driver.allowed)

    return guarded if driver.forbidden or driver.allowed is not None else plain


async def _entered() -> Transport:
    """Nothing ever comes over it: what is entered comes as commands."""
    return MemoryTransport(lambda _: None, LinkIdentity(path="operator"))


def _usb_id(device: DeviceConfig) -> UsbId | None:
    if not device.usb:
        return None
    vendor, product = device.usb.split(":")
    return UsbId(int(vendor, 16), int(product, 16))


def _serial_port(usb: UsbId | None, serial: str) -> str:
    """The one port that a USB id and serial number mean. Raises `LinkMissingError`, `LinkError`."""
    meant = [
        port.path
        for port in list_serial_ports()
        if (usb is None or port.usb == usb) and (not serial or port.serial == serial)
    ]
    name = " ".join(filter(None, (str(usb or ""), serial)))
    if not meant:
        raise LinkMissingError(f"no serial port of USB device {name}: plug it in, or see 'devicehub devices scan'")
    if len(meant) > 1:
        raise LinkError(f"USB device {name} means {', '.join(meant)}: give 'serial' or 'port' to tell them apart")
    return meant[0]
