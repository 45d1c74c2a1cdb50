"""The host's side of asking: one request in flight, resent under the same sequence, given up in the end."""

from collections import deque
from types import MappingProxyType
from typing import Final, NamedTuple

from devicehub.model.command import CommandState
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Ended, expired
from drivers.trace._ims_reference_wire import Envelope, Kind, request

TIMEOUT = 1.0
ATTEMPTS = 3
_BUSY = 3
_REFUSALS: Final = MappingProxyType(
    {1: "it does not know this request", 3: "it is busy", 4: "it is not ready", 6: "it does not permit this"}
)


class _Wish(NamedTuple):
    """A request to be sent; `call`: the command that it is for, None for a question of the driver's own."""

    kind: Kind
    call: Call | None = None


class Requests:
    """Questions and commands to the device in order; each question stands in the queue once."""

    def __init__(self) -> None:
        self._queue: deque[_Wish] = deque()
        self._sequence = 0
        self._flying: _Wish | None = None
        self._attempts = 0
        self._busy = False
        self._ended: list[Ended] = []
        self.deadline: float | None = None

    def ask(self, kind: Kind) -> None:
        """Put a question, unless it is being asked already."""
        wish = _Wish(kind)
        if wish not in self._queue and wish != self._flying:
            self._queue.append(wish)

    def order(self, kind: Kind, call: Call) -> None:
        """Give a command, behind what is asked already."""
        self._queue.append(_Wish(kind, call))

    def ended(self) -> tuple[Ended, ...]:
        """The commands that came to their end since this was called last."""
        ended, self._ended = tuple(self._ended), []
        return ended

    def on_frame(self, frame: Envelope) -> None:
        """An answer to the request in flight ends it; "busy" lets it be resent at its deadline."""
        if self._flying is None or frame.reply_to != self._sequence:
            return
        refused = frame.payload[1] if frame.kind == Kind.NAK and len(frame.payload) == 2 else 0
        if refused == _BUSY:
            self._busy = True
            return
        why = f"the device says that {_REFUSALS.get(refused, f'no, {refused}')}" if refused else ""
        self._end(CommandState.REJECTED if refused else CommandState.DONE, why)

    def on_timer(self, now: float) -> tuple[list[Packet], list[ProtocolError]]:
        """Resend what is overdue, or give it up; each silence is a fault."""
        if self._flying is None or self.deadline is None or now < self.deadline:
            return [], []
        faults = [] if self._busy else [ProtocolError(Reason.TIMEOUT, f"no answer to {self._flying.kind.name}")]
        if self._attempts < ATTEMPTS:
            return [self._sent(now, self._flying.kind)], faults
        if self._busy:
            self._end(CommandState.REJECTED, f"the device says that {_REFUSALS[_BUSY]}")
        else:
            self._end(CommandState.TIMEOUT, "the device did not answer")
        return [], faults

    def next(self, now: float) -> list[Packet]:
        """The next question or command when the line is free."""
        while self._flying is None and self._queue:
            wish = self._queue.popleft()
            if wish.call is not None and now > wish.call.expires:
                self._ended.append(expired(wish.call))
                continue
            self._sequence = self._sequence % 0xFFFF + 1
            self._flying, self._attempts = wish, 0
            return [self._sent(now, wish.kind)]
        return []

    def _end(self, state: CommandState, why: str) -> None:
        if self._flying is not None and self._flying.call is not None:
            self._ended.append(Ended(self._flying.call.number, state, why))
        self._flying = self.deadline = None

    def _sent(self, now: float, kind: Kind) -> Packet:
        self._attempts += 1
        self._busy = False
        self.deadline = now + TIMEOUT
        return Packet(request(kind, self._sequence))
