"""FLIR Boson thermal core, its control port: FSLP over a CDC serial line, 921600 8N1. Only asks.

    offset  type   what
    0       1      8E
    1       u8     channel, 0
    2       u32be  sequence, echoed
    6       u32be  function, echoed
    10      u32be  FFFFFFFF in a request, status in a reply: 0 is good
    14      n      payload
    14+n    u16be  CRC-16/SPI-FUJITSU (poly 1021, init 1D0F) of channel to payload, before escaping
    16+n    1      AE

Between the two delimiters 8E, 9E and AE become 9E 81, 9E 91 and 9E A1, in the CRC too.

Asked once: serial number 00050002 (u32), part number 00050004 (text), serial number of the sensor 00050006,
software 00050022 (3 x i32). Asked every second: sensor temperature 00050030 (u16, Cel * 10), correction (FFC) in
progress 0005000C (u16) and desired 00050055, FFC mode 00050013 (u32: 0 manual, 1 automatic, 2 external),
gain 00050015 (0 high, 1 low, 2 automatic), frame counter 00020002. Numbers whose width no source gives may have
2 or 4 bytes. An older camera refuses what it does
not know with status 161; that is counted once a second and harms nothing else. Whether a temperature below 0 Cel comes
as a negative number is nowhere written: it is read as stated, and then lies outside the channel's range.

Every request carries the sequence number 1: one is in flight at a time, and its reply names the function.
With `control = true` the command `run-ffc` closes the shutter for a moment. Nothing else changes anything; what is in
`REFUSED` and whatever is unknown cannot be encoded.

Sources (facts): LJMUAstroecology/flirpy, thurberdog/ghostCommand (recorded frames), groupgets/GetThermal.
"""

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from devicehub.driver import Command, Driver, Options, SerialLink
from devicehub.model.device import Category, Channel, ChannelKind, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Identity, Measurement, Sample
from devicehub.model.units import Unit
from devicehub.wire.checksum import crc16_spi_fujitsu
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.framer import DelimiterFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Order, Poll, Result
from drivers.thermal._facts import text_of

START, ESCAPE, END = b"\x8e", b"\x9e", b"\xae"
SEQUENCE = 1
REQUEST = 0xFFFFFFFF
LONGEST = 256
ANSWER_WITHIN = 0.2

SERIAL, PART, SENSOR_SERIAL, SOFTWARE = 0x00050002, 0x00050004, 0x00050006, 0x00050022
TEMPERATURE, FFC_RUNNING, FFC_DESIRED = 0x00050030, 0x0005000C, 0x00050055
FFC_MODE, GAIN, FRAMES = 0x00050013, 0x00050015, 0x00020002
RUN_FFC = 0x00050007
ONCE = (SERIAL, PART, SENSOR_SERIAL, SOFTWARE)
REGULARLY = (TEMPERATURE, FFC_RUNNING, FFC_DESIRED, FFC_MODE, GAIN, FRAMES)

# What would change the camera for good or for longer than a moment.
REFUSED: Mapping[int, str] = MappingProxyType(
    {
        0x00050018: "make the settings the power-on defaults",
        0x0005001B: "restore the factory settings",
        0x00050012: "set the FFC mode",
        0x00050014: "set the gain",
        0x000E000D: "set the meaning of pixels (TLinear)",
    }
)
FORBIDDEN = tuple(
    Forbidden(title, b"\x8e.{5}" + re.escape(function.to_bytes(4, "big"))) for function, title in REFUSED.items()
)
_STATUS: Mapping[int, str] = MappingProxyType(
    {
        0x161: "unknown function",
        0x162: "bad payload",
        0x17D: "too few bytes",
        0x17E: "too many bytes",
        0x17F: "overflow",
        0x201: "error",
        0x202: "not ready",
        0x203: "out of range",
        0x204: "checksum",
    }
)
_ESCAPES: Mapping[bytes, bytes] = MappingProxyType({b"\x81": START, b"\x91": ESCAPE, b"\xa1": END})
_HEAD = struct.Struct(">BIII")
_SPECIAL = re.compile(b"[\x8e\x9e\xae]")
_ESCAPED = re.compile(b"\x9e(.?)", re.DOTALL)


def encode(function: int) -> bytes:
    """The request for a function without arguments. Raises `ValueError` for one that is never sent."""
    if function not in {*ONCE, *REGULARLY, RUN_FFC}:
        raise ValueError(f"function {function:08x} is never sent: {REFUSED.get(function, 'unknown')}")
    body = _HEAD.pack(0, SEQUENCE, function, REQUEST)
    body += struct.pack(">H", crc16_spi_fujitsu(body))
    return START + _SPECIAL.sub(lambda found: ESCAPE + bytes([found[0][0] - 0x0D]), body) + END


def reply(frame: bytes) -> tuple[int, int, bytes]:
    """Function, status and payload of a frame between its delimiters. Raises `ProtocolError`."""
    body = _ESCAPED.sub(_plain, frame)
    if len(body) < _HEAD.size + 2:
        raise ProtocolError(Reason.TRUNCATED, f"frame of {len(body)} bytes")
    if crc16_spi_fujitsu(body[:-2]) != int.from_bytes(body[-2:], "big"):
        raise ProtocolError(Reason.CHECKSUM, f"CRC {body[-2:].hex()}")
    channel, sequence, function, status = _HEAD.unpack_from(body)
    if channel or sequence != SEQUENCE:
        raise ProtocolError(Reason.UNEXPECTED, f"channel {channel}, sequence {sequence}")
    return function, status, body[_HEAD.size : -2]


def _plain(found: re.Match[bytes]) -> bytes:
    if found[1] not in _ESCAPES:
        raise ProtocolError(Reason.CORRUPT, f"escape 9e{found[1].hex()}")
    return _ESCAPES[found[1]]


def decode(frame: bytes) -> Iterator[Sample]:
    """One reply to its sample. Raises `ProtocolError`."""
    function, status, payload = reply(frame)
    if status:
        raise ProtocolError(Reason.REJECTED, f"function {function:08x}: {refusal(status)}")
    if function == RUN_FFC:
        return
    if function not in _READERS:
        raise ProtocolError(Reason.UNSUPPORTED, f"reply of function {function:08x}")
    sizes, read = _READERS[function]
    if len(payload) not in sizes:
        raise ProtocolError(Reason.LENGTH, f"{len(payload)} bytes of function {function:08x}")
    yield read(payload)


def refusal(status: int) -> str:
    """A status in words."""
    return _STATUS.get(status, f"status {status:x}")


def _number(payload: bytes) -> int:
    return int.from_bytes(payload, "big")


def _fact(name: str, text: Callable[[bytes], str]) -> Callable[[bytes], Sample]:
    return lambda payload: Identity(((name, text(payload)),))


def _state(name: str, states: tuple[str, ...]) -> Callable[[bytes], Sample]:
    def read(payload: bytes) -> Sample:
        number = _number(payload)
        if number >= len(states):
            raise ProtocolError(Reason.RANGE, f"{name} {number}")
        return Measurement(name, number, label=states[number])

    return read


YES_NO = ("no", "yes")
MODES = ("manual", "automatic", "external")
GAINS = ("high", "low", "automatic")
_WIDTHS = (2, 4)  # where the sources give the meaning of a number but not its width
_READERS: Mapping[int, tuple[tuple[int, ...], Callable[[bytes], Sample]]] = MappingProxyType(
    {
        SERIAL: ((4,), _fact("serial", lambda payload: str(_number(payload)))),
        PART: ((20,), _fact("part", text_of)),
        SENSOR_SERIAL: (_WIDTHS, _fact("sensor-serial", lambda payload: str(_number(payload)))),
        SOFTWARE: ((12,), _fact("software", lambda payload: ".".join(map(str, struct.unpack(">3i", payload))))),
        TEMPERATURE: ((2,), lambda payload: Measurement("sensor-temperature", _number(payload) / 10)),
        FFC_RUNNING: ((2,), _state("ffc-running", YES_NO)),
        FFC_DESIRED: (_WIDTHS, _state("ffc-desired", YES_NO)),
        FFC_MODE: ((4,), _state("ffc-mode", MODES)),
        GAIN: (_WIDTHS, _state("gain", GAINS)),
        FRAMES: (_WIDTHS, lambda payload: Measurement("frames", _number(payload))),
    }
)


def ffc_begun(frame: bytes, args: Options) -> Result | None:
    """The camera's consent. Raises `ProtocolError` when it says no."""
    del args
    function, status, _ = reply(frame)
    if function != RUN_FFC:
        return None
    if status:
        raise ProtocolError(Reason.REJECTED, refusal(status))
    return {}


DRIVER = Driver(
    title="FLIR Boson thermal camera, control port",
    category=Category.THERMAL,
    link=SerialLink(baud=921600, usb=(UsbId(0x09CB, 0x4007),)),
    channels=(
        Channel(
            name="sensor-temperature", title="Sensor temperature", unit=Unit.CELSIUS, low=-60, high=130, resolution=0.1
        ),
        Channel(name="ffc-running", title="Correction in progress", kind=ChannelKind.STATE, states=YES_NO),
        Channel(name="ffc-desired", title="Correction desired by the camera", kind=ChannelKind.STATE, states=YES_NO),
        Channel(name="ffc-mode", title="Who starts a correction", kind=ChannelKind.STATE, states=MODES),
        Channel(name="gain", title="Gain", kind=ChannelKind.STATE, states=GAINS),
        Channel(name="frames", title="Frame counter", unit=Unit.COUNT, low=0, high=0xFFFFFFFF, resolution=1),
    ),
    integrity="CRC-16/SPI-FUJITSU",
    forbidden=FORBIDDEN,
    allowed=Allowed(frozenset(Packet(encode(function)) for function in (*ONCE, *REGULARLY, RUN_FFC))),
    framer=lambda: DelimiterFramer(END, start=START, limit=LONGEST),
    decode=decode,
    polls=(
        *(Poll(encode(function), period=0, timeout=ANSWER_WITHIN) for function in ONCE),
        *(Poll(encode(function), period=1.0, timeout=ANSWER_WITHIN) for function in REGULARLY),
    ),
    commands=(
        Command(
            verb="run-ffc",
            title="Close the shutter for a moment and correct the picture",
            control=True,
            order=Order(lambda _: encode(RUN_FFC), ffc_begun, timeout=ANSWER_WITHIN),
        ),
    ),
)
