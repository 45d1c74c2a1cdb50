"""A USB device that no driver is known for: its descriptors, and what its endpoints say unasked.

Nothing is told to it but standard requests for descriptors and status (USB 2.0, 9.4): no setting is chosen, no halt is
cleared, and an interface that a kernel driver holds is left to it.
"""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import usb.backend
import usb.core
import usb.util
from msgspec import Struct
from msgspec.structs import replace

from devicehub.driver import UsbLink
from devicehub.model.device import UsbId
from devicehub.model.errors import LinkError, LinkMissingError
from devicehub.transport.usb_device import CONTROL_TIMEOUT_MS, ClaimedDevice
from devicehub.transport.usb_find import UsbMatch, device_path, has_path, link_error, listed
from devicehub.wire.packet import Packet

BULK_READ: Final = 16 * 1024
KINDS: Final = ("control", "isochronous", "bulk", "interrupt")
HID: Final = 0x03
_HID_DESCRIPTOR, _REPORT_DESCRIPTOR = 0x21, 0x22
_TO_INTERFACE, _GET_DESCRIPTOR = 0x81, 0x06
_UNREADABLE: Final = frozenset({errno.EPIPE, errno.ETIMEDOUT})


class Pipe(Struct, frozen=True):
    """An endpoint. `size`: of its largest packet in bytes, as the descriptor says it (USB 2.0, table 9-13)."""

    address: int
    kind: str
    size: int

    @property
    def speaks(self) -> bool:
        """Whether it can be read."""
        return self.address & 0x80 != 0 and self.kind in {"bulk", "interrupt"}

    @property
    def most(self) -> int:
        """What to ask for at a time: whole packets, so that none is longer; of an interrupt endpoint one."""
        return BULK_READ if self.kind == "bulk" else (self.size & 0x7FF) * (1 + (self.size >> 11 & 3))


class Setting(Struct, frozen=True):
    """An interface, or another setting of it. `extra`: class descriptors. `report`: of a HID device, as far as told."""

    configuration: int
    number: int
    alternate: int
    triple: tuple[int, int, int]
    pipes: tuple[Pipe, ...]
    extra: bytes = b""
    report: bytes = b""
    kept: bool = False


class Survey(Struct, frozen=True):
    """What a device says it is. `active`: its configuration, 0 for none. `words`: manufacturer, product, serial."""

    usb: UsbId
    path: str
    words: tuple[str, str, str]
    version: int
    release: int
    triple: tuple[int, int, int]
    active: int
    settings: tuple[Setting, ...]

    @property
    def open_to_us(self) -> tuple[Setting, ...]:
        """What can be listened to: settings that are in force, that no kernel driver keeps, and that can speak."""
        return tuple(
            one
            for one in self.settings
            if self.in_force(one) and not one.kept and any(pipe.speaks for pipe in one.pipes)
        )

    def in_force(self, one: Setting) -> bool:
        """Whether it is what the device works by since it was plugged in."""
        return one.configuration == self.active and one.alternate == 0


class HeardDevice(ClaimedDevice):
    """A device that is only listened to: no kernel driver is sent away, no configuration chosen, no halt cleared."""

    def _claim(self, link: UsbLink) -> None:
        for number, _ in link.interfaces:
            usb.util.claim_interface(self._device, number)
            self._claimed.append(number)

    def read(self, endpoint: int, size: int, timeout: float) -> Packet | None:
        """As of any device; of an endpoint that stalls a packet at `stall:EP`."""
        try:
            return super().read(endpoint, size, timeout)
        except _StalledError:
            return Packet(b"", f"stall:{endpoint:02x}")

    def _unstall(self, endpoint: int) -> None:
        raise _StalledError(f"endpoint {endpoint:02x}")


class _StalledError(Exception):
    """Goes no further than `HeardDevice.read`."""


def told_apart(match: UsbMatch, backend: usb.backend.IBackend | None) -> UsbMatch:
    """The one device that `match` means, by id and place; it is not opened. Raises `LinkMissingError`, `LinkError`."""
    device = _the_one(match, listed(backend))
    return UsbMatch(UsbId(device.idVendor, device.idProduct), path=device_path(device))


def survey(match: UsbMatch, backend: usb.backend.IBackend | None, sysfs: Path) -> Survey:
    """Ask that device. Raises `LinkMissingError`, `LinkPermissionError`, `LinkLostError`, `LinkError`."""
    device = _the_one(match, listed(backend))
    what = f"USB {UsbId(device.idVendor, device.idProduct)} at {device_path(device)}"
    try:
        return _asked(device, sysfs)
    except usb.core.USBError as error:
        raise link_error(error, what) from error
    finally:
        usb.util.dispose_resources(device)


def driver_of(sysfs: Path, path: str, one: Setting) -> str:
    """The kernel driver that keeps it, by its name in sysfs; nothing where that does not say."""
    link = _folder(sysfs, path, one) / "driver"
    return link.resolve().name if link.exists() else ""


def has_terminal(sysfs: Path, path: str, one: Setting) -> bool:
    """Whether the kernel made a serial port of it."""
    return any(_folder(sysfs, path, one).glob("tty*"))


def _folder(sysfs: Path, path: str, one: Setting) -> Path:
    return sysfs / "bus" / "usb" / "devices" / f"{path}:{one.configuration}.{one.number}"


def _the_one(match: UsbMatch, found: list[usb.core.Device]) -> usb.core.Device:
    meant = [
        device
        for device in found
        if (match.id is None or (device.idVendor, device.idProduct) == (match.id.vendor, match.id.product))
        and has_path(device, match.path)
    ]
    if not meant:
        raise LinkMissingError(
            f"no USB device {match.id or match.path}: plug it in; 'devicehub devices scan' shows what is"
        )
    if len(meant) > 1:
        places = ", ".join(device_path(device) for device in meant)
        raise LinkError(f"{len(meant)} USB devices are {match.id}: say which by its place, one of {places}")
    return meant[0]


def _asked(device: usb.core.Device, sysfs: Path) -> Survey:
    indices = (device.iManufacturer, device.iProduct, device.iSerialNumber)
    manufacturer, product, serial = (_text(device, index) for index in indices)
    active = _active(device)
    path = device_path(device)
    return Survey(
        usb=UsbId(device.idVendor, device.idProduct),
        path=path,
        words=(manufacturer, product, serial),
        version=device.bcdUSB,
        release=device.bcdDevice,
        triple=(device.bDeviceClass, device.bDeviceSubClass, device.bDeviceProtocol),
        active=active,
        settings=tuple(_settings(device, active, path, sysfs)),
    )


def _text(device: usb.core.Device, index: int) -> str:
    """A string descriptor; empty for one that is none."""
    if not index:
        return ""
    try:
        languages = usb.util.get_langids(device)
        return str(usb.util.get_string(device, index, languages[0])) if languages else ""
    except (ValueError, IndexError):  # a descriptor that is empty or not UTF-16
        return ""
    except usb.core.USBError as error:
        if error.errno in _UNREADABLE:
            return ""
        raise


def _active(device: usb.core.Device) -> int:
    try:
        return int(device.get_active_configuration().bConfigurationValue)
    except usb.core.USBError as error:
        if error.errno is None:  # pyusb's own "Configuration not set"
            return 0
        raise


def _settings(device: usb.core.Device, active: int, path: str, sysfs: Path) -> Iterator[Setting]:
    for configuration in device:
        for interface in configuration:
            bare = Setting(
                configuration=configuration.bConfigurationValue,
                number=interface.bInterfaceNumber,
                alternate=interface.bAlternateSetting,
                triple=(interface.bInterfaceClass, interface.bInterfaceSubClass, interface.bInterfaceProtocol),
                pipes=tuple(
                    Pipe(one.bEndpointAddress, KINDS[one.bmAttributes & 3], one.wMaxPacketSize) for one in interface
                ),
                extra=bytes(interface.extra_descriptors),
            )
            yield bare if bare.configuration != active else _in_use(device, bare, path, sysfs)


def _in_use(device: usb.core.Device, bare: Setting, path: str, sysfs: Path) -> Setting:
    kept = _kept(device, bare.number)
    if bare.triple[0] != HID or bare.alternate:
        report = b""
    else:
        report = _report_of(_folder(sysfs, path, bare)) if kept else _report(device, bare)
    return replace(bare, report=report, kept=kept)


def _kept(device: usb.core.Device, number: int) -> bool:
    try:
        return bool(device.is_kernel_driver_active(number))
    except NotImplementedError:  # where kernel drivers cannot be detached, claiming tells
        return False


def _report(device: usb.core.Device, one: Setting) -> bytes:
    """The report descriptor (HID 1.11, 7.1.1), as long as the HID descriptor says (6.2.1)."""
    place = one.extra.find(bytes([9, _HID_DESCRIPTOR]))
    head = one.extra[place : place + 9] if place >= 0 else b""
    if len(head) < 9 or head[6] != _REPORT_DESCRIPTOR:
        return b""
    length = int.from_bytes(head[7:9], "little")
    try:
        return bytes(
            device.ctrl_transfer(
                _TO_INTERFACE, _GET_DESCRIPTOR, _REPORT_DESCRIPTOR << 8, one.number, length, CONTROL_TIMEOUT_MS
            )
        )
    except usb.core.USBError as error:
        if error.errno in _UNREADABLE:
            return b""
        raise


def _report_of(folder: Path) -> bytes:
    """What the kernel read when it took the interface."""
    try:
        return next((file.read_bytes() for file in sorted(folder.glob("*/report_descriptor"))), b"")
    except OSError:  # it went just now
        return b""
