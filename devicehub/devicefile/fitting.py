"""What fits into a field: a simulated value that its bytes cannot hold is brought to the nearest that they can."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from devicehub.devicefile.parts import Decoded
from devicehub.devicefile.schema_message import FieldTable

Fit = Callable[[Decoded], Decoded]
"""The same object where it fits."""

_EXACT: Final = 2.0**53
_SINGLE: Final = float(np.finfo(np.float32).max)
_FLOATS: Final = frozenset({"f32", "f64"})


def fitting(table: FieldTable) -> Fit:
    """What brings a value to what a field holds."""
    if table.type == "array":
        return _array(table)
    if table.type == "list":
        return _list({one.name: fitting(one) for one in _inner(table)})
    if table.type in {"text", "bytes"}:
        encoding = "latin-1" if table.type == "bytes" else table.encoding
        return _cut(table.size, encoding) if isinstance(table.size, int) else _as_it_is
    found = limits(table)
    return _as_it_is if found is None or table.enum else _number(*found)


def bits(width: int) -> Fit:
    """What brings a number to so many bits."""
    return _number(0, (1 << width) - 1)


def limits(table: FieldTable) -> tuple[float, float] | None:
    """The least and the greatest value of a field with a number; None without bounds."""
    raw = _raw(table)
    if raw is None or (table.scale is None and not table.offset):
        return raw
    scale = 1.0 if table.scale is None else table.scale
    ends = [min(max(end, -_EXACT), _EXACT) * scale + table.offset for end in raw]
    return min(ends), max(ends)


def _raw(table: FieldTable) -> tuple[float, float] | None:
    size = table.size if isinstance(table.size, int) else 0
    match table.type:
        case "f32":
            return -_SINGLE, _SINGLE
        case "decimal" if size:
            return 1 - 10 ** (size - 1), 10**size - 1
        case "hex" if size:
            return 0, 16**size - 1
        case "bcd" if size:
            return 0, 100**size - 1
        case kind if kind[1:].isdigit() and kind not in _FLOATS:
            return _whole(kind)
        case _:
            return None


def _whole(kind: str) -> tuple[int, int]:
    """Of a type as `u16` or `i24`."""
    width = int(kind[1:])
    return (0, (1 << width) - 1) if kind[0] == "u" else (-(1 << width - 1), (1 << width - 1) - 1)


def _as_it_is(value: Decoded) -> Decoded:
    return value


def _number(low: float, high: float) -> Fit:
    def fit(value: Decoded) -> Decoded:
        if not isinstance(value, int | float):
            return value
        return low if value < low else min(value, high)

    return fit


def _cut(size: int, encoding: str) -> Fit:
    def fit(value: Decoded) -> Decoded:
        if isinstance(value, bytes):
            return value if len(value) <= size else value[:size]
        text = str(value)
        data = text.encode(encoding)
        return value if len(data) <= size else data[:size].decode(encoding, "ignore")

    return fit


def _array(table: FieldTable) -> Fit:
    kind = table.of or "u8"
    if kind in _FLOATS:
        return _as_it_is
    low, high = _whole(kind)

    def fit(value: Decoded) -> Decoded:
        numbers: np.ndarray[Any, Any] = np.asarray(value)
        if not numbers.size:
            return value
        if table.coding == "delta":
            steps = np.diff(numbers.astype(np.int64), prepend=0)
            return value if _inside(steps, low, high) else np.cumsum(steps.clip(low, high))
        return value if _inside(numbers, low, high) else numbers.clip(low, high)

    return fit


def _inside(numbers: np.ndarray[Any, Any], low: int, high: int) -> bool:
    return bool(low <= numbers.min() and numbers.max() <= high)


def _list(inner: Mapping[str, Fit]) -> Fit:
    def fit(value: Decoded) -> Decoded:
        if not isinstance(value, list):
            return value
        out = [{name: inner.get(name, _as_it_is)(one) for name, one in row.items()} for row in value]
        same = all(new[name] is old[name] for new, old in zip(out, value, strict=True) for name in old)
        return value if same else out

    return fit


def _inner(table: FieldTable) -> list[FieldTable]:
    """The fields of a list's elements, those of its cases too."""
    return [*table.fields, *(one for case in table.case for one in case.fields)]
