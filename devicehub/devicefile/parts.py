"""The parts that a layout is compiled into: each takes its bytes off a frame, and puts them back.

`Fixed` is a run of numbers of known size in one `struct`; everything else has a size that the frame itself says.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from devicehub.devicefile.expression import NUMBERS, Expression
from devicehub.model.errors import ProtocolError, Reason

Decoded = Any
"""The value of a field: a number, text, bytes, an array or a list, as its table says."""

Values = dict[str, Decoded]
"""Decoded fields by name."""

Convert = Callable[[Decoded], Decoded]

Read = Callable[[bytes, int, Values], int]
"""As `Part.decode`."""


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
        self.parts = parts
        self.reads: tuple[Read, ...] = tuple(part.decode for part in parts)
        self._announced = announced

    @property
    def read(self) -> Read:
        """What decodes it: its part, where it has one alone."""
        return self.reads[0] if len(self.reads) == 1 else self.decode

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        for read in self.reads:
            at = read(data, at, values)
        return at

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        for field in self._announced:
            if field.name not in values:
                values = {**values, field.name: field.measure(values.get(field.of, ()))}
        for part in self.parts:
            part.encode(values, out)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number of a `Fixed` run. `decode` None: as it is.

    `wanted`: its raw constant; `bits`: name to (shift, mask); `whole`: it has no fraction. `size`: it is bytes, so
    many of them, filled up with zeros when they are written; `decode` may raise `ValueError`, `wanted` is its value.
    """

    name: str
    decode: Convert | None = None
    encode: Convert | None = None
    wanted: int | float | str | None = None
    bits: tuple[tuple[str, int, int], ...] = ()
    whole: bool = False
    size: int = 0


class Fixed:
    """Numbers of known size, read by one `struct`."""

    def __init__(self, layout: str, scalars: tuple[Scalar, ...]) -> None:
        self._struct = struct.Struct(layout)
        self._unpack = self._struct.unpack_from
        self._scalars = scalars
        self._names = tuple(scalar.name for scalar in scalars)
        self._named = tuple(enumerate(self._names))
        self._alone = scalars[0].name if len(scalars) == 1 else ""
        self._size = self._struct.size
        numbers = [(number, one) for number, one in enumerate(scalars) if not one.size]
        self._wanted = tuple((number, one.wanted) for number, one in numbers if one.wanted is not None)
        self._bits = tuple(
            (bit, number, shift, mask) for number, one in enumerate(scalars) for bit, shift, mask in one.bits
        )
        self._reads = tuple((one.name, number, _reads(one)) for number, one in enumerate(scalars) if one.decode)
        self._converts = bool(self._bits or self._reads)

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        try:
            raw = self._unpack(data, at)
        except struct.error:
            raise ProtocolError(Reason.TRUNCATED, f"frame ends before {', '.join(self._names[:3])}") from None
        for number, wanted in self._wanted:
            if raw[number] != wanted:
                raise ProtocolError(Reason.UNEXPECTED, f"{self._names[number]} = {raw[number]}, not {wanted}")
        if self._alone:
            values[self._alone] = raw[0]
        else:
            for number, name in self._named:
                values[name] = raw[number]
        if self._converts:
            self._convert(raw, values)
        return at + self._size

    def _convert(self, raw: tuple[Decoded, ...], values: Values) -> None:
        for bit, number, shift, mask in self._bits:
            values[bit] = raw[number] >> shift & mask
        for name, number, read in self._reads:
            try:
                values[name] = read(raw[number])
            except ValueError:
                raise _corrupt(name, raw[number]) from None

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        try:
            out += self._struct.pack(*(_raw(scalar, values) for scalar in self._scalars))
        except struct.error as error:
            raise ValueError(f"{', '.join(self._names)}: {error}") from None


def _corrupt(name: str, data: bytes) -> ProtocolError:
    """Bytes that cannot be read."""
    return ProtocolError(Reason.CORRUPT, f"{name} = {data[:40]!r}")


class Constant:
    """Reads bytes that must say one thing. Those that last said it are not read again; others may, padded for one."""

    def __init__(self, name: str, read: Convert, wanted: object) -> None:
        self._name, self._read, self._wanted = name, read, wanted
        self._seen: bytes | None = None
        self._value: Decoded = None

    def __call__(self, data: bytes) -> Decoded:
        """Their value. Raises `ValueError` for what cannot be read, `ProtocolError` for something else."""
        if data == self._seen:
            return self._value
        value = self._read(data)
        if value != self._wanted:
            raise ProtocolError(Reason.UNEXPECTED, f"{self._name} = {value!r}, not {self._wanted!r}")
        self._seen, self._value = data, value
        return value


def _reads(scalar: Scalar) -> Convert:
    """What makes a value of what stands in a frame."""
    assert scalar.decode is not None
    held = scalar.size and scalar.wanted is not None
    return Constant(scalar.name, scalar.decode, scalar.wanted) if held else scalar.decode


def _raw(scalar: Scalar, values: Values) -> Decoded:
    if scalar.size:
        given = values.get(scalar.name) if scalar.wanted is None else scalar.wanted
        assert scalar.encode is not None
        return b"" if given is None else scalar.encode(given)[: scalar.size]
    if scalar.wanted is not None:
        return scalar.wanted
    if scalar.bits and any(bit in values for bit, _, _ in scalar.bits):
        raw = values.get(scalar.name, 0)
        for bit, shift, mask in scalar.bits:
            raw = raw & ~(mask << shift) | (int(values.get(bit, raw >> shift & mask)) & mask) << shift
        return raw
    value = values.get(scalar.name, 0)
    number = value if scalar.encode is None else scalar.encode(value)
    return round(number) if scalar.whole and isinstance(number, float) else number


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a field goes: `size` bytes, up to `until`, or to the end of the frame."""

    size: Expression | int | None = None
    until: bytes | None = None
    last: bool = False

    def find(self, name: str, data: bytes, at: int, values: Values) -> tuple[int, int]:
        """Where the field ends and where the next begins. Raises `ProtocolError`."""
        until = self.until
        if self.size is not None:
            size = self.size if isinstance(self.size, int) else self.size.whole(values)
            end = at + size
            if size < 0 or end > len(data):
                raise ProtocolError(Reason.TRUNCATED, f"{name} has {size} bytes, {len(data) - at} are left")
            return end, end
        if until is not None:
            end = data.find(until, at)
            if end >= 0:
                return end, end + len(until)
            if not self.last:
                raise ProtocolError(Reason.TRUNCATED, f"{name} does not end in {until.hex(' ')}")
        return len(data), len(data)

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
        self._sized_by = extent.size.text if isinstance(extent.size, Expression) else ""
        read, self._write = convert
        self._wanted = wanted
        self._plain = read is bytes and wanted is None
        self._read = read if wanted is None else Constant(name, read, wanted)

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        size = values.get(self._sized_by) if self._sized_by else None  # most are sized by a field alone
        if size is not None and isinstance(size, NUMBERS) and 0 <= size <= len(data) - at:
            end = after = at + int(size)
        else:
            end, after = self._extent.find(self._name, data, at, values)
        found = data[at:end]
        try:
            values[self._name] = found if self._plain else self._read(found)
        except ValueError:
            raise _corrupt(self._name, found) from None
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
