"""The types of values that stand in several tables of a device file."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from devicehub.devicefile.condition import parse_condition
from devicehub.devicefile.expression import parse_expression
from devicehub.devicefile.notation import parse_bytes, parse_template
from devicehub.model.units import Unit

NAME = "^[a-z][a-z0-9_]{0,63}$"
CHANNEL = "^[a-z0-9][a-z0-9-]{0,63}$"
USB = "^[0-9a-f]{4}:[0-9a-f]{4}$"


def _checked(parse: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            parse(text)
        except ValueError as error:
            raise PydanticCustomError("device_file", "{why}", {"why": str(error)}) from None
        return text

    return AfterValidator(check)


def _condition(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise PydanticCustomError("device_file", "must be a table of fields and what they must be")
    try:
        parse_condition(value)
    except ValueError as error:
        raise PydanticCustomError("device_file", "{why}", {"why": str(error)}) from None
    return value


def _whole_or_formula(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str):
        _formula(value)
        return value
    raise PydanticCustomError("device_file", "must be a whole number, or a field or formula in quotes")


def _formula(text: str) -> str:
    try:
        parse_expression(text)
    except ValueError as error:
        raise PydanticCustomError("device_file", "{why}", {"why": str(error)}) from None
    return text


def _unit(text: str) -> str:
    if text not in set(Unit):
        raise PydanticCustomError("device_file", "no such unit; known: {known}", {"known": ", ".join(Unit)})
    return text


def _scalar(value: object) -> int | float | str:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("device_file", "must be a number or text")


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Name = Annotated[str, Field(pattern=NAME)]
Names = Annotated[tuple[Name, ...], Field(strict=False, min_length=1), BeforeValidator(_several)]
ChannelName = Annotated[str, Field(pattern=CHANNEL)]
UsbName = Annotated[str, Field(pattern=USB)]
Bytes = Annotated[str, _checked(parse_bytes)]
Template = Annotated[str, _checked(parse_template)]
Formula = Annotated[str, AfterValidator(_formula)]
WholeOrFormula = Annotated[
    int | str, PlainValidator(_whole_or_formula), WithJsonSchema({"type": ["integer", "string"]})
]
Condition = Annotated[dict[str, object], PlainValidator(_condition), WithJsonSchema({"type": "object"})]
Instant = Annotated[tuple[Formula, ...], Field(strict=False, min_length=1, max_length=6), BeforeValidator(_several)]
UnitName = Annotated[str, AfterValidator(_unit)]
Scalar = Annotated[int | float | str, PlainValidator(_scalar), WithJsonSchema({"type": ["number", "string"]})]
