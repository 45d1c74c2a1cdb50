"""Connected pixels of a mask, from runs instead of pixels.

A row's neighbouring pixels are one run; runs of neighbouring rows that touch, also corner to corner, are one
spot. A frame has a few hundred runs where it has hundreds of thousands of pixels, and both steps are whole-array
operations. Runs are joined by hooking the greater root to the lesser one until nothing changes.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.thermal.windows import Mask

MOST_RUNS = 20_000
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]
Number = TypeVar("Number", np.intp, np.float64)


@dataclass(frozen=True, eq=False)
class Spots:
    """The spots of a mask, in the order of their first pixels.

    `pixels`: flat indices of the mask's pixels; `first`: where in them each run begins.
    Of each spot: `area` in pixels, box from `left`, `top` to `right`, `bottom` (exclusive), centroid `x`, `y` of pixel
    centres. `merged`: there were more than `MOST_RUNS` runs, so that everything was taken for one spot.
    """

    pixels: Indices
    first: Indices
    runs: "Runs"
    area: Indices
    left: Indices
    top: Indices
    right: Indices
    bottom: Indices
    x: Floats
    y: Floats
    merged: bool = False

    @cached_property
    def label(self) -> Indices:
        """The spot of each pixel."""
        return self.pixels if not self.area.size else self.runs.spot.repeat(_lengths(self.first, self.pixels.size))

    def greatest(self, values: Floats) -> Floats:
        """The greatest of each spot, of a value for each pixel."""
        return self.runs.greatest(np.maximum.reduceat(values, self.first)) if self.area.size else np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Runs by spot: `spot` of each run, `order` brings those of a spot together, which begin at `begin` then."""

    spot: Indices
    order: Indices
    begin: Indices

    @classmethod
    def of(cls, spot: Indices) -> "Runs":
        """From the spot of each run, every spot having one at least."""
        order = spot.argsort(kind="stable")
        ordered = spot[order]
        begin: Indices = ordered.searchsorted(np.arange(int(ordered[-1]) + 1))
        return cls(spot, order, begin)

    def greatest(self, values: NDArray[Number]) -> NDArray[Number]:
        """The greatest of each spot, of a value for each run."""
        found: NDArray[Number] = np.maximum.reduceat(values[self.order], self.begin)
        return found

    def total(self, values: NDArray[Number]) -> NDArray[Number]:
        """The sum of each spot."""
        found: NDArray[Number] = np.add.reduceat(values[self.order], self.begin)
        return found


def spots(mask: Mask) -> Spots:
    """The spots of a mask of shape (height, width), 8-connected."""
    width = mask.shape[1]
    pixels: Indices = mask.ravel().nonzero()[0]
    if pixels.size == 0:
        no, empty = np.zeros(0, np.intp), np.zeros(0)
        return Spots(pixels, no, Runs(no, no, no), no, no, no, no, no, empty, empty)
    first = _beginnings(pixels, width)
    length = _lengths(first, pixels.size)
    row, start = np.divmod(pixels[first], width)
    merged = first.size > MOST_RUNS
    runs = Runs.of(np.zeros(first.size, np.intp) if merged else _joined(row, start, start + length - 1, width))
    area = runs.total(length)
    return Spots(
        pixels=pixels,
        first=first,
        runs=runs,
        area=area,
        left=-runs.greatest(-start),
        top=row[runs.order[runs.begin]],  # runs are in order of their rows
        right=runs.greatest(start + length),
        bottom=runs.greatest(row) + 1,
        # The sum of a run's columns is its length times their mean.
        x=runs.total(length * (2 * start + length)) / (2 * area),
        y=runs.total(length * row) / area + 0.5,
        merged=merged,
    )


def _beginnings(pixels: Indices, width: int) -> Indices:
    """Where in the pixels each run begins: behind a gap, and at the beginning of a row."""
    gaps = pixels[1:] - pixels[:-1] != 1
    first = _after(gaps)
    if (pixels[first] % width + _lengths(first, pixels.size) <= width).all():
        return first
    return _after(gaps | (pixels[1:] % width == 0))


def _after(gaps: Mask) -> Indices:
    """The places behind gaps, and the first."""
    found: Indices = np.empty(np.count_nonzero(gaps) + 1, np.intp)
    found[0] = 0
    np.add(gaps.nonzero()[0], 1, out=found[1:])
    return found


def _lengths(first: Indices, size: int) -> Indices:
    """From each beginning to the next, and from the last to the end."""
    found = np.empty_like(first)
    np.subtract(first[1:], first[:-1], out=found[:-1])
    found[-1] = size - first[-1]
    return found


def _joined(row: Indices, start: Indices, end: Indices, width: int) -> Indices:
    """The spot of each run, numbered from 0. `end` is inclusive; runs are in order of row and start."""
    upper, lower = _touching(row, start, end, width)
    root = np.arange(row.size)
    while True:
        a, b = root[upper], root[lower]
        if (a == b).all():
            break
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        root = _flat(root)
    number: Indices = (root == np.arange(row.size)).cumsum() - 1
    return number[root]


def _flat(root: Indices) -> Indices:
    """Every run points at its root directly."""
    while True:
        following = root[root]
        if (following == root).all():
            return root
        root = following


def _touching(row: Indices, start: Indices, end: Indices, width: int) -> tuple[Indices, Indices]:
    """Pairs of runs that touch: one of a row and one of the row below it."""
    stride = width + 2  # one column on each side is a neighbour and must not reach into another row
    here, below = row * stride, (row + 1) * stride
    first = (here + end).searchsorted(below + start - 1, side="left")
    behind = (here + start).searchsorted(below + end + 1, side="right")
    count = np.maximum(behind - first, 0)
    upper = np.arange(row.size).repeat(count)
    offset = (first - count.cumsum() + count).repeat(count)
    return upper, offset + np.arange(upper.size)
