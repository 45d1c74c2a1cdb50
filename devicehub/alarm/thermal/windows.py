"""Regions laid over an image of a given size."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from devicehub.model.thermal import Region

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Rows and columns of an image, and which of these pixels belong to the region; None: all of them."""

    left: int
    top: int
    right: int
    bottom: int
    inside: Mask | None = None


@lru_cache(maxsize=256)
def window(region: Region | None, width: int, height: int) -> Window | None:
    """Where a region lies in an image; None if it is not wholly in it, or has no pixel. No region: the whole image."""
    if region is None:
        return Window(0, 0, width, height)
    left, top, across, down = region.bbox
    right, bottom = left + across, top + down
    if left < 0 or top < 0 or right > width or bottom > height or across <= 0 or down <= 0:
        return None
    if not region.corners:
        return Window(left, top, right, bottom)
    inside = polygon(region.corners, (left, top, right, bottom))
    return Window(left, top, right, bottom, inside) if inside.any() else None


def polygon(corners: tuple[tuple[float, float], ...], box: tuple[int, int, int, int]) -> Mask:
    """Which pixels of a box (left, top, right, bottom) have their centre in a polygon, by the even-odd rule."""
    left, top, right, bottom = box
    x = np.arange(left, right) + 0.5
    y = (np.arange(top, bottom) + 0.5)[:, None]
    inside = np.zeros((bottom - top, right - left), np.bool_)
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    inside.setflags(write=False)
    return inside
