"""Whether the fields that formulas, conditions and texts name exist where they are named."""

from collections.abc import Iterable, Iterator, Mapping

from devicehub.devicefile.expression import parse_expression
from devicehub.devicefile.fields import names
from devicehub.devicefile.mapping import SLOT
from devicehub.devicefile.schema import DeviceFile
from devicehub.devicefile.schema_message import FieldTable, MessageTable, ScanTable
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text, suggestion, value_mistake

CASE = "case"


def reference_complaints(file: DeviceFile) -> Iterator[Complaint]:
    """Every name that means nothing."""
    kept = [field for fields in _all_fields(file) for field in fields if field.remember]
    remembered = frozenset(names(kept))
    header = frozenset(names(file.frame.header))
    yield from _fields(("frame", "header"), file.frame.header, remembered)
    for number, message in enumerate(file.message):
        yield from _message(("message", number), message, header | remembered)
    for number, request in enumerate(file.request):
        for key in ("when", "unless"):
            given: dict[str, object] = getattr(request, key) or {}
            yield from _unknown(("request", number, key), given, remembered, "remembered field")
    yield from _simulated(file)


def _all_fields(file: DeviceFile) -> Iterator[tuple[FieldTable, ...]]:
    yield file.frame.header
    for message in file.message:
        yield message.fields


def _message(path: KeyPath, message: MessageTable, known: frozenset[str]) -> Iterator[Complaint]:
    yield from _fields((*path, "fields"), message.fields, known)
    known |= frozenset(names(message.fields))
    for name, formula in message.compute.items():
        yield from _formula((*path, "compute", name), formula, known)
        known |= {name}
    yield from _time((*path, "device_time"), message.device_time or (), known)
    inner = {one.name: _element(one) for one in message.fields if one.type == "list"}
    for number, measure in enumerate(message.measure):
        here: KeyPath = (*path, "measure", number)
        within = known | inner.get(measure.each or "", frozenset())
        yield from _formulas(here, measure, ("value", "uncertainty"), within)
        yield from _when(here, measure.when, within)
    for number, spectrum in enumerate(message.spectrum):
        yield from _named((*path, "spectrum", number, "field"), spectrum.field, known)
        yield from _formulas((*path, "spectrum", number), spectrum, ("step", "start", "quadratic", "live_time"), known)
    for number, image in enumerate(message.image):
        yield from _named((*path, "image", number, "field"), image.field, known)
        yield from _formulas((*path, "image", number), image, ("width", "height"), known)
    for number, scan in enumerate(message.scan):
        yield from _scan((*path, "scan", number), scan, known | inner.get(scan.each or "", frozenset()))
    yield from _changes(path, message, known)
    yield from _texts(path, message, known)


def _changes(path: KeyPath, message: MessageTable, known: frozenset[str]) -> Iterator[Complaint]:
    """What is told when it changes goes by single fields."""
    single = known - {one.name for one in message.fields if one.type in {"array", "list"}}
    for table in ("alarm", "capability", "trigger"):
        for number, one in enumerate(getattr(message, table)):
            yield from _when((*path, table, number), one.when, single)


def _time(path: KeyPath, formulas: tuple[str, ...], known: frozenset[str]) -> Iterator[Complaint]:
    if len(formulas) not in {0, 1, 6}:
        text = f"{key_text(path)}: must be one formula, or six of year, month, day, hour, minute and second"
        yield Complaint(path, text)
    for formula in formulas:
        yield from _formula(path, formula, known)


def _texts(path: KeyPath, message: MessageTable, known: frozenset[str]) -> Iterator[Complaint]:
    for key in ("data", "more", "number") if message.piece is not None else ():
        yield from _named((*path, "piece", key), getattr(message.piece, key), known)
    for number, alarm in enumerate(message.alarm):
        yield from _text((*path, "alarm", number, "text"), alarm.text, known)
    for name, text in message.identity.items():
        place: KeyPath = (*path, "identity", name)
        yield from _text(place, text, known) if "{" in text else _named(place, text, known)
    yield from _text((*path, "refused"), message.refused, known)


def _scan(path: KeyPath, scan: ScanTable, known: frozenset[str]) -> Iterator[Complaint]:
    for name in scan.field:
        yield from _named((*path, "field"), name, known)
    yield from _named((*path, "aim"), scan.aim, known)
    yield from _text((*path, "symbology"), scan.symbology, known)
    yield from _when(path, scan.when, known)


def _fields(path: KeyPath, fields: Iterable[FieldTable], known: frozenset[str]) -> Iterator[Complaint]:
    """Sizes, counts and conditions name what comes before; within a list's element, what comes before in it."""
    for number, field in enumerate(fields):
        here: KeyPath = (*path, number)
        yield from _formulas(here, field, ("size", "count"), known)
        yield from _when(here, field.when, known)
        yield from _fields((*here, "fields"), field.fields, frozenset())
        element = frozenset(names(field.fields))
        for at, case in enumerate(field.case):
            yield from _when((*here, "case", at), case.when, element)
            yield from _fields((*here, "case", at, "fields"), case.fields, element | {CASE})
        known |= frozenset(names([field]))


def _element(field: FieldTable) -> frozenset[str]:
    """What an element of a list may have."""
    return frozenset(names((*field.fields, *(one for case in field.case for one in case.fields)))) | {CASE}


def _simulated(file: DeviceFile) -> Iterator[Complaint]:
    header = frozenset(names(file.frame.header))
    fields = {message.name: header | frozenset(names(message.fields)) for message in file.message}
    for name, values in file.simulate.values.items():
        yield from _unknown(("simulate", "values", name), values, fields.get(name, frozenset(values)), "field")


def _formulas(path: KeyPath, table: object, keys: Iterable[str], known: frozenset[str]) -> Iterator[Complaint]:
    for key in keys:
        formula = getattr(table, key)
        if isinstance(formula, str):
            yield from _formula((*path, key), formula, known)


def _formula(path: KeyPath, formula: str, known: frozenset[str]) -> Iterator[Complaint]:
    for name in sorted(parse_expression(formula).names):
        yield from _named(path, name, known)


def _when(path: KeyPath, when: Mapping[str, object] | None, known: frozenset[str]) -> Iterator[Complaint]:
    yield from _unknown((*path, "when"), when or {}, known, "field")


def _unknown(path: KeyPath, given: Iterable[str], known: frozenset[str], what: str) -> Iterator[Complaint]:
    for name in given:
        yield from _named((*path, name), name, known, what)


def _text(path: KeyPath, text: str, known: frozenset[str]) -> Iterator[Complaint]:
    for name in SLOT.findall(text):
        yield from _named(path, name, known)


def _named(path: KeyPath, name: str | None, known: frozenset[str], what: str = "field") -> Iterator[Complaint]:
    if name is not None and name not in known:
        yield value_mistake(path, name, f"there is no such {what}{suggestion(name, sorted(known))}")
