"""Statistics of one image, from raw pixels: converted to the channel's unit only at the end."""

from math import isfinite

import numpy as np
from msgspec import Struct

from devicehub.alarm.layout import Values, view
from devicehub.model.reading import Image, Layout

_COUNTED = 4096
"""Pixels from which on they are counted, which costs more than to sort a few."""

_COUNTED_BYTES = 2
"""Of a pixel: two have 65536 values at most."""


class FrameStatistics(Struct, frozen=True):
    """Minimum, mean, maximum, percentiles and hottest pixel of an image, in the channel's unit."""

    min: float
    mean: float
    max: float
    p05: float
    p95: float
    hot_x: int
    hot_y: int


def pixels(image: Image) -> Values:
    """A view of a raw image, shape (height, width). Raises `ValueError` when the data do not fit."""
    flat = view(image.data, image.layout)
    if flat.size != image.width * image.height or not flat.size:
        raise ValueError(f"{len(image.data)} bytes are not {image.width}x{image.height} {image.layout}")
    return flat.reshape(image.height, image.width)


def statistics(image: Image) -> FrameStatistics | None:
    """Statistics of a raw image; None for an encoded one or one without a finite pixel."""
    if image.layout.encoded:
        return None
    flat = pixels(image).ravel()
    if image.layout is Layout.F32LE:
        finite = np.isfinite(flat)
        if not finite.any():
            return None
        filled = np.where(finite, flat, -np.inf)
        hot = int(filled.argmax())
        flat = flat[finite]
    else:
        hot = int(flat.argmax())
    low, p05, p95, high = _quantiles(flat)
    mean = float(flat.mean(dtype=np.float64))
    low, mean, high, p05, p95 = (image.gain * value + image.offset for value in (low, mean, high, p05, p95))
    if not (isfinite(low) and isfinite(mean) and isfinite(high)):
        return None
    return FrameStatistics(low, mean, high, p05, p95, hot % image.width, hot // image.width)


def _quantiles(flat: Values) -> tuple[float, float, float, float]:
    """Minimum, 5th and 95th percentile (nearest rank) and maximum."""
    last = flat.size - 1
    ranks = (0, round(0.05 * last), round(0.95 * last), last)
    if flat.dtype.itemsize <= _COUNTED_BYTES and flat.size >= _COUNTED:
        low, p05, p95, high = _counted(flat, ranks)
    else:
        ordered = np.sort(flat)  # vectorised, unlike partition
        low, p05, p95, high = (float(ordered[rank]) for rank in ranks)
    return low, p05, p95, high


def _counted(flat: Values, ranks: tuple[int, ...]) -> list[float]:
    """What would stand at those places if the pixels were sorted: there are few values, and many pixels of each."""
    lowest = int(flat.min())
    up_to = np.bincount(np.subtract(flat, lowest, dtype=np.intp)).cumsum()
    return [float(value) for value in up_to.searchsorted(ranks, "right") + lowest]
