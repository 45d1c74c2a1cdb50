"""Which serial ports there are, and what hangs on them.

Facts come from pyserial's `list_ports` (sysfs on Linux). Linux registers `ttyS` devices for UARTs
that do not exist; the kernel gives those the port type 0 (PORT_UNKNOWN in `linux/serial_core.h`),
and they are left out.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from devicehub.model.device import UsbId
from devicehub.transport.link import LinkIdentity

BY_ID = Path("/dev/serial/by-id")
TTY_CLASS = Path("/sys/class/tty")


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port. `path` is the stable name where the system has one, `device` the kernel's."""

    path: str
    device: str
    usb: UsbId | None = None
    serial: str = ""
    product: str = ""


def list_serial_ports() -> list[SerialPort]:
    """The serial ports that exist, ordered by device name."""
    return select_ports(list_ports.comports(), BY_ID, TTY_CLASS)


def serial_identity(port: str) -> LinkIdentity:
    """Who is at the other end of a device path or a `socket://` or `rfc2217://` URL, as far as the system knows.

    A port without USB facts (a built-in UART, a pty) is known by its path alone.
    """
    if "://" in port:
        return LinkIdentity(address=urlsplit(port).netloc, path=port)
    device = os.path.realpath(port)
    known = next((info for info in list_ports.comports() if os.path.realpath(info.device) == device), None)
    path = _stable_path(device, BY_ID) or port
    if known is None:
        return LinkIdentity(path=path)
    usb = _usb_id(known)
    return LinkIdentity(str(usb) if usb else "", known.serial_number or "", known.location or "", path)


def select_ports(found: Iterable[ListPortInfo], by_id: Path, tty_class: Path) -> list[SerialPort]:
    """What pyserial found, as ours. `by_id`: folder of stable links, `tty_class`: sysfs folder of terminals."""
    ports = [
        SerialPort(
            path=_stable_path(os.path.realpath(info.device), by_id) or info.device,
            device=info.device,
            usb=_usb_id(info),
            serial=info.serial_number or "",
            product=info.product or "",
        )
        for info in found
        if not _is_phantom(info.device, tty_class)
    ]
    return sorted(ports, key=lambda port: port.device)


def _usb_id(info: ListPortInfo) -> UsbId | None:
    # The type stubs leave out that both are None for a port that is not USB.
    vendor: int | None = info.vid
    product: int | None = info.pid
    return None if vendor is None or product is None else UsbId(vendor, product)


def _stable_path(device: str, by_id: Path) -> str:
    if not by_id.is_dir():
        return ""
    return next((str(link) for link in sorted(by_id.iterdir()) if os.path.realpath(link) == device), "")


def _is_phantom(device: str, tty_class: Path) -> bool:
    name = Path(device).name
    kind = tty_class / name / "type"
    return name.startswith("ttyS") and kind.is_file() and kind.read_text().strip() == "0"
