"""Which of port, usb, serial, address and folder a device needs, by the kind of its driver's link."""

import re
from collections.abc import Iterator

from devicehub.config.models import DeviceConfig
from devicehub.config.problems import Complaint, key_text, value_mistake
from devicehub.config.toml_position import KeyPath
from devicehub.driver import BleLink, FileLink, Link, SerialLink, UsbLink, VideoLink

_URLS = ("socket://", "rfc2217://")
_USB_PORT = re.compile(r"\d+-\d+(\.\d+)*|\d+:\d+")
_KINDS = {
    SerialLink: "serial",
    UsbLink: "USB",
    BleLink: "Bluetooth",
    VideoLink: "video",
    FileLink: "watch-folder",
}
_KEYS = {
    SerialLink: {"port", "usb", "serial"},
    UsbLink: {"port", "usb", "serial"},
    BleLink: {"address"},
    VideoLink: {"port", "usb", "serial"},
    FileLink: {"folder"},
}


def link_complaints(path: KeyPath, device: DeviceConfig, link: Link) -> Iterator[Complaint]:
    """What is missing, too much or of the wrong kind. A simulated or replayed device needs nothing more."""
    scheme, _, rest = device.port.partition(":")
    if scheme == "sim":
        if rest:
            yield value_mistake((*path, "port"), device.port, 'a simulated device is "sim:" and nothing more')
    elif scheme == "replay":
        if not rest:
            yield value_mistake((*path, "port"), device.port, "must name the transcript, as replay:FILE")
    else:
        yield from _real(path, device, link)


def _real(path: KeyPath, device: DeviceConfig, link: Link) -> Iterator[Complaint]:
    for key in ("port", "usb", "serial", "address", "folder"):
        if getattr(device, key) and key not in _KEYS[type(link)]:
            yield Complaint((*path, key), f"{key_text((*path, key))}: a {_KINDS[type(link)]} device has none")
    if device.port and "port" in _KEYS[type(link)]:
        yield from _port(path, device.port, link)
    elif not device.port:
        yield from _missing(path, device, link)


def _port(path: KeyPath, port: str, link: Link) -> Iterator[Complaint]:
    scheme = port.partition("://")[0] if "://" in port else ""
    if isinstance(link, VideoLink) and not port.startswith("/dev/"):
        yield value_mistake((*path, "port"), port, 'must be a video device, as "/dev/video0"')
    elif isinstance(link, UsbLink):
        if not _USB_PORT.fullmatch(port):
            yield value_mistake((*path, "port"), port, 'must be where it is plugged in, as "1-2.3"')
    elif scheme and not port.startswith(_URLS):
        yield value_mistake((*path, "port"), port, "must be a device path, socket://HOST:PORT or rfc2217://HOST:PORT")


def _missing(path: KeyPath, device: DeviceConfig, link: Link) -> Iterator[Complaint]:
    where = key_text(path)
    if isinstance(link, SerialLink) and not (device.usb or device.serial):
        yield Complaint(path, f"{where}: a serial device needs port or usb; 'devicehub devices scan' shows both")
    elif isinstance(link, VideoLink) and not (device.usb or device.serial or link.ids):
        yield Complaint(path, f"{where}: a video device needs port or usb; 'devicehub devices scan' shows both")
    elif isinstance(link, FileLink) and device.folder is None:
        yield Complaint(path, f"{where}: a watch-folder device needs folder")
