"""Which commands were given and what became of them: one command, given twice, is carried out once."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.commands.request import Request
from devicehub.model.command import CommandState
from devicehub.model.payload import CommandEventData

CAPACITY: Final = 10_000


class Known(Struct, frozen=True):
    """A command and its newest state. `until`: monotonic second up to which it can be given again."""

    request: Request
    state: CommandState
    until: float
    why: str = ""
    result: dict[str, str | float | bool | None] = {}


class Memory:
    """By id. One that can be given again is never forgotten, whatever the wall clock does."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: OrderedDict[str, Known] = OrderedDict()

    def find(self, name: str) -> Known | None:
        """The command of that id."""
        return self._known.get(name)

    def has_room(self, now: float) -> bool:
        """Whether one more can be remembered at monotonic second `now`; the oldest that are over make room."""
        while len(self._known) >= self._capacity:
            name, oldest = next(iter(self._known.items()))
            if oldest.until >= now:
                return False
            del self._known[name]
        return True

    def note(self, known: Known) -> None:
        """A command came to a state."""
        self._known[known.request.id] = known


class _Stored(Struct, frozen=True):
    data: CommandEventData


def recalled(payloads: Iterable[bytes], until: float) -> list[Known]:
    """The commands of earlier runs from their audit records, oldest record first, each in its last state.

    Records without an id, and those of another make, are passed over. Where a command was accepted and nothing
    more, the hub died. `until`: monotonic second up to which any of them could be given again.
    """
    found: dict[str, Known] = {}
    for payload in payloads:
        try:
            data = msgspec.json.decode(payload, type=_Stored).data
        except msgspec.MsgspecError:
            continue
        if data.command and data.deadline is not None:
            found.pop(data.command, None)
            found[data.command] = Known(_request(data), data.state, until, data.why, data.result)
    return list(found.values())


def _request(data: CommandEventData) -> Request:
    """As it was asked, but for its deadline, which is not compared."""
    return Request(data.command, data.issuer, data.target, data.verb, 0.0, data.args, data.reason)


def alike(first: Request, second: Request) -> bool:
    """Whether two commands of one id ask for the same. A deadline may be put off."""
    one, other = ((it.issuer, it.target, it.verb, dict(it.args)) for it in (first, second))
    return one == other
