"""FLIR Lepton 2.x and 3.x on a PureThermal board, 1e4e:0100: 16-bit frames and their telemetry lines.

The kernel takes the board for a UVC camera. Format "Y16 ", u16 little-endian, 9 frames per second:

    size      what
    160x122   Lepton 3: 120 lines of picture, 2 of telemetry, 320 words
    80x63     Lepton 2: 60 lines of picture, 3 of telemetry, 240 words
    160x120, 80x60   the same without telemetry

Words of the telemetry; 32-bit values have their low word first:

    0      revision            20..21  frame counter
    1..2   milliseconds up     24      sensor (FPA), K * 100
    3..4   status bits         26      housing, K * 100

Status bits 4 and 5 are the state of the flat-field correction (FFC). Sources disagree whether 1 or 2 is the one in
progress; both blank the frame unless the option `shutter-states` names one. 0 means never since power-up: the frame
is uncalibrated. The first frame after a correction still settles. Whether the lines stand below the picture
or above it is set in the camera: option `telemetry`. Without telemetry nobody knows when the shutter is closed,
so every frame is uncertain. The frame counter counts frames that are not sent too: it tells repeats, not losses.

What a pixel means is set in the camera as well, and it does not say so in its frames: option `scale`.

    centikelvin   TLinear 0.01 K: Celsius = (raw - 27315) / 100
    decikelvin    TLinear 0.1 K (low gain): Celsius = raw / 10 - 273.15
    counts        no TLinear: 14-bit counts, no degrees

A frame that the chosen scale cannot mean is refused: 14-bit counts taken for hundredths would lie below -109 Cel,
hundredths are too large for 14 bits, and nothing at all is hotter than 450 Cel in tenths.

The settings (telemetry, TLinear, gain, FFC) stand behind UVC extension units. This driver only reads frames.
There is no integrity check but the size and what telemetry can plausibly say: temperatures of the camera between
200 and 400 K, and a time since power-up that goes on as ours does, within 5 s. That refuses pixels taken for telemetry.

Sources (facts): groupgets/purethermal1-uvc-capture and GetThermal; ptssmi/leptonic for the order of words.
"""

import struct

import numpy as np
from msgspec import Struct

from devicehub.driver import Driver, Options, VideoFormat, VideoLink
from devicehub.model.device import Category, Channel, ChannelKind, Option, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Image, Layout, Measurement, Quality, Radiometric, Sample, Shutter
from devicehub.model.units import Unit
from devicehub.wire.packet import Packet, frame_port
from devicehub.wire.protocol import Step
from devicehub.wire.unasked import UnaskedProtocol
from drivers.thermal._capability import ReportedCapability
from drivers.thermal._video_frame import whole_frame

FPS = 9
FFC = ("never", "imminent", "running", "done")
TEMPERATURES_EVERY = 1.0
CLOCKS_APART = 5.0
PLAUSIBLE_KELVIN = range(20000, 40000)
_FFC_SHIFT, _FFC_MASK = 4, 3


class Geometry(Struct, frozen=True):
    """The picture of a frame and how many lines of telemetry belong to it."""

    width: int
    height: int
    lines: int

    @property
    def format(self) -> VideoFormat:
        """As the camera offers it."""
        return VideoFormat("Y16 ", self.width, self.height + self.lines, FPS)

    @property
    def port(self) -> str:
        """The port that such frames come from."""
        return frame_port(self.format.fourcc, self.format.width, self.format.height)


GEOMETRIES = (Geometry(160, 120, 2), Geometry(80, 60, 3), Geometry(160, 120, 0), Geometry(80, 60, 0))


class Scale(Struct, frozen=True):
    """What a pixel means. A frame whose median is outside `low`..`high` cannot be meant; `full`: saturated."""

    unit: Unit
    gain: float
    offset: float
    low: int
    high: int
    full: int

    @property
    def radiometric(self) -> Radiometric:
        """Whether pixels are degrees."""
        return Radiometric.TRUE if self.unit is Unit.CELSIUS else Radiometric.NONE


_COUNTS_MOST = (1 << 14) - 1
_TENTHS_MOST = 7232  # 450 Cel, the end of the low-gain range
SCALES = (
    ("centikelvin", Scale(Unit.CELSIUS, 0.01, -273.15, _COUNTS_MOST + 1, 0xFFFF, 0xFFFF)),
    ("decikelvin", Scale(Unit.CELSIUS, 0.1, -273.15, 1, _TENTHS_MOST, _TENTHS_MOST)),
    ("counts", Scale(Unit.COUNT, 1.0, 0.0, 0, _COUNTS_MOST, _COUNTS_MOST)),
)


class Telemetry(Struct, frozen=True):
    """What a frame's lines say: seconds since power-up, state of the FFC, frame counter, degrees Celsius."""

    uptime: float
    ffc: int
    counter: int
    sensor: float
    housing: float


def telemetry(words: bytes) -> Telemetry:
    """The lines of one frame. Raises `ProtocolError` for what cannot be telemetry."""
    milliseconds, status = struct.unpack_from("<II", words, 2)
    (counter,) = struct.unpack_from("<I", words, 40)
    sensor, housing = struct.unpack_from("<H2xH", words, 48)
    if sensor not in PLAUSIBLE_KELVIN or housing not in PLAUSIBLE_KELVIN:
        raise ProtocolError(Reason.CORRUPT, f"no telemetry: sensor {sensor}, housing {housing}; see option 'telemetry'")
    ffc = status >> _FFC_SHIFT & _FFC_MASK
    return Telemetry(milliseconds / 1000, ffc, counter, sensor / 100 - 273.15, housing / 100 - 273.15)


class Lepton(UnaskedProtocol):
    """Frames to images. Never writes."""

    def __init__(self, options: Options) -> None:
        self._geometries = {geometry.port: geometry for geometry in GEOMETRIES}
        self._sizes = {port: 2 * one.width * (one.height + one.lines) for port, one in self._geometries.items()}
        self._scale = dict(SCALES)[str(options["scale"])]
        self._header = options["telemetry"] == "header"
        self._closed = {int(state) for state in str(options["shutter-states"]).split(",")}
        self._warm_up = float(options["warm-up"])
        self._ffc: int | None = None
        self._counter: int | None = None
        self._clocks: tuple[float, float] | None = None
        self._last = b""
        self._told_at = 0.0
        self._capability = ReportedCapability()

    def start(self, now: float) -> Step:
        """The stream runs by itself."""
        self._told_at = now - TEMPERATURES_EVERY
        return super().start(now)

    def _samples(self, now: float, packet: Packet) -> tuple[Sample, ...]:
        data = whole_frame(packet, self._sizes)
        geometry = self._geometries[packet.port]
        pixels, lines = self._parts(geometry, data)
        self._possible(pixels)
        told = telemetry(lines) if geometry.lines else None
        repeated = self._repeats(now, pixels, told)
        shutter = self._shutter(told)
        cause = self._cause(pixels, told, shutter, repeated=repeated)
        image = Image(
            "temperature",
            pixels,
            Layout.U16LE,
            geometry.width,
            geometry.height,
            gain=self._scale.gain,
            offset=self._scale.offset,
            radiometric=self._scale.radiometric,
            shutter=shutter,
            counter=None if told is None else told.counter,
            quality=Quality.UNCERTAIN if cause else Quality.GOOD,
            cause=cause,
        )
        return (image, *self._measured(now, told), *self._capability.after(cause))

    def _parts(self, geometry: Geometry, data: bytes) -> tuple[bytes, bytes]:
        """Picture and telemetry of a frame."""
        lines = 2 * geometry.width * geometry.lines
        picture = len(data) - lines
        return (data[lines:], data[:lines]) if self._header else (data[:picture], data[picture:])

    def _possible(self, pixels: bytes) -> None:
        """Raise `ProtocolError` for a frame that the scale cannot mean."""
        middle = int(np.median(np.frombuffer(pixels, "<u2")))
        if not self._scale.low <= middle <= self._scale.high:
            raise ProtocolError(Reason.RANGE, f"median pixel {middle} is impossible; see option 'scale'")

    def _repeats(self, now: float, pixels: bytes, told: Telemetry | None) -> bool:
        """Whether this is the frame before once more. Raises `ProtocolError` when the camera's time jumps."""
        if told is None:
            repeated, self._last = pixels == self._last, pixels
            return repeated
        before, self._clocks = self._clocks, (told.uptime, now)
        if before is not None and abs((told.uptime - before[0]) - (now - before[1])) > CLOCKS_APART:
            raise ProtocolError(Reason.SEQUENCE, f"{told.uptime:g} s up after {before[0]:g}; see option 'telemetry'")
        repeated, self._counter = told.counter == self._counter, told.counter
        return repeated

    def _shutter(self, told: Telemetry | None) -> Shutter:
        if told is None:
            return Shutter.OPEN
        if told.ffc in self._closed:
            return Shutter.CLOSED
        return Shutter.SETTLING if self._ffc in self._closed else Shutter.OPEN

    def _cause(self, pixels: bytes, told: Telemetry | None, shutter: Shutter, *, repeated: bool) -> Cause:
        if shutter is not Shutter.OPEN:
            return Cause.CALIBRATING
        if repeated:
            return Cause.DUPLICATE
        if told is None:
            return Cause.INCOMPLETE
        if not told.ffc:
            return Cause.UNCALIBRATED
        if int(np.frombuffer(pixels, "<u2").max()) >= self._scale.full:
            return Cause.SATURATED
        return Cause.WARMING_UP if told.uptime < self._warm_up else Cause.NONE

    def _measured(self, now: float, told: Telemetry | None) -> tuple[Sample, ...]:
        """State of the FFC when it changes, temperatures of the camera once a second."""
        if told is None:
            return ()
        samples: list[Sample] = []
        if told.ffc != self._ffc:
            samples.append(Measurement("ffc", told.ffc, label=FFC[told.ffc]))
        self._ffc = told.ffc
        if now >= self._told_at + TEMPERATURES_EVERY:
            self._told_at = now
            samples.append(Measurement("sensor-temperature", round(told.sensor, 2)))
            samples.append(Measurement("housing-temperature", round(told.housing, 2)))
        return tuple(samples)


def channels(options: Options) -> tuple[Channel, ...]:
    """The picture is in degrees unless the site says that the camera sends counts."""
    scale = dict(SCALES)[str(options["scale"])]
    return (
        Channel(
            name="temperature",
            title="Thermal image",
            unit=scale.unit,
            kind=ChannelKind.IMAGE,
            low=scale.offset,
            high=scale.gain * 0xFFFF + scale.offset,
            resolution=scale.gain,
        ),
        _degrees("sensor-temperature", "Sensor temperature"),
        _degrees("housing-temperature", "Housing temperature"),
        Channel(name="ffc", title="Flat-field correction", kind=ChannelKind.STATE, states=FFC),
    )


def _degrees(name: str, title: str) -> Channel:
    return Channel(name=name, title=title, unit=Unit.CELSIUS, low=-73.15, high=126.85, resolution=0.01)


OPTIONS = (
    Option(
        name="scale",
        title="What a pixel means, as set in the camera",
        default="centikelvin",
        choices=tuple(name for name, _ in SCALES),
    ),
    Option(
        name="telemetry",
        title="Where the telemetry lines stand, as set in the camera",
        default="footer",
        choices=("footer", "header"),
    ),
    Option(
        name="shutter-states",
        title="States of the FFC in which the shutter counts as closed",
        default="1,2",
        choices=("1,2", "1", "2"),
    ),
    Option(name="warm-up", title="Seconds after power-up until pictures are trusted", default=300.0, low=0, high=3600),
)
DRIVER = Driver(
    title="FLIR Lepton on PureThermal",
    category=Category.THERMAL,
    link=VideoLink(formats=tuple(geometry.format for geometry in GEOMETRIES), ids=(UsbId(0x1E4E, 0x0100),)),
    channels=channels({option.name: option.default for option in OPTIONS}),
    channels_for=channels,
    capabilities=("thermal",),
    plausibility=(
        "swapped pixels show nowhere: the bus has a CRC of its own; the frame's size, telemetry and a median "
        "that can be"
    ),
    options=OPTIONS,
    protocol=Lepton,
)
