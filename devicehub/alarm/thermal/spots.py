"""Connected pixels of a mask, from runs instead of pixels.

A row's neighbouring pixels are one run; runs of neighbouring rows that touch, also corner to corner, are one
spot. A frame has a few hundred runs where it has hundreds of thousands of pixels, and both steps are whole-array
operations. Runs are joined by hooking the greater root to the lesser one until nothing changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.thermal.windows import Mask

MOST_RUNS = 20_000
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """The spots of a mask, in the order of their first pixels.

    `pixels`: flat indices of the mask's pixels, `label`: the spot of each. Of each spot: `area` in pixels, box from
    `left`, `top` to `right`, `bottom` (exclusive), centroid `x`, `y` of pixel centres. `merged`: there were more than
    `MOST_RUNS` runs, so that everything was taken for one spot.
    """

    pixels: Indices
    label: Indices
    area: Indices
    left: Indices
    top: Indices
    right: Indices
    bottom: Indices
    x: Floats
    y: Floats
    merged: bool = False


def spots(mask: Mask) -> Spots:
    """The spots of a mask of shape (height, width), 8-connected."""
    width = mask.shape[1]
    pixels: Indices = np.flatnonzero(mask)
    if pixels.size == 0:
        nothing: Indices = np.zeros(0, np.intp)
        empty: Floats = np.zeros(0)
        return Spots(pixels, nothing, nothing, nothing, nothing, nothing, nothing, empty, empty)
    row = pixels // width
    breaks = (np.diff(pixels) != 1) | (np.diff(row) != 0)
    first: Indices = np.concatenate(([0], np.flatnonzero(breaks) + 1))
    length = np.diff(np.append(first, pixels.size))
    start = pixels[first] - row[first] * width
    merged = first.size > MOST_RUNS
    run = np.zeros(first.size, np.intp) if merged else _joined(row[first], start, start + length - 1, width)
    return _measured(pixels, _Runs(run, row[first], start, length), merged=merged)


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    label: Indices
    row: Indices
    start: Indices
    length: Indices


def _measured(pixels: Indices, runs: _Runs, *, merged: bool) -> Spots:
    count = int(runs.label.max()) + 1
    area = np.bincount(runs.label, runs.length, count)
    # The sum of a run's columns is its length times their mean.
    x = np.bincount(runs.label, runs.length * (runs.start + 0.5 * runs.length), count) / area
    y = np.bincount(runs.label, runs.length * (runs.row + 0.5), count) / area
    edges = [np.full(count, np.iinfo(np.intp).max), np.full(count, np.iinfo(np.intp).max)]
    ends = [np.zeros(count, np.intp), np.zeros(count, np.intp)]
    for edge, values in zip(edges, (runs.start, runs.row), strict=True):
        np.minimum.at(edge, runs.label, values)
    for end, values in zip(ends, (runs.start + runs.length, runs.row + 1), strict=True):
        np.maximum.at(end, runs.label, values)
    label = np.repeat(runs.label, runs.length)
    return Spots(pixels, label, area.astype(np.intp), edges[0], edges[1], ends[0], ends[1], x, y, merged)


def _joined(row: Indices, start: Indices, end: Indices, width: int) -> Indices:
    """The spot of each run, numbered from 0. `end` is inclusive; runs are in order of row and start."""
    upper, lower = _touching(row, start, end, width)
    root = np.arange(row.size)
    while True:
        a, b = root[upper], root[lower]
        if np.array_equal(a, b):
            break
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        root = _flat(root)
    order = np.cumsum(root == np.arange(row.size)) - 1
    return order[root]


def _flat(root: Indices) -> Indices:
    """Every run points at its root directly."""
    while True:
        following = root[root]
        if np.array_equal(following, root):
            return root
        root = following


def _touching(row: Indices, start: Indices, end: Indices, width: int) -> tuple[Indices, Indices]:
    """Pairs of runs that touch: one of a row and one of the row below it."""
    stride = width + 2  # one column on each side is a neighbour and must not reach into another row
    here, below = row * stride, (row + 1) * stride
    first = np.searchsorted(here + end, below + start - 1, side="left")
    behind = np.searchsorted(here + start, below + end + 1, side="right")
    count = np.maximum(behind - first, 0)
    upper = np.repeat(np.arange(row.size), count)
    offset = np.arange(upper.size) - np.repeat(np.cumsum(count) - count, count)
    return upper, np.repeat(first, count) + offset
