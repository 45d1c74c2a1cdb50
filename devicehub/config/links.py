"""Which of port, usb, serial, address and folder a device needs, by the kind of its driver's link."""

from collections.abc import Iterator

from devicehub.config.models import DeviceConfig
from devicehub.config.problems import Complaint, key_text, value_mistake
from devicehub.config.toml_position import KeyPath
from devicehub.driver import BleLink, FileLink, Link, SerialLink, UsbLink, VideoLink

_URLS = ("socket://", "rfc2217://")
_KINDS = {
    SerialLink: "serial",
    UsbLink: "USB",
    BleLink: "Bluetooth",
    VideoLink: "video",
    FileLink: "watch-folder",
}
_KEYS = {
    SerialLink: {"port", "usb", "serial"},
    UsbLink: {"usb", "serial"},
    BleLink: {"address"},
    VideoLink: {"port", "usb", "serial"},
    FileLink: {"folder"},
}


def link_complaints(path: KeyPath, device: DeviceConfig, link: Link) -> Iterator[Complaint]:
    """What is missing, too much or of the wrong kind. A simulated or replayed device needs nothing more."""
    if device.port.startswith("sim:"):
        return
    if device.port.startswith("replay:"):
        if device.port == "replay:":
            yield value_mistake((*path, "port"), device.port, "must name the transcript, as replay:FILE")
        return
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
