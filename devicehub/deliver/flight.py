"""Messages handed to the broker and not yet answered, and what each answer means."""

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.deliver.lanes import Due, Why
from devicehub.deliver.quarantine import BUSY, Quarantine
from devicehub.deliver.refusals import Refusals
from devicehub.health import Gauges
from devicehub.journal import Entry, Journal
from devicehub.model.errors import DeliveryBusyError, DeliveryError, DeliveryRefusedError
from devicehub.publish.port import Outgoing


class _InFlight(Struct, frozen=True):
    """A message handed to the broker; `due` None for one that is only a state."""

    done: "asyncio.Future[None]"
    out: Outgoing
    due: Due | None
    sent_at: float


class Flight:
    """What is in flight on the one connection there is, in order of sending."""

    def __init__(self, journal: Journal, board: Board, quarantine: Quarantine, gauges: Gauges, clock: Clock) -> None:
        self._journal = journal
        self._board = board
        self._quarantine = quarantine
        self._gauges = gauges
        self._clock = clock
        self._refusals = Refusals()
        self._flying: deque[_InFlight] = deque()
        self._standing: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._flying)

    def add(self, done: "asyncio.Future[None]", out: Outgoing, due: Due | None, now: float) -> None:
        """It was handed to the broker at monotonic second `now`."""
        self._flying.append(_InFlight(done, out, due, now))

    def unanswered(self) -> float | None:
        """When the oldest was sent that has no answer yet; None where all have."""
        return next((flying.sent_at for flying in self._flying if not flying.done.done()), None)

    def lost(self) -> None:
        """The connection ended: what is journalled is sent again, a state by its topic's latest."""
        for flying in self._flying:
            if flying.due is None and not _taken(flying.done):
                self._board.lost(flying.out)
        self._flying.clear()

    async def reap(self) -> None:
        """Take note of what the broker answered, in order of sending; what it refused is put aside first.

        Raises `JournalError`, and then takes note of nothing; `DeliveryError` when the connection broke.
        """
        ready: list[_InFlight] = []
        while len(ready) < len(self._flying) and self._flying[len(ready)].done.done():
            ready.append(self._flying[len(ready)])
        errors = [_refusal(flying.done) for flying in ready]
        if any(errors) or any(flying.due is not None and flying.due.why is Why.RETRY for flying in ready):
            await self._put_aside(ready, errors)
        for flying, error in zip(ready, errors, strict=True):
            self._note(flying, error)
            self._flying.popleft()

    def stands(self, entry: Entry) -> None:
        """Remember the newest delivered event of each retained topic, unless it deleted the topic."""
        if not entry.out.retain:
            return
        self._standing.pop(entry.out.topic, None)
        if entry.out.payload:
            self._standing[entry.out.topic] = entry

    def standing(self) -> Sequence[Entry]:
        """The newest delivered event of each retained topic, in order of delivery."""
        return tuple(self._standing.values())

    async def _put_aside(self, ready: Sequence[_InFlight], errors: Sequence[DeliveryError | None]) -> None:
        """What a retry brought leaves the quarantine; what is refused goes there, a retry again."""
        refused: list[tuple[Entry, str]] = []
        taken: list[Entry] = []
        for flying, error in zip(ready, errors, strict=True):
            if flying.due is None or flying.due.why is Why.AGAIN:
                continue
            if error is not None:
                refused.append((flying.due.entry, BUSY if isinstance(error, DeliveryBusyError) else str(error)))
            elif flying.due.why is Why.RETRY and _taken(flying.done):
                taken.append(flying.due.entry)
        if taken:
            await self._quarantine.free(taken)
        if refused:
            await self._quarantine.put(refused, self._clock.monotonic())

    def _note(self, flying: _InFlight, error: DeliveryError | None) -> None:
        """Count an answer. One that is neither yes nor no ends the connection."""
        now = self._clock.monotonic()
        if error is None:
            flying.done.result()
            self._gauges.published += 1
            self._refusals.taken(flying.out, now)
        else:
            self._gauges.refused += 1
            self._refusals.refused(flying.out, str(error), now)
        self._gauges.refused_branches = len(self._refusals)
        if flying.due is None:
            return
        if flying.due.why is not Why.NEW:
            self._gauges.replayed += 1
            return
        entry = flying.due.entry
        self._journal.ack(entry)
        self.stands(entry)
        if entry.mono is not None:
            self._gauges.delivered(now - entry.mono)


def _refusal(done: "asyncio.Future[None]") -> DeliveryError | None:
    """Why the broker said no, or not now; None for yes and for a connection that broke."""
    error = None if done.cancelled() else done.exception()
    return error if isinstance(error, DeliveryRefusedError | DeliveryBusyError) else None


def _taken(done: "asyncio.Future[None]") -> bool:
    """Whether the broker acknowledged it, though nobody took note of that yet."""
    return done.done() and not done.cancelled() and done.exception() is None
