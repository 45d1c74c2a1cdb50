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

The only request is that one read. Baud, rate, mode, emissivity and save commands change settings and
are never sent. The answer is not waited for, because frames keep coming and none of them is it.

Source: vvkuryshev/GY-MCU90640-RPI-Python (module manual and example; facts only). Frames carry a
16-bit sum, which misses exchanged words.
"""

import struct
from collections.abc import Iterator

import numpy as np

from devicehub.driver import Driver, Options, SerialLink
from devicehub.model.device import Category, Channel, ChannelKind, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Image, Layout, Measurement, Quality, Radiometric, Sample
from devicehub.model.units import Unit
from devicehub.wire.framer import SyncFramer
from devicehub.wire.protocol import DeviceProtocol, FramedProtocol, Poll
from devicehub.wire.radiometry import LOWEST_EMISSIVITY

SYNC = b"\x5a\x5a"
FRAME_SIZE = 1544
REPLY_SIZE = 4
WIDTH, HEIGHT = 32, 24
COLDEST, HOTTEST = -4000, 30000  # 0.01 Cel, the module's stated range
READ_EMISSIVITY = bytes.fromhex("a55501fb")


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


def protocol(options: Options) -> DeviceProtocol:
    """A fresh conversation: ask for the emissivity once, then listen."""
    del options
    framer = SyncFramer(SYNC, REPLY_SIZE, size, check)
    return FramedProtocol(framer, Decoder().decode, (Poll(READ_EMISSIVITY, period=0, timeout=0),))


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
    integrity="sum16",
    protocol=protocol,
)
