"""From a topic and bytes to a numbered message, or from stored bytes back. Pure."""

import re
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.consume.count import Ranges
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.message import Kind
from devicehub.model.stream import Stream
from devicehub.publish.topics import EXERCISE_ROOT, REAL_ROOT, RULES, Lane, root_of

LARGEST: Final = 16 * 1024 * 1024

_SOURCE = re.compile(r"urn:devicehub:([a-z0-9-]{1,64}):([a-z0-9-]{1,64})")
_NODE = re.compile(rf"(?:{REAL_ROOT}|{EXERCISE_ROOT})/[a-z0-9-]{{1,64}}/[a-z0-9-]{{1,64}}(?=/)")
_DIGITS = re.compile(r"[0-9]{1,19}")
_GAP = "io.devicehub.gap"


class Heard(Struct, frozen=True):
    """A numbered message. `node`: topic prefix of its hub, `recorded`: when the hub stored it, RFC 3339 in UTC.

    `body`: its bytes on one line. `live`: sent for the first time. `lost`: numbers that it says will not come, in the
    stream `lost_of` of its node and epoch `lost_in`.
    """

    node: str
    epoch: str
    stream: Stream
    number: int
    recorded: str
    type: str
    live: bool
    body: bytes
    lost: Ranges = ()
    lost_in: str = ""
    lost_of: Stream = Stream.EVENTS


class _Envelope(Struct, frozen=True):
    source: str
    type: str
    data: msgspec.Raw
    sequence: str = ""
    stream: str = ""
    epoch: str = ""
    recordedtime: str = ""
    exercise: bool = False
    historical: bool = False


class Announced(Struct, frozen=True):
    """A hub's status: the epoch that its journal is in. `at`: when it said so, RFC 3339 in UTC."""

    node: str
    epoch: str
    at: str


class _Status(Struct, frozen=True):
    epoch: str = ""


class _Said(Struct, frozen=True):
    data: _Status
    time: str = ""


class _Gap(Struct, frozen=True):
    stream: str
    epoch: str = ""
    ranges: tuple[tuple[int, int], ...] = ()


def filters(node: str, streams: AbstractSet[Stream]) -> list[str]:
    """Topic filters of what is numbered in `streams` below a node's prefix, and of gaps, which may be about them.

    The status comes first: what a broker retains of it names the epoch that everything after it is counted by.
    """
    return [f"{node}/{Kind.STATUS}", *(f"{node}/{kind}/#" for kind in Kind if _counted(kind, streams))]


def prefix(site: str, node: str, *, exercise: bool) -> str:
    """The topic prefix of a node; `+` for any."""
    return f"{root_of(exercise=exercise)}/{site}/{node}"


def node_of(topic: str) -> str:
    """The topic prefix of the node that a topic belongs to. Raises `ProtocolError`."""
    node = _NODE.match(topic)
    if node is None:
        raise ProtocolError(Reason.UNEXPECTED, "the topic is not of a hub")
    return node[0]


def announced(topic: str, body: bytes) -> Announced | None:
    """What a status says of the epoch; None for anything else, and for a hub that does not say it.

    Raises `ProtocolError`, which does not show it.
    """
    node = node_of(topic)
    if topic != f"{node}/{Kind.STATUS}":
        return None
    try:
        said = msgspec.json.decode(body, type=_Said)
    except (UnicodeDecodeError, msgspec.MsgspecError):
        raise ProtocolError(Reason.GARBAGE, "not a status of a hub") from None
    return Announced(node, said.data.epoch, said.time) if said.data.epoch else None


def understood(topic: str, body: bytes) -> Heard | None:
    """A received message; None for one that is not numbered. Raises `ProtocolError`, which does not show it."""
    if not body:
        return None
    heard = recalled(body)
    if heard is not None and heard.node != node_of(topic):
        raise ProtocolError(Reason.UNEXPECTED, "source or exercise do not belong to its topic")
    return heard


def recalled(body: bytes) -> Heard | None:
    """The same from its bytes alone, as they are stored."""
    if len(body) > LARGEST:
        raise ProtocolError(Reason.OVERFLOW, f"{len(body)} bytes, {LARGEST} are allowed")
    try:
        body.decode()
        envelope = msgspec.json.decode(body, type=_Envelope)
        gap = msgspec.json.decode(envelope.data, type=_Gap) if envelope.type == _GAP else None
    except (UnicodeDecodeError, msgspec.MsgspecError):
        raise ProtocolError(Reason.GARBAGE, "not a message of a hub") from None
    if not envelope.sequence:
        return None
    return _numbered(envelope, gap, body)


def _numbered(envelope: _Envelope, gap: _Gap | None, body: bytes) -> Heard:
    source = _SOURCE.fullmatch(envelope.source)
    if source is None or not _DIGITS.fullmatch(envelope.sequence) or envelope.stream not in set(Stream):
        raise ProtocolError(Reason.UNEXPECTED, "its source, stream or sequence is none")
    if not envelope.epoch or int(envelope.sequence) < 1:
        raise ProtocolError(Reason.UNEXPECTED, "numbers without an epoch, or below 1, cannot be counted")
    counted = gap is not None and gap.epoch and gap.stream in set(Stream)
    return Heard(
        node=prefix(source[1], source[2], exercise=envelope.exercise),
        epoch=envelope.epoch,
        stream=Stream(envelope.stream),
        number=int(envelope.sequence),
        recorded=envelope.recordedtime,
        type=envelope.type,
        live=not envelope.historical,
        body=_one_line(body),
        lost=gap.ranges if gap is not None and counted else (),
        lost_in=gap.epoch if gap is not None else "",
        lost_of=Stream(gap.stream) if gap is not None and counted else Stream.EVENTS,
    )


def _one_line(body: bytes) -> bytes:
    """JSON has line breaks between its tokens only, where a space is as good."""
    return body.replace(b"\n", b" ").replace(b"\r", b" ")


def _counted(kind: Kind, streams: AbstractSet[Stream]) -> bool:
    rule = RULES[kind]
    if rule.lane is not Lane.JOURNAL or not rule.numbered:
        return False
    return kind is Kind.GAP or rule.stream in streams or (kind is Kind.EVENT and Stream.ALARMS in streams)
