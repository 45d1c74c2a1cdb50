"""Any device whose software exports CSV files into a folder: trace detectors, metal detectors, density meters.

Which column is what stands in the configuration, `[device.csv]`; without it the file is one that somebody writes for
us: UTF-8, commas, a header of time, item, verdict, finding, reading and note in any order, ISO 8601 times with a zone.

Every row is a screening: its numbers are readings, its verdict a result, and an alarm where it says so. What is wrong
is told in `defects` of the row's result and repaired nowhere:

- Latin-1 where another encoding is configured;
- a row with too few columns and something behind the digits of its date or time (`7/10/2023NA`): a delimiter is
  missing there. What stands before is taken with quality uncertain, cause inconsistent, and what stands behind is not,
  since nobody knows in whose place it is;
- a verdict that the map does not know: inconclusive;
- several columns of one name that the map takes: cause inconsistent. Of verdicts the worst counts, of findings all, of
  numbers the first, with quality uncertain;
- a time that is none, or that came twice in the night when clocks are set back: no device time.

A number that is none is a fault too. A row with too many columns is refused, so is a file without its columns, and one
of more than 2000 rows or 1 MiB.

Source: RFC 4180 for CSV; the defects were met in a Kromek D3S detections log.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from devicehub.driver import Driver, FileLink, Options
from devicehub.model.columns import USUAL, ColumnMap
from devicehub.model.device import Category, Channel
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Sample
from devicehub.wire.folder import FolderProtocol
from devicehub.wire.protocol import DeviceProtocol
from drivers.screening._csv_rows import MOST_BYTES, read_csv


def mapped(columns: ColumnMap) -> Driver:
    """The driver of files with these columns."""
    return replace(DRIVER, channels=_channels(columns), protocol=partial(_protocol, columns))


def _protocol(columns: ColumnMap, options: Options) -> DeviceProtocol:
    del options
    return FolderProtocol(partial(_read, columns), MOST_BYTES)


def _read(columns: ColumnMap, name: str, data: bytes) -> Iterator[Sample | ProtocolError]:
    del name
    return read_csv(columns, data)


def _channels(columns: ColumnMap) -> tuple[Channel, ...]:
    return tuple(
        Channel(name=one.channel, title=one.title or str(one.column), unit=one.unit) for one in columns.columns
    )


DRIVER = Driver(
    title="Any device that exports CSV files, by a column map",
    category=Category.SCREENING,
    link=FileLink(patterns=("*.csv", "*.txt", "*.tsv"), limit=MOST_BYTES),
    channels=_channels(USUAL),
    protocol=partial(_protocol, USUAL),
    mapped=mapped,
    stale_after=600.0,
)
