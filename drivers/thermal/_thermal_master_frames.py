"""Bulk transfers of a Thermal Master camera to frames.

    transfer 1   start marker, then 2 * (2h + 2) * w bytes of pixels
    transfer 2   end marker

    marker, 12 bytes
    0    u8    0C
    1    u8    8C or 8D start, 8E or 8F end
    2    u32   cnt1, the same at the start and the end of a frame
    6    u32   cnt2
    10   u16   cnt3, below 2048; that of an end is that of the next start; goes on by 40 each frame

The pixels are u16 little-endian: h rows of brightness, 2 rows of metadata, h rows of temperature, 1/64 K.
A frame always begins with a transfer. One whose end is missing, or has another cnt1 (as the first one after the
shutter was closed by command), is thrown away whole.
"""

import struct
from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from devicehub.driver import Options
from devicehub.model.device import Channel, ChannelKind, Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Image, Layout, Quality, Radiometric, Sample, Shutter
from devicehub.model.units import Unit
from drivers.thermal._capability import ReportedCapability
from drivers.thermal._video_frame import FREEZE_OPTIONS, Freeze

HIGHEST = 52681  # 550 Cel, the end of the low-gain range
CHANNELS = (
    Channel(
        name="temperature",
        title="Temperature",
        unit=Unit.CELSIUS,
        kind=ChannelKind.IMAGE,
        low=-273.15,
        high=750,
        resolution=1 / 64,
    ),
)
OPTIONS = (
    Option(name="warm-up", title="Seconds until temperatures are trusted", default=300.0, low=0, high=3600),
    *FREEZE_OPTIONS,
)

_MARKER = struct.Struct("<BBIIH")
MARKER = _MARKER.size
_LENGTH, _STARTS, _ENDS = 0x0C, (0x8C, 0x8D), (0x8E, 0x8F)
_STEP, _WRAP = 40, 2048


class Frame(Struct, frozen=True):
    """One frame: cnt1, the temperature rows, and whether anything was lost or damaged just before it."""

    counter: int
    temperature: bytes
    after_damage: bool


class FrameParser:
    """Puts transfers together. Holds one frame and one transfer at most."""

    def __init__(self, width: int, height: int) -> None:
        self._size = MARKER + 2 * (2 * height + 2) * width
        self._rows = slice(MARKER + 2 * (height + 2) * width, self._size)
        self._buffer = bytearray()
        self._next: int | None = None
        self._start: int | None = None
        self._damaged = False
        self._in_garbage = False

    def begin(self) -> None:
        """The camera starts anew."""
        self._buffer.clear()
        self._next = self._start = None
        self._damaged = self._in_garbage = False

    def feed(self, transfer: bytes) -> Iterator[Frame | ProtocolError]:
        """What one transfer completes."""
        if not self._buffer and _marker(transfer, _STARTS) is None:
            rest = self._next is None and len(transfer) == MARKER and _marker(transfer, _ENDS) is not None
            if rest:  # of a frame that began before us
                return
            if transfer and not self._in_garbage:
                yield self._refused(Reason.GARBAGE, f"a transfer of {len(transfer)} bytes without a marker")
            self._in_garbage = True
            return
        self._in_garbage = False
        self._buffer += transfer
        while len(self._buffer) >= self._size + MARKER:
            yield from self._cut(transfer)

    def _cut(self, transfer: bytes) -> Iterator[Frame | ProtocolError]:
        """The frame at the beginning of the buffer, or why it is none."""
        start = _marker(self._buffer, _STARTS)
        end = _marker(self._buffer[self._size : self._size + MARKER], _ENDS)
        if start is None or end is None or start[0] != end[0]:
            yield self._refused(Reason.CORRUPT, "a frame without its end")
            self._next = None
            # What was taken for the end may begin the next frame.
            self._buffer[:] = transfer if _marker(transfer, _STARTS) and len(transfer) <= self._size else b""
            return
        if self._next is not None and start[1] != self._next:
            yield self._refused(Reason.SEQUENCE, f"{self._lost(start[1])} frames lost")
        after_damage, self._damaged = self._damaged, False
        self._start, self._next = start[1], end[1]
        yield Frame(start[0], bytes(self._buffer[self._rows]), after_damage)
        del self._buffer[: self._size + MARKER]

    def _lost(self, start: int) -> int:
        """Frames between the last one and this, as far as a counter that wraps can tell."""
        return max(((start - (self._start or 0)) % _WRAP) // _STEP - 1, 1)

    def _refused(self, reason: Reason, detail: str) -> ProtocolError:
        self._damaged = True
        return ProtocolError(reason, detail)


class Pictures:
    """Transfers to images, and what is wrong with each."""

    def __init__(self, width: int, height: int, options: Options) -> None:
        self._width, self._height = width, height
        self._parser = FrameParser(width, height)
        self._warm_up = float(options["warm-up"])
        self._freeze = Freeze(int(options["freeze-count"]), float(options["freeze-limit"]))
        self._capability = ReportedCapability()
        self._started = 0.0

    def begin(self, now: float) -> None:
        """The camera is switched on."""
        self._started = now
        self._freeze.begin(now)

    def restart(self) -> None:
        """The stream starts (again)."""
        self._parser.begin()

    def feed(self, now: float, transfer: bytes) -> tuple[list[Sample], list[ProtocolError]]:
        """What one transfer completes."""
        samples: list[Sample] = []
        faults: list[ProtocolError] = []
        for part in self._parser.feed(transfer):
            if isinstance(part, ProtocolError):
                faults.append(part)
            else:
                samples += self._image(now, part)
        return samples, faults

    def _image(self, now: float, frame: Frame) -> tuple[Sample, ...]:
        shutter = self._freeze.after(now, frame.temperature)
        if frame.after_damage and shutter is Shutter.OPEN:
            shutter = Shutter.SETTLING
        quality, cause = self._quality(now, frame, shutter)
        image = Image(
            "temperature",
            frame.temperature,
            Layout.U16LE,
            self._width,
            self._height,
            gain=1 / 64,
            offset=-273.15,
            radiometric=Radiometric.TRUE,
            shutter=shutter,
            counter=frame.counter,
            quality=quality,
            cause=cause,
        )
        return (image, *self._capability.after(cause))

    def _quality(self, now: float, frame: Frame, shutter: Shutter) -> tuple[Quality, Cause]:
        if (doubt := self._freeze.doubt(now, shutter)) is not None:
            return doubt
        if int(np.frombuffer(frame.temperature, "<u2").max()) > HIGHEST:
            return Quality.UNCERTAIN, Cause.SATURATED
        if now - self._started < self._warm_up:
            return Quality.UNCERTAIN, Cause.WARMING_UP
        return Quality.GOOD, Cause.NONE


def _marker(data: bytes | bytearray, kinds: tuple[int, int]) -> tuple[int, int] | None:
    """cnt1 and cnt3 of a marker of that kind, None if there is none."""
    if len(data) < MARKER:
        return None
    length, sync, first, _, third = _MARKER.unpack_from(data)
    return (first, third) if length == _LENGTH and sync in kinds and third < _WRAP else None
