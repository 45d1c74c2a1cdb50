"""Which camera is which, by sysfs: nodes, USB identity, and the input device of the snapshot button.

`/sys/class/video4linux/videoN` and `/sys/class/input/eventN` are links into the device tree; the nearest
folder above with `idVendor` is the USB device. uvcvideo's button is the input device below the same USB
device whose `phys` ends in "/button"; it sends EV_KEY KEY_CAMERA (Linux `drivers/media/usb/uvc/uvc_status.c`).
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_EVENT = struct.Struct("<16xHHi")
_EV_KEY, _KEY_CAMERA = 0x01, 0xD4


class Camera(Struct, frozen=True):
    """A video node. `usb`: "vvvv:pppp", `port`: the USB path such as "1-2"; empty where it is no USB device."""

    node: str
    usb: str = ""
    serial: str = ""
    port: str = ""


def find_cameras(sysfs: Path) -> list[Camera]:
    """All video nodes, in the order of their numbers."""
    folder = sysfs / "class" / "video4linux"
    if not folder.is_dir():
        return []
    names = sorted((path.name for path in folder.glob("video*")), key=lambda name: (len(name), name))
    return [describe_camera(sysfs, name) for name in names]


def describe_camera(sysfs: Path, node: str) -> Camera:
    """What sysfs knows of one node; the bare node when that is nothing."""
    usb = _usb_folder(sysfs / "class" / "video4linux" / node)
    if usb is None:
        return Camera(node)
    return Camera(node, f"{_line(usb / 'idVendor')}:{_line(usb / 'idProduct')}", _line(usb / "serial"), usb.name)


def find_button(sysfs: Path, camera: Camera) -> str:
    """The name of the camera's button node ("event7"), "" if it has none."""
    for path in sorted((sysfs / "class" / "input").glob("event*")):
        usb = _usb_folder(path)
        if usb is not None and usb.name == camera.port and _line(path / "device" / "phys").endswith("/button"):
            return path.name
    return ""


def button_edges(data: bytes) -> Iterator[bool]:
    """Input events to edges of the snapshot key: True pressed, False released; auto-repeat is no edge."""
    whole = len(data) - len(data) % _EVENT.size
    for kind, code, value in _EVENT.iter_unpack(data[:whole]):
        if kind == _EV_KEY and code == _KEY_CAMERA and value in {0, 1}:
            yield value == 1


def _usb_folder(path: Path) -> Path | None:
    if not path.exists():
        return None
    return next((folder for folder in path.resolve().parents if (folder / "idVendor").is_file()), None)


def _line(path: Path) -> str:
    """The first line of a small system file, "" if it is not there (any more)."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
