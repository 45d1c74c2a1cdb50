"""Rows and seals read from the bytes of a journal's files, without SQLite. Pure.

Nothing that could be damaged is relied on: no page header, no cell pointer, no interior page, no schema. Whatever
looks like the record of an event is read where it stands, and counts only when its SHA-256 or the chain proves it.

Source: sections 1.6, 2.1 and 4.2 of https://www.sqlite.org/fileformat2.html. A cell of a table's leaf page:

| what | |
|---|---|
| varint | bytes of the record; not relied on: the record says so itself |
| varint | row id, which is the column `position` |
| record | as much of it as stays on the page |
| u32 | number of the first overflow page, where the record does not fit |

A record: a varint with the size of its head, a varint for the type of each column, then their values. Types: 0 NULL,
1 to 6 signed integers of 1, 2, 3, 4, 6 and 8 bytes, 7 a float, 8 and 9 the integers 0 and 1, from 12 on (n - 12) / 2
bytes, from 13 on text of (n - 13) / 2 bytes. A whole float is stored as an integer. An overflow page: the number of
the next, 0 in the last, then content. Varints have 7 bits a byte, most significant first, the top bit says that more
follows, and a ninth byte counts whole. Unless damage says otherwise no byte of a page is reserved.
"""

import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, cast

from msgspec import Struct

from devicehub.journal.pages import Buffer, Pages, Spot
from devicehub.journal.proof import SEAL, Value, content, unsealed
from devicehub.journal.rows import COLUMNS, Row, genesis, link
from devicehub.model.stream import Stream

_HEAD_ENDS: Final = re.compile(b"\x4c\x4c(?=" + b"|".join(stream.value.encode() for stream in Stream) + b")")
"""Two columns of 32 bytes, digest and chain, end the head; the first value is the stream: `position` has no bytes."""
_COLUMNS: Final = len(COLUMNS.split(","))
_HEADS: Final = range(_COLUMNS + 1, _COLUMNS + 13)
_WIDTHS: Final = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
_MOST: Final = 64 << 20
_TRIES: Final = 20_000

Column = int | float | str | bytes | None


class Found(Struct, frozen=True):
    """A row as it was read. `proven`: its digest is right. `spot`: where it stands."""

    row: Row
    proven: bool
    spot: Spot


class Carved(Struct):
    """Rows by position: those that are proven, and of the others what can be read of them."""

    rows: dict[int, Row] = {}
    damaged: dict[int, Row] = {}


def seals(pages: Pages) -> list[dict[str, Value]]:
    """What every unbroken seal in the files says, old ones too, in no order."""
    found = {match[0] for file in pages.files() for match in SEAL.finditer(file)}
    return [values for text in found if (values := unsealed(text)) is not None]


def carve(pages: Pages, epoch: str = "", end: bytes = b"") -> Carved:
    """Every row in the files that is proven. `epoch`: of the journal, whose first row follows from it.

    `end`: the chain at its last row. Of two rows of a position, as a commit that failed and was made again leaves
    them, it tells which one counts.
    """
    proven: dict[int, list[Row]] = {}
    doubtful: list[Row] = []
    for found in _found(pages):
        if found.proven:
            proven.setdefault(found.row[0], []).append(found.row)
        else:
            doubtful.append(found.row)
    carved = Carved(_chosen(proven, end))
    for row in sorted(doubtful, key=lambda one: one[0]):
        before = carved.rows.get(row[0] - 1)
        chain = before[-1] if before is not None else genesis(epoch) if row[0] == 1 else None
        own = content(row)
        if row[0] in carved.rows:
            continue
        if chain is not None and own is not None and link(chain, own) == row[-1]:
            carved.rows[row[0]] = (*row[:-2], own, row[-1])
        else:
            carved.damaged.setdefault(row[0], row)
    return carved


def _chosen(proven: dict[int, list[Row]], end: bytes) -> dict[int, Row]:
    """Of each position the row that what comes behind it follows from, else the one found last."""
    chosen: dict[int, Row] = {}
    for position in sorted(proven, reverse=True):
        behind = chosen.get(position + 1)
        fits = [
            row
            for row in proven[position]
            if (row[-1] == end if behind is None else link(row[-1], behind[-2]) == behind[-1])
        ]
        chosen[position] = (fits or proven[position])[-1]
    return chosen


def _found(pages: Pages) -> Iterator[Found]:
    """Every record, each once, those first that SQLite would read."""
    seen: set[bytes] = set()
    tries = _TRIES
    for file, buffer in enumerate(pages.files()):
        for record in _records(pages, file, buffer):
            if record.identity in seen:
                continue
            seen.add(record.identity)
            found, tries = _proven(pages, record, tries)
            if found is not None:
                yield found


def _records(pages: Pages, file: int, buffer: Buffer) -> Iterator["_Record"]:
    """Whatever looks like the record of an event."""
    for match in _HEAD_ENDS.finditer(buffer):
        end = match.start() + 2
        before = buffer[max(end - _HEADS.stop, 0) : end]
        for head in _HEADS:
            if head > len(before) or before[-head] != head or before[1 - head] != 0:
                continue
            spot = pages.spot(file, end - head)
            if spot is not None and (record := _record(pages, spot)) is not None:
                yield record


class _Shape(Struct, frozen=True):
    """What a record's head says: of each column its type, where it begins and where it ends; and the whole size."""

    columns: tuple[tuple[int, int, int], ...]
    size: int


class _Record(Struct, frozen=True):
    """A record before its content is known. `local`: what is on its page. `first`: its first overflow page, 0: none.

    `positions`: what the row id may be; where the byte before it is damaged it cannot be told where it begins.
    """

    spot: Spot
    shape: _Shape
    local: bytes
    first: int
    positions: tuple[int, ...]

    @property
    def identity(self) -> bytes:
        """The same for copies of the same row on other versions of its page."""
        return b"%d %d %b" % (self.positions[0], self.first, self.local)


@lru_cache(4096)
def _shape(head: bytes) -> _Shape | None:
    """What a record's head says; None for a head that is no event's."""
    columns: list[tuple[int, int, int]] = []
    start, size = 1, len(head)
    while start < len(head) and len(columns) < _COLUMNS:
        kind, start = _varint(head, start)
        columns.append((kind, size, size + _width(kind)))
        size += _width(kind)
    whole = len(columns) == _COLUMNS and start == len(head) and size <= _MOST
    return _Shape(tuple(columns), size) if whole else None


def _record(pages: Pages, spot: Spot) -> _Record | None:
    page = pages.content(spot)
    shape = _shape(page[spot.offset : spot.offset + page[spot.offset]])
    if shape is None:
        return None
    size = shape.size
    local = _local(size, len(page))
    end = spot.offset + local
    positions = _positions(page, spot.offset)
    if end + 4 * (local < size) > len(page) or not positions:
        return None
    first = struct.unpack_from(">I", page, end)[0] if local < size else 0
    return _Record(spot, shape, page[spot.offset : end], first, positions)


def _proven(pages: Pages, record: _Record, tries: int) -> tuple[Found | None, int]:
    """The record's row, proven if any reading of its overflow pages and its position is; and the tries left."""
    readable: Found | None = None
    for whole in _contents(pages, record):
        for position in record.positions:
            row = _row(record, whole, position)
            if row is not None and content(row) == row[-2]:
                return Found(row, proven=True, spot=record.spot), tries
            readable = readable or (None if row is None else Found(row, proven=False, spot=record.spot))
    if record.shape.size > len(record.local):
        for whole in pages.repaired(record.spot, record.first, record.shape.size - len(record.local)):
            row = _row(record, record.local + whole, record.positions[0])
            if row is not None and content(row) == row[-2]:
                return Found(row, proven=True, spot=record.spot), tries
            tries -= 1
            if tries < 0:
                break
    return readable, tries


def _contents(pages: Pages, record: _Record) -> Iterator[bytes]:
    if record.shape.size == len(record.local):
        yield record.local
        return
    for rest in pages.overflow(record.spot, record.first, record.shape.size - len(record.local)):
        yield record.local + rest


def _row(record: _Record, whole: bytes, position: int) -> Row | None:
    """The columns as SQLite gives them; None for a record that is no event's."""
    try:
        values = [_column(kind, whole[start:end]) for kind, start, end in record.shape.columns]
    except ValueError:
        return None
    recorded = values[3]
    if not isinstance(recorded, int | float):
        return None
    return cast("Row", (position, *values[1:3], float(recorded), *values[4:]))


def _column(kind: int, raw: bytes) -> Column:
    if kind == 0:
        return None
    if kind == 7:
        value: float = struct.unpack(">d", raw)[0]
        return value
    if kind in {8, 9}:
        return kind - 8
    if kind < 7:
        return int.from_bytes(raw, "big", signed=True)
    return raw.decode() if kind % 2 else raw


def _width(kind: int) -> int:
    return _WIDTHS[kind] if kind < 10 else (kind - 12) // 2


def _local(size: int, usable: int) -> int:
    """How many bytes of a record stay on its page."""
    if size <= usable - 35:
        return size
    least = (usable - 12) * 32 // 255 - 23
    some = least + (size - least) % (usable - 4)
    return some if some <= usable - 35 else least


def _varint(page: bytes, start: int) -> tuple[int, int]:
    """A varint of up to five bytes and where it ends; longer ones are no size of a column."""
    value = 0
    for place in range(start, min(start + 5, len(page))):
        value = value << 7 | page[place] & 0x7F
        if page[place] < 0x80:
            return value, place + 1
    return _MOST * 2, start + 5


def _positions(page: bytes, end: int) -> tuple[int, ...]:
    """The row ids that may end there, the longest first."""
    found: list[int] = []
    value = 0
    for length in range(1, min(9, end) + 1):
        byte = page[end - length]
        if (byte < 0x80) != (length == 1):
            break
        value |= (byte & 0x7F) << 7 * (length - 1)
        if value:
            found.insert(0, value)
    return tuple(found)
