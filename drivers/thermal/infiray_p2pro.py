"""InfiRay P2 Pro, Topdon TC001 and clones: thermal cameras that the kernel takes for a UVC camera.

One YUYV frame of 256x384 at 25 Hz, 196 608 bytes:

    rows      what
    0..191    8-bit preview as YUYV (not used)
    192..383  256x192 u16 little-endian, 1/64 K: Celsius = raw / 64 - 273.15

The camera closes its shutter by itself and repeats the last frame meanwhile: a live sensor is never
twice the same, so `freeze-count` identical frames in a row mean that the shutter is closed, and a freeze longer
than `freeze-limit` seconds that the camera hangs. The first frame after a freeze still settles.
Newer clones (3474:4321) show artefacts in row 0, columns 0..7, and in the last row: with the option
`mask-artefacts`, pixels there that differ by more than 30 K from the row beside them take its values.
Absolute accuracy is about 2 K, and worse in the first minutes.

Sources (facts): LeoDJ/P2Pro-Viewer, mbuesch/p2pro-rs, leswright1977/PyThermalCamera and its issue 22,
92es/Thermal-Camera-Redux. There is no integrity check but the length.
"""

import numpy as np
from numpy.typing import NDArray

from devicehub.driver import Driver, Options, VideoFormat, VideoLink
from devicehub.model.device import Category, Channel, ChannelKind, Option, UsbId
from devicehub.model.reading import Cause, Image, Layout, Quality, Radiometric, Sample, Shutter
from devicehub.model.units import Unit
from devicehub.wire.packet import Packet, frame_port
from devicehub.wire.protocol import Step
from devicehub.wire.unasked import UnaskedProtocol
from drivers.thermal._capability import ReportedCapability
from drivers.thermal._video_frame import FREEZE_OPTIONS, Freeze, whole_frame

WIDTH, HEIGHT = 256, 192
HALF = WIDTH * HEIGHT * 2
FORMAT = VideoFormat("YUYV", WIDTH, HEIGHT * 2, 25)
PORT = frame_port(FORMAT.fourcc, FORMAT.width, FORMAT.height)
GAIN, OFFSET = 1 / 64, -273.15
HIGHEST = 55882  # 600 Cel, the end of the low-gain range
ARTEFACT_COLUMNS = 8
ARTEFACT_STEP = 30 * 64


class InfirayP2Pro(UnaskedProtocol):
    """Frames to images; what is wrong with each. Never writes."""

    def __init__(self, options: Options) -> None:
        self._warm_up = float(options["warm-up"])
        self._freeze = Freeze(int(options["freeze-count"]), float(options["freeze-limit"]))
        self._mask = bool(options["mask-artefacts"])
        self._started = 0.0
        self._capability = ReportedCapability()

    def start(self, now: float) -> Step:
        """The camera is powered by the link, so it warms up from now."""
        self._started = now
        self._freeze.begin(now)
        return super().start(now)

    def _samples(self, now: float, packet: Packet) -> tuple[Sample, ...]:
        raw = whole_frame(packet, {PORT: 2 * HALF})[HALF:]
        shutter = self._freeze.after(now, raw)
        pixels = _without_artefacts(raw) if self._mask else raw
        quality, cause = self._quality(now, pixels, shutter)
        image = Image(
            "temperature",
            pixels,
            Layout.U16LE,
            WIDTH,
            HEIGHT,
            gain=GAIN,
            offset=OFFSET,
            radiometric=Radiometric.TRUE,
            shutter=shutter,
            quality=quality,
            cause=cause,
        )
        return (image, *self._capability.after(cause))

    def _quality(self, now: float, pixels: bytes, shutter: Shutter) -> tuple[Quality, Cause]:
        if (doubt := self._freeze.doubt(now, shutter)) is not None:
            return doubt
        if int(np.frombuffer(pixels, "<u2").max()) > HIGHEST:
            return Quality.UNCERTAIN, Cause.SATURATED
        if now - self._started < self._warm_up:
            return Quality.UNCERTAIN, Cause.WARMING_UP
        return Quality.GOOD, Cause.NONE


def _without_artefacts(raw: bytes) -> bytes:
    """The frame with implausible pixels of the known bad places taken from the row beside them."""
    pixels = np.frombuffer(raw, "<u2").reshape(HEIGHT, WIDTH).copy()
    _take_over(pixels[0, :ARTEFACT_COLUMNS], pixels[1, :ARTEFACT_COLUMNS])
    _take_over(pixels[-1], pixels[-2])
    return pixels.tobytes()


def _take_over(bad: NDArray[np.uint16], good: NDArray[np.uint16]) -> None:
    step = np.abs(bad.astype(np.int32) - good)
    np.copyto(bad, good, where=step > ARTEFACT_STEP)


DRIVER = Driver(
    title="InfiRay P2 Pro / Topdon TC001 thermal camera",
    category=Category.THERMAL,
    link=VideoLink(formats=(FORMAT,), ids=(UsbId(0x0BDA, 0x5830), UsbId(0x3474, 0x4321))),
    channels=(
        Channel(
            name="temperature",
            title="Temperature",
            unit=Unit.CELSIUS,
            kind=ChannelKind.IMAGE,
            low=-273.15,
            high=750,
            resolution=1 / 64,
        ),
    ),
    capabilities=("thermal",),
    plausibility="swapped pixels show nowhere: the bus has a CRC of its own; the frame's size",
    options=(
        Option(name="warm-up", title="Seconds until temperatures are trusted", default=300.0, low=0, high=3600),
        *FREEZE_OPTIONS,
        Option(name="mask-artefacts", title="Replace implausible pixels at the known bad places", default=False),
    ),
    protocol=InfirayP2Pro,
)
