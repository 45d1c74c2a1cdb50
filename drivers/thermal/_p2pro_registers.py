"""What an InfiRay P2 Pro is asked through its registers, and what its link refuses: see `infiray_p2pro_control`.

    register  what
    0200      status, 1 byte: ready with bits 0 and 1 clear; busy with bits 2..7 clear, else they say why it failed
    1D00      a short question: u16le command, u32le parameter, u16be length of the answer
    1D08      its answer
    9D00      a long question: u16le command, u16be parameter, u32be 0
    1D08      its other half: u32be 0, u32be length of the answer; the camera is ready behind both
    1D10      its answer

Answers are numbers, big-endian, or texts that end with a zero byte:

    command   parameter       what
    8405      1, 4, 5, 6, 7   date of the firmware 8, project 4, firmware 50, part number 48, serial number 16 bytes
    8B0D      0               temperature of the sensor, 2 bytes
    840C      0               temperature of the shutter, 2 bytes
    8409      0               palette of the preview, 1 byte: 1 white hot .. 11 black hot
    8514      0               long, 2 bytes: distance, 1/163.835 m, up to 32767
    8514      1, 2            long: reflected temperature, temperature of the air, K, up to 1024
    8514      3, 4            long: emissivity, transmittance of the air, 1/127, up to 127
    8514      5               long: gain, 0 low, 1 high

No source says what a count of the sensor's and the shutter's temperature is worth: they are told as raw counts.
Bit 14 of a command sets what it else asks; nothing here has it.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Identity, Measurement, Sample
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.packet import Packet, control_read, control_write
from drivers.thermal._facts import text_of

STATUS_REGISTER, SHORT, LONG = 0x0200, 0x1D00, 0x9D00
SECOND_HALF = SHORT_ANSWER = 0x1D08
LONG_ANSWER = 0x1D10
BUSY, WHY = 0x03, 0xFC

DEVICE_INFO, PALETTE, SHUTTER_VTEMP, SENSOR_VTEMP, PARAMETER = 0x8405, 0x8409, 0x840C, 0x8B0D, 0x8514
GAINS = ("low", "high")
PALETTES = (
    "white-hot",
    "reserved",
    "iron-red",
    "rainbow-1",
    "rainbow-2",
    "rainbow-3",
    "red-hot",
    "hot-red",
    "rainbow-4",
    "rainbow-5",
    "black-hot",
)
REASONS: Mapping[int, str] = MappingProxyType(
    {
        0x04: "wrong length",
        0x08: "unknown command",
        0x0C: "hardware",
        0x10: "unknown part of a command",
        0x14: "wrong parameter",
    }
)

Tell = Callable[[bytes], Sample]


class Question(Struct, frozen=True):
    """What is written, what is read when the camera is ready, and what that says. `period` 0: until it was answered."""

    write: tuple[Packet, ...]
    read: Packet
    tell: Tell
    period: float


def _written(register: int, data: bytes) -> Packet:
    return control_write(0x41, 0x45, 0x78, register, data)


def _read(register: int, size: int) -> Packet:
    return control_read(0xC1, 0x44, 0x78, register, size)


STATUS = _read(STATUS_REGISTER, 1)


def _short(command: int, parameter: int, size: int, tell: Tell, period: float) -> Question:
    head = struct.pack("<HI", command, parameter) + struct.pack(">H", size)
    return Question((_written(SHORT, head),), _read(SHORT_ANSWER, size), tell, period)


def _long(parameter: int, tell: Tell) -> Question:
    """A parameter of the measurement."""
    head = struct.pack("<H", PARAMETER) + struct.pack(">HI", parameter, 0)
    halves = (_written(LONG, head), _written(SECOND_HALF, struct.pack(">II", 0, 2)))
    return Question(halves, _read(LONG_ANSWER, 2), tell, 5.0)


def _fact(name: str, say: Callable[[bytes], str]) -> Tell:
    return lambda answer: Identity(((name, say(answer)),))


def _measured(name: str, steps: float = 1) -> Tell:
    """A number. `steps`: how many of it make one of the channel's unit."""
    return lambda answer: Measurement(name, int.from_bytes(answer, "big") / steps)


def _state(name: str, first: int, states: Sequence[str]) -> Tell:
    def tell(answer: bytes) -> Sample:
        number = int.from_bytes(answer, "big")
        if not 0 <= number - first < len(states):
            raise ProtocolError(Reason.RANGE, f"{name} {number}")
        return Measurement(name, number, label=states[number - first])

    return tell


QUESTIONS = (
    _short(DEVICE_INFO, 6, 48, _fact("part", text_of), 0),
    _short(DEVICE_INFO, 7, 16, _fact("serial", text_of), 0),
    _short(DEVICE_INFO, 5, 50, _fact("firmware", text_of), 0),
    _short(DEVICE_INFO, 1, 8, _fact("firmware-date", text_of), 0),
    _short(DEVICE_INFO, 4, 4, _fact("project", bytes.hex), 0),
    _short(SENSOR_VTEMP, 0, 2, _measured("sensor-vtemp"), 1.0),
    _short(SHUTTER_VTEMP, 0, 2, _measured("shutter-vtemp"), 5.0),
    _short(PALETTE, 0, 1, _state("palette", 1, PALETTES), 5.0),
    _long(0, _measured("distance", 163.835)),
    _long(1, _measured("reflected-temperature")),
    _long(2, _measured("air-temperature")),
    _long(3, _measured("emissivity", 127)),
    _long(4, _measured("transmittance", 127)),
    _long(5, _state("gain", 0, GAINS)),
)


_HEAD = r"ctl:41:45:0078:[19]d00\Z"
FORBIDDEN = (
    Forbidden("reset the camera to its boot ROM", rb"\x05\x08", _HEAD),
    Forbidden("reach the camera's flash", rb"\x01[\x82\xc2]", _HEAD),
    Forbidden("switch what the camera streams, beyond a replug", rb"\x0f[\x02\xc1]|\x0a[\x01\x02]", _HEAD),
    Forbidden("change what the images mean, maybe for good", rb"\x14\xc5", _HEAD),
    Forbidden("change the preview, maybe for good", rb"\x09\xc4", _HEAD),
)
ALLOWED = Allowed(
    frozenset((STATUS, *(packet for question in QUESTIONS for packet in (*question.write, question.read))))
)
