"""One frame, ready for rules: its counts as they came, and what several rules ask of the same region, once."""

from dataclasses import dataclass
from functools import cached_property
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.frames import pixels
from devicehub.alarm.layout import Values
from devicehub.alarm.thermal.counts import Scale
from devicehub.alarm.thermal.windows import Window, window
from devicehub.model.reading import Image, Layout
from devicehub.model.thermal import Region, Unjudged

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """The pixels of a region. `scale` turns counts into values; None: they are values already, and may be NaN."""

    window: Window
    counts: Values
    scale: Scale | None

    @cached_property
    def own(self) -> Values:
        """The region's finite pixels, without order."""
        flat = self.counts.ravel() if self.window.inside is None else self.counts[self.window.inside]
        return flat if self.scale is not None else flat[np.isfinite(flat)]

    @cached_property
    def whole(self) -> bool:
        """Whether every pixel is a number."""
        inside = self.window.inside
        return self.own.size == (self.counts.size if inside is None else int(inside.sum()))

    @cached_property
    def low(self) -> float:
        """The lowest value. It and the highest are all that most frames are asked for."""
        return self.value(self._flat.max() if self._falling else self._flat.min())

    @cached_property
    def high(self) -> float:
        """The highest value."""
        return self.value(self._flat.min() if self._falling else self._flat.max())

    @property
    def _flat(self) -> Values:
        """The same pixels as `own`, without a copy where that is possible."""
        return self.counts if self.window.inside is None and self.scale is not None else self.own

    @property
    def _falling(self) -> bool:
        """Whether a greater count is a lower value."""
        return self.scale is not None and self.scale.gain < 0

    @cached_property
    def median(self) -> float:
        """The lower median, in the channel's unit."""
        middle = (self.own.size - 1) // 2
        return self.value(np.partition(self.own, middle)[middle])

    def value(self, count: np.generic) -> float:
        """One count in the channel's unit."""
        return float(count) if self.scale is None else self.scale.value(int(count))

    def values(self, places: NDArray[np.intp]) -> Floats:
        """Some pixels in the channel's unit, by flat index."""
        some = self.counts.ravel()[places] if self.counts.flags.c_contiguous else self.counts.flat[places]
        found: Floats = some.astype(np.float64)
        return found if self.scale is None else self.scale.gain * found + self.scale.offset


class Scene:
    """A raw frame. Raises `ValueError` when its data do not fit its size."""

    def __init__(self, image: Image) -> None:
        raw = pixels(image)
        self.size = image.width, image.height
        self._scale: Scale | None = None
        self._counts: Values = raw
        if image.layout is not Layout.F32LE and image.gain != 0:
            limits = np.iinfo(raw.dtype)  # type: ignore[type-var]  # every other layout is one of integers
            scale = Scale(image.gain, image.offset, int(limits.min), int(limits.max))
            if isfinite(scale.value(scale.least)) and isfinite(scale.value(scale.most)):
                self._scale = scale
        if self._scale is None:
            with np.errstate(all="ignore"):
                values = image.gain * raw.astype(np.float64) + image.offset
            values[~np.isfinite(values)] = nan
            self._counts = values
        self._parts: dict[Region | None, Part | Unjudged] = {}

    def part(self, region: Region | None) -> Part | Unjudged:
        """The pixels of a region, or why there are none."""
        if region not in self._parts:
            self._parts[region] = self._cut(region)
        return self._parts[region]

    def _cut(self, region: Region | None) -> Part | Unjudged:
        place = window(region, *self.size)
        if place is None:
            return Unjudged.OUTSIDE
        part = Part(place, self._counts[place.top : place.bottom, place.left : place.right], self._scale)
        return part if self._scale is not None or part.own.size else Unjudged.NO_PIXELS
