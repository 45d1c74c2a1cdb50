"""The tables that say what a frame means: fields, messages and what is made of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from devicehub.devicefile.schema_types import (
    Bytes,
    ChannelName,
    Condition,
    Formula,
    Instant,
    Name,
    Names,
    Scalar,
    UnitName,
    WholeOrFormula,
)
from devicehub.tomlfile.section import Section

FieldType = Literal[
    "u8", "u16", "u24", "u32", "u64", "i8", "i16", "i24", "i32", "i64", "f32", "f64",
    "text", "decimal", "hex", "bcd", "bytes", "pad", "array", "list",
]  # fmt: skip
ElementType = Literal["u8", "u12", "u16", "u32", "i8", "i16", "i32", "f32", "f64"]


class CaseTable(Section):
    """What follows the fields of a list's element when `when` holds."""

    name: Name = Field(description="Name of the case; the element's `case` afterwards")
    when: Condition = Field(description="Condition on the element's fields")
    fields: Annotated[tuple[FieldTable, ...], Field(strict=False)] = Field(default=(), description="Fields that follow")


class FieldTable(Section):
    """One field. Fields follow each other without gaps; `pad` leaves one."""

    name: str = Field(default="", pattern="^([a-z][a-z0-9_]{0,63})?$", description="Name; only a `pad` has none")
    type: FieldType = Field(description="What the bytes are")
    endian: Literal["little", "big"] | None = Field(default=None, description="Byte order, if not the frame's")
    size: WholeOrFormula | None = Field(
        default=None, description="Bytes of `text`, `decimal`, `hex`, `bcd`, `bytes`, `pad`, or of a whole `list`"
    )
    until: Bytes | None = Field(default=None, description="Bytes that end the field; they are taken too")
    count: WholeOrFormula | None = Field(default=None, description="Elements of an `array` or `list`; without it all")
    of: ElementType | None = Field(
        default=None, description="Type of an `array`'s elements; `u12`: two in three bytes, by the byte order"
    )
    coding: Literal["plain", "zero-run", "delta"] = Field(
        default="plain", description="`zero-run`: a 0 is followed by how many there are; `delta`: differences"
    )
    most: int = Field(default=65536, ge=1, le=1_000_000, description="Most elements of an `array` or `list`")
    value: Scalar | None = Field(default=None, description="What it must be")
    enum: dict[str, str] = Field(default_factory=dict, description="Numbers to words; another number is no error")
    bits: Annotated[
        dict[str, Annotated[tuple[int, ...], Field(strict=False, min_length=1, max_length=2)]],
        Field(description="Fields within the number: name to [lowest bit, width]; width 1 may be left out"),
    ] = Field(default_factory=dict)
    scale: float | None = Field(default=None, description="Factor to the unit: 0.01 for hundredths")
    offset: float = Field(default=0.0, description="Added after the factor")
    none: Annotated[tuple[float, ...], Field(strict=False)] = Field(
        default=(), description="Raw numbers that mean that there is no value"
    )
    within: Annotated[tuple[float, float], Field(strict=False)] | None = Field(
        default=None,
        description="Least and greatest value after `scale`; a frame with another, or with none that is a number, is "
        "refused: what carries the integrity where there is no check",
    )
    unit: UnitName | None = Field(default=None, description="Unit after `scale` and `offset`; held against the channel")
    encoding: Literal["ascii", "latin-1", "utf-8", "cp1251"] = Field(default="ascii", description="Of `text`")
    digits: int = Field(default=0, ge=0, le=64, description="Of `decimal`, `hex`: written with so many digits at least")
    channel: ChannelName | None = Field(default=None, description="The channel that it is a value of")
    when: Condition | None = Field(default=None, description="It is only there if this holds")
    optional: bool = Field(default=False, description="It may be missing at the end of the frame")
    holds: Literal["", "length"] = Field(default="", description="`length`: the frame's length less `adjust`")
    adjust: int = Field(default=0, description="For `holds`: what is counted in the frame and not in the field")
    echo: Name | None = Field(default=None, description="Repeats what the request had for this counter or option")
    remember: bool = Field(default=False, description="Kept for conditions of requests and of fields that come later")
    fields: Annotated[tuple[FieldTable, ...], Field(strict=False)] = Field(
        default=(), description="Fields of a `list`'s element"
    )
    case: Annotated[tuple[CaseTable, ...], Field(strict=False)] = Field(
        default=(), description="What follows in an element, by its fields"
    )


class MeasureTable(Section):
    """A value of a channel that is computed."""

    channel: ChannelName = Field(description="The channel")
    value: Formula = Field(description="Formula of fields")
    uncertainty: Formula | None = Field(default=None, description="Formula of its standard uncertainty")
    when: Condition | None = Field(default=None, description="Only if this holds")
    each: Name | None = Field(default=None, description="Once for each element of this list")


class SpectrumTable(Section):
    """A spectrum out of an array."""

    channel: ChannelName = Field(description="The channel")
    field: Name = Field(description="The array")
    unit: UnitName = Field(description="Unit of the axis")
    step: Formula = Field(default="1", description="Axis: x = start + step i + quadratic i^2")
    start: Formula = Field(default="0", description="See `step`")
    quadratic: Formula = Field(default="0", description="See `step`")
    live_time: Formula | None = Field(default=None, description="Live time in seconds")
    mode: str = Field(default="", description="`accumulated`, or what the device calls it")


class ImageTable(Section):
    """An image out of an array. A pixel in the channel's unit is `gain * pixel + offset`."""

    channel: ChannelName = Field(description="The channel")
    field: Name = Field(description="The array of pixels")
    width: WholeOrFormula = Field(description="Pixels in a row")
    height: WholeOrFormula = Field(description="Rows")
    gain: float = Field(default=1.0, description="Factor to the channel's unit")
    offset: float = Field(default=0.0, description="Added after the factor")
    radiometric: Literal["true", "approximate", "none"] = Field(default="none", description="Temperatures or not")


class ScanTable(Section):
    """A barcode, document zone or tag."""

    channel: ChannelName = Field(description="The channel")
    field: Names = Field(
        description="The field that holds what was read; a list: each is a line of it, those that are empty aside"
    )
    symbology: str = Field(description="Name of the symbology; `{field}` puts a field in")
    aim: Name | None = Field(default=None, description="Field with the AIM identifier that gives the symbology")
    each: Name | None = Field(default=None, description="Once for each element of this list")
    strip: Bytes = Field(default="", description="Bytes that are taken off its end, or off the end of each line")
    when: Condition | None = Field(default=None, description="Only if this holds")


class AlarmTable(Section):
    """An alarm of the device itself, on while `when` holds."""

    point: ChannelName = Field(description="Name of the alarm point")
    when: Condition = Field(description="It is on while this holds")
    text: str = Field(default="", description="What it says")
    category: Literal["threat", "device"] = Field(default="threat", description="A detection, or a fault of the device")
    event: bool = Field(default=False, description="The device says when it begins and never when it ends")


class CapabilityTable(Section):
    """What the device can detect. Of several that hold the first of each name counts."""

    name: ChannelName = Field(description="Name of the capability")
    level: Literal["full", "degraded", "none"] = Field(description="What is left of it")
    cause: str = Field(default="", description="Why: one of the causes of the contract")
    when: Condition = Field(default_factory=dict, description="If this holds; empty: otherwise")


class TriggerTable(Section):
    """An operator's act on the device."""

    name: ChannelName = Field(description="Name of the act")
    when: Condition = Field(default_factory=dict, description="If this holds; told once for each time it comes true")


class PieceTable(Section):
    """A frame that is a piece of a longer message. The request that asks for it names the piece among its replies."""

    of: Name = Field(description="The message whose fields the joined data are; it has no `match`")
    data: Name = Field(description="Field of type `bytes` with the data")
    more: Name = Field(description="Field, or bit, that is not 0 while further pieces follow")
    number: Name | None = Field(default=None, description="Field with the number of the piece, from 0 on")
    within_s: float = Field(default=1.0, gt=0, le=60, description="How long the next piece may take")
    size: int = Field(default=200, ge=1, le=65536, description="Bytes of data in every piece but the last")
    most: int = Field(default=65536, ge=1, le=1 << 20, description="Most bytes of the whole")


class MessageTable(Section):
    """One kind of frame from the device. The first whose `match` holds is it."""

    name: Name = Field(description="Name of the message")
    match: Condition = Field(
        default_factory=dict,
        description="Condition on the header's fields or on fields of its own; empty: only as the answer to a request",
    )
    fields: Annotated[tuple[FieldTable, ...], Field(strict=False)] = Field(
        default=(), description="Fields behind the header"
    )
    separator: Bytes | None = Field(default=None, description="Text fields end with this, the last with the frame")
    extra: Literal["refuse", "ignore"] = Field(default="refuse", description="Bytes behind the last field")
    device_time: Instant | None = Field(
        default=None,
        description="When the device says that it was, by its own clock: a formula in seconds of UTC since 1970, or "
        "formulas of year, month, day, hour, minute and second",
    )
    compute: dict[str, Formula] = Field(default_factory=dict, description="Further fields: name to formula")
    identity: dict[str, str] = Field(
        default_factory=dict, description="Facts about the device: name to a field, or text with `{field}`"
    )
    measure: Annotated[tuple[MeasureTable, ...], Field(strict=False)] = Field(default=(), description="See below")
    spectrum: Annotated[tuple[SpectrumTable, ...], Field(strict=False)] = Field(default=(), description="See below")
    image: Annotated[tuple[ImageTable, ...], Field(strict=False)] = Field(default=(), description="See below")
    scan: Annotated[tuple[ScanTable, ...], Field(strict=False)] = Field(default=(), description="See below")
    alarm: Annotated[tuple[AlarmTable, ...], Field(strict=False)] = Field(default=(), description="See below")
    capability: Annotated[tuple[CapabilityTable, ...], Field(strict=False)] = Field(default=(), description="See below")
    trigger: Annotated[tuple[TriggerTable, ...], Field(strict=False)] = Field(default=(), description="See below")
    piece: PieceTable | None = Field(default=None, description="It is one of several frames; see below")
    refused: str = Field(default="", description="The device says no; the fault's text, `{field}` puts a field in")
    acknowledge: Name | None = Field(default=None, description="Request that is sent at once when it comes")
    then: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        default=(), description="Requests that are sent when it has come: re-arming"
    )
