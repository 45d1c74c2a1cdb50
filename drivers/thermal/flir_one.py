"""FLIR One G2, G3 and Pro LT, 09cb:1996: thermal picture, visible JPEG and status in one frame over USB bulk.

Configuration 3; interface 0 control and status, 1 files, 2 frames. IN 85 frames, IN 81 and 83 status, which must be
read all the time or the camera stops; what they say is not documented.

Start, by SET_INTERFACE requests in this order (another one needs the plug pulled): 2 off, 1 off, 1 on, 2 on, the last
with two zero bytes of data. A camera that sends no frame for 3 s is started again.

    frame, u32 little-endian
    0     EF BE 00 00
    8     size of all that follows byte 28        16   size of the JPEG
    12    size of the thermal picture             20   size of the status
    28    thermal picture, JPEG, status (JSON)

A frame may come in several transfers. The thermal picture is the video bus of a Lepton: packets of 164 bytes, 4 of
header and 80 u16 little-endian. 240 packets are 160x120 (two to a line), 60 are 80x60; a picture may end in more
packets, which are none of it.

The shutter is closed while the status begins {"shutterState":"FFC"; the frame after still settles.

Degrees by the Planck chain on 4 * pixel, without air. Its constants differ from camera to camera and stand in the
camera's own files, which this driver does not open: until the site enters those of its camera the published ones
of one G2 are used, and pixels are approximate. For the Pro LT no valid constants are public: `degrees = false` gives
counts.

Nothing is written but the start: the file channel (OUT 02), by which options are set and files read and written,
is not used at all.

Sources (facts): fnoop/flirone-v4l2, sutty5/flirone-pro-lt-driver-webserver. No checksum: sizes must agree. No frame
has a header inside whose sizes do: where one comes, a frame that was cut or whose size is false ends.
"""

import struct
from collections.abc import Iterable, Iterator
from math import inf

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from devicehub.driver import Driver, Options, UsbLink
from devicehub.model.device import Category, Channel, ChannelKind, Option, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Image, Layout, Quality, Radiometric, Sample, Shutter
from devicehub.model.units import Unit
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.framer import SyncFramer
from devicehub.wire.jpeg import check_jpeg, trim_jpeg
from devicehub.wire.packet import Packet, control_write, usb_port, usb_read
from devicehub.wire.patience import Patience
from devicehub.wire.protocol import Step, decoded
from devicehub.wire.radiometry import LOWEST_EMISSIVITY, Planck, Surroundings, celsius_table
from drivers.thermal._capability import ReportedCapability

FRAMES, STATUS = 0x85, (0x81, 0x83)
READ_SIZE = 1 << 20
STATUS_SIZE = 16384
MAGIC = b"\xef\xbe\0\0"
HEADER = struct.Struct("<4s4xIIII")
BODY = 28
LARGEST = 1 << 19
SILENCE = 3.0
FFC = b'{"shutterState":"FFC"'
PACKET, PACKET_HEADER, LINE = 164, 4, 80
# Lines of 80 pixels in a picture of that width and height.
SIZES = ((160, 120), (80, 60))
SMALLEST = min(width // LINE * height for width, height in SIZES) * PACKET
START = (
    control_write(0x01, 0x0B, 0, 2),
    control_write(0x01, 0x0B, 0, 1),
    control_write(0x01, 0x0B, 1, 1),
    control_write(0x01, 0x0B, 1, 2, bytes(2)),
)
READS = (usb_read(FRAMES, READ_SIZE), *(usb_read(one, STATUS_SIZE) for one in STATUS))
G2 = Planck(r1=16528.178, b=1427.5, f=1.0, o=-1307.0, r2=0.012258549)
COUNTS_PER_PIXEL, FULL = 4, (1 << 14) - 1


class Frame(Struct, frozen=True):
    """The three parts of a frame."""

    thermal: bytes
    jpeg: bytes
    status: bytes


def size(header: bytes) -> int:
    """Bytes in the whole frame. Raises `ProtocolError` for parts that do not fit into it."""
    _, whole, *parts = HEADER.unpack_from(header)
    if whole > LARGEST or sum(parts) > whole or parts[0] < SMALLEST:
        raise ProtocolError(Reason.LENGTH, f"a frame of {whole} bytes with parts of {parts}")
    return BODY + int(whole)


def split(frame: bytes) -> Frame:
    """A whole frame to its parts."""
    _, _, thermal, jpeg, status = HEADER.unpack_from(frame)
    ends = BODY + thermal, BODY + thermal + jpeg, BODY + thermal + jpeg + status
    return Frame(frame[BODY : ends[0]], frame[ends[0] : ends[1]], frame[ends[1] : ends[2]])


def check(frame: bytes) -> None:
    """Raise `ProtocolError` unless the parts are what they should be: then the next frame may stand inside."""
    parts = split(frame)
    check_jpeg(trim_jpeg(parts.jpeg))
    pixels(parts.thermal)


def pixels(thermal: bytes) -> NDArray[np.uint16]:
    """The thermal picture, shape (height, width). Raises `ProtocolError`."""
    for width, height in SIZES:
        packets = width // LINE * height
        if len(thermal) // PACKET >= packets:
            lines = np.frombuffer(thermal, np.uint8, packets * PACKET).reshape(packets, PACKET)[:, PACKET_HEADER:]
            return np.ascontiguousarray(lines).view("<u2").reshape(height, width)
    raise ProtocolError(Reason.TRUNCATED, f"a thermal picture of {len(thermal)} bytes")


class FlirOne:
    """Keeps reads pending, takes frames apart. Writes nothing but the start."""

    def __init__(self, options: Options) -> None:
        self._patience = Patience(SyncFramer(MAGIC, BODY, size, check, sole=True))
        self._degrees = bool(options["degrees"])
        self._planck = Planck(
            r1=float(options["planck-r1"]),
            b=float(options["planck-b"]),
            f=float(options["planck-f"]),
            o=float(options["planck-o"]),
            r2=float(options["planck-r2"]),
        )
        self._around = Surroundings(emissivity=float(options["emissivity"]), reflected=float(options["reflected"]))
        self._closed = False
        self._silent_at = inf
        self._capability = ReportedCapability()

    def start(self, now: float) -> Step:
        """Start the camera, and read from all three endpoints from now on."""
        self._silent_at = now + SILENCE
        return Step((*START, usb_read(FRAMES, READ_SIZE), *READS), wake_at=self._silent_at)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """A piece of a frame; a status of unknown meaning; a stall."""
        if packet.port == usb_port(FRAMES):
            return self._heard(now, self._patience.feed(now, packet.data), (usb_read(FRAMES, READ_SIZE),))
        for endpoint in STATUS:
            if packet.port == usb_port(endpoint):
                return Step((usb_read(endpoint, STATUS_SIZE),), wake_at=self._wake_at())
        reason = Reason.REJECTED if packet.port.startswith("stall:") else Reason.UNEXPECTED
        return Step(faults=(ProtocolError(reason, f"port {packet.port[:40]!r}"),), wake_at=self._wake_at())

    def on_timer(self, now: float) -> Step:
        """Half a frame is given up. The camera fell silent: start it again. Its reads are still pending."""
        step = self._heard(now, self._patience.on_timer(now), ())
        if now < self._silent_at:
            return step
        self._silent_at = now + SILENCE
        fault = ProtocolError(Reason.TIMEOUT, f"no frame for {SILENCE:g} s: started again")
        return Step(START, step.samples, (*step.faults, fault), self._wake_at())

    def _heard(self, now: float, frames: Iterable[bytes | ProtocolError], write: tuple[Packet, ...]) -> Step:
        samples, faults = decoded(self._samples, frames)
        if samples:
            self._silent_at = now + SILENCE
        return Step(write, tuple(samples), tuple(faults), self._wake_at())

    def _wake_at(self) -> float:
        return min(self._silent_at, self._patience.wake_at or inf)

    def _samples(self, frame: bytes) -> Iterator[Sample]:
        parts = split(frame)
        jpeg = trim_jpeg(parts.jpeg)
        width, height = check_jpeg(jpeg)
        was_closed, self._closed = self._closed, parts.status.startswith(FFC)
        shutter = Shutter.CLOSED if self._closed else Shutter.SETTLING if was_closed else Shutter.OPEN
        image = self._thermal(pixels(parts.thermal), shutter, frame)
        yield image
        yield Image("visible", jpeg, Layout.JPEG, width, height)
        yield from self._capability.after(image.cause)

    def _thermal(self, raw: NDArray[np.uint16], shutter: Shutter, frame: bytes) -> Image:
        height, width = raw.shape
        values = celsius_table(self._planck, self._around)[np.minimum(raw, FULL) * np.uint16(COUNTS_PER_PIXEL)]
        quality, cause = self._quality(raw, values, shutter)
        return Image(
            "thermal",
            values.astype("<f4").tobytes() if self._degrees else raw.tobytes(),
            Layout.F32LE if self._degrees else Layout.U16LE,
            width,
            height,
            radiometric=Radiometric.APPROXIMATE if self._degrees else Radiometric.NONE,
            shutter=shutter,
            emissivity=self._around.emissivity if self._degrees else None,
            original=frame,
            quality=quality,
            cause=cause,
        )

    def _quality(self, raw: NDArray[np.uint16], values: NDArray[np.float32], shutter: Shutter) -> tuple[Quality, Cause]:
        unsolved = np.isnan(values)
        if self._degrees and unsolved.all():
            return Quality.BAD, Cause.NOT_A_NUMBER
        if shutter is not Shutter.OPEN:
            return Quality.UNCERTAIN, Cause.CALIBRATING
        if self._degrees and self._around.emissivity < LOWEST_EMISSIVITY:
            return Quality.UNCERTAIN, Cause.LOW_EMISSIVITY
        if (self._degrees and unsolved.any()) or int(raw.max()) >= FULL:
            return Quality.UNCERTAIN, Cause.SATURATED
        if self._degrees and self._planck == G2:
            return Quality.UNCERTAIN, Cause.APPROXIMATE
        return Quality.GOOD, Cause.NONE


def channels(options: Options) -> tuple[Channel, ...]:
    """The thermal picture is in degrees unless the site says that nobody knows them."""
    degrees = bool(options["degrees"])
    return (
        Channel(
            name="thermal",
            title="Thermal image",
            unit=Unit.CELSIUS if degrees else Unit.COUNT,
            kind=ChannelKind.IMAGE,
            low=-273.15 if degrees else 0,
            high=1000 if degrees else 0xFFFF,
        ),
        Channel(name="visible", title="Visible image", unit=Unit.ARBITRARY, kind=ChannelKind.IMAGE),
    )


def _constant(name: str, value: float, low: float, high: float) -> Option:
    return Option(name=f"planck-{name}", title=f"Planck constant {name.upper()}", default=value, low=low, high=high)


OPTIONS = (
    Option(name="degrees", title="Compute degrees; false: counts, as for a Pro LT", default=True),
    Option(name="emissivity", title="Emissivity of what is looked at", default=0.95, low=0.01, high=1.0),
    Option(name="reflected", title="Reflected temperature in Cel", default=20.0, low=-60, high=200),
    _constant("r1", G2.r1, 1, 1e6),
    _constant("b", G2.b, 1, 1e5),
    _constant("f", G2.f, 0, 10),
    _constant("o", G2.o, -1e5, 1e5),
    _constant("r2", G2.r2, 1e-6, 10),
)
DRIVER = Driver(
    title="FLIR One G2, G3, Pro LT",
    category=Category.THERMAL,
    link=UsbLink(ids=(UsbId(0x09CB, 0x1996),), configuration=3, interfaces=((0, 0), (1, 0), (2, 0)), timeout=0.1),
    channels=channels({option.name: option.default for option in OPTIONS}),
    channels_for=channels,
    capabilities=("thermal",),
    plausibility=(
        "swapped bytes of a frame show nowhere: the bus has a CRC of its own; sizes in the header that agree "
        "with the frame"
    ),
    options=OPTIONS,
    forbidden=(Forbidden("use the file channel: options, files and the calibration of the camera", port="out:"),),
    allowed=Allowed(frozenset((*START, *READS))),
    protocol=FlirOne,
)
