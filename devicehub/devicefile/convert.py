"""Between what stands in a frame and what a field's value is: scales, words for numbers, text, digits."""

import math
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from devicehub.devicefile.parts import Convert, Decoded
from devicehub.devicefile.schema_message import FieldTable
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.numbers import shortest


def scaled(table: FieldTable) -> tuple[Convert | None, Convert | None]:
    """From a raw number to its value and back; None where they are the same."""
    if table.enum:
        return words({int(number, 0): word for number, word in table.enum.items()})
    floating = table.type in {"f32", "f64"}
    if table.scale is None and not table.offset and not table.none:
        return (shortest, None) if table.type == "f32" else (None, None)
    to_value, to_raw = _to_value(table, floating=floating), _to_raw(table, floating=floating)
    return (_shortest(table.type, to_value, to_raw) if floating else to_value), to_raw


_DIGITS: Mapping[str, tuple[int, ...]] = MappingProxyType({"f32": (7, 8, 9), "f64": (15, 16, 17)})
_FLOATS: Mapping[str, struct.Struct] = MappingProxyType({"f32": struct.Struct("<f"), "f64": struct.Struct("<d")})


def _shortest(kind: str, to_value: Convert, to_raw: Convert) -> Convert:
    """The value with as few digits as give the same bytes again: 0.4, not 0.4000000059604645."""
    bytes_of, digits = _FLOATS[kind].pack, _DIGITS[kind]

    def value(raw: float) -> float | None:
        exact: float | None = to_value(raw)
        if exact is None or not math.isfinite(exact):
            return exact
        written = bytes_of(raw)
        for number in digits:
            short = float(f"{exact:.{number}g}")
            try:
                if bytes_of(to_raw(short)) == written:
                    return short
            except OverflowError:  # a digit less is more than the type holds
                continue
        return exact

    return value


def _to_value(table: FieldTable, *, floating: bool) -> Convert:
    """A reciprocal scale divides: 31 tenths are 3.1, not 3.1000000000000001."""
    scale, offset, none = 1.0 if table.scale is None else table.scale, table.offset, table.none
    if table.scale is None and offset.is_integer() and not floating:
        plus = int(offset)
        return (lambda raw: None if raw in none else raw + plus) if none else (lambda raw: raw + plus)
    divisor = round(1 / scale) if scale and abs(scale) <= 1 and math.isclose(round(1 / scale) * scale, 1) else 0
    if not none and not floating and divisor > 1:
        return (lambda raw: raw / divisor + offset) if offset else (lambda raw: raw / divisor)

    def value(raw: float) -> float | None:
        if raw in none:
            return None
        return (raw / divisor if divisor > 1 else raw * scale) + offset

    return value


def _to_raw(table: FieldTable, *, floating: bool) -> Convert:
    scale, offset, none = 1.0 if table.scale is None else table.scale, table.offset, table.none

    def raw(value: float | None) -> float:
        if value is None:
            return none[0] if floating else int(none[0])
        number = (value - offset) / scale
        return number if floating else round(number)

    return raw


def plausible(table: FieldTable, convert: Convert | None) -> Convert | None:
    """`convert`, and a `ProtocolError` for a value that cannot be."""
    if table.within is None:
        return convert
    name, (low, high) = table.name, table.within

    def held(raw: Decoded) -> Decoded:
        value = raw if convert is None else convert(raw)
        if value is not None and not low <= value <= high:
            raise ProtocolError(Reason.RANGE, f"{name} = {value}, not from {low:g} to {high:g}")
        return value

    return held


def words(meanings: Mapping[int, str]) -> tuple[Convert, Convert]:
    """Numbers to words and back. A number without a word is `unknown-7`."""
    numbers = {word: number for number, word in meanings.items()}

    def word(number: int) -> str:
        return meanings.get(number) or f"unknown-{number}"

    def number(value: str | float) -> int:
        if isinstance(value, int | float):
            return int(value)
        return numbers[value] if value in numbers else int(value.removeprefix("unknown-"))

    return word, number


def stretch(table: FieldTable) -> tuple[Convert, Callable[[Decoded], bytes]]:
    """From bytes to text, a number in digits, or bytes, and back. The first raises `ValueError`."""
    match table.type:
        case "text":
            return _text(table.encoding)
        case "decimal":
            return _decimal(table)
        case "hex":
            return _hex(table)
        case "bcd":
            return _bcd(table)
        case _:
            return bytes, lambda value: value.encode("latin-1") if isinstance(value, str) else bytes(value)


def _text(encoding: str) -> tuple[Convert, Callable[[Decoded], bytes]]:
    def read(data: bytes) -> str:
        text = (data.partition(b"\0")[0] if 0 in data else data).decode(encoding).strip()
        if not text.isprintable():
            raise ValueError("not printable")
        return text

    return read, lambda value: str(value).encode(encoding)


def _decimal(table: FieldTable) -> tuple[Convert, Callable[[Decoded], bytes]]:
    to_value, to_raw = scaled(table)
    digits = _digits(table)

    def read(data: bytes) -> Decoded:
        if data.isdigit():
            return int(data) if to_value is None else to_value(int(data))
        text = data.decode("ascii").strip(" \0\r\n")
        if "_" in text:
            raise ValueError("no number")
        number: float = int(text) if text.lstrip("+-").isdigit() else float(text)
        if not math.isfinite(number):
            raise ValueError("no number")
        return number if to_value is None else to_value(number)

    def write(value: Decoded) -> bytes:
        raw = value if to_raw is None else to_raw(value)
        text = f"{raw:.6g}" if isinstance(raw, float) else str(raw)
        return text.zfill(digits).encode()

    return read, write


def _digits(table: FieldTable) -> int:
    """How many are written at least."""
    return table.digits or (table.size if isinstance(table.size, int) else 1)


def _hex(table: FieldTable) -> tuple[Convert, Callable[[Decoded], bytes]]:
    to_value, to_raw = scaled(table)
    width = _digits(table)

    def read(data: bytes) -> Decoded:
        text = data.decode("ascii").strip(" \0\r\n")
        if not text.isalnum():
            raise ValueError("no hexadecimal number")
        number = int(text, 16)
        return number if to_value is None else to_value(number)

    return read, lambda value: b"%0*X" % (width, int(value if to_raw is None else to_raw(value)))


def _bcd(table: FieldTable) -> tuple[Convert, Callable[[Decoded], bytes]]:
    width = 2 * table.size if isinstance(table.size, int) else 0

    def read(data: bytes) -> int:
        return int(data.hex()) if data else 0

    def write(value: Decoded) -> bytes:
        digits = str(int(value))
        return bytes.fromhex(digits.rjust(max(width, len(digits) + len(digits) % 2), "0"))

    return read, write
