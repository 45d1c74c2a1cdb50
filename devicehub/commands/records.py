"""The two messages of a command that came to a state: the answer to whoever asked, and the audit record."""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final

from msgspec import Struct

from devicehub.commands.request import Request
from devicehub.model.command import CommandState
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AnswerData, CommandEventData
from devicehub.model.payload_command import Scalar
from devicehub.model.reading import Stamp
from devicehub.model.segment import unicode_text

TYPE: Final = "command"
WHY_MOST: Final = 512


class Verdict(Struct, frozen=True):
    """What became of a command so far."""

    state: CommandState
    why: str = ""
    result: Mapping[str, str | float | bool | None] = {}


def messages(request: Request, verdict: Verdict, now: Stamp, ids: Callable[[], str], cause: str = "") -> list[Message]:
    """The audit record and, where the target is legal, the answer that it caused, in the order of storing.

    `cause`: the record of the acceptance that the verdict follows; none where it is none of an accepted command.
    """
    why = "; ".join(part for part in (unicode_text(verdict.why)[:WHY_MOST], request.reply.ignored) if part)
    result = {name: _plain(value) for name, value in verdict.result.items()}
    place = (request.target, request.verb) if request.target and request.verb else ("", "")
    event = CommandEventData(
        command=request.id,
        issuer=request.issuer,
        target=request.target,
        verb=request.verb,
        state=verdict.state,
        why=why,
        reason=request.reason,
        deadline=instant(request.deadline) if request.deadline else None,
        args=dict(request.args),
        result=result,
    )
    record = Message(Kind.EVENT, TYPE, ids(), now.utc, now.mono, event, *place, cause, request.id)
    if place == ("", ""):
        return [record]
    answer = Message(
        Kind.RES,
        f"{TYPE}.{verdict.state}",
        ids(),
        now.utc,
        now.mono,
        AnswerData(request.id, request.issuer, *place, verdict.state, why, result),
        *place,
        causation=record.id,
        correlation=request.id,
        address=request.reply.address,
    )
    return [record, answer]


def _plain(value: Scalar) -> Scalar:
    """What a driver gave, fit for JSON."""
    if isinstance(value, float) and not isfinite(value):
        return None
    return unicode_text(value) if isinstance(value, str) else value
