"""GY-MCU90640: MLX90640 thermal array, 32 x 24 pixels, behind a microcontroller on a serial line.

115200 baud 8N1 as shipped. The module powers up in automatic mode and sends frames by itself.

    offset  type        what
    0       5A 5A       sync
    2       02 06       length 1538, little-endian
    4       i16le*768   pixels, 0.01 Cel, row 1 column 1 first
    1540    i16le       temperature of the sensor itself (Ta), 0.01 Cel
    1542    u16le       sum of the 771 preceding little-endian words, modulo 65536

The answer to `A5 55 01 FB` (read the emissivity the module computes with) has the same sync:

    0       5A 5A       sync
    2       u8          emissivity, %
    3       u8          sum of the three bytes, modulo 256

Column 1 of the module is the right-hand side of the scene. This driver mirrors each row, so that the
image it yields is in scene order: pixel (0, 0) is top left as somebody beside the camera sees it.

Of its own accord the driver sends that one read, once, and does not wait for the answer, because frames keep coming
and none of them is it. Commands: `read-emissivity` sends it again; `set-emissivity` (control) sends `A5 45 E sum`, E in
%, which the module does not answer, and the read behind it, and is done once the module computes with that value. It
lasts until the module is switched off: baud, rate, mode and save (`A5 65 01 0B`) commands are never sent.

Source: vvkuryshev/GY-MCU90640-RPI-Python (module manual and example; facts only). Frames carry a
16-bit sum, which misses exchanged words.
"""

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np

from devicehub.driver import Command, Driver, Options, SerialLink
from devicehub.model.device import Category, Channel, ChannelKind, Option, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Image, Layout, Measurement, Quality, Radiometric, Sample
from devicehub.model.units import Unit
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.framer import SyncFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, FramedProtocol, Order, Poll, Result
from devicehub.wire.radiometry import LOWEST_EMISSIVITY

SYNC = b"\x5a\x5a"
FRAME_SIZE = 1544
REPLY_SIZE = 4
WIDTH, HEIGHT = 32, 24
COLDEST, HOTTEST = -4000, 30000  # 0.01 Cel, the module's stated range
READ_EMISSIVITY = bytes.fromhex("a55501fb")
ANSWER_WITHIN = 2.0  # s; a frame that is on the line first takes 0.14 s


def size(header: bytes) -> int:
    """Whole size of the frame that begins with these 4 bytes. Raises `ProtocolError`."""
    if header[2:4] == b"\x02\x06":
        return FRAME_SIZE
    if not 1 <= header[2] <= 100:
        raise ProtocolError(Reason.UNEXPECTED, f"neither a frame nor an emissivity: {header.hex()}")
    return REPLY_SIZE


def check(frame: bytes) -> None:
    """Compare the sum at the end. Raises `ProtocolError`."""
    if len(frame) == REPLY_SIZE:
        good = sum(frame[:3]) & 0xFF == frame[3]
    else:
        *words, stated = struct.unpack(f"<{FRAME_SIZE // 2}H", frame)
        good = sum(words) & 0xFFFF == stated
    if not good:
        raise ProtocolError(Reason.CHECKSUM, f"frame of {len(frame)} bytes")


class Decoder:
    """Frames to samples. Remembers the emissivity the module has reported since the link was opened."""

    def __init__(self) -> None:
        self._emissivity: float | None = None

    def decode(self, frame: bytes) -> Iterator[Sample]:
        """One checked frame: an image and the sensor's temperature, or the emissivity."""
        if len(frame) == REPLY_SIZE:
            self._emissivity = frame[2] / 100
            yield Measurement("emissivity", self._emissivity)
            return
        words = np.frombuffer(frame, dtype="<i2", offset=4, count=WIDTH * HEIGHT + 1)
        yield self._image(words[:-1].reshape(HEIGHT, WIDTH)[:, ::-1])
        yield Measurement("ambient", int(words[-1]) / 100)

    def _image(self, scene: np.ndarray[tuple[int, int], np.dtype[np.int16]]) -> Image:
        quality, cause = Quality.GOOD, Cause.NONE
        if scene.min() < COLDEST or scene.max() > HOTTEST:
            quality, cause = Quality.UNCERTAIN, Cause.SATURATED
        if self._emissivity is not None and self._emissivity < LOWEST_EMISSIVITY:
            quality, cause = Quality.UNCERTAIN, Cause.LOW_EMISSIVITY
        return Image(
            "image",
            scene.tobytes(),
            Layout.I16LE,
            WIDTH,
            HEIGHT,
            gain=0.01,
            radiometric=Radiometric.TRUE,
            emissivity=self._emissivity,
            quality=quality,
            cause=cause,
        )


def set_emissivity(args: Options) -> bytes:
    """The command to compute with another emissivity, and the question which one it is now."""
    body = bytes([0xA5, 0x45, _percent(args)])
    return body + bytes([sum(body) & 0xFF]) + READ_EMISSIVITY


def emissivity_read(frame: bytes, args: Options) -> Result | None:
    """The answer to the question, if this is one."""
    del args
    return {"emissivity": frame[2] / 100} if len(frame) == REPLY_SIZE else None


def emissivity_set(frame: bytes, args: Options) -> Result | None:
    """The answer, if it is the wanted emissivity: an earlier question may be answered late."""
    return emissivity_read(frame, args) if frame[2] == _percent(args) else None


def _percent(args: Options) -> int:
    return round(float(args["emissivity"]) * 100)


ORDERS: Mapping[str, Order] = MappingProxyType(
    {
        "read-emissivity": Order(lambda _: READ_EMISSIVITY, emissivity_read, timeout=ANSWER_WITHIN),
        "set-emissivity": Order(set_emissivity, emissivity_set, timeout=ANSWER_WITHIN),
    }
)


_ASKED = frozenset(
    (
        Packet(READ_EMISSIVITY),
        *(Packet(set_emissivity({"emissivity": percent / 100})) for percent in range(10, 101)),
    )
)


def protocol(options: Options) -> DeviceProtocol:
    """A fresh conversation: ask for the emissivity once, then listen."""
    del options
    framer = SyncFramer(SYNC, REPLY_SIZE, size, check)
    polls = (Poll(READ_EMISSIVITY, period=0, timeout=0),)
    return FramedProtocol(framer, Decoder().decode, polls, orders=ORDERS)


DRIVER = Driver(
    title="GY-MCU90640 thermal array (MLX90640, serial)",
    category=Category.THERMAL,
    link=SerialLink(baud=115200, usb=(UsbId(0x1A86, 0x7523),)),
    channels=(
        Channel(
            name="image",
            title="Thermal image",
            unit=Unit.CELSIUS,
            kind=ChannelKind.IMAGE,
            low=-273.15,
            high=330,
            resolution=0.01,
        ),
        Channel(name="ambient", title="Sensor temperature", unit=Unit.CELSIUS, low=-55, high=150, resolution=0.01),
        Channel(name="emissivity", title="Emissivity setting", low=0.01, high=1, resolution=0.01),
    ),
    capabilities=("thermal",),
    plausibility=(
        "swapped words pass the sum; the length, which is that of a frame, and the limits of image and sensor"
        " temperature"
    ),
    integrity="sum16",
    forbidden=(Forbidden("wear out the flash by storing settings", rb"\xa5\x65"),),
    allowed=Allowed(_ASKED),
    protocol=protocol,
    commands=(
        Command(verb="read-emissivity", title="Ask which emissivity the module computes with"),
        Command(
            verb="set-emissivity",
            title="Compute with another emissivity, until the module is switched off",
            control=True,
            options=(Option(name="emissivity", title="Emissivity", default=0.95, low=0.1, high=1.0),),
            required=("emissivity",),
        ),
    ),
)
