"""What a frame must hold at fixed places to be a message at all: asked before anything is decoded."""

import struct
from collections.abc import Iterable, Iterator

from devicehub.devicefile.fields import CODES, STRETCHES
from devicehub.devicefile.schema_message import FieldTable, MessageTable

Guard = tuple[int, bytes]
"""Bytes, and how far behind the header they stand."""


def guard(message: MessageTable, endian: str) -> Guard | None:
    """The first constants of a message in a row, if they stand before every field whose size the frame says."""
    begin, run = 0, b""
    for at, data in _constants(message.fields, message.match, endian):
        if run and at != begin + len(run):
            break
        begin, run = at - len(run), run + data
    return (begin, run) if run else None


def _constants(fields: Iterable[FieldTable], match: dict[str, object], endian: str) -> Iterator[Guard]:
    at = 0
    for field in fields:
        size = _size(field)
        if size is None or field.when is not None or field.optional:
            return
        wanted = match.get(field.name) if field.value is None else field.value
        data = _written(field, wanted, field.endian or endian)
        if data is not None and len(data) == size:
            yield at, data
        at += size


def _size(field: FieldTable) -> int | None:
    if field.type in STRETCHES:
        return field.size if isinstance(field.size, int) and field.until is None else None
    code = CODES.get(field.type)
    return None if code is None else struct.calcsize("<" + code)


def _written(field: FieldTable, wanted: object, endian: str) -> bytes | None:
    """The bytes that alone give the value; None where others do too, or that is not sure."""
    if field.type in {"text", "bytes"} and isinstance(wanted, str) and wanted.isascii():
        return wanted.encode()
    plain = not (field.enum or field.none or field.offset) and field.scale is None
    if plain and field.type in {"u8", "u16", "u32"} and isinstance(wanted, int) and not isinstance(wanted, bool):
        size = struct.calcsize(CODES[field.type])
        fits = 0 <= wanted < 1 << 8 * size
        return wanted.to_bytes(size, "little" if endian == "little" else "big") if fits else None
    return None
