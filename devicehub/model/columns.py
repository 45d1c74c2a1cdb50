"""How the columns of a vendor's CSV file map to what the hub knows: channels, times, verdicts."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from devicehub.model.reading import Outcome
from devicehub.model.units import Unit

ANY = "*"
Place = str
"""A column: its name in the header; its number from 1 where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedColumn:
    """A column of numbers, a channel."""

    column: Place
    channel: str
    title: str = ""
    unit: Unit = Unit.ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumns:
    """Columns whose texts, joined by a space, are a date and time in `format` (`strptime`) and, without %z, in `zone`.

    An empty `format` is ISO 8601.
    """

    columns: tuple[Place, ...]
    format: str = ""
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictColumn:
    """A column whose words, in lower case, are outcomes; `ANY` stands for every word that is not there."""

    column: Place
    words: tuple[tuple[str, Outcome], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """One kind of CSV file. `skip`: lines before the header. `ignore`: what a line that says nothing contains.

    `empty`: what stands in a column that has no value.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    header: bool = True
    skip: int = 0
    ignore: tuple[str, ...] = ()
    empty: tuple[str, ...] = ("", "NA")
    columns: tuple[MappedColumn, ...] = ()
    time: TimeColumns | None = None
    verdict: VerdictColumn | None = None
    item: Place | None = None
    finding: Place | None = None
    note: Place | None = None


USUAL = ColumnMap(
    columns=(MappedColumn(column="reading", channel="reading", title="What the device showed"),),
    time=TimeColumns(columns=("time",)),
    verdict=VerdictColumn(column="verdict", words=tuple((one.value, one) for one in Outcome)),
    item="item",
    finding="finding",
    note="note",
)
"""The columns of a file that somebody writes for us."""
