"""The topic tree and the rule of every message kind. The only module that builds a topic.

`devicehub/v1/{site}/{node}/{kind}[/{device}[/{point}]]`, or `devicehub-sim/v1/...` for an exercise:
simulated messages never share a branch with real ones. Every segment matches `[a-z0-9-]{1,64}`, so
that `+`, `#`, `/`, NUL and device-supplied names never reach a topic: one such topic makes a broker
drop the connection, again and again.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from devicehub.model.message import Kind, Message
from devicehub.model.payload import GapData
from devicehub.model.segment import SEGMENT, segment
from devicehub.model.stream import Stream

REAL_ROOT = "devicehub/v1"
EXERCISE_ROOT = "devicehub-sim/v1"
_ALARM = "alarm."
_ANSWER_MOST = 4

__all__ = ["EXERCISE_ROOT", "REAL_ROOT", "RULES", "Lane", "Rule", "Shape", "Topics", "segment", "stream_of"]


class Lane(StrEnum):
    """JOURNAL is stored until the broker has it; on the BOARD the latest message of a topic wins."""

    JOURNAL = "journal"
    BOARD = "board"


class Shape(StrEnum):
    """What follows the kind in a topic."""

    BARE = "{kind}"
    DEVICE = "{kind}/{device}"
    POINT = "{kind}/{device}/{point}"
    OPTIONAL_POINT = "{kind}/{device}[/{point}]"
    DESK = "{kind}/{desk}"
    TYPE = "{kind}/{type}"
    STREAM = "{kind}/{stream}"


class Rule(Struct, frozen=True):
    """How messages of a kind are published. `expiry` is in seconds, None is never.

    `numbered`: whether a consumer counts them. What is retained is not: its topic's latest is all that counts.
    """

    lane: Lane
    shape: Shape
    retain: bool = False
    qos: int = 1
    expiry: int | None = None
    stream: Stream = Stream.EVENTS
    numbered: bool = True


RULES: Mapping[Kind, Rule] = MappingProxyType(
    {
        Kind.STATUS: Rule(Lane.BOARD, Shape.BARE, retain=True),
        Kind.INFO: Rule(Lane.BOARD, Shape.BARE, retain=True),
        Kind.HEALTH: Rule(Lane.BOARD, Shape.BARE, retain=True, qos=0, expiry=60),
        Kind.DESCRIBE: Rule(Lane.BOARD, Shape.DEVICE, retain=True),
        Kind.DEVICE: Rule(Lane.BOARD, Shape.DEVICE, retain=True),
        Kind.CAPABILITY: Rule(Lane.BOARD, Shape.DEVICE, retain=True),
        Kind.LANE: Rule(Lane.BOARD, Shape.BARE, retain=True, expiry=60),
        Kind.STATE: Rule(Lane.BOARD, Shape.DEVICE, retain=True, qos=0),
        Kind.READING: Rule(Lane.JOURNAL, Shape.OPTIONAL_POINT),
        Kind.RESULT: Rule(Lane.JOURNAL, Shape.DEVICE),
        Kind.FRAME: Rule(Lane.BOARD, Shape.DEVICE, qos=0, expiry=10),
        Kind.CAPTURE: Rule(Lane.JOURNAL, Shape.DEVICE),
        Kind.SCAN: Rule(Lane.JOURNAL, Shape.DEVICE, expiry=300, stream=Stream.SCANS),
        Kind.ALARM: Rule(Lane.JOURNAL, Shape.POINT, retain=True, stream=Stream.ALARMS, numbered=False),
        Kind.INSPECTION: Rule(Lane.JOURNAL, Shape.DESK, retain=True, numbered=False),
        Kind.EVENT: Rule(Lane.JOURNAL, Shape.TYPE),
        Kind.GAP: Rule(Lane.JOURNAL, Shape.STREAM),
        Kind.RES: Rule(Lane.JOURNAL, Shape.POINT, expiry=300, stream=Stream.ALARMS, numbered=False),
    }
)


class Topics:
    """Topics of one node. `exercise` puts everything below `devicehub-sim/v1`.

    Raises ValueError for a site, node, device or point that did not come from `segment`: that is a bug.
    """

    def __init__(self, site: str, node: str, *, exercise: bool) -> None:
        self.exercise = exercise
        self.root = root_of(exercise=exercise)
        self.prefix = f"{self.root}/{_legal(site)}/{_legal(node)}"

    @property
    def status(self) -> str:
        """Where the hub says whether it is online; the topic of the MQTT will."""
        return f"{self.prefix}/{Kind.STATUS}"

    @property
    def commands(self) -> str:
        """The filter of the commands to this node: `{prefix}/cmd/{device or hub}/{verb}`."""
        return f"{self.prefix}/cmd/+/+"

    def is_command(self, topic: str) -> bool:
        """Whether something that arrived is a command."""
        return topic.startswith(f"{self.prefix}/cmd/")

    @property
    def receipts(self) -> str:
        """The filter of the receipts of durable consumers: `{prefix}/receipt/{consumer}`."""
        return f"{self.prefix}/receipt/+"

    def own_answer(self, topic: str) -> bool:
        """Whether somebody may want an answer there: below the node's own `res`, of one to four legal segments."""
        root = f"{self.prefix}/{Kind.RES}/"
        parts = topic.removeprefix(root).split("/")
        return topic.startswith(root) and len(parts) <= _ANSWER_MOST and all(map(SEGMENT.fullmatch, parts))

    def response(self, topic: str) -> str:
        """A topic for which `own_answer` holds. Raises ValueError for any other: that is a bug."""
        if not self.own_answer(topic):
            raise ValueError(f"{topic!r} is not below {self.prefix}/{Kind.RES}")
        return topic

    def topic(self, message: Message) -> str:
        """The topic of a message.

        Type, device and point are checked even where the topic leaves them out: user properties have them.
        """
        _legal(_type(message))
        for part in (message.device, message.point):
            if part:
                _legal(part)
        return "/".join((self.prefix, message.kind, *_tail(message)))


def root_of(*, exercise: bool) -> str:
    """Where all topics of exercises begin, or all others, of whichever node."""
    return EXERCISE_ROOT if exercise else REAL_ROOT


def is_simulated(topic: str) -> bool:
    """Whether what was published there is of an exercise."""
    return topic.startswith(f"{EXERCISE_ROOT}/")


def stream_of(message: Message) -> Stream:
    """The stream a journalled message belongs to; what happens to an alarm goes with the alarms."""
    if message.kind is Kind.EVENT and message.type.startswith(_ALARM):
        return Stream.ALARMS
    return RULES[message.kind].stream


def schema_id(kind: Kind) -> str:
    """The identity of the JSON Schema of a kind."""
    return f"urn:devicehub:schema:v1:{kind}"


def _tail(message: Message) -> tuple[str, ...]:
    match RULES[message.kind].shape:
        case Shape.BARE:
            return ()
        case Shape.DEVICE | Shape.DESK:
            return (_legal(message.device),)
        case Shape.POINT:
            return _legal(message.device), _legal(message.point)
        case Shape.OPTIONAL_POINT:
            point = (_legal(message.point),) if message.point else ()
            return _legal(message.device), *point
        case Shape.TYPE:
            return (_type(message),)
        case Shape.STREAM:
            return (_legal(_stream(message)),)


def _type(message: Message) -> str:
    return message.type.replace(".", "-")


def _stream(message: Message) -> str:
    if not isinstance(message.data, GapData):
        raise ValueError(f"a gap message carries {type(message.data).__name__}")  # noqa: TRY004  a bug, as below
    return message.data.stream


def _legal(text: str) -> str:
    if not SEGMENT.fullmatch(text):
        raise ValueError(f"{text!r} is not a topic segment; it must come from segment()")
    return text
