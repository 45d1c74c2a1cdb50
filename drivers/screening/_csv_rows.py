"""Rows of a vendor's CSV file to samples, by a column map. See `vendor_csv`."""

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO

from devicehub.model.columns import ANY, ColumnMap, Place, TimeColumns
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Identified, Measurement, Outcome, Quality, Result, Sample
from devicehub.wire.defects import Defects, instant_of, number, plain
from devicehub.wire.findings import finding, worst

MOST_BYTES = 1024 * 1024
MOST_ROWS = 2000
MOST_LINE_ENDS = 20_000
LONGEST_TIME = 64
_BEHIND_DIGIT = re.compile(r"(.*\d)(\D*[A-Za-z]\D*)")


def read_csv(columns: ColumnMap, data: bytes) -> Iterator[Sample | ProtocolError]:
    """A whole file. Yields a fault for a row that cannot be read. Raises `ProtocolError` for what is no such file."""
    defects = Defects()
    rows = _rows(columns, _text(columns.encoding, data, defects))
    width = 0
    header: Mapping[str, Sequence[int]] = {}
    if columns.header:
        try:
            _, names = next(rows)
        except StopIteration:
            raise ProtocolError(Reason.TRUNCATED, "no header") from None
        width, header = _said(names), _header(names)
    indexes = {place: _indexes(place, header, columns) for place in _places(columns)}
    for place, found in indexes.items():
        if len(found) > 1:
            defects.add(f"{len(found)} columns '{plain(str(place), 40)}'")
    table = _Table(columns, indexes, width)
    for number_of_row, (line, fields) in enumerate(rows, 1):
        if number_of_row > MOST_ROWS:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_ROWS} rows")
        try:
            yield from table.row(line, fields, defects.texts)
        except ProtocolError as error:
            yield error


def _text(encoding: str, data: bytes, defects: Defects) -> str:
    try:
        return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        defects.add(f"not {encoding}: read as Latin-1")
        return data.decode("latin-1")


def _rows(columns: ColumnMap, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of each row that says something."""
    if text.count("\n") + text.count("\r") > MOST_LINE_ENDS:
        raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_LINE_ENDS} ends of lines")
    reader = csv.reader(StringIO(text, newline=""), delimiter=columns.delimiter)
    try:
        for fields in reader:
            whole = columns.delimiter.join(fields)
            if reader.line_num > columns.skip and _said(fields) and not any(word in whole for word in columns.ignore):
                yield reader.line_num, fields
    except csv.Error as error:
        raise ProtocolError(Reason.CORRUPT, f"line {reader.line_num}: {error}") from None


def _said(fields: Sequence[str]) -> int:
    """How many fields there are up to the last one in which something stands."""
    return max((index for index, text in enumerate(fields, 1) if text.strip()), default=0)


def _places(columns: ColumnMap) -> Iterator[Place]:
    yield from (one.column for one in columns.columns)
    yield from () if columns.time is None else columns.time.columns
    yield from () if columns.verdict is None else (columns.verdict.column,)
    yield from (place for place in (columns.item, columns.finding, columns.note) if place is not None)


def _header(names: Sequence[str]) -> Mapping[str, Sequence[int]]:
    header: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        header.setdefault(name.strip(), []).append(index)
    return header


def _indexes(place: Place, header: Mapping[str, Sequence[int]], columns: ColumnMap) -> Sequence[int]:
    """Where it stands: nearly always once."""
    if not columns.header:
        return (int(place) - 1,)
    if place not in header:
        known = plain(columns.delimiter.join(header), 100)
        raise ProtocolError(Reason.UNSUPPORTED, f"no column '{place}': the header is {known}")
    return header[place]


@dataclass(slots=True)
class _Row:
    """One row: what is wrong with it, and from which column on nothing is known to stand in its place."""

    line: int
    fields: Sequence[str]
    defects: Defects
    odd: bool
    sure: int | None = None


class _Table:
    """The rows of one file. `width` 0: it has no header to hold them against."""

    def __init__(self, columns: ColumnMap, indexes: Mapping[Place, Sequence[int]], width: int) -> None:
        self._columns = columns
        self._indexes = indexes
        self._width = width
        self._twice = frozenset(place for place, found in indexes.items() if len(found) > 1)

    def row(self, line: int, fields: Sequence[str], defects: Sequence[str]) -> Iterator[Sample | ProtocolError]:
        """What one row says. Raises `ProtocolError` for one whose fields cannot be told apart."""
        row = _Row(line, fields, Defects(), odd=0 < self._width < _said(fields))
        for text in defects:
            row.defects.add(text)
        at = self._time(row)
        if row.odd and row.sure is None:
            raise ProtocolError(Reason.LENGTH, f"line {line}: {len(fields)} columns instead of {self._width}")
        value: float | None = None
        for one in self._columns.columns:
            shown = self._number(row, one.column)
            if isinstance(shown, ProtocolError):
                yield shown
            elif shown is not None:
                value = shown if value is None else value
                trust = _trust(doubt=row.odd or one.column in self._twice)
                yield Measurement(one.channel, shown, *trust, device_time=at)
        if self._columns.verdict is not None or self._columns.finding is not None:
            yield from self._result(row, at, value)

    def _field(self, row: _Row, place: Place | None) -> str:
        """The first text of a column; empty where it has none."""
        return next((text for text in self._fields(row, place) if text), "")

    def _fields(self, row: _Row, place: Place | None) -> Sequence[str]:
        """The texts of all columns of that name; empty where one has none, or where another may stand in its place."""
        return () if place is None else [self._text(row, place, index) for index in self._indexes[place]]

    def _text(self, row: _Row, place: Place, index: int) -> str:
        if row.sure is not None and index > row.sure:
            row.defects.add(f"line {row.line}: column '{place}' is behind the missing one and was not taken")
            return ""
        if not 0 <= index < len(row.fields):
            return ""
        text = row.fields[index].strip()
        return "" if text in self._columns.empty else text

    def _number(self, row: _Row, place: Place) -> float | ProtocolError | None:
        text = self._field(row, place)
        if not text:
            return None
        value = number(text.replace(",", ".") if self._columns.decimal == "," and "." not in text else text)
        if value is None or (self._columns.decimal == "," and "." in text):
            row.defects.add(f"line {row.line}: '{plain(text, 40)}' in column '{place}' is no number")
            return ProtocolError(Reason.RANGE, f"line {row.line}, column '{place}': '{plain(text, 40)}' is no number")
        return value

    def _time(self, row: _Row) -> float | None:
        """When it was. Letters behind a date or time are what is left of the next column, whose comma is missing."""
        time = self._columns.time
        if time is None:
            return None
        parts: list[str] = []
        for place in time.columns:
            text = self._field(row, place)[:LONGEST_TIME]
            behind = _BEHIND_DIGIT.fullmatch(text) if time.format else None
            if behind is not None and 0 < len(row.fields) < self._width:
                row.defects.add(f"line {row.line}: '{plain(text)}' holds two columns: a delimiter is missing")
                row.odd, row.sure, text = True, self._indexes[place][0], behind[1]
            parts.append(text)
        return _instant(time, " ".join(parts), row) if any(parts) else None

    def _result(self, row: _Row, at: float | None, value: float | None) -> Iterator[Sample]:
        found = dict.fromkeys(plain(text) for text in self._fields(row, self._columns.finding) if text)
        item = plain(self._field(row, self._columns.item))
        outcome = self._outcome(row, found)
        if outcome is Outcome.CLEAR and not self._reaches(row):
            row.defects.add(f"line {row.line}: it ends before its verdict")
            outcome = Outcome.INCONCLUSIVE
        yield Result(
            outcome,
            item,
            cause=Cause.INCONSISTENT if row.odd or self._twice else Cause.NONE,
            identified=tuple(Identified(one) for one in found) if outcome is Outcome.ALARM else (),
            note=plain(self._field(row, self._columns.note)),
            defects=row.defects.texts,
            device_time=at,
        )
        if outcome is Outcome.ALARM:
            for one in found or ("",):
                yield from finding("found", one, ": ".join(part for part in (one or "found", item) if part), value)

    def _reaches(self, row: _Row) -> bool:
        """Whether the column that the verdict is from is there: what is missing is never "clear"."""
        place = self._columns.finding if self._columns.verdict is None else self._columns.verdict.column
        last = len(row.fields) - 1 if row.sure is None else row.sure
        return place is not None and max(self._indexes[place]) <= last

    def _outcome(self, row: _Row, found: Collection[str]) -> Outcome:
        """By the words of the verdict's column, the worst of several; without one, what names a finding is an alarm."""
        verdict = self._columns.verdict
        if verdict is None:
            return Outcome.ALARM if found else Outcome.CLEAR
        words = dict(verdict.words)
        outcomes: set[Outcome] = set()
        for text in self._fields(row, verdict.column):
            outcome = words.get(text.lower()) or (words.get(ANY) if text else None)
            if outcome is None:
                row.defects.add(f"line {row.line}: verdict '{plain(text, 40)}' is not one of the column map's")
            outcomes.add(outcome or Outcome.INCONCLUSIVE)
        return worst(outcomes)


def _trust(*, doubt: bool) -> tuple[Quality, Cause]:
    return (Quality.UNCERTAIN, Cause.INCONSISTENT) if doubt else (Quality.GOOD, Cause.NONE)


def _instant(time: TimeColumns, text: str, row: _Row) -> float | None:
    """Seconds of UTC since 1970; None, and a defect, where the text is none, or where a clock was set back."""
    if not time.format:
        return instant_of(text, row.defects)
    try:
        if "%z" in time.format:
            return datetime.strptime(text, time.format).astimezone(UTC).timestamp()
        moment = datetime.strptime(text, time.format).replace(tzinfo=time.zone)
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            row.defects.add(f"line {row.line}: '{text}' came twice that day, or not at all: not taken")
            return None
        return moment.timestamp()
    except (ValueError, OverflowError):
        row.defects.add(f"line {row.line}: '{plain(text, 60)}' is no time of the form '{time.format}'")
        return None
