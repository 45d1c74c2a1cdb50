"""What a place should look like, from its surroundings, and by how many times the noise it differs.

The image is divided into blocks of `BLOCK` pixels. A block's level is its median, its background the median of
the levels of the five by five blocks around it, so that something that covers fewer than half of these does not
become its own background. Between the blocks' centres the background is interpolated. The noise is 1.4826 times the
median of what remains: no single object moves it, as a warm one that fills a third of the view moves the deviation
from the median of the whole image.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.thermal.scene import Part

BLOCK = 16
AROUND = 5
SIGMA = 1.4826

Field = NDArray[np.float32]


def differences(part: Part, least_noise: float) -> tuple[Field, float]:
    """Each pixel minus its background, and the noise, at least `least_noise`; both in the channel's unit.

    The field has the shape of the region's box; NaN where a pixel is no number.
    """
    counts = part.counts
    height, width = counts.shape
    size = max(min(BLOCK, height // 2, width // 2), 1)
    rows, columns = max(height // size, 1), max(width // size, 1)
    blocks = counts[: rows * size, : columns * size].reshape(rows, size, columns, size).swapaxes(1, 2)
    middle = (size * size - 1) // 2
    level = np.partition(blocks.reshape(rows, columns, -1), middle, axis=-1)[..., middle].astype(np.float32)
    if part.scale is None:
        level[~np.isfinite(level)] = part.median
    padded = np.pad(level, AROUND // 2, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (AROUND, AROUND)).reshape(rows, columns, -1)
    background = np.median(around, axis=-1).astype(np.float32)
    field = _between(height, background @ _spread(width, columns, size).T, size)
    np.subtract(counts, field, out=field, casting="same_kind")
    if part.scale is not None:
        field *= np.float32(part.scale.gain)
    return field, max(SIGMA * _middle(np.abs(field[::2, ::2])), least_noise)


@lru_cache(maxsize=64)
def _spread(length: int, blocks: int, size: int) -> Field:
    """The weights, (length, blocks), by which a line of blocks is interpolated linearly between their centres."""
    centres = (np.arange(blocks) + 0.5) * size
    weights = [np.interp(np.arange(length) + 0.5, centres, row) for row in np.eye(blocks)]
    return np.stack(weights, axis=1).astype(np.float32)


def _between(height: int, rows: Field, size: int) -> Field:
    """Levels by block and column to every row of the image. Without a product of matrices, which would use threads."""
    place = np.clip((np.arange(height) + 0.5) / size - 0.5, 0, len(rows) - 1)
    upper = np.minimum(place.astype(np.intp), max(len(rows) - 2, 0))
    share = (place - upper).astype(np.float32)[:, None]
    step = np.diff(rows, axis=0, append=rows[-1:])
    field: Field = step[upper]
    field *= share
    field += rows[upper]
    return field


def _middle(remaining: Field) -> float:
    finite = remaining[np.isfinite(remaining)]
    return float(np.median(finite)) if finite.size else 0.0
