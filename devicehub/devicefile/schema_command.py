"""The table of a command. Part of `schema.py`."""

from typing import Annotated

from pydantic import Field

from devicehub.devicefile.schema_types import ChannelName, Name, Scalar
from devicehub.tomlfile.section import Section


class ArgumentTable(Section):
    """An argument of a command; put into its request as `{name:u16be}`."""

    name: Name = Field(description="Name")
    title: str = Field(min_length=1, description="What it is, in words")
    default: Scalar = Field(description="Value unless one is given; its type is the argument's")
    required: bool = Field(default=False, description="It must be given")
    low: float | None = Field(default=None, description="Least")
    high: float | None = Field(default=None, description="Greatest")


class CommandTable(Section):
    """Something that somebody may tell the device. The only way to a request that changes something.

    A message with `refused` that answers it is the device's no.
    """

    verb: ChannelName = Field(description="Name of the command; a topic segment")
    title: str = Field(min_length=1, description="What it does, in words")
    request: Name = Field(description="The request that is sent; nothing else sends it")
    control: bool = Field(
        default=True, description="It changes something: only where the device's configuration has `control = true`"
    )
    args: Annotated[tuple[ArgumentTable, ...], Field(strict=False)] = Field(default=(), description="Arguments")
    result: dict[Name, Name] = Field(default_factory=dict, description="What it gives: name to a field of the answer")
    timeout_s: float = Field(default=10.0, gt=0, le=60, description="How long it takes at most, once begun")
