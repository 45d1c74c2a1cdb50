"""The parts that a layout is compiled into: each takes its bytes off a frame, and puts them back.

`Fixed` is a run of numbers of known size in one `struct`; everything else has a size that the frame itself says.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from devicehub.devicefile.expression import Expression
from devicehub.model.errors import ProtocolError, Reason

Decoded = Any
"""The value of a field: a number, text, bytes, an array or a list, as its table says."""

Values = dict[str, Decoded]
"""Decoded fields by name."""

Convert = Callable[[Decoded], Decoded]


class Part(Protocol):
    """Some fields that follow each other."""

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """Read fields from offset `at` into `values`; the offset behind them. Raises `ProtocolError`."""
        ...

    def encode(self, values: Values, out: bytearray) -> None:
        """Append the bytes of `values`; a field that is missing is zero. Raises `ValueError`."""
        ...


@dataclass(frozen=True, slots=True)
class Announced:
    """A field that says how long another is: filled in from it when it is not given."""

    name: str
    of: str
    measure: Callable[[Decoded], int]


class Layout:
    """Parts in a row."""

    def __init__(self, parts: tuple[Part, ...], announced: tuple[Announced, ...] = ()) -> None:
        self._parts = parts
        self._announced = announced

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        for part in self._parts:
            at = part.decode(data, at, values)
        return at

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        for field in self._announced:
            if field.name not in values:
                values = {**values, field.name: field.measure(values.get(field.of, ()))}
        for part in self._parts:
            part.encode(values, out)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number of a `Fixed` run. `decode` None: as it is.

    `wanted`: its raw constant; `bits`: name to (shift, mask); `whole`: it has no fraction.
    """

    name: str
    decode: Convert | None = None
    encode: Convert | None = None
    wanted: int | float | None = None
    bits: tuple[tuple[str, int, int], ...] = ()
    whole: bool = False


class Fixed:
    """Numbers of known size, read by one `struct`."""

    def __init__(self, layout: str, scalars: tuple[Scalar, ...]) -> None:
        self._struct = struct.Struct(layout)
        self._scalars = scalars
        self._names = tuple(scalar.name for scalar in scalars)
        self._size = self._struct.size
        self._wanted = tuple((scalar.name, scalar.wanted) for scalar in scalars if scalar.wanted is not None)
        self._bits = tuple((scalar.name, *bit) for scalar in scalars for bit in scalar.bits)
        self._decoded = tuple((scalar.name, scalar.decode) for scalar in scalars if scalar.decode is not None)

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        try:
            raw = self._struct.unpack_from(data, at)
        except struct.error:
            raise ProtocolError(Reason.TRUNCATED, f"frame ends before {', '.join(self._names[:3])}") from None
        values.update(zip(self._names, raw, strict=True))
        for name, wanted in self._wanted:
            if values[name] != wanted:
                raise ProtocolError(Reason.UNEXPECTED, f"{name} = {values[name]}, not {wanted}")
        for name, bit, shift, mask in self._bits:
            values[bit] = values[name] >> shift & mask
        for name, decode in self._decoded:
            values[name] = decode(values[name])
        return at + self._size

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        try:
            out += self._struct.pack(*(_raw(scalar, values) for scalar in self._scalars))
        except struct.error as error:
            raise ValueError(f"{', '.join(self._names)}: {error}") from None


def _raw(scalar: Scalar, values: Values) -> Decoded:
    if scalar.wanted is not None:
        return scalar.wanted
    if scalar.bits and any(bit in values for bit, _, _ in scalar.bits):
        raw = values.get(scalar.name, 0)
        for bit, shift, mask in scalar.bits:
            raw = raw & ~(mask << shift) | (int(values.get(bit, raw >> shift & mask)) & mask) << shift
        return raw
    value = values.get(scalar.name, 0)
    raw = value if scalar.encode is None else scalar.encode(value)
    return round(raw) if scalar.whole and isinstance(raw, float) else raw


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a field goes: `size` bytes, up to `until`, or to the end of the frame."""

    size: Expression | int | None = None
    until: bytes | None = None
    last: bool = False

    def find(self, name: str, data: bytes, at: int, values: Values) -> tuple[int, int]:
        """Where the field ends and where the next begins. Raises `ProtocolError`."""
        if self.size is not None:
            size = self.size if isinstance(self.size, int) else self.size.whole(values)
            if size < 0 or at + size > len(data):
                raise ProtocolError(Reason.TRUNCATED, f"{name} has {size} bytes, {len(data) - at} are left")
            return at + size, at + size
        if self.until is None:
            return len(data), len(data)
        end = data.find(self.until, at)
        if end < 0 and self.last:
            return len(data), len(data)
        if end < 0:
            raise ProtocolError(Reason.TRUNCATED, f"{name} does not end in {self.until.hex(' ')}")
        return end, end + len(self.until)

    def write(self, content: bytes, values: Values, out: bytearray) -> None:
        """Append what a field holds, padded to its size or with its end."""
        if self.size is not None:
            size = self.size if isinstance(self.size, int) else self._announced(len(content), values)
            content = content[:size].ljust(size, b"\0")
        out += content
        if self.until is not None and not self.last:
            out += self.until

    def _announced(self, size: int, values: Values) -> int:
        """The size as another field says it, if one does."""
        assert isinstance(self.size, Expression)
        return int(self.size(values)) if self.size.names <= values.keys() else size


class Stretch:
    """Bytes of a size that the frame says: text, numbers in digits, bytes as they are."""

    def __init__(
        self, name: str, extent: Extent, convert: tuple[Convert, Callable[[Decoded], bytes]], wanted: object = None
    ) -> None:
        """`convert`: from bytes and back. `wanted`: what it must be."""
        self._name = name
        self._extent = extent
        self._read, self._write = convert
        self._wanted = wanted

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        end, after = self._extent.find(self._name, data, at, values)
        try:
            value = self._read(data[at:end])
        except ValueError:
            raise ProtocolError(Reason.CORRUPT, f"{self._name} = {data[at:end][:40]!r}") from None
        if self._wanted is not None and value != self._wanted:
            raise ProtocolError(Reason.UNEXPECTED, f"{self._name} = {value!r}, not {self._wanted!r}")
        values[self._name] = value
        return after

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        value = values.get(self._name) if self._wanted is None else self._wanted
        self._extent.write(b"" if value is None else self._write(value), values, out)


class Conditional:
    """Fields that are only there sometimes."""

    def __init__(self, part: Part, test: Callable[[Mapping[str, object]], bool] | None, names: frozenset[str]) -> None:
        """`test` None: they are there unless the frame ends before them."""
        self._part = part
        self._test = test
        self._names = names

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        there = at < len(data) if self._test is None else self._test(values)
        return self._part.decode(data, at, values) if there else at

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        if self._names & values.keys() if self._test is None else self._test(values):
            self._part.encode(values, out)
