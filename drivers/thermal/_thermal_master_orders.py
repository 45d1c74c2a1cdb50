"""What a Thermal Master camera is sent, and all that its link lets through: see `_thermal_master`."""

import struct
from collections.abc import Mapping
from types import MappingProxyType

from devicehub.driver import Command
from devicehub.wire.checksum import crc16_xmodem
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.packet import Packet, control_read, control_write, usb_read

ENDPOINT = 0x81
BLOCK, SPARE_BLOCKS = 512, 34

COMMAND = Command(verb="shutter", title="Close the shutter for a moment and correct the picture", control=True)


def _command(kind: str, register: int, size: int) -> bytes:
    body = bytes.fromhex(kind) + struct.pack("<H6xHxx", register, size)
    return body + struct.pack("<H", crc16_xmodem(body))


# Name: the command, and how many bytes answer it.
COMMANDS: Mapping[str, tuple[bytes, int]] = MappingProxyType(
    {
        "name": (_command("01018100", 1, 30), 30),
        "firmware": (_command("01018100", 2, 12), 12),
        "part": (_command("01018100", 6, 64), 64),
        "serial": (_command("01018100", 7, 64), 64),
        "hardware": (_command("01018100", 10, 64), 64),
        "model": (_command("01018100", 15, 64), 64),
        "start": (_command("012f8100", 0, 1), 1),
        "shutter": (_command("01364300", 0, 0), 0),
    }
)
FORBIDDEN = (
    Forbidden("set the gain for good", rb"\x01\x2f\x41", "ctl:41:20:"),
    Forbidden("write to the camera", port="out:"),
)
FACTS = ("name", "firmware", "part", "serial", "hardware", "model")
STATUS = control_read(0xC1, 0x22, 0, 0, 1)
SETTING = control_write(0x01, 0x0B, 1, 1)
SEND_FRAMES = control_write(0x40, 0xEE, 0, 1)
ORDER_PORT = control_write(0x41, 0x20, 0, 0).port


_PLAIN = frozenset(
    (
        STATUS,
        SETTING,
        SEND_FRAMES,
        *(control_write(0x41, 0x20, 0, 0, command) for command, _ in COMMANDS.values()),
        *(control_read(0xC1, 0x21, 0, 0, size) for _, size in COMMANDS.values() if size),
    )
)


def allowed(width: int, height: int) -> Allowed:
    """All that a camera of that size is sent."""
    return Allowed(_PLAIN | {frame_read(width, height)})


def frame_read(width: int, height: int) -> Packet:
    """Ask for a frame: larger than any transfer seen, so that a short packet and not our own limit ends each."""
    return usb_read(ENDPOINT, (2 * (2 * height + 2) * width // BLOCK + SPARE_BLOCKS) * BLOCK)


def order(name: str) -> Packet:
    """A command of the camera."""
    return control_write(0x41, 0x20, 0, 0, COMMANDS[name][0])


def asked(name: str) -> tuple[Packet, ...]:
    """A command with its reply, and the status around it."""
    return (order(name), STATUS, control_read(0xC1, 0x21, 0, 0, COMMANDS[name][1]), STATUS)
