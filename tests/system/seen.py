"""Everything that a broker saw, held against the contract: payload, topic, retain flag, QoS and expiry."""

import json
import re
from collections.abc import Iterable

from devicehub.model.message import Kind
from devicehub.publish.contract import INWARD
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import RULES
from tests.contract import violations

_CLASSES = (
    ("ulid", re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")),
    ("instant", re.compile(r"\d{4}-(0[1-9]|1[0-2])-([01]\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z")),
    ("digest", re.compile(r"(hmac-)?sha256:[0-9a-f]{64}")),
    ("number", re.compile(r"\d{12}")),
    ("base64", re.compile(r"[A-Za-z0-9+/]{100,}={0,2}")),
)
_LONGEST = 256
_DELETED = frozenset({Kind.ALARM, Kind.DESCRIBE, Kind.DEVICE, Kind.CAPABILITY, Kind.STATE, Kind.INSPECTION})


def breaches(seen: Iterable[Outgoing]) -> list[str]:
    """What breaks the contract, once per shape: messages that differ in numbers, ids and times only are alike."""
    found: list[str] = []
    shapes: set[object] = set()
    for out in seen:
        if out.topic.split("/")[4] in INWARD:
            continue  # what a test sent
        kind = Kind(out.topic.split("/")[4])
        rule = RULES[kind]
        if (out.retain, out.qos, out.expiry) != (rule.retain, rule.qos, rule.expiry):
            found.append(f"{out.topic}: retain {out.retain}, QoS {out.qos}, expiry {out.expiry}")
        if not out.payload:
            if kind not in _DELETED:
                found.append(f"{out.topic}: an empty payload")
            continue
        shape = (kind, _shape(json.loads(out.payload)))
        if shape not in shapes:
            shapes.add(shape)
            found += [f"{out.topic}: {violation}" for violation in violations(kind, out.payload)]
    return found


def _shape(value: object) -> object:
    """A value without what no constraint of the contract can tell apart."""
    match value:
        case dict():
            return tuple((name, _shape(inner)) for name, inner in value.items())
        case list():
            return tuple(dict.fromkeys(map(_shape, value)))
        case str():
            return next((name for name, pattern in _CLASSES if pattern.fullmatch(value)), value[:_LONGEST])
        case bool() | None:
            return value
        case _:
            return type(value)
