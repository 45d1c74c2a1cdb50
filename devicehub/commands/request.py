"""What somebody wants, read from what arrived: any bytes give a request or a rejection, never an exception.

The payload is a JSON object: `id`, `issuer`, `deadline` and, if wanted, `args` and `reason`; see
docs/guides/send-a-command.md.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct, structs

from devicehub.model.errors import ProtocolError
from devicehub.model.instant import instant
from devicehub.model.message import Address
from devicehub.model.segment import SEGMENT
from devicehub.publish.inbound import Json, parse
from devicehub.publish.port import Incoming
from devicehub.publish.topics import Topics

LIMIT: Final = 8 * 1024
FURTHEST: Final = 3600.0
CORRELATION_LIMIT: Final = 1024

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)")
_ISSUER_MOST = 64
_REASON_MOST = 512
_SHOWN = 80


class Reply(Struct, frozen=True):
    """How the answer is addressed. `ignored`: what of the sender's wishes is not fulfilled, and why."""

    address: Address = Address()
    ignored: str = ""


class Request(Struct, frozen=True):
    """A command that is well-formed and in time. `deadline`: UTC seconds up to which it may be begun.

    `target` is `hub` or a device. `args` are as they came, not yet held against the command's declaration.
    """

    id: str
    issuer: str
    target: str
    verb: str
    deadline: float
    args: Mapping[str, object] = {}
    reason: str = ""
    reply: Reply = Reply()


class Rejection(Struct, frozen=True):
    """Why it is none. `request` holds what could be read: empty texts and deadline 0 for what could not."""

    request: Request
    why: str


def read(message: Incoming, topics: Topics, now: float) -> Request | Rejection:
    """The command in `message`, which came to the node of `topics` at UTC second `now`."""
    target, verb = _address(message.topic, topics.prefix)
    fields, problem = _fields(message.payload)
    request = structs.replace(fields, target=target, verb=verb, reply=_reply(message, topics))
    if message.retain:
        return Rejection(request, "it was retained: what a broker stored is an order of the past")
    if not (target and verb):
        return Rejection(request, f"{_shown(message.topic)}: target and verb must match [a-z0-9-]{{1,64}}")
    if problem:
        return Rejection(request, problem)
    if request.deadline < now:
        return Rejection(request, f"its deadline has passed: it is {instant(now)} here")
    if request.deadline > now + FURTHEST:
        return Rejection(request, f"its deadline is more than {FURTHEST / 3600:.0f} h away: it is {instant(now)} here")
    return request


def _address(topic: str, prefix: str) -> tuple[str, str]:
    """Target and verb, both empty where one of them is no legal segment."""
    parts = topic.removeprefix(f"{prefix}/cmd/").split("/")
    return (parts[0], parts[1]) if len(parts) == 2 and all(map(SEGMENT.fullmatch, parts)) else ("", "")


def _reply(message: Incoming, topics: Topics) -> Reply:
    wanted, correlation = message.response_topic, message.correlation
    ignored: list[str] = []
    if wanted and not topics.own_answer(wanted):
        wanted = ""
        ignored.append(f"its response topic is not below {topics.prefix}/res/ and was ignored")
    if len(correlation) > CORRELATION_LIMIT:
        correlation = b""
        ignored.append(f"its correlation data is longer than {CORRELATION_LIMIT} bytes and was ignored")
    return Reply(Address(wanted, correlation), "; ".join(ignored))


def _fields(payload: bytes) -> tuple[Request, str]:
    """What could be read of the payload, and the first thing that is wrong with it."""
    nothing = Request("", "", "", "", 0.0)
    try:
        found = parse(payload, LIMIT)
    except ProtocolError as error:
        return nothing, error.detail
    problems: list[str] = []
    values: dict[str, object] = {}
    for name, value in found.items():
        check = _CHECKS.get(name)
        if check is None:
            problems.append(f"{_shown(name)}: a command has {', '.join(_CHECKS)} and nothing else")
        elif (checked := check(value)) is None:
            problems.append(f"{name} must be {_WORDS[name]}")
        else:
            values[name] = checked
    problems += [f"{name} is missing" for name in _REQUIRED if name not in found]
    return structs.replace(nothing, **values), problems[0] if problems else ""


def _checked_id(value: Json) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _checked_issuer(value: Json) -> str | None:
    legal = isinstance(value, str) and 1 <= len(value) <= _ISSUER_MOST and value.isprintable() and value.strip()
    return value if legal and isinstance(value, str) else None


def _checked_deadline(value: Json) -> float | None:
    if not isinstance(value, str) or not _UTC.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:  # the 31st of April
        return None


def _checked_args(value: Json) -> dict[str, Json] | None:
    return value if isinstance(value, dict) else None


def _checked_reason(value: Json) -> str | None:
    return value if isinstance(value, str) and len(value) <= _REASON_MOST and value.isprintable() else None


_CHECKS: Final[Mapping[str, Callable[[Json], object]]] = {
    "id": _checked_id,
    "issuer": _checked_issuer,
    "deadline": _checked_deadline,
    "args": _checked_args,
    "reason": _checked_reason,
}
_WORDS: Final = {
    "id": "1 to 64 of A-Z, a-z, 0-9 and -",
    "issuer": f"1 to {_ISSUER_MOST} printable characters",
    "deadline": "a time in UTC as 2026-11-24T09:14:07Z",
    "args": "an object",
    "reason": f"at most {_REASON_MOST} printable characters",
}
_REQUIRED: Final = ("id", "issuer", "deadline")


def _shown(text: str) -> str:
    """A foreign text in a message: no control characters, not too long."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
