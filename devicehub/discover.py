"""Which drivers fit the hardware that is present: a pure match of identities with declarations."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeGuard

from devicehub.driver import BleLink, Driver, Link, NetworkLink, SerialLink, UsbLink, VideoLink
from devicehub.model.device import UsbId
from devicehub.model.reading import Image, Measurement, Scan, Spectrum
from devicehub.transport.beacons import Broadcast
from devicehub.transport.inventory import Kind as PresentKind
from devicehub.transport.inventory import Present
from devicehub.transport.serial_ports import SerialPort
from devicehub.wire.packet import Packet

# USB-serial bridges that are sold inside anything: the id names the bridge, not the device behind it.
BRIDGES = frozenset(
    {
        UsbId(0x0403, 0x6001),  # FTDI FT232R
        UsbId(0x0403, 0x6015),  # FTDI FT-X
        UsbId(0x067B, 0x2303),  # Prolific PL2303
        UsbId(0x10C4, 0xEA60),  # Silicon Labs CP210x
        UsbId(0x1A86, 0x7523),  # WCH CH340
        UsbId(0x1A86, 0x55D4),  # WCH CH9102
    }
)


class Kind(StrEnum):
    """How a piece of hardware is reached."""

    SERIAL = "serial"
    USB = "usb"
    VIDEO = "video"
    BLE = "ble"
    NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A piece of hardware that is present. `place`: a device path, a USB place, a BLE address or a network address.

    `beacon`: the port to which it broadcast something, and what.
    """

    kind: Kind
    place: str
    usb: UsbId | None = None
    serial: str = ""
    title: str = ""
    services: tuple[str, ...] = ()
    beacon: tuple[int, bytes] = (0, b"")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A driver that may fit. `score` from 0 to 1: how much the evidence says, not a probability."""

    driver: str
    score: float
    why: str


def descriptors(
    ports: Iterable[SerialPort], present: Sequence[Present], drivers: Iterable[Driver] = ()
) -> list[Descriptor]:
    """Serial ports, cameras and those USB devices that are not just the way to one of them.

    Or that one of `drivers` speaks to beside the kernel's: such a device is listed as both.
    """
    taken = {one.port for one in present if one.kind in {PresentKind.SERIAL, PresentKind.VIDEO} and one.port}
    both = {usb for driver in drivers if _beside(link := driver.link) for usb in link.ids}
    serial = [
        Descriptor(kind=Kind.SERIAL, place=port.path, usb=port.usb, serial=port.serial, title=port.product)
        for port in ports
    ]
    video = [_present(one, Kind.VIDEO, one.node) for one in present if one.kind is PresentKind.VIDEO]
    usb = [
        _present(one, Kind.USB, Path(one.key.path).name)
        for one in present
        if one.kind is PresentKind.USB and (one.key.path not in taken or one.usb in both)
    ]
    return serial + video + usb


def _present(one: Present, kind: Kind, place: str) -> Descriptor:
    return Descriptor(kind=kind, place=place, usb=one.usb, serial=one.serial)


def announced(broadcasts: Iterable[Broadcast], drivers: Sequence[Driver]) -> list[Descriptor]:
    """Devices on a network whose beacon a driver can read. One that gives another address than its own says so."""
    found: dict[tuple[str, str], Descriptor] = {}
    for one in broadcasts:
        for link in (driver.link for driver in drivers):
            if isinstance(link, NetworkLink) and (read := _read_beacon(link, (one.port, one.data))) is not None:
                address, name = read
                title = name if address == one.host else f"{name} (heard from {one.host})".strip()
                place = f"{link.scheme}://{address}:{link.ports[0]}"
                found[place, title] = Descriptor(
                    kind=Kind.NETWORK, place=place, title=title, beacon=(one.port, one.data)
                )
    return list(found.values())


def _read_beacon(link: NetworkLink, beacon: tuple[int, bytes]) -> tuple[str, str] | None:
    port, data = beacon
    return link.beacon.read(data) if link.beacon is not None and link.beacon.port == port else None


def candidates(descriptor: Descriptor, drivers: Iterable[Driver]) -> list[Candidate]:
    """The drivers that may fit, best first."""
    found = [match for driver in drivers if (match := _match(descriptor, driver)) is not None]
    return sorted(found, key=lambda one: (-one.score, one.driver))


def by_bytes(packets: Sequence[Packet], drivers: Iterable[Driver]) -> list[Candidate]:
    """The drivers that make something of what a device said unasked, best first.

    Of a driver for a serial line also at each characteristic and endpoint by itself: a radio or a USB pipe often stands
    in the place of the cable.
    """
    found = [match for driver in drivers if (match := _heard(packets, driver)) is not None]
    return sorted(found, key=lambda one: (-one.score, one.driver))


def _heard(packets: Sequence[Packet], driver: Driver) -> Candidate | None:
    made = [one for where, heard in _as_heard(packets, driver) if (one := _made(heard, driver, where)) is not None]
    return max(made, key=lambda one: one.score, default=None)


def _as_heard(packets: Sequence[Packet], driver: Driver) -> Iterator[tuple[str, list[Packet]]]:
    """What such a driver would hear of it, and where if not at its own kind of link."""
    match driver.link:
        case SerialLink():
            for port in dict.fromkeys(packet.port for packet in packets):
                yield port, [Packet(packet.data) for packet in packets if packet.port == port]
        case BleLink(notify=notify):
            ports = {uuid.lower() for uuid in notify}
            yield "", [packet for packet in packets if packet.port in ports]
        case UsbLink():
            yield "", [packet for packet in packets if packet.port.startswith("in:")]
        case _:
            return


def _made(packets: Sequence[Packet], driver: Driver, where: str) -> Candidate | None:
    protocol = driver.open({})
    protocol.start(0.0)
    steps = [protocol.on_packet(0.0, packet) for packet in packets]
    good = sum(isinstance(sample, Measurement | Spectrum | Image | Scan) for step in steps for sample in step.samples)
    bad = sum(len(step.faults) for step in steps)
    if not good:
        return None
    why = f"{good} samples and {bad} faults in its bytes" + (f" at {where}" if where else "")
    return Candidate(driver.name, round(0.8 * good / (good + bad), 2), why)


def _match(descriptor: Descriptor, driver: Driver) -> Candidate | None:
    match driver.link, descriptor.kind:
        case SerialLink(usb=ids), Kind.SERIAL:
            return _by_id(descriptor, driver, ids)
        case UsbLink(ids=ids), Kind.USB:
            return _by_id(descriptor, driver, ids)
        case VideoLink(ids=ids), Kind.VIDEO:
            return _by_id(descriptor, driver, ids) or _any_camera(driver, ids)
        case BleLink() as link, Kind.BLE:
            return _by_advertisement(descriptor, driver, link)
        case NetworkLink() as link, Kind.NETWORK:
            return Candidate(driver.name, 0.9, "its beacon") if _read_beacon(link, descriptor.beacon) else None
    return None


def _by_id(descriptor: Descriptor, driver: Driver, ids: tuple[UsbId, ...]) -> Candidate | None:
    if descriptor.usb is None or descriptor.usb not in ids:
        return None
    if descriptor.usb in BRIDGES:
        return Candidate(driver.name, 0.4, f"behind a USB-serial bridge {descriptor.usb} that many devices have")
    beside = ", beside the kernel's driver" if _beside(driver.link) else ""
    return Candidate(driver.name, 0.9, f"USB id {descriptor.usb}{beside}")


def _beside(link: Link) -> TypeGuard[UsbLink]:
    """Whether it leaves a device to whatever kernel driver has it."""
    return isinstance(link, UsbLink) and not link.interfaces


def _any_camera(driver: Driver, ids: tuple[UsbId, ...]) -> Candidate | None:
    """A driver that declares no ids takes any camera."""
    return None if ids else Candidate(driver.name, 0.3, "any camera")


def _by_advertisement(descriptor: Descriptor, driver: Driver, link: BleLink) -> Candidate | None:
    if link.service and link.service.lower() in descriptor.services:
        return Candidate(driver.name, 0.9, f"service {link.service}")
    if link.name and descriptor.title.startswith(link.name):
        return Candidate(driver.name, 0.7, f"named {link.name}...")
    return None
