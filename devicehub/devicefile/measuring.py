"""Fields to measurements: of numbers and of states, as they are or computed, one by one or of a list's elements."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from devicehub.devicefile.condition import parse_condition
from devicehub.devicefile.expression import parse_expression
from devicehub.devicefile.parts import Decoded, Values
from devicehub.devicefile.schema_message import FieldTable, MeasureTable
from devicehub.model.device import Channel, ChannelKind
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement, Sample
from devicehub.wire.numbers import single

WHOLE = frozenset({"u8", "u16", "u24", "u32", "u64", "i8", "i16", "i24", "i32", "i64"})
Make = Callable[[Values, list[Sample]], None]
"""Adds the samples of a message's fields to a list; what is no generator costs half as much."""


def fields(tables: Iterable[FieldTable], channels: Mapping[str, Channel]) -> Iterator[Make]:
    """What makes the values of the fields that are one, in their order."""
    for sure, run in groupby(tables, lambda field: _sure(field, channels)):
        if sure:
            yield _as_they_are([(field.name, field.channel) for field in run if field.channel is not None])
        else:
            for field in run:
                yield from _checked(field, channels)


def _checked(field: FieldTable, channels: Mapping[str, Channel]) -> Iterator[Make]:
    if field.channel is not None:
        yield _field(field.name, channels[field.channel])
    cases = [(case.name, one) for case in field.case for one in case.fields]
    for case, one in [*cases, *(("", one) for one in field.fields)]:
        if one.channel is not None:
            yield _in_case(field.name, case, one.name, channels[one.channel])


def _field(name: str, channel: Channel) -> Make:
    measured = _of(channel)

    def make(values: Values, out: list[Sample]) -> None:
        value = values.get(name)
        if value is not None:
            out.append(measured(channel, value))

    return make


def _sure(field: FieldTable, channels: Mapping[str, Channel]) -> bool:
    """Whether it is a channel's value, and a number whatever the bytes are."""
    if field.channel is None or field.enum or channels[field.channel].kind is ChannelKind.STATE:
        return False
    whole = field.type in WHOLE and math.isfinite((field.scale or 1.0) * 2.0**64 + field.offset)
    bounded = field.type in {"f32", "f64"} and field.within is not None and all(map(math.isfinite, field.within))
    return whole or bounded


def _as_they_are(named: Sequence[tuple[str, str]]) -> Make:
    """Fields that are sure to be numbers, with their channels."""

    def make(values: Values, out: list[Sample]) -> None:
        for name, channel in named:
            value = values.get(name)
            if value is not None:
                out.append(Measurement(channel, value))

    return make


def _in_case(sequence: str, case: str, name: str, channel: Channel) -> Make:
    """A field of a list's elements: of those of one case, or of all."""
    measured = _of(channel)

    def make(values: Values, out: list[Sample]) -> None:
        of_case = (one for one in values.get(sequence, ()) if case in {"", one.get("case", "")})
        out.extend(measured(channel, one[name]) for one in of_case if one.get(name) is not None)

    return make


def _of(channel: Channel) -> Callable[[Channel, Decoded], Measurement]:
    return _state if channel.kind is ChannelKind.STATE else _measured


def _measured(channel: Channel, value: Decoded) -> Measurement:
    if not isinstance(value, int) and (not isinstance(value, float) or not math.isfinite(value)):
        raise ProtocolError(Reason.RANGE, f"{channel.name} = {value} is not a number")
    return Measurement(channel.name, value)


def _state(channel: Channel, value: object) -> Measurement:
    label = value if isinstance(value, str) else _of_number(channel, value)
    if label not in channel.states:
        raise ProtocolError(Reason.UNSUPPORTED, f"{channel.name} is {label!r}, which it never was before")
    return Measurement(channel.name, channel.states.index(label), label=label)


def _of_number(channel: Channel, value: object) -> str:
    number = value if isinstance(value, int) else -1
    return channel.states[number] if 0 <= number < len(channel.states) else str(value)


def measure(table: MeasureTable, channel: Channel) -> Make:
    """What makes a value that is computed."""
    value, when = parse_expression(table.value), parse_condition(table.when or {})
    uncertainty = None if table.uncertainty is None else parse_expression(table.uncertainty)
    measured = _of(channel)

    def one(values: Values, out: list[Sample]) -> None:
        if when.tests and not when(values):
            return
        number = value(values)
        sample = measured(channel, number if isinstance(number, int) else single(number))
        if uncertainty is not None:
            sample = Measurement(sample.channel, sample.value, uncertainty=single(float(uncertainty(values))))
        out.append(sample)

    return each(table.each, one)


def each(sequence: str | None, one: Make, *, alone: bool = False) -> Make:
    """Once, or for each element of a list, which sees the fields outside it too unless it needs none."""
    if sequence is None:
        return one

    def make(values: Values, out: list[Sample]) -> None:
        for element in values.get(sequence, ()):
            one(element if alone else {**values, **element}, out)

    return make
