"""Which commands were given and what became of them: one command, given twice, is carried out once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct, structs

from devicehub.commands.request import Request
from devicehub.model.command import CommandState
from devicehub.model.payload import CommandEventData
from devicehub.model.reading import Stamp

CAPACITY: Final = 10_000


class Known(Struct, frozen=True):
    """A command that was accepted and its newest state. `until`: monotonic second up to which it can be given again.

    `record`: the id of the record that says that it was accepted.
    """

    request: Request
    state: CommandState
    until: float
    why: str = ""
    result: dict[str, str | float | bool | None] = {}
    record: str = ""


class Memory:
    """By id. One that can be given again or is under way is never forgotten, whatever the wall clock does."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: dict[str, Known] = {}

    def find(self, name: str) -> Known | None:
        """The command of that id."""
        return self._known.get(name)

    def has_room(self, now: float) -> bool:
        """Whether one more can be remembered at monotonic second `now`; those that are over for longest make room."""
        excess = len(self._known) - self._capacity + 1
        if excess <= 0:
            return True
        over = [one for one in self._known.values() if one.until < now and one.state is not CommandState.ACCEPTED]
        over.sort(key=lambda one: one.until)
        for one in over[:excess]:
            del self._known[one.request.id]
        return len(over) >= excess

    def note(self, known: Known) -> None:
        """A command came to a state, or was given again with a deadline of its own."""
        before = self._known.get(known.request.id)
        until = known.until if before is None else max(before.until, known.until)
        self._known[known.request.id] = structs.replace(known, until=until)


class _Stored(Struct, frozen=True):
    id: str
    data: CommandEventData
    causationid: str = ""


def recalled(payloads: Iterable[bytes], now: Stamp) -> list[Known]:
    """The commands that earlier runs accepted, from their audit records, oldest record first, each in its last state.

    What was never begun, records without an id, and those of another make are passed over. Where a command was
    accepted and nothing more, the hub died. A record ends a command only if it was caused by the one of its
    acceptance: whoever else used its id and was rejected, or gave it again too late, changes nothing.
    """
    found: dict[str, Known] = {}
    for payload in payloads:
        try:
            stored = msgspec.json.decode(payload, type=_Stored)
        except msgspec.MsgspecError:
            continue
        name = stored.data.command
        if (deadline := _deadline(stored.data)) is None or not name:
            continue
        told = _told(stored, deadline, now.mono + deadline - now.utc)
        known = found.get(name)
        if known is not None and known.record == stored.causationid:
            found[name] = _advanced(known, told)
        elif told.state is CommandState.ACCEPTED and not stored.causationid:
            found[name] = told
    return list(found.values())


def _deadline(data: CommandEventData) -> float | None:
    try:
        return datetime.fromisoformat(data.deadline or "").timestamp()
    except ValueError:
        return None


def _told(stored: _Stored, deadline: float, until: float) -> Known:
    data = stored.data
    request = Request(data.command, data.issuer, data.target, data.verb, deadline, data.args, data.reason)
    return Known(request, data.state, until, data.why, data.result, stored.id)


def _advanced(known: Known, told: Known) -> Known:
    """After one more record of the same command, which may say that it was given again."""
    until = max(known.until, told.until)
    if known.state is not CommandState.ACCEPTED or told.state is CommandState.ACCEPTED:
        return structs.replace(known, until=until)
    return structs.replace(known, state=told.state, until=until, why=told.why, result=told.result)


def alike(first: Request, second: Request) -> bool:
    """Whether two commands of one id ask for the same. A deadline may be put off."""
    one, other = ((it.issuer, it.target, it.verb, dict(it.args)) for it in (first, second))
    return one == other
