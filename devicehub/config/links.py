"""Which of port, usb, serial, address and folder a device needs, by the kind of its driver's link."""

import re
import sys
from collections.abc import Iterator

from devicehub.config.models import DeviceConfig
from devicehub.driver import BleLink, FileLink, Link, NetworkLink, OperatorLink, SerialLink, UsbLink, VideoLink
from devicehub.model.errors import ConfigError
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text, value_mistake
from devicehub.wire.address import parse_place

_URLS = ("socket://", "rfc2217://")
_USB_PORT = re.compile(r"\d+-\d+(\.\d+)*|\d+:\d+")
# macOS hides addresses and gives a UUID in their place.
_ADDRESS = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_KINDS = {
    SerialLink: "serial",
    UsbLink: "USB",
    BleLink: "Bluetooth",
    VideoLink: "video",
    FileLink: "watch-folder",
    OperatorLink: "manual",
    NetworkLink: "network",
}
_KEYS = {
    SerialLink: {"port", "usb", "serial"},
    UsbLink: {"port", "usb", "serial"},
    BleLink: {"address"},
    VideoLink: {"port", "usb", "serial"},
    FileLink: {"folder"},
    OperatorLink: set[str](),
    NetworkLink: {"port"},
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
    if isinstance(link, BleLink) and device.address and not _ADDRESS.fullmatch(device.address):
        where: KeyPath = (*path, "address")
        yield value_mistake(where, device.address, 'must be a Bluetooth address, as "AA:BB:CC:DD:EE:FF"')


def _port(path: KeyPath, port: str, link: Link) -> Iterator[Complaint]:
    if isinstance(link, NetworkLink):
        try:
            parse_place(port, link.scheme, link.ports[0])
        except ConfigError as error:
            yield value_mistake((*path, "port"), port, str(error))
        return
    scheme = port.partition("://")[0] if "://" in port else ""
    if isinstance(link, VideoLink) and not port.startswith("/dev/"):
        yield value_mistake((*path, "port"), port, 'must be a video device, as "/dev/video0"')
    elif isinstance(link, UsbLink):
        if not _USB_PORT.fullmatch(port):
            yield value_mistake((*path, "port"), port, 'must be where it is plugged in, as "1-2.3"')
    elif not port.startswith(_URLS) and (scheme or (sys.platform != "win32" and not port.startswith("/"))):
        words = 'must be a device path as "/dev/ttyUSB0", socket://HOST:PORT or rfc2217://HOST:PORT'
        yield value_mistake((*path, "port"), port, words)


def _missing(path: KeyPath, device: DeviceConfig, link: Link) -> Iterator[Complaint]:
    where = key_text(path)
    if isinstance(link, SerialLink) and not (device.usb or device.serial):
        yield Complaint(path, f"{where}: a serial device needs port or usb; 'devicehub devices scan' shows both")
    elif isinstance(link, VideoLink) and not (device.usb or device.serial or link.ids):
        yield Complaint(path, f"{where}: a video device needs port or usb; 'devicehub devices scan' shows both")
    elif isinstance(link, NetworkLink):
        words = f'a network device needs port, its address as "{link.scheme}://192.168.1.1"'
        yield Complaint(path, f"{where}: {words}; nothing is searched for")
    elif isinstance(link, FileLink) and device.folder is None:
        yield Complaint(path, f"{where}: a watch-folder device needs folder")
