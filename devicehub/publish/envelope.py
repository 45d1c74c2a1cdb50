"""Messages to bytes: CloudEvents 1.0, structured JSON, one form for MQTT 3.1.1 and 5.

Source of the attributes: CloudEvents 1.0.2 (https://github.com/cloudevents/spec), extensions in
lower case as it demands.

Only journalled messages carry `sequence` and `recordedtime`: together with `boot` they let a
consumer reconcile to the last message. Board messages (latest wins) carry neither, because one of
them may be replaced before it is sent and a hole in the numbers would mean nothing.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from devicehub.model.instant import instant
from devicehub.model.message import Address, Message, Place
from devicehub.model.payload import AlarmData, InspectionData, Instant, Segment, StatusData
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import RULES, Topics

CONTENT_TYPE = "application/cloudevents+json"
TYPE_PREFIX = "io.devicehub."
_HISTORICAL = b',"historical":true}'

Ulid = Annotated[str, Meta(description="ULID", pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]


class Envelope(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """CloudEvents 1.0 envelope. `data` is described per kind."""

    specversion: Annotated[str, Meta(pattern="^1\\.0$")]
    id: Ulid
    source: Annotated[str, Meta(description="The workstation", pattern="^urn:devicehub:[a-z0-9-]+:[a-z0-9-]+$")]
    type: Annotated[str, Meta(description="What happened", pattern="^io\\.devicehub\\.[a-z0-9.-]+$")]
    subject: Annotated[
        str,
        Meta(description="Device, or device/point; of an inspection its desk", pattern="^[a-z0-9-]+(/[a-z0-9-]+)?$"),
    ] = ""
    time: Instant
    recordedtime: Annotated[
        str, Meta(description="When it was made durable, UTC", extra_json_schema={"format": "date-time"})
    ] = ""
    sequence: Annotated[str, Meta(description="Gapless within source, epoch and stream", pattern="^[0-9]{12,}$")] = ""
    stream: Annotated[str, Meta(description="Which numbering the sequence belongs to")] = ""
    epoch: Annotated[str, Meta(description="Drawn when the journal was created; numbers begin anew with it")] = ""
    position: Annotated[int, Meta(description="In the one order of all streams of this source and epoch")] = 0
    boot: Annotated[str, Meta(description="One run of the hub")]
    causationid: Annotated[str, Meta(description="The message that caused this one")] = ""
    correlationid: Annotated[str, Meta(description="The chain of messages this one belongs to")] = ""
    inspection: Annotated[Ulid, Meta(description="The inspection at its desk that it belongs to")] = ""
    exercise: Annotated[bool, Meta(description="True: simulated, nothing of this happened")] = False
    data: Annotated[object, Meta(extra_json_schema={"description": "Described per kind"})]
    historical: Annotated[bool, Meta(description="Published later than it was recorded")] = False


class Encoder:
    """Encodes the messages of one node and one run (`boot`). `exercise` marks every message as simulated."""

    def __init__(self, site: Segment, node: Segment, *, boot: str, exercise: bool) -> None:
        self._source = f"urn:devicehub:{site}:{node}"
        self._boot = boot
        self._exercise = exercise
        self._json = msgspec.json.Encoder()

    def encode(self, message: Message, place: Place | None = None) -> bytes:
        """The payload of `message`; empty when its `data` is None.

        `place` is given for journalled messages only. Raises
        ValueError when a number is NaN or infinite or a text is not Unicode: payloads never are.
        """
        if message.data is None:
            return b""
        payload = self._json.encode(
            Envelope(
                specversion="1.0",
                id=message.id,
                source=self._source,
                type=TYPE_PREFIX + message.type,
                subject=subject(message),
                time=instant(message.time),
                recordedtime="" if place is None else instant(place.recorded),
                sequence="" if place is None or place.number is None else f"{place.number:012d}",
                stream="" if place is None or place.number is None else place.stream,
                epoch="" if place is None else place.epoch,
                position=0 if place is None else place.position,
                boot=self._boot,
                causationid=message.causation,
                correlationid=message.correlation,
                inspection=message.inspection,
                exercise=self._exercise,
                data=message.data,
            )
        )
        # msgspec writes NaN and infinity as null, so bytes without a null need no closer look.
        if b"null" in payload and not _finite(message.data):
            raise ValueError(f"{message.kind} {message.id} holds a number that is not finite; it must be None")
        return payload


def historical(payload: bytes) -> bytes:
    """Stored bytes marked `"historical":true`, everything before it unchanged. Empty stays empty."""
    return payload and payload[:-1] + _HISTORICAL


class _StoredAlarm(Struct, frozen=True):
    data: AlarmData


def stored_alarm(payload: bytes) -> AlarmData:
    """The state of an alarm point, back from its published bytes. Raises `ValueError` when they are of another make."""
    return msgspec.json.decode(payload, type=_StoredAlarm).data


class _StoredStatus(Struct, frozen=True):
    data: StatusData


def stored_status(payload: bytes) -> StatusData:
    """What a hub said of itself, back from its published bytes. Raises as `stored_alarm`."""
    return msgspec.json.decode(payload, type=_StoredStatus).data


class _StoredInspection(Struct, frozen=True):
    data: InspectionData


def stored_inspection(payload: bytes) -> InspectionData:
    """An inspection that is open, back from its published bytes. Raises as `stored_alarm`."""
    return msgspec.json.decode(payload, type=_StoredInspection).data


def subject(message: Message) -> str:
    """`device` or `device/point`; empty for the hub's own messages."""
    return f"{message.device}/{message.point}" if message.point else message.device


def outgoing(message: Message, payload: bytes, topics: Topics) -> Outgoing:
    """`payload` (bytes of `Encoder.encode`, possibly stored since) addressed by the rule of its kind."""
    rule, address = RULES[message.kind], message.address or Address()
    return Outgoing(
        topic=topics.response(address.topic) if address.topic else topics.topic(message),
        payload=payload,
        qos=rule.qos,
        retain=rule.retain,
        expiry=rule.expiry,
        type=TYPE_PREFIX + message.type,
        id=message.id,
        subject=subject(message),
        correlation=address.correlation,
    )


def _finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str | bytes):
        return True
    if isinstance(value, Struct):
        return all(_finite(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    return not isinstance(value, Iterable) or all(map(_finite, value))
