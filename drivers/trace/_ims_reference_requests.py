"""The host's side of asking: one request in flight, resent under the same sequence, given up in the end."""

from collections import deque

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.packet import Packet
from drivers.trace._ims_reference_wire import Envelope, Kind, request

TIMEOUT = 1.0
ATTEMPTS = 3
_BUSY = 3


class Requests:
    """Questions to the device in order; each stands in the queue once."""

    def __init__(self) -> None:
        self._queue: deque[Kind] = deque()
        self._sequence = 0
        self._flying: Kind | None = None
        self._attempts = 0
        self._busy = False
        self.deadline: float | None = None

    def ask(self, kind: Kind) -> None:
        """Put a question, unless it is being asked already."""
        if kind not in self._queue and kind is not self._flying:
            self._queue.append(kind)

    def on_frame(self, frame: Envelope) -> None:
        """An answer to the request in flight ends it; "busy" lets it be resent at its deadline."""
        if self._flying is None or frame.reply_to != self._sequence:
            return
        if frame.kind == Kind.NAK and frame.payload[1:] == bytes([_BUSY]):
            self._busy = True
            return
        self._flying = self.deadline = None

    def on_timer(self, now: float) -> tuple[list[Packet], list[ProtocolError]]:
        """Resend what is overdue, or give it up; each silence is a fault."""
        if self._flying is None or self.deadline is None or now < self.deadline:
            return [], []
        faults = [] if self._busy else [ProtocolError(Reason.TIMEOUT, f"no answer to {self._flying.name}")]
        if self._attempts >= ATTEMPTS:
            self._flying = self.deadline = None
            return [], faults
        return [self._sent(now, self._flying)], faults

    def next(self, now: float) -> list[Packet]:
        """The next question when the line is free."""
        if self._flying is not None or not self._queue:
            return []
        self._sequence = self._sequence % 0xFFFF + 1
        self._flying, self._attempts = self._queue.popleft(), 0
        return [self._sent(now, self._flying)]

    def _sent(self, now: float, kind: Kind) -> Packet:
        self._attempts += 1
        self._busy = False
        self.deadline = now + TIMEOUT
        return Packet(request(kind, self._sequence))
