"""Where a device without a driver is, by the word that `devicehub record` was given."""

import re
from enum import StrEnum
from typing import Final

from devicehub.cli.exits import CommandError, Exit
from devicehub.model.device import UsbId
from devicehub.transport.ble_radio import Wanted
from devicehub.transport.usb_find import UsbMatch

_BLE: Final = "ble:"
_USB: Final = "usb:"
_ADDRESS: Final = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}", re.IGNORECASE)
_ID: Final = re.compile(r"([0-9A-F]{4}):([0-9A-F]{4})", re.IGNORECASE)
_SOCKET: Final = re.compile(r"\d+-\d+(?:\.\d+)*|\d+:\d+")


class Way(StrEnum):
    """How it is reached."""

    SERIAL = "serial"
    BLE = "ble"
    USB = "usb"


def way_to(place: str) -> Way | None:
    """None for what is no place."""
    if place.startswith(_USB) or _SOCKET.fullmatch(place):
        return Way.USB
    if place.startswith(_BLE) or _ADDRESS.fullmatch(place):
        return Way.BLE
    return Way.SERIAL if "/" in place else None


def must_be_open_to_us(place: str) -> None:
    """Raises `CommandError` for what the kernel made of a USB device, with what to record in its place."""
    if re.match(r"/dev/video\d", place):
        driver = f"'devicehub devices add {place} --driver endoscope.uvc_endoscope'"
        raise CommandError(Exit.USAGE, f"{place} is a camera; a driver takes those with MJPEG: {driver}; record that")
    if re.match(r"/dev/(?:hidraw|input/)", place):
        raise CommandError(
            Exit.USAGE, f"{place} is what the kernel makes of a device: record that, as usb:1-2.3; see 'devices scan'"
        )


def named(place: str) -> Wanted:
    """The Bluetooth device that is meant: by its address, or by all of the name that `devices scan` shows.

    Raises `CommandError` for nothing.
    """
    word = place.removeprefix(_BLE)
    if not word:
        raise CommandError(
            Exit.USAGE, "give the name or the address behind 'ble:', as 'devices scan --ble 10' shows it"
        )
    return Wanted(address=word) if _ADDRESS.fullmatch(word) else Wanted(name=word, whole=True)


def plugged(place: str) -> UsbMatch:
    """The USB device that is meant: by its id, or by the place that `devices scan` shows. Raises `CommandError`."""
    word = place.removeprefix(_USB)
    if ids := _ID.fullmatch(word):
        return UsbMatch(UsbId(int(ids[1], 16), int(ids[2], 16)))
    if not _SOCKET.fullmatch(word):
        raise CommandError(
            Exit.USAGE, f"'{place}' is no USB device: give usb:VENDOR:PRODUCT, or its place as usb:1-2.3"
        )
    return UsbMatch(path=word)
