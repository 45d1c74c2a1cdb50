"""The configuration of a vendor's CSV file, `[device.csv]`, and the column map that it means."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Annotated, Literal, Self
from warnings import catch_warnings, simplefilter
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from devicehub.model.columns import USUAL, ColumnMap, MappedColumn, TimeColumns, VerdictColumn
from devicehub.model.reading import Outcome
from devicehub.model.units import Unit
from devicehub.tomlfile.section import Section, Segment

Place = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(strict=False, max_length=100)]
_COLUMN = re.compile(r"[1-9]\d{0,2}", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


class CsvColumnConfig(Section):
    """A column of numbers, a channel of the device."""

    column: Place = Field(description="Name in the header; without one, number from 1")
    channel: Segment = Field(description="Name of the channel; a topic segment")
    title: str = Field(default="", max_length=100, description="For people; empty: the column's name")
    unit: Annotated[Unit, Field(strict=False)] = Field(default=Unit.ONE, description="UCUM code")


class CsvTimeConfig(Section):
    """When a row was measured."""

    columns: Annotated[tuple[Place, ...], Field(strict=False, min_length=1, max_length=4)] = Field(
        description="Columns whose texts, joined by a space, are date and time"
    )
    format: str = Field(default="", max_length=64, description="As of strptime; empty: ISO 8601 with its zone")
    zone: str = Field(default="UTC", max_length=64, description="Of a format without %z: UTC, +02:00 or as Europe/Kyiv")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.format and (why := _obstacle(self.format)):
            raise PydanticCustomError("format", "format: {why}", {"why": why})
        zone_of(self.zone)
        return self


class CsvVerdictConfig(Section):
    """What came of a row. The words are compared in lower case; "*" is every other word."""

    column: Place = Field(description="Name in the header; without one, number from 1")
    clear: Words = Field(default=(), description="Words for nothing found")
    alarm: Words = Field(default=(), description="Words for something found")
    inconclusive: Words = Field(default=(), description="Words for no verdict")
    aborted: Words = Field(default=(), description="Words for a screening that was given up")

    @model_validator(mode="after")
    def _once(self) -> Self:
        words = [word for word, _ in _words(self)]
        twice = next((word for word in words if words.count(word) > 1), None)
        if not words or twice is not None:
            why = "must name a word" if twice is None else f"names '{twice}' twice"
            raise PydanticCustomError("verdict", "{why}", {"why": why})
        return self


class CsvConfig(Section):
    """What the columns of the CSV files of a device are."""

    delimiter: str = Field(default=",", min_length=1, max_length=1, description='Between columns; a tabulator is "\\t"')
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1250", "cp1251", "cp1252", "cp866", "koi8-u"] = Field(
        default="utf-8", description="Of the file"
    )
    decimal: Literal[".", ","] = Field(default=".", description="Before the fraction of a number")
    header: bool = Field(default=True, description="False: columns have numbers only")
    skip: int = Field(default=0, ge=0, le=1000, description="Lines before the header")
    ignore: Words = Field(default=(), description="Lines that contain one of these say nothing")
    empty: Words = Field(default=USUAL.empty, description="What stands in a column without a value")
    column: Annotated[tuple[CsvColumnConfig, ...], Field(strict=False, min_length=1, max_length=64)] = Field(
        description="The columns of numbers"
    )
    time: CsvTimeConfig | None = Field(default=None, description="When a row was measured")
    verdict: CsvVerdictConfig | None = Field(default=None, description="What came of it")
    item: Place | None = Field(default=None, description="Column of what was screened")
    finding: Place | None = Field(
        default=None, description="Column of what was found; without a verdict, whatever stands there is an alarm"
    )
    note: Place | None = Field(default=None, description="Column of remarks")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        channels = [one.channel for one in self.column]
        if len(set(channels)) < len(channels):
            raise PydanticCustomError("channels", "two columns have one channel")
        if self.delimiter in {'"', "\n", "\r", self.decimal}:
            raise PydanticCustomError("delimiter", "delimiter: must not be a quotation mark, a line end or the decimal")
        if not self.header and (odd := next((one for one in places(self) if not _COLUMN.fullmatch(one)), None)):
            raise PydanticCustomError(
                "column", "without a header a column is a number from 1, not '{odd}'", {"odd": odd}
            )
        return self


def places(given: CsvConfig) -> Iterator[str]:
    """Every column that is named."""
    yield from (one.column for one in given.column)
    yield from () if given.time is None else given.time.columns
    yield from () if given.verdict is None else (given.verdict.column,)
    yield from (one for one in (given.item, given.finding, given.note) if one is not None)


def column_map(given: CsvConfig) -> ColumnMap:
    """What the driver of the files goes by."""
    time = given.time
    verdict = given.verdict
    return ColumnMap(
        delimiter=given.delimiter,
        encoding=given.encoding,
        decimal=given.decimal,
        header=given.header,
        skip=given.skip,
        ignore=given.ignore,
        empty=given.empty,
        columns=tuple(
            MappedColumn(column=one.column, channel=one.channel, title=one.title, unit=one.unit) for one in given.column
        ),
        time=None if time is None else TimeColumns(columns=time.columns, format=time.format, zone=zone_of(time.zone)),
        verdict=None if verdict is None else VerdictColumn(column=verdict.column, words=tuple(_words(verdict))),
        item=given.item,
        finding=given.finding,
        note=given.note,
    )


def _words(given: CsvVerdictConfig) -> Iterator[tuple[str, Outcome]]:
    for outcome in Outcome:
        words: tuple[str, ...] = getattr(given, outcome.value)
        yield from ((word.lower(), outcome) for word in words)


def _obstacle(form: str) -> str:
    """Why a format of `strptime` gives no instant; empty where it does."""
    instant = datetime(2000, 1, 31, 13, 14, 15, tzinfo=UTC)
    try:
        with catch_warnings():  # Python 3.13 warns of a day without a year, and so do we
            simplefilter("ignore", DeprecationWarning)
            read = datetime.strptime(instant.strftime(form), form).replace(tzinfo=UTC)
    except ValueError as error:
        return str(error)
    return "" if read.date() == instant.date() else "year, month and day must all be in it"


def zone_of(name: str) -> tzinfo:
    """A zone by its name or its offset. Raises `PydanticCustomError`."""
    offset = _OFFSET.fullmatch(name)
    try:
        if offset is None:
            return UTC if name == "UTC" else ZoneInfo(name)
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-span if offset[1] == "-" else span)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        text = "zone: '{zone}' is neither UTC, an offset as +02:00, nor a zone as Europe/Kyiv"
        raise PydanticCustomError("zone", text, {"zone": name}) from None
