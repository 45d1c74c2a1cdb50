"""A message: what the core says, before it has a topic, a sequence number or bytes."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from devicehub.model.payload import AnyPayload
from devicehub.model.stream import Stream

REMEMBERED: Final = 100_000
"""Records of one device's memory that are known to have been told: more than any of them holds."""


class Kind(StrEnum):
    """The first topic segment below the node: one prefix per access right."""

    STATUS = "status"
    INFO = "info"
    HEALTH = "health"
    DESCRIBE = "describe"
    DEVICE = "device"
    CAPABILITY = "capability"
    LANE = "lane"
    STATE = "state"
    READING = "reading"
    RESULT = "result"
    FRAME = "frame"
    CAPTURE = "capture"
    SCAN = "scan"
    ALARM = "alarm"
    INSPECTION = "inspection"
    EVENT = "event"
    GAP = "gap"
    RES = "res"


class Address(Struct, frozen=True):
    """Where somebody wants an answer: MQTT 5 response topic (empty: the usual topic) and correlation data."""

    topic: str = ""
    correlation: bytes = b""


class Message(Struct, frozen=True):
    """One message. `data` None deletes the retained message of its topic (an alarm back to normal).

    `type` is appended to `io.devicehub.`; `device` and `point` are topic segments and, joined by a
    slash, the subject; of an inspection `device` is the desk. `time` is UTC seconds, `mono` the monotonic
    second of arrival that latency is measured from. `causation` and `correlation` are ids of earlier
    messages. `address`: of an answer alone. `inspection`: id of the one at its desk that it belongs to.
    `record`: of a device's memory, remembered with the message so that it is told once.
    """

    kind: Kind
    type: str
    id: str
    time: float
    mono: float
    data: AnyPayload | None
    device: str = ""
    point: str = ""
    causation: str = ""
    correlation: str = ""
    address: Address | None = None
    inspection: str = ""
    record: str = ""


class Place(Struct, frozen=True):
    """Where the journal stores a message. `position`: in the one order of all streams, contiguous.

    `epoch` is drawn when a journal is created. `number`: contiguous within epoch and stream; None for what is not
    numbered, because its topic's latest is all that counts. `recorded`: UTC seconds.
    """

    epoch: str
    stream: Stream
    number: int | None
    position: int
    recorded: float
