"""Frames of Seek Thermal cameras to corrected images: flat field, dead pixels, counters.

A frame is u16 little-endian words. Its id says what it is: 4 the first frame after start (shows the dead
pixels), 1 the closed shutter (flat field), 3 an image, 6 and others are of no use here.

    corrected = raw + 0x4000 - last shutter frame

Dead pixels are those of the id-4 frame below `mode - (max - mode)`, mode being the peak of its histogram
without zero; each becomes the mean of its valid neighbours above, below, left and right.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import (
    Capability,
    Cause,
    Image,
    Layout,
    Level,
    Measurement,
    Quality,
    Radiometric,
    Sample,
    Shutter,
)

DEAD, FLAT, IMAGE = 4, 1, 3
KNOWN_IDS = 16
ZERO_LEVEL = 0x4000
WARM_UP = 300.0
TEMPERATURE_EVERY = 1.0
DEAD_SHARE_LIMIT = 0.3
CAPABILITY = "thermal"

Words = NDArray[np.uint16]
Mask = NDArray[np.bool_]
Indexes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLayout:
    """Where things are in a frame of `rows` x `columns` words; `first_*`, `width`, `height`: the image area.

    `blind_columns` of the area hold no picture but the row reference.
    """

    rows: int
    columns: int
    id_word: int
    counter_word: int
    temperature_word: int
    first_row: int
    first_column: int
    width: int
    height: int
    blind_columns: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Bytes in a frame."""
        return 2 * self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Calibration:
    """A site's own two-point calibration: degrees Celsius = gain * corrected + offset; gain 0: none."""

    gain: float = 0.0
    offset: float = 0.0
    made_on: str = ""

    @property
    def valid(self) -> bool:
        """Whether there is one."""
        return self.gain > 0


def dead_pixels(area: Words) -> Mask:
    """The dead pixels that an id-4 frame shows. Raises `ProtocolError` when too many seem dead."""
    seen = area[area > 0]
    if seen.size == 0:
        raise ProtocolError(Reason.CORRUPT, "dead-pixel frame is empty")
    mode = int(np.argmax(np.bincount(seen)))
    dead: Mask = area < mode - (int(seen.max()) - mode)
    dead |= area == 0
    if dead.mean() > DEAD_SHARE_LIMIT:
        raise ProtocolError(Reason.CORRUPT, f"{dead.mean():.0%} of the pixels seem dead")
    return dead


@dataclass(frozen=True, slots=True)
class _Pass:
    """Dead pixels (flat indexes) that have valid neighbours once the passes before are done."""

    target: Indexes
    neighbours: Indexes
    valid: Mask


class Repair:
    """Replaces dead pixels, in an order in which each has a valid neighbour."""

    def __init__(self, dead: Mask) -> None:
        self._passes = tuple(_plan(dead))

    def __call__(self, values: NDArray[np.int32]) -> None:
        """In place; a contiguous image of the mask's shape."""
        flat = values.reshape(-1)
        for step in self._passes:
            total = np.where(step.valid, flat[step.neighbours], 0).sum(axis=0)
            flat[step.target] = total // step.valid.sum(axis=0)


def _plan(dead: Mask) -> Iterator[_Pass]:
    rows, columns = dead.shape
    # A border of dead pixels spares every edge its special case.
    left = np.pad(dead, 1, constant_values=True)
    while True:
        y, x = np.nonzero(left[1:-1, 1:-1])
        around = np.stack([np.stack([y + dy, x + dx]) for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2))])
        valid = ~left[around[:, 0], around[:, 1]]
        ready = valid.any(axis=0)
        if not ready.any():
            return
        inner = around[:, :, ready] - 1
        neighbours = np.clip(inner[:, 0], 0, rows - 1) * columns + np.clip(inner[:, 1], 0, columns - 1)
        yield _Pass(y[ready] * columns + x[ready], neighbours, valid[:, ready])
        left[y[ready] + 1, x[ready] + 1] = False


class FramePipeline:
    """Keeps the last shutter frame and the dead pixels of one power-up; turns frames into samples."""

    def __init__(self, layout: FrameLayout, calibration: Calibration) -> None:
        self._layout = layout
        self._calibration = calibration
        self._warm_at = 0.0
        self._temperature_at = 0.0
        self._flat: NDArray[np.int32] | None = None
        self._repair: Repair | None = None
        self._counter: int | None = None
        self._settling = False

    @property
    def capability(self) -> Capability:
        """Until the first shutter frame there are no images."""
        if self._flat is None:
            return Capability(CAPABILITY, Level.DEGRADED, Cause.CALIBRATING)
        return Capability(CAPABILITY, Level.FULL)

    @property
    def facts(self) -> dict[str, str]:
        """What is known about the calibration."""
        date = self._calibration.made_on
        return {"calibrated-on": date} if date and self._calibration.valid else {}

    def begin(self, now: float) -> None:
        """The link was opened: the camera begins to warm up."""
        self._warm_at = now + WARM_UP
        self._temperature_at = now

    def restart(self) -> None:
        """The camera is initialised again: its counter starts anew, its dead pixels come again."""
        self._counter = None
        self._repair = None

    def frame_id(self, frame: bytes) -> int:
        """What a whole frame is."""
        return self._word(frame, self._layout.id_word)

    def on_frame(self, now: float, frame: bytes) -> tuple[list[Sample], list[ProtocolError]]:
        """Take one whole frame with a known id."""
        layout = self._layout
        samples: list[Sample] = []
        faults: list[ProtocolError] = []
        counter = self._word(frame, layout.counter_word)
        repeated = self._count(counter, faults)
        if now >= self._temperature_at:
            self._temperature_at = now + TEMPERATURE_EVERY
            samples.append(Measurement("sensor-temperature", self._word(frame, layout.temperature_word)))
        area = self._area(frame)
        kind = self.frame_id(frame)
        if kind == DEAD:
            self._learn(area, faults)
        elif kind == FLAT:
            new, self._flat = self._flat is None, area.astype(np.int32)
            self._settling = True
            samples.extend([self.capability] if new else [])
        elif kind == IMAGE and self._flat is not None:
            samples.append(self._image(now, area, self._flat, counter, repeated=repeated))
        return samples, faults

    def _word(self, frame: bytes, index: int) -> int:
        return int.from_bytes(frame[2 * index : 2 * index + 2], "little")

    def _area(self, frame: bytes) -> Words:
        layout = self._layout
        words = np.frombuffer(frame, "<u2").reshape(layout.rows, layout.columns)
        rows = slice(layout.first_row, layout.first_row + layout.height)
        return words[rows, layout.first_column : layout.first_column + layout.width]

    def _count(self, counter: int, faults: list[ProtocolError]) -> bool:
        """Whether the frame repeats the last one; a gap is a fault."""
        last, self._counter = self._counter, counter
        if last is None or counter == (last + 1) & 0xFFFF:
            return False
        step = (counter - last) & 0xFFFF
        what = f"{step - 1} frames lost" if step else "the same frame again"
        faults.append(ProtocolError(Reason.SEQUENCE, f"{what}: counter {counter} after {last}"))
        return step == 0

    def _learn(self, area: Words, faults: list[ProtocolError]) -> None:
        try:
            dead = dead_pixels(area)
        except ProtocolError as fault:
            faults.append(fault)
            return
        dead[:, list(self._layout.blind_columns)] = True
        self._repair = Repair(dead)

    def _image(self, now: float, area: Words, flat: NDArray[np.int32], counter: int, *, repeated: bool) -> Image:
        values = area + np.int32(ZERO_LEVEL) - flat
        if self._repair is not None:
            self._repair(values)
        settling, self._settling = self._settling, False
        calibrated = self._calibration.valid
        cause = self._cause(now, repeated=repeated)
        return Image(
            "image",
            np.clip(values, 0, 0xFFFF).astype("<u2").tobytes(),
            Layout.U16LE,
            self._layout.width,
            self._layout.height,
            gain=self._calibration.gain if calibrated else 1.0,
            offset=self._calibration.offset if calibrated else 0.0,
            radiometric=Radiometric.APPROXIMATE if calibrated else Radiometric.NONE,
            shutter=Shutter.SETTLING if settling else Shutter.OPEN,
            counter=counter,
            quality=Quality.UNCERTAIN if cause else Quality.GOOD,
            cause=cause,
        )

    def _cause(self, now: float, *, repeated: bool) -> Cause:
        if repeated:
            return Cause.DUPLICATE
        if self._repair is None:
            return Cause.UNCALIBRATED
        return Cause.WARMING_UP if now < self._warm_at else Cause.NONE
