"""Bytes of a named layout as a numpy view."""

import numpy as np
from numpy.typing import NDArray

from devicehub.model.reading import Layout

Values = NDArray[np.generic]

_DTYPES = {Layout.U8: "u1", Layout.U16LE: "<u2", Layout.I16LE: "<i2", Layout.U32LE: "<u4", Layout.F32LE: "<f4"}


def view(data: bytes, layout: Layout) -> Values:
    """A flat, read-only view of `data`. Raises `ValueError` for bytes that are no whole number of values."""
    if layout not in _DTYPES:
        raise ValueError(f"{layout} is an encoded layout, not an array")
    return np.frombuffer(data, np.dtype(_DTYPES[layout]))
