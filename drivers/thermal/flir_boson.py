"""FLIR Boson thermal core, 09cb:4007: its video, 16-bit frames of a UVC camera.

Format "Y16 ", u16 little-endian, 640x512 or 320x256. A pixel is a count of the sensor unless TLinear was enabled in
the camera, which its frames do not say: option `scale`.

    counts        no degrees, the default
    centikelvin   TLinear, Celsius = raw / 100 - 273.15. That Boson counts in hundredths as the Lepton does was never
                  confirmed, so these degrees are marked as approximate

A frame whose median would lie below -73 Cel is refused under `centikelvin`.

The frames carry nothing else that is documented: no counter, no state of the shutter. A live sensor is never
twice the same, so `freeze-count` identical frames in a row are taken for a correction (FFC) in progress, and a freeze
longer than `freeze-limit` seconds for a camera that hangs. Whether a camera freezes or shows its shutter is
nowhere written, hence every frame stays uncertain; `thermal.flir_boson_control` asks the camera itself.
The rate asked for is 9 frames per second; a camera without it keeps its own.

Never writes. There is no integrity check but the length.

Sources (facts): LJMUAstroecology/flirpy, groupgets/GetThermal.
"""

import numpy as np
from msgspec import Struct

from devicehub.driver import Driver, Options, VideoFormat, VideoLink
from devicehub.model.device import Category, Channel, ChannelKind, Option, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Image, Layout, Quality, Radiometric, Sample, Shutter
from devicehub.model.units import Unit
from devicehub.wire.packet import Packet, frame_port
from devicehub.wire.protocol import Step
from devicehub.wire.unasked import UnaskedProtocol
from drivers.thermal._capability import ReportedCapability
from drivers.thermal._video_frame import FREEZE_OPTIONS, Freeze, whole_frame

FORMATS = (VideoFormat("Y16 ", 640, 512, 9), VideoFormat("Y16 ", 320, 256, 9))
FULL = 0xFFFF
SPARSE = 16


class Scale(Struct, frozen=True):
    """What a pixel means. A frame whose median is outside `low`..`high` cannot be meant."""

    unit: Unit
    gain: float
    offset: float
    radiometric: Radiometric
    cause: Cause
    low: int
    high: int


SCALES = (
    ("counts", Scale(Unit.COUNT, 1.0, 0.0, Radiometric.NONE, Cause.INCOMPLETE, 0, FULL)),
    ("centikelvin", Scale(Unit.CELSIUS, 0.01, -273.15, Radiometric.APPROXIMATE, Cause.APPROXIMATE, 20000, FULL)),
)


class Boson(UnaskedProtocol):
    """Frames to images; what is wrong with each. Never writes."""

    def __init__(self, options: Options) -> None:
        self._pictures = {frame_port(one.fourcc, one.width, one.height): (one.width, one.height) for one in FORMATS}
        self._sizes = {port: 2 * width * height for port, (width, height) in self._pictures.items()}
        self._scale = dict(SCALES)[str(options["scale"])]
        self._freeze = Freeze(int(options["freeze-count"]), float(options["freeze-limit"]))
        self._capability = ReportedCapability()

    def start(self, now: float) -> Step:
        """The stream runs by itself."""
        self._freeze.begin(now)
        return super().start(now)

    def _samples(self, now: float, packet: Packet) -> tuple[Sample, ...]:
        data = whole_frame(packet, self._sizes)
        width, height = self._pictures[packet.port]
        raw = np.frombuffer(data, "<u2")
        middle = int(np.median(raw[::SPARSE]))
        if not self._scale.low <= middle <= self._scale.high:
            raise ProtocolError(Reason.RANGE, f"median pixel {middle} is impossible; see option 'scale'")
        shutter = self._freeze.after(now, data)
        quality, cause = self._quality(now, int(raw.max()), shutter)
        image = Image(
            "image",
            data,
            Layout.U16LE,
            width,
            height,
            gain=self._scale.gain,
            offset=self._scale.offset,
            radiometric=self._scale.radiometric,
            shutter=shutter,
            quality=quality,
            cause=cause,
        )
        return (image, *self._capability.after(cause))

    def _quality(self, now: float, brightest: int, shutter: Shutter) -> tuple[Quality, Cause]:
        if (doubt := self._freeze.doubt(now, shutter)) is not None:
            return doubt
        return Quality.UNCERTAIN, Cause.SATURATED if brightest == FULL else self._scale.cause


def channels(options: Options) -> tuple[Channel, ...]:
    """The picture is in counts unless the site says that TLinear is enabled."""
    scale = dict(SCALES)[str(options["scale"])]
    return (
        Channel(
            name="image",
            title="Thermal image",
            unit=scale.unit,
            kind=ChannelKind.IMAGE,
            low=scale.offset,
            high=scale.gain * FULL + scale.offset,
            resolution=scale.gain,
        ),
    )


OPTIONS = (
    Option(
        name="scale",
        title="What a pixel means, as set in the camera",
        default="counts",
        choices=tuple(name for name, _ in SCALES),
    ),
    *FREEZE_OPTIONS,
)
DRIVER = Driver(
    title="FLIR Boson thermal camera, video",
    category=Category.THERMAL,
    link=VideoLink(formats=FORMATS, ids=(UsbId(0x09CB, 0x4007),)),
    channels=channels({option.name: option.default for option in OPTIONS}),
    channels_for=channels,
    capabilities=("thermal",),
    plausibility="swapped pixels show nowhere: the bus has a CRC of its own; the frame's size, a median that can be",
    options=OPTIONS,
    protocol=Boson,
)
