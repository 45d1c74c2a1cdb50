"""Decoded fields to samples: channels, identity, spectra, images, scans, alarms, capabilities, triggers.

Alarms, capabilities and identity are told when they change; triggers when they come true.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from devicehub.devicefile.condition import parse_condition
from devicehub.devicefile.expression import parse_expression
from devicehub.devicefile.fields import names
from devicehub.devicefile.measuring import Make, each, fields, measure
from devicehub.devicefile.memory.series import instant
from devicehub.devicefile.messages import Message
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.parts import Decoded, Values
from devicehub.devicefile.schema_message import (
    AlarmTable,
    ImageTable,
    ScanTable,
    SpectrumTable,
)
from devicehub.model.alarm import AlarmCategory
from devicehub.model.device import Channel
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import (
    Axis,
    DeviceAlarm,
    Image,
    Layout,
    Radiometric,
    Sample,
    Scan,
    Spectrum,
)
from devicehub.model.units import Unit
from devicehub.wire.numbers import single
from devicehub.wire.symbology import aim_symbology

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
LAYOUTS = {"|u1": Layout.U8, "<u2": Layout.U16LE, "<i2": Layout.I16LE, "<u4": Layout.U32LE, "<f4": Layout.F32LE}
LATEST = 2.0**33


def put_in(text: str, values: Mapping[str, object]) -> str:
    """A text with its `{field}`s. A field that is missing leaves nothing."""
    return SLOT.sub(lambda slot: _text(values.get(slot[1], "")), text)


def _text(value: object) -> str:
    """A value in words; bytes that are no text in hexadecimal."""
    if not isinstance(value, bytes):
        return str(value)
    return value.decode() if value.isascii() and value.decode().isprintable() else value.hex()


def makers(message: Message, channels: Mapping[str, Channel]) -> tuple[Make, ...]:
    """What makes the values, spectra, images and scans of one message."""
    table = message.table
    out = list(fields(table.fields, channels))
    inner = {field.name: frozenset(names(field.fields)) for field in table.fields if field.type == "list"}
    out.extend(measure(one, channels[one.channel]) for one in table.measure)
    out.extend(_spectrum(one) for one in table.spectrum)
    out.extend(_image(one) for one in table.image)
    out.extend(_scan(one, inner.get(one.each or "", frozenset())) for one in table.scan)
    return tuple(out)


def moment(given: tuple[str, ...]) -> Callable[[Values], float]:
    """What the device's clock said, in seconds of UTC since 1970. Raises `ProtocolError` for what is no time."""
    formulas = [parse_expression(text) for text in given]

    def clock(values: Values) -> float:
        numbers = [formula(values) for formula in formulas]
        try:
            found = float(numbers[0]) if len(numbers) == 1 else instant(*map(int, numbers))
        except ValueError:
            found = math.nan
        if not 0 <= found < LATEST:
            raise ProtocolError(Reason.RANGE, f"the device's clock says {', '.join(map(str, numbers))}")
        return found

    return clock


def _spectrum(table: SpectrumTable) -> Make:
    parts = [parse_expression(text) for text in (table.step, table.start, table.quadratic)]
    live = None if table.live_time is None else parse_expression(table.live_time)
    unit = Unit(table.unit)

    def make(values: Values, out: list[Sample]) -> None:
        numbers = values.get(table.field)
        if numbers is None or not len(numbers):
            return
        step, start, quadratic = (_finite(table.channel, part(values)) for part in parts)
        data, layout = _packed(numbers)
        axis = Axis(unit, step=step, start=start, quadratic=quadratic)
        seconds = None if live is None else _finite(table.channel, live(values))
        out.append(Spectrum(table.channel, data, layout, axis, mode=table.mode, live_time=seconds))

    return make


def _finite(channel: str, value: float) -> float:
    if not math.isfinite(value):
        raise ProtocolError(Reason.RANGE, f"{channel}: a parameter is not a number")
    return single(float(value))


def _packed(numbers: np.ndarray[Any, Any]) -> tuple[bytes, Layout]:
    """The bytes of an array and how they hold it; what no layout holds exactly becomes u32."""
    little = numbers.astype(numbers.dtype.newbyteorder("<"), copy=False)
    layout = LAYOUTS.get(little.dtype.str)
    if layout is not None:
        return little.tobytes(), layout
    if numbers.min() < 0 or numbers.max() >= 1 << 32:
        raise ProtocolError(Reason.RANGE, "counts below 0 or above 32 bits")
    return numbers.astype("<u4").tobytes(), Layout.U32LE


def _image(table: ImageTable) -> Make:
    width, height = (parse_expression(str(size)) for size in (table.width, table.height))

    def make(values: Values, out: list[Sample]) -> None:
        numbers = values.get(table.field)
        if numbers is None:
            return
        across, down = int(width(values)), int(height(values))
        if across < 1 or across * down != len(numbers):
            raise ProtocolError(Reason.LENGTH, f"{len(numbers)} pixels for {across}x{down}")
        data, layout = _packed(numbers)
        kind = Radiometric(table.radiometric)
        out.append(Image(table.channel, data, layout, across, down, table.gain, table.offset, kind))

    return make


def _scan(table: ScanTable, inner: frozenset[str]) -> Make:
    """`inner`: the fields of a list's element."""
    when, strip = parse_condition(table.when or {}), parse_bytes(table.strip)
    read, symbology = _read(table.field, strip), _symbology(table)
    if len(table.field) == 1 and isinstance(symbology, str) and not strip and not when.tests:
        return each(table.each, _as_it_is(table.channel, table.field[0], symbology), alone=table.field[0] in inner)

    def one(values: Values, out: list[Sample]) -> None:
        data = read(values)
        if data is None or (when.tests and not when(values)):
            return
        if not data:
            raise ProtocolError(Reason.LENGTH, f"{table.channel} without data")
        out.append(Scan(table.channel, symbology if isinstance(symbology, str) else symbology(values), data))

    needed = {*table.field, *when.names, *SLOT.findall(table.symbology), *filter(None, [table.aim])}
    return each(table.each, one, alone=needed <= inner)


def _as_it_is(channel: str, field: str, symbology: str) -> Make:
    """A field as it is, of one symbology."""

    def make(values: Values, out: list[Sample]) -> None:
        found = values.get(field)
        if found is None:
            return
        data = found if isinstance(found, bytes) else _stripped(found, b"")
        if not data:
            raise ProtocolError(Reason.LENGTH, f"{channel} without data")
        out.append(Scan(channel, symbology, data))

    return make


def _read(fields: tuple[str, ...], strip: bytes) -> Callable[[Values], bytes | None]:
    """What was read: a field, or those of several that are there as lines; None without any."""

    def lines(values: Values) -> bytes | None:
        found = [values[field] for field in fields if values.get(field) is not None]
        return b"\r".join(line for one in found if (line := _stripped(one, strip))) if found else None

    def alone(values: Values) -> bytes | None:
        found = values.get(fields[0])
        return found if found is None or (not strip and isinstance(found, bytes)) else _stripped(found, strip)

    return alone if len(fields) == 1 else lines


def _stripped(found: Decoded, strip: bytes) -> bytes:
    data = found if isinstance(found, bytes) else _text(found).encode()
    while strip and data.endswith(strip):
        data = data[: -len(strip)]
    return data


def _symbology(table: ScanTable) -> str | Callable[[Values], str]:
    """A name, or what gives it."""
    if table.aim is not None:
        aim = table.aim

        def symbology(values: Values) -> str:
            found = values[aim]
            return aim_symbology(found if isinstance(found, str) else _text(found))

        return symbology
    return (lambda values: put_in(table.symbology, values)) if SLOT.search(table.symbology) else table.symbology


def alarm(table: AlarmTable, values: Mapping[str, object], *, active: bool) -> DeviceAlarm:
    """An alarm of the device."""
    return DeviceAlarm(table.point, active, put_in(table.text, values), category=AlarmCategory(table.category))
