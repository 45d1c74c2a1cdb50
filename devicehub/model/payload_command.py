"""The `data` of commands: what can be asked, what was answered, what is on record. Part of `model/payload.py`."""

from typing import Annotated

from msgspec import Meta, Struct

from devicehub.model.command import CommandState
from devicehub.model.payload_texts import Instant, Segment

Json = Annotated[object, Meta(extra_json_schema={"description": "Any JSON value"})]
Scalar = str | int | float | bool | None
JsonValue = Annotated[object, Meta(extra_json_schema={"description": "Any JSON value"})]
CommandId = Annotated[str, Meta(description="The command's own id; empty where it had none that could be read")]
Why = Annotated[str, Meta(description="Why it was not carried out, or what is to be known of how it was")]


class CommandData(Struct, frozen=True, omit_defaults=True):
    """A command that is understood. `control`: it changes what the device does; `allowed` by the configuration."""

    verb: Segment
    title: str
    args: Annotated[dict[str, Json], Meta(description="JSON Schema 2020-12 of the command's `args`")]
    control: bool = False
    allowed: bool = True


class AnswerData(Struct, frozen=True, omit_defaults=True):
    """The state of a command, on the way to its end. `result`: what it gave."""

    command: CommandId
    issuer: str
    target: Segment
    verb: Segment
    state: CommandState
    why: Why = ""
    result: dict[str, Scalar] = {}


class CommandEventData(Struct, frozen=True, omit_defaults=True):
    """The audit record of a command that came to a state: who wanted what of whom, and what became of it.

    `target` and `verb` are empty where the topic had none that are legal. `args` as they came; of a rejected command
    those that could be read.
    """

    command: CommandId
    issuer: str
    target: str
    verb: str
    state: CommandState
    why: Why = ""
    reason: Annotated[str, Meta(description="The issuer's own reason")] = ""
    deadline: Instant | None = None
    args: dict[str, Json] = {}
    result: dict[str, Scalar] = {}


class CommandRequest(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A command as it is sent, never retained, to `{prefix}/cmd/{device or hub}/{verb}`, QoS 1."""

    id: Annotated[
        str,
        Meta(description="Of this command alone; the same one twice is done once", pattern="^[A-Za-z0-9-]{1,64}$"),
    ]
    issuer: Annotated[str, Meta(description="Who is answerable for it", min_length=1, max_length=64)]
    deadline: Annotated[
        str,
        Meta(
            description="UTC instant up to which it may be begun, at most an hour away",
            pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+]00:00)$",
        ),
    ]
    args: Annotated[dict[str, JsonValue], Meta(description="As the description of the device or the hub has them")] = {}
    reason: Annotated[str, Meta(description="For the record", max_length=512)] = ""
