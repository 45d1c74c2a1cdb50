"""From a file to a driver: read, validate, compile, prove. Every mistake as file:line:column."""

from collections.abc import Iterable
from functools import lru_cache, partial
from math import inf
from pathlib import Path

from pydantic import ValidationError

from devicehub.devicefile.allowing import allowed
from devicehub.devicefile.commanding import declared, forbidden, forbidden_complaints
from devicehub.devicefile.compiled import Compiled, ComplaintsError, compile_file
from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.docked import SET_CLOCK, Docked
from devicehub.devicefile.names import name_complaints
from devicehub.devicefile.references import reference_complaints
from devicehub.devicefile.schema import CheckTable, DeviceFile, LinkTable, OptionTable
from devicehub.devicefile.schema_types import CHANNEL, NAME, USB
from devicehub.devicefile.simulate import simulate_complaints
from devicehub.devicefile.vectors import vector_complaints
from devicehub.driver import BleLink, Command, Driver, Link, Options, SerialLink, UsbLink
from devicehub.model.device import Category, Option, UsbId
from devicehub.tomlfile.problems import Complaint, ConfigProblems
from devicehub.tomlfile.read import TomlFile, placed, read_file
from devicehub.tomlfile.words import Wording, complaints

_WORDING = Wording(
    {
        NAME: "must be 1 to 64 characters of a-z, 0-9 and '_', beginning with a letter",
        "^([a-z][a-z0-9_]{0,63})?$": "must be 1 to 64 characters of a-z, 0-9 and '_', beginning with a letter",
        CHANNEL: "must be 1 to 64 characters of a-z, 0-9 and '-'",
        USB: 'must be vendor:product in lower-case hexadecimal, as "10c4:ea60"',
    }
)


def load(path: Path) -> Compiled:
    """A device file, compiled and proved by its vectors. Raises `ConfigProblems`."""
    return _loaded(path, path.stat().st_mtime_ns) if path.is_file() else _read(path)


@lru_cache(maxsize=64)
def _loaded(path: Path, changed: int) -> Compiled:
    del changed
    return _read(path)


def _read(path: Path) -> Compiled:
    file = read_file(path)
    try:
        tables = DeviceFile.model_validate(file.values)
    except ValidationError as error:
        raise _problems(file, complaints(error, DeviceFile, _WORDING)) from None
    if found := [*name_complaints(tables), *reference_complaints(tables)]:
        raise _problems(file, found)
    try:
        compiled = compile_file(tables)
    except ComplaintsError as error:
        raise _problems(file, error.complaints) from None
    refused = forbidden_complaints(tables, compiled.asking)
    if found := [*refused, *vector_complaints(compiled), *simulate_complaints(compiled)]:
        raise _problems(file, found)
    return compiled


def _problems(file: TomlFile, found: Iterable[Complaint]) -> ConfigProblems:
    return ConfigProblems(placed(complaint, file.places) for complaint in found)


def driver(compiled: Compiled, name: str) -> Driver:
    """The driver `name`, whose family is its category. Raises `ValueError` for a family that does not exist."""
    file = compiled.file
    return Driver(
        title=file.title,
        category=Category(name.partition(".")[0]),
        link=_link(file.link),
        channels=tuple(compiled.channels.values()),
        capabilities=file.capabilities,
        options=tuple(map(_option, file.option)),
        integrity=", ".join(map(_integrity, file.check)) or "none",
        plausibility=file.plausibility,
        protocol=partial(_conversation, compiled),
        stale_after=inf if file.quiet else file.stale_after_s,
        self_tests=file.self_tests,
        forbidden=tuple(forbidden(file, compiled.asking)),
        allowed=allowed(compiled),
        timed=file.frame.kind == "reply",
        commands=(*map(declared, file.command), *_clock(compiled)),
        name=name,
    )


def _conversation(compiled: Compiled, options: Options) -> Conversation:
    return Docked(compiled, options) if compiled.memories else Conversation(compiled, options)


def _clock(compiled: Compiled) -> tuple[Command, ...]:
    return (SET_CLOCK,) if any(memory.table.set_clock for memory in compiled.memories) else ()


def _option(table: OptionTable) -> Option:
    low = -inf if table.low is None else table.low
    return Option(
        name=table.name,
        title=table.title,
        default=table.default,
        low=low,
        high=inf if table.high is None else table.high,
    )


def _integrity(table: CheckTable) -> str:
    kind = {"crc": "CRC", "sum": "sum", "xor": "exclusive or"}[table.kind]
    return f"{kind}-{table.width}{' where filled' if table.zero_is_unchecked else ''}"


def _link(table: LinkTable) -> Link:
    ids = tuple(UsbId(*(int(part, 16) for part in usb.split(":"))) for usb in table.usb)
    if table.kind == "usb":
        return UsbLink(ids=ids)
    if table.kind == "ble":
        return BleLink(notify=table.notify, name=table.name, service=table.service, acknowledged=table.acknowledged)
    return SerialLink(baud=table.baud, parity=table.parity, stop=table.stop, rtscts=table.rtscts, usb=ids)
