"""Reading devices out of sysfs. The root is an argument, so that a test can build one.

Layout (Documentation/ABI/testing/sysfs-bus-usb, sysfs-class and sysfs-devices of the Linux kernel):

    /sys/bus/usb/devices/1-2       -> ../../../devices/pci0000:00/.../usb1/1-2
        idVendor idProduct serial devnum bDeviceClass
    /sys/class/tty/ttyACM0         -> ../../devices/pci0000:00/.../usb1/1-2/1-2:1.0/tty/ttyACM0
        uevent (DEVNAME=ttyACM0)   subsystem -> ../../../../class/tty
    .../usb1/1-2/1-2:1.0/bInterfaceNumber
"""

import re
from collections.abc import Callable
from pathlib import Path

from devicehub.model.device import UsbId
from devicehub.transport.inventory import Key, Kind, Present

_LISTS = ("bus/usb/devices", "class/tty", "class/video4linux", "class/hidraw", "class/input", "class/bluetooth")
SUBSYSTEMS = ("usb", "tty", "video4linux", "hidraw", "input", "bluetooth")
_HUB = "09"
_UNKNOWN_UART = "0"


def snapshot(root: Path) -> tuple[Present, ...]:
    """Every device of ours below `root` (normally /sys), by path."""
    real = root.resolve()
    paths = set()
    for name in _LISTS:
        for link in _entries(root / name):
            target = link.resolve()
            if target.is_relative_to(real):
                paths.add("/" + str(target.relative_to(real)))
    found = (read_device(root, path) for path in sorted(paths))
    return tuple(device for device in found if device is not None)


def read_device(root: Path, path: str) -> Present | None:
    """The device at `path` (such as "/devices/..."), or None when nothing of ours is there (any more)."""
    folder = root / path.lstrip("/")
    try:
        subsystem = (folder / "subsystem").readlink().name
        inode = folder.stat().st_ino
    except OSError:
        return None
    kind = _kind(subsystem, folder)
    if kind is None:
        return None
    top = root / "devices"
    device = _above(folder, top, "idVendor")
    interface = _above(folder, top, "bInterfaceNumber")
    usb = _usb_id(device) if device is not None else None
    return Present(
        kind=kind,
        key=Key(path, _number(device, "devnum", 10) or 0, inode),
        usb=usb,
        serial=_text(device, "serial"),
        node=folder.name if kind is Kind.BLE_ADAPTER else _node(folder),
        interface=_number(interface, "bInterfaceNumber", 16),
        port="" if device is None else "/" + str(device.relative_to(root)),
    )


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _kind(subsystem: str, folder: Path) -> Kind | None:
    """What a folder of that subsystem is to us; None for hubs, consoles, empty UARTs, BLE connections."""
    rules: dict[str, tuple[Kind, Callable[[Path], bool]]] = {
        "usb": (Kind.USB, lambda one: (one / "idVendor").exists() and _text(one, "bDeviceClass") != _HUB),
        "tty": (Kind.SERIAL, lambda one: "virtual" not in one.parts and _text(one, "type") != _UNKNOWN_UART),
        "video4linux": (Kind.VIDEO, lambda one: one.name.startswith("video")),
        "hidraw": (Kind.INPUT, lambda one: one.name.startswith("hidraw")),
        "input": (Kind.INPUT, lambda one: one.name.startswith("event") and "virtual" not in one.parts),
        "bluetooth": (Kind.BLE_ADAPTER, lambda one: re.fullmatch(r"hci\d+", one.name) is not None),
    }
    if subsystem not in rules:
        return None
    kind, ours = rules[subsystem]
    return kind if ours(folder) else None


def _above(folder: Path, top: Path, file: str) -> Path | None:
    """The nearest folder, from `folder` upwards, that has that file."""
    while folder != top and folder.is_relative_to(top):
        if (folder / file).exists():
            return folder
        folder = folder.parent
    return None


def _text(folder: Path | None, file: str) -> str:
    """A file's content; empty when it is not there, also because the device just went."""
    if folder is None:
        return ""
    try:
        return (folder / file).read_bytes().decode(errors="replace").strip()
    except OSError:
        return ""


def _number(folder: Path | None, file: str, base: int) -> int | None:
    try:
        return int(_text(folder, file), base)
    except ValueError:
        return None


def _usb_id(folder: Path) -> UsbId | None:
    vendor, product = _number(folder, "idVendor", 16), _number(folder, "idProduct", 16)
    return None if vendor is None or product is None else UsbId(vendor, product)


def _node(folder: Path) -> str:
    for line in _text(folder, "uevent").splitlines():
        name, _, value = line.partition("=")
        if name == "DEVNAME":
            return f"/dev/{value}"
    return ""
