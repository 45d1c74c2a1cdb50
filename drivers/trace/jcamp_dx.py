"""Spectra and plasmagrams as JCAMP-DX files, in a watch folder: ion mobility, Raman, infrared, gamma.

    ##TITLE=...            a block; several of them, or blocks in a block, are read one by one up to their ##END=
    ##ORIGIN= ##SPECTROMETER/DATA SYSTEM=        who measured
    ##LONGDATE=2026/01/31 13:45:00 +0200         when; without a zone there is no device time
    ##XUNITS= ##FIRSTX= ##LASTX= ##NPOINTS= ##XFACTOR= ##YFACTOR= ##FIRSTY=
    ##XYDATA=(X++(Y..Y))   the table, see `_jcamp_asdf`

Names of labels are compared without space, "-", "/", "_" and case; "$$" begins a remark. A polarity is any label that
ends in POLARITY. Other tables (XYPOINTS, PEAK TABLE, NTUPLES) have no equal steps and are refused.

A table whose Y check fails is refused. What is wrong otherwise is told in `defects`, quality uncertain, cause
inconsistent: NPOINTS, FIRSTY or an abscissa that do not fit, an unknown unit. A value that is missing ("?") is no
number, which makes the spectrum bad. The spectrum belongs to no run: with a substance library and `single = true` a
plasmagram is judged by itself.

Source: JCAMP-DX 4.24 (Appl. Spectrosc. 42 (1988) 151) and 5.01; for ion mobility, Int. J. Ion Mobil. Spectrom. (2008),
doi 10.1007/s12127-008-0010-9, was not available: what it adds is not read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isclose
from types import MappingProxyType

import numpy as np

from devicehub.driver import Driver, FileLink, Options
from devicehub.model.device import Category, Channel, ChannelKind
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Axis, Cause, Identity, Layout, Quality, Sample, Spectrum
from devicehub.model.units import Unit
from devicehub.wire.defects import Defects, instant_of, number, plain
from devicehub.wire.folder import FolderProtocol
from devicehub.wire.protocol import DeviceProtocol
from drivers.trace._jcamp_asdf import Ordinates, check_abscissae

MOST_BYTES = 1024 * 1024
MOST_LINES = 40_000
MOST_TABLES = 32
_LARGEST = float(np.finfo(np.float32).max)
_LABEL = re.compile(r"##([^=]{1,60})=(.*)", re.DOTALL)
_UNSEEN = re.compile(r"[\s/_-]")
_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")
_TABLES = frozenset({"XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE", "PEAKASSIGNMENTS"})
_UNITS = MappingProxyType(
    {
        "MILLISECONDS": Unit.MILLISECOND,
        "MS": Unit.MILLISECOND,
        "MICROSECONDS": Unit.MICROSECOND,
        "SECONDS": Unit.SECOND,
        "KEV": Unit.KILOELECTRONVOLT,
        "1/CM": Unit.PER_CENTIMETRE,
        "NANOMETERS": Unit.NANOMETRE,
        "NM": Unit.NANOMETRE,
        "CM2/VS": Unit.REDUCED_MOBILITY,
    }
)


@dataclass(slots=True)
class _Block:
    """The labels of a block so far, and the lines of the table that is open."""

    labels: dict[str, str] = field(default_factory=dict[str, str])
    table: str = ""
    lines: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


def read_jcamp(name: str, data: bytes) -> Iterator[Sample | ProtocolError]:
    """A whole file. Yields a fault for a table that cannot be read. Raises `ProtocolError` for no JCAMP-DX file."""
    del name
    defects = Defects()
    text = _text(data, defects)
    if not text.lstrip().startswith("##"):
        raise ProtocolError(Reason.UNSUPPORTED, "no JCAMP-DX file: it does not begin with a label")
    if text.count("\n") + text.count("\r") > MOST_LINES:
        raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_LINES} ends of lines")
    tables = numbers = 0
    for block in _blocks(text):
        tables += 1
        if tables > MOST_TABLES:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_TABLES} tables")
        yield from _identity(block.labels)
        table = Ordinates(numbers)
        try:
            yield _spectrum(block, table, defects.texts)
        except ProtocolError as error:
            yield error
        numbers = table.numbers
    if not tables:
        raise ProtocolError(Reason.TRUNCATED, "a JCAMP-DX file without a table")


def _text(data: bytes, defects: Defects) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        defects.add("not ASCII: read as Latin-1")
        return data.decode("latin-1")


def _blocks(text: str) -> Iterator[_Block]:
    """Every table with the labels of its block, when its last line is known: at the next label, or at the end."""
    block = _Block()
    for line, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        said = raw.partition("$$")[0]
        label = _LABEL.match(said.lstrip()) if "##" in said else None
        if label is None:
            if block.table and said.strip():
                block.lines.append((line, said))
            continue
        if block.table:
            yield block
            block = _Block(dict(block.labels))
        key = _UNSEEN.sub("", label[1]).upper()
        if key == "TITLE":
            block = _Block()
        block.labels[key] = label[2].strip()
        block.table = key if key in _TABLES else ""
    if block.table:
        yield block


def _identity(labels: Mapping[str, str]) -> Iterator[Identity]:
    known = (("origin", "ORIGIN"), ("model", "SPECTROMETERDATASYSTEM"), ("type", "DATATYPE"))
    facts = tuple((fact, plain(labels[key])) for fact, key in known if labels.get(key))
    yield from (Identity(facts),) if facts else ()


def _spectrum(block: _Block, table: Ordinates, defects: tuple[str, ...]) -> Spectrum:
    labels = block.labels
    form = re.sub(r"\s", "", labels[block.table]).upper()
    if block.table != "XYDATA" or not form.startswith("(X++(Y..Y))"):
        raise ProtocolError(Reason.UNSUPPORTED, f"a table of {plain(block.table, 20)} {plain(form, 20)}")
    table.read(block.lines)
    if len(table.values) < 2:
        raise ProtocolError(Reason.TRUNCATED, "a table of less than two points")
    own = Defects()
    axis, sure = _axis(labels, table, own)
    sure = _counted(labels, table, own) and sure
    with np.errstate(over="ignore"):
        scaled = np.asarray(table.values) * _factor(labels, "YFACTOR")
    if (np.abs(scaled) > _LARGEST).any():
        raise ProtocolError(Reason.RANGE, "an ordinate beyond what a float holds")
    at = _when(labels, own)
    return Spectrum(
        "spectrum",
        scaled.astype("<f4").tobytes(),
        Layout.F32LE,
        axis,
        mode=next((plain(text, 20).lower() for key, text in labels.items() if key.endswith("POLARITY")), ""),
        quality=Quality.GOOD if sure else Quality.UNCERTAIN,
        cause=Cause.NONE if sure else Cause.INCONSISTENT,
        device_time=at,
        defects=(*defects, *own.texts),
    )


def _axis(labels: Mapping[str, str], table: Ordinates, own: Defects) -> tuple[Axis, bool]:
    """Equal steps from FIRSTX to LASTX, and whether every line is where it should be. Raises `ProtocolError`."""
    first, last = number(labels.get("FIRSTX", "")), number(labels.get("LASTX", ""))
    if first is None or last is None or first == last:
        raise ProtocolError(Reason.RANGE, "FIRSTX and LASTX are no two numbers")
    step = (last - first) / (len(table.values) - 1)
    unit = _UNITS.get(labels.get("XUNITS", "").upper().replace(" ", ""))
    if unit is None:
        own.add(f"unit '{plain(labels.get('XUNITS', ''), 30)}' of the abscissa is not known")
    fits = check_abscissae(table, first, step, _factor(labels, "XFACTOR"), own)
    return Axis(unit or Unit.ONE, step, first), fits and unit is not None


def _factor(labels: Mapping[str, str], name: str) -> float:
    factor = number(labels.get(name, "1"))
    if factor is None or factor == 0:
        raise ProtocolError(Reason.RANGE, f"{name} is '{plain(labels[name], 30)}'")
    return factor


def _counted(labels: Mapping[str, str], table: Ordinates, own: Defects) -> bool:
    """Whether NPOINTS and FIRSTY are what the table has; one that is not given is not held against it."""
    points, first = number(labels.get("NPOINTS", "")), number(labels.get("FIRSTY", ""))
    sure = True
    if points is not None and points != len(table.values):
        own.add(f"{len(table.values)} points instead of {points:g}")
        sure = False
    value = table.values[0] * _factor(labels, "YFACTOR")
    if first is not None and not isclose(value, first, rel_tol=1e-3, abs_tol=abs(_factor(labels, "YFACTOR"))):
        own.add(f"first ordinate {value:g} instead of {first:g}")
        sure = False
    return sure


def _when(labels: Mapping[str, str], own: Defects) -> float | None:
    """LONGDATE: its zone has no colon by the standard. DATE and TIME have none at all, and are not taken."""
    text = labels.get("LONGDATE", "")
    if not text:
        return None
    return instant_of(_ZONE.sub(r"\1:\2", text.replace("/", "-")), own)


def protocol(options: Options) -> DeviceProtocol:
    """A fresh reader of files."""
    del options
    return FolderProtocol(read_jcamp, MOST_BYTES)


DRIVER = Driver(
    title="Spectrometer or ion-mobility detector, JCAMP-DX files",
    category=Category.TRACE,
    link=FileLink(patterns=("*.jdx", "*.dx", "*.jcm", "*.jcamp"), limit=MOST_BYTES),
    channels=(Channel(name="spectrum", title="Spectrum", unit=Unit.ARBITRARY, kind=ChannelKind.SPECTRUM),),
    protocol=protocol,
    stale_after=600.0,
)
