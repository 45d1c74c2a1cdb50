"""Where a device without a driver is, by the word that `devicehub record` was given."""

import re
from enum import StrEnum
from typing import Final

from devicehub.cli.exits import CommandError, Exit
from devicehub.transport.ble_radio import Wanted

_BLE: Final = "ble:"
_ADDRESS: Final = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}", re.IGNORECASE)


class Way(StrEnum):
    """How it is reached."""

    SERIAL = "serial"
    BLE = "ble"


def is_place(word: str) -> bool:
    """Whether it is no id of a configured device."""
    return "/" in word or word.startswith(_BLE) or _ADDRESS.fullmatch(word) is not None


def way_to(place: str) -> Way:
    """Of one that is a place."""
    return Way.BLE if place.startswith(_BLE) or _ADDRESS.fullmatch(place) else Way.SERIAL


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
