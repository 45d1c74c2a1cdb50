"""An unknown USB device: its descriptors as comments, then what its endpoints say. Nothing is ever written to it."""

import argparse
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from pathlib import Path

import usb.backend

from devicehub.cli.output import note
from devicehub.cli.unknown_place import plugged
from devicehub.cli.unknown_sheet import Sheet
from devicehub.discover import Descriptor, Kind
from devicehub.driver import UsbLink
from devicehub.model.errors import LinkBusyError, LinkError, LinkPermissionError
from devicehub.transport.blocking import Blocking
from devicehub.transport.usb import UsbTransport
from devicehub.transport.usb_find import UsbMatch
from devicehub.transport.usb_unknown import (
    HID,
    HeardDevice,
    Setting,
    Survey,
    driver_of,
    has_terminal,
    survey,
    told_apart,
)
from devicehub.udev import rule
from devicehub.wire.packet import Packet, usb_read

SYSFS = Path("/sys")
_VIDEO = 0x0E
_SERIAL = frozenset({0x02, 0x0A})
_CLASSES = {0x01: "audio", 0x02: "communications", HID: "HID", 0x08: "mass storage", 0x0A: "CDC data", _VIDEO: "video"}


async def listen_usb(
    args: argparse.Namespace, sheet: Sheet, *, backend: usb.backend.IBackend | None = None, sysfs: Path = SYSFS
) -> None:
    """Until the time is over. `backend`: pyusb's; None for libusb. Raises `LinkError`."""
    blocking = Blocking(args.device)
    match = await blocking.run(told_apart, plugged(args.device), backend)
    what = f"USB {match.id} at {match.path}"
    try:
        found: Survey = await blocking.run(survey, match, backend, sysfs)
    except LinkPermissionError as error:
        raise LinkPermissionError(f"{what}: {_permit(match)}") from error
    sheet.present = _present(found)
    sheet.begin(f"USB device {found.usb} at {found.path}")
    left = [_left_alone(sysfs, found.path, one) for one in found.settings if found.in_force(one) and one.kept]
    for line in (*_lines(found), *left):
        sheet.remark(line)
    if not found.open_to_us:
        raise LinkBusyError(f"{what}: {'; '.join(left)}") if left else LinkError(f"{what} has nothing that speaks")
    for line in left:
        note(line)
    await _listen(found, match, sheet, args.seconds, partial(UsbTransport.open, backend=backend, blocking=blocking))


def _permit(match: UsbMatch) -> str:
    """What to do where Linux forbids it: the rules that are shipped name known devices alone."""
    assert match.id is not None  # `told_apart` fills it in
    line = rule("usb", "ATTR", match.id)
    return (
        "this process may not open it; as root, put this line into /etc/udev/rules.d/61-unknown.rules, "
        f"run 'udevadm control --reload' and plug it in again: {line}"
    )


def _present(found: Survey) -> list[Descriptor]:
    """Its id speaks for drivers of all that a USB device can be used as."""
    kinds = [Kind.USB, Kind.SERIAL, *([Kind.VIDEO] if any(one.triple[0] == _VIDEO for one in found.settings) else [])]
    _, product, serial = found.words
    return [Descriptor(kind=kind, place=found.path, usb=found.usb, serial=serial, title=product) for kind in kinds]


def _lines(found: Survey) -> Iterator[str]:
    manufacturer, product, serial = found.words
    yield f"Manufacturer '{manufacturer}', product '{product}', serial number '{serial}'."
    yield f"USB {_bcd(found.version)}, release {_bcd(found.release)}, class {_triple(found.triple)}."
    yield f"Configuration {found.active or 'none'} is active."
    for one in found.settings:
        yield from _setting(found, one)


def _setting(found: Survey, one: Setting) -> Iterator[str]:
    name = _CLASSES.get(one.triple[0], "")
    idle = "" if found.in_force(one) else ", not in force and therefore not listened to"
    yield (
        f"Interface {one.number} of configuration {one.configuration}, setting {one.alternate}: "
        f"class {_triple(one.triple)}{f' ({name})' if name else ''}{idle}"
    )
    for pipe in one.pipes:
        yield f"  endpoint {pipe.address:02x}: {pipe.kind} {'in' if pipe.address & 0x80 else 'out'}, {pipe.size} bytes"
    if one.extra:
        yield f"  class descriptors: {one.extra.hex(' ')}"
    if one.report:
        yield f"  HID report descriptor: {one.report.hex(' ')}"


def _triple(triple: tuple[int, int, int]) -> str:
    return "/".join(f"{part:02x}" for part in triple)


def _bcd(number: int) -> str:
    return f"{number >> 8:x}.{number & 0xFF:02x}"


def _left_alone(sysfs: Path, path: str, one: Setting) -> str:
    driver = driver_of(sysfs, path, one)
    held = f"the kernel ({driver})" if driver else "the kernel"
    return f"interface {one.number} is in the hands of {held} and left alone: {_instead(sysfs, path, one, driver)}"


def _instead(sysfs: Path, path: str, one: Setting, driver: str) -> str:
    if has_terminal(sysfs, path, one) or one.triple[0] in _SERIAL:
        return "record its serial port, which 'devicehub devices scan' shows"
    if one.triple[0] == _VIDEO:
        return "it is a camera; 'devicehub devices scan' shows its node and the drivers for it"
    unbind = (
        f"'echo {path}:{one.configuration}.{one.number} | sudo tee /sys/bus/usb/drivers/{driver or 'DRIVER'}/unbind'"
    )
    if one.triple[0] == HID:
        return (
            "set a scanner that types like a keyboard to a serial port, as its manual says; else "
            f"{unbind} frees it until it is plugged in again"
        )
    return f"{unbind} frees it until it is plugged in again"


async def _listen(
    found: Survey,
    match: UsbMatch,
    sheet: Sheet,
    seconds: float | None,
    reach: Callable[..., Coroutine[object, object, UsbTransport]],
) -> None:
    """All endpoints that speak are asked again and again; one that stalls is not asked any more."""
    interfaces = tuple((one.number, 0) for one in found.open_to_us)
    link = UsbLink(ids=(found.usb,), configuration=found.active, interfaces=interfaces)
    transport = await reach(link, match=match, clock=sheet.clock, held=HeardDevice)
    try:
        sizes = {pipe.address: pipe.most for one in found.open_to_us for pipe in one.pipes if pipe.speaks}
        for address, most in sizes.items():
            await transport.write(usb_read(address, most))
        await sheet.listen(partial(_next, transport, sizes, sheet), seconds)
    finally:
        await transport.close()


async def _next(transport: UsbTransport, sizes: Mapping[int, int], sheet: Sheet) -> Packet:
    """What comes next; the same is asked for again. Raises `LinkLostError`."""
    while True:
        packet = await transport.read()
        kind, _, endpoint = packet.port.partition(":")
        if kind == "stall":
            sheet.remark(f"Endpoint {endpoint} stalls; it is left so and not asked any more.")
            continue
        address = int(endpoint, 16)
        await transport.write(usb_read(address, sizes[address]))
        return packet
