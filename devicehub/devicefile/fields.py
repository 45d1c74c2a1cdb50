"""Compiles tables of fields: runs of plain numbers into one `struct`, the rest into parts of their own."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from devicehub.devicefile.condition import parse_condition
from devicehub.devicefile.convert import plausible, scaled, stretch
from devicehub.devicefile.expression import Expression, parse_expression
from devicehub.devicefile.lists import Array, Case, Packed, Sequence
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.parts import (
    Announced,
    Conditional,
    Decoded,
    Extent,
    Fixed,
    Layout,
    Part,
    Scalar,
    Stretch,
    Values,
)
from devicehub.devicefile.schema_message import CaseTable, FieldTable

CODES = {
    "u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i8": "b", "i16": "h", "i32": "i", "i64": "q", "f32": "f",
    "f64": "d", "u24": "3s", "i24": "3s",
}  # fmt: skip
_DTYPES = {"u8": "u1", "u16": "u2", "u32": "u4", "i8": "i1", "i16": "i2", "i32": "i4", "f32": "f4", "f64": "f8"}
STRETCHES = frozenset({"text", "decimal", "hex", "bcd", "bytes", "pad"})


def compile_fields(tables: Iterable[FieldTable], endian: str, separator: bytes | None = None) -> Layout:
    """A layout. `separator`: what ends text fields that say nothing else, the last one aside."""
    given = list(tables)
    fields = [_separated(one, separator, last=number == len(given) - 1) for number, one in enumerate(given)]
    return Layout(tuple(_parts(fields, endian)), tuple(_announced(fields, endian)))


def _separated(table: FieldTable, separator: bytes | None, *, last: bool) -> FieldTable:
    if separator is None or last or table.type not in STRETCHES or table.size is not None or table.until is not None:
        return table
    return table.model_copy(update={"until": separator.hex()})


def names(tables: Iterable[FieldTable]) -> Iterator[str]:
    """The names that decoding gives."""
    for table in tables:
        if table.name:
            yield table.name
        yield from table.bits


def number_of(value: int | str) -> Expression | int:
    """A size or count: a number, or a formula."""
    return value if isinstance(value, int) else parse_expression(value)


def _parts(tables: list[FieldTable], endian: str) -> Iterator[Part]:
    run: list[FieldTable] = []
    for table in tables:
        if run and not _joins(run[0], table, endian):
            yield _fixed(run, endian)
            run = []
        if _runs(table):
            run.append(table)
        else:
            yield _conditional(table, _single(table, endian))
    if run:
        yield _fixed(run, endian)


def _runs(table: FieldTable) -> bool:
    sized = table.type in STRETCHES and isinstance(table.size, int)
    plain = table.type in CODES or (sized and (table.type != "pad" or table.value is None))
    return plain and table.when is None and not table.optional


def _joins(first: FieldTable, table: FieldTable, endian: str) -> bool:
    return _runs(table) and (table.type in STRETCHES or (first.endian or endian) == (table.endian or endian))


def _fixed(run: list[FieldTable], endian: str) -> Fixed:
    order = next((table.endian for table in run if table.endian), None) or endian
    codes = (CODES.get(table.type) or f"{table.size}{'x' if table.type == 'pad' else 's'}" for table in run)
    scalars = tuple(_scalar(table, order) for table in run if table.type != "pad")
    return Fixed(("<" if order == "little" else ">") + "".join(codes), scalars)


def _scalar(table: FieldTable, order: str) -> Scalar:
    if table.type in STRETCHES:
        assert isinstance(table.size, int)
        from_bytes, to_bytes = stretch(table)
        return Scalar(table.name, plausible(table, from_bytes), to_bytes, wanted=table.value, size=table.size)
    decode, encode = scaled(table)
    decode = plausible(table, decode)
    bits = tuple((name, place[0], (1 << (place[1] if len(place) > 1 else 1)) - 1) for name, place in table.bits.items())
    wanted = table.value if isinstance(table.value, int | float) else None
    if table.type not in {"u24", "i24"}:
        return Scalar(table.name, decode, encode, wanted, bits, whole=table.type not in {"f32", "f64"})
    signed, after, before = table.type == "i24", decode, encode
    endian: Literal["little", "big"] = "little" if order == "little" else "big"

    def read(data: bytes) -> Decoded:
        number = int.from_bytes(data, endian, signed=signed)
        return number if after is None else after(number)

    def write(value: Decoded) -> bytes:
        number = int(value if before is None else before(value))
        return number.to_bytes(3, endian, signed=signed)

    return Scalar(table.name, read, write)


def _single(table: FieldTable, endian: str) -> Part:
    order = "<" if (table.endian or endian) == "little" else ">"
    match table.type:
        case "array":
            count = None if table.count is None else number_of(table.count)
            if table.of == "u12":
                return Packed(table.name, count, table.most, big=order == ">")
            dtype = order + _DTYPES[table.of or "u8"]
            return Array(table.name, dtype, count, table.coding, table.most)
        case "list":
            return _sequence(table, endian)
        case kind if kind in STRETCHES:
            read, write = stretch(table)
            return Stretch(table.name, _extent(table), (plausible(table, read) or read, write), table.value)
        case _:
            return _fixed([table], endian)


def _extent(table: FieldTable) -> Extent:
    size = None if table.size is None else number_of(table.size)
    return Extent(size, None if table.until is None else parse_bytes(table.until))


def _sequence(table: FieldTable, endian: str) -> Sequence:
    cases = tuple(_case(one, endian) for one in table.case)
    sequence = Sequence(table.name, compile_fields(table.fields, endian), cases)
    sequence.count = None if table.count is None else number_of(table.count)
    sequence.extent = _extent(table)
    sequence.most = table.most
    return sequence


def _case(table: CaseTable, endian: str) -> Case:
    condition = parse_condition(table.when)
    return Case(table.name, condition, compile_fields(table.fields, endian), condition.exact)


def _conditional(table: FieldTable, part: Part) -> Part:
    if table.when is None and not table.optional:
        return part
    test = None if table.when is None else parse_condition(table.when)
    return Conditional(part, test, frozenset(names([table])))


def _announced(tables: list[FieldTable], endian: str) -> Iterator[Announced]:
    """Counts and sizes that are another field by itself."""
    known = {table.name for table in tables}
    for table in tables:
        for given, measure in ((table.count, len), (table.size, _measure(table, endian))):
            if isinstance(given, str) and given in known:
                yield Announced(given, table.name, measure)


def _measure(table: FieldTable, endian: str) -> Callable[[Decoded], int]:
    """How many bytes a field's value takes."""
    if table.type == "list":
        sequence = _sequence(table.model_copy(update={"size": None, "until": None}), endian)
        return lambda value: len(_bytes(sequence, {table.name: value}))
    write = stretch(table)[1]
    return lambda value: len(write(value))


def _bytes(part: Part, values: Values) -> bytearray:
    out = bytearray()
    part.encode(values, out)
    return out
