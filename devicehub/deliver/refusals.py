"""What the broker refuses for good: one line in the log per branch of the tree, and one gap a second, not one each.

A broker that forbids a branch answers every message of it so. What is told of that must be less than what
is refused, and telling it must not hold delivery up: the deliverer notes, and the hub writes in a task of
its own. What was noted and not yet written when the hub is killed is covered by the gap of an unclean end.
"""

import asyncio
import logging

from devicehub.model.payload import GapData
from devicehub.publish.envelope import sequence_of
from devicehub.publish.port import Outgoing

_log = logging.getLogger(__name__)

QUIET = 60.0
_DEPTH = 5  # root and version, site, node, kind


class Refusals:
    """Refused messages by branch for the log, and refused events by number for the gap."""

    def __init__(self) -> None:
        self._branches: dict[str, float] = {}
        self._numbers: list[int] = []
        self._count = 0
        self._noted = asyncio.Event()
        self._closed = False

    def refused(self, out: Outgoing, why: str, now: float) -> None:
        """The broker said no at monotonic second `now`: logged, unless the branch is known to be refused."""
        place = _branch(out.topic)
        if place not in self._branches:
            _log.error("%s refused: %s; more of %s is only counted", out.topic, why, place)
        self._branches[place] = now

    def taken(self, out: Outgoing, now: float) -> None:
        """The broker said yes: a branch that it refused nothing of for a minute is logged again when it does."""
        place = _branch(out.topic) if self._branches else ""
        if place in self._branches and now - self._branches[place] >= QUIET:
            del self._branches[place]
            _log.info("%s is taken again", place)

    def lost(self, out: Outgoing) -> None:
        """An event was refused and will not be sent again: a gap, unless it is one about a gap."""
        if out.type.endswith(".gap"):
            return
        self._count += 1
        number = sequence_of(out.payload)
        if number is not None:
            self._numbers = [min(number, *self._numbers), max(number, *self._numbers)] if self._numbers else [number]
        self._noted.set()

    async def gap(self) -> GapData | None:
        """Waits for a lost event; the gap of all there are by now, or None once closed and all was told.

        `first` and `last` are published sequence numbers; events between them may have been taken.
        """
        while not self._count and not self._closed:
            self._noted.clear()
            await self._noted.wait()
        if not self._count:
            return None
        first, last = (self._numbers[0], self._numbers[-1]) if self._numbers else (None, None)
        gap = GapData("hub", "refused", count=self._count, first=first, last=last)
        self._count, self._numbers = 0, []
        return gap

    def close(self) -> None:
        """Nothing more will be delivered."""
        self._closed = True
        self._noted.set()


def _branch(topic: str) -> str:
    """A topic down to its kind: what an access list allows or forbids as a whole."""
    return "/".join(topic.split("/", _DEPTH)[:_DEPTH])
