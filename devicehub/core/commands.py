"""Commands as they are described to those who may give them."""

from math import isfinite

from devicehub.driver import TEXT_MOST, Command
from devicehub.model.device import Option
from devicehub.model.payload import CommandData

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def command_data(command: Command, *, allowed: bool) -> CommandData:
    """A declared command; `allowed`: whether the configuration permits control. Arguments as JSON Schema 2020-12."""
    return CommandData(
        verb=command.verb,
        title=command.title,
        args={
            "type": "object",
            "properties": {
                option.name: _schema(option, required=option.name in command.required) for option in command.options
            },
            "required": list(command.required),
            "additionalProperties": False,
        },
        control=command.control,
        allowed=allowed or not command.control,
    )


def _schema(option: Option, *, required: bool) -> dict[str, object]:
    schema: dict[str, object] = {"type": _TYPES[type(option.default)], "title": option.title}
    if not required:
        schema["default"] = option.default
    if isfinite(option.low):
        schema["minimum"] = option.low
    if isfinite(option.high):
        schema["maximum"] = option.high
    if option.choices:
        schema["enum"] = list(option.choices)
    elif isinstance(option.default, str):
        schema["maxLength"] = TEXT_MOST
    return schema
