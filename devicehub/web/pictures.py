"""An image as the page takes it: a header of 24 bytes, then one byte a pixel, or the JPEG that the camera sent.

| offset | what, little-endian |
|---|---|
| 0 | u32, UTC milliseconds modulo 2 to the 32nd |
| 4 | u32, number of the frame |
| 8 | u16 width, u16 height |
| 12 | f32, value of index 0; NaN where the image has no values |
| 16 | f32, value of index 255; NaN where the image has no values |
| 20 | u16 column, u16 row of the hottest pixel; 65535 where there is none |
"""

import struct
from math import isfinite, nan
from typing import Final

import numpy as np

from devicehub.alarm.frames import pixels
from devicehub.view import Shown

_HEADER: Final = struct.Struct("<IIHHffHH")
_NOWHERE: Final = 0xFFFF
_LAST: Final = 255


def packed(shown: Shown) -> bytes:
    """See the module's docstring. Raises `ValueError` for data that do not fit the image's size."""
    image = shown.image
    number = shown.count if image.counter is None else image.counter
    head = (round(shown.at.utc * 1000) & 0xFFFF_FFFF, number & 0xFFFF_FFFF, image.width, image.height)
    if image.layout.encoded:
        return _HEADER.pack(*head, nan, nan, _NOWHERE, _NOWHERE) + image.data
    raw = pixels(image).astype(np.float32)
    finite = np.isfinite(raw)
    if not finite.any():
        return _HEADER.pack(*head, nan, nan, _NOWHERE, _NOWHERE) + bytes(raw.size)
    low, high = float(raw[finite].min()), float(raw[finite].max())
    index = np.rint(np.where(finite, (raw - low) * (_LAST / (high - low or 1.0)), 0.0)).astype(np.uint8)
    row, column = divmod(int(np.where(finite, raw, -np.inf).argmax()), image.width)
    ends = [image.gain * value + image.offset for value in (low, high)]
    shown_ends = [value if isfinite(value) else nan for value in ends]
    return _HEADER.pack(*head, *shown_ends, column, row) + index.tobytes()
