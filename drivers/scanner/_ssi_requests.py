"""What the host sends to an SSI decoder: one command in flight, sent again without an answer, given up in the end."""

from types import MappingProxyType
from typing import Final, NamedTuple

from devicehub.model.command import CommandState
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample
from devicehub.wire.checksum import negated_sum16
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Ended, expired
from drivers.scanner._ssi_framing import RESEND_BIT

TIMEOUT: Final = 2.0
ATTEMPTS: Final = 3
_REQUEST_REVISION, _SCAN_ENABLE = 0xA3, 0xE9
_WAKE_AFTER, _HEARTBEAT = 0.1, 60.0
_RESEND: Final = 1
_CAUSES: Final = {1: "resend", 2: "bad context", 6: "denied", 10: "cancelled"}
_COMMANDS: Final = MappingProxyType(
    {"identify": (0xE6, b"\x00"), "start-session": (0xE4, b""), "stop-session": (0xE5, b"")}
)


def encode(opcode: int, data: bytes = b"", status: int = 0) -> bytes:
    """A packet from the host."""
    body = bytes([4 + len(data), opcode, 4, status]) + data
    return body + negated_sum16(body).to_bytes(2, "big")


REQUESTS: Final = tuple(
    encode(opcode, data, status)
    for opcode, data in ((_REQUEST_REVISION, b""), (_SCAN_ENABLE, b""), *_COMMANDS.values())
    for status in (0, RESEND_BIT)
)
"""What is asked and commanded, and that again."""
WAKE_UP: Final = b"\0"


class Out:
    """What one step gives."""

    def __init__(self) -> None:
        self.write: list[Packet] = []
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.ended: list[Ended] = []

    def send(self, opcode: int, data: bytes = b"", status: int = 0) -> None:
        """Write a packet."""
        self.write.append(Packet(encode(opcode, data, status)))


class _Wish(NamedTuple):
    """A packet to be sent and answered; `call`: the command that it is for, None for one of the driver's own."""

    opcode: int
    data: bytes = b""
    call: Call | None = None


class _Flying(NamedTuple):
    """In flight, or about to be: `attempt` 0 waits for the decoder to wake up."""

    wish: _Wish
    attempt: int
    send_at: float
    deadline: float


class Requests:
    """The queue, and what is in flight. Once a minute it asks of its own accord whether the decoder is still there."""

    def __init__(self) -> None:
        self._queue: list[_Wish] = []
        self._flying: _Flying | None = None
        self._beat_at = 0.0

    def start(self, now: float, out: Out) -> None:
        """Wake the decoder; ask who it is and permit scanning."""
        self._queue = [_Wish(_REQUEST_REVISION), _Wish(_SCAN_ENABLE)]
        self._wake_up(now, out)

    def order(self, now: float, call: Call, out: Out) -> None:
        """Send a command behind what is in flight, or wake the decoder for it."""
        self._queue.append(_Wish(*_COMMANDS[call.verb], call))
        if self._flying is None:
            self._wake_up(now, out)

    def on_timer(self, now: float, out: Out) -> bool:
        """Send what is due, and again what was not answered; False when the decoder is silent for good."""
        flying = self._flying
        if flying is None:
            if now >= self._beat_at:
                self._queue.append(_Wish(_REQUEST_REVISION))
                self._wake_up(now, out)
        elif flying.attempt == 0:
            if now >= flying.send_at:
                self._send(now, flying, out)
        elif now >= flying.deadline:
            out.faults.append(ProtocolError(Reason.TIMEOUT, f"no answer to command {flying.wish.opcode:02x}"))
            if flying.attempt >= ATTEMPTS:
                self._end(now, CommandState.TIMEOUT, "the scanner did not answer", out)
                return False
            self._send(now, flying, out)
        return True

    def answered(self, now: float, out: Out, *, revision: bool) -> None:
        """A revision, or else an acknowledgement: the command in flight is done, if this is what answers it."""
        flying = self._flying
        if flying is not None and flying.attempt and (flying.wish.opcode == _REQUEST_REVISION) is revision:
            self._end(now, CommandState.DONE, "", out)

    def refused(self, now: float, data: bytes, out: Out) -> None:
        """The decoder said no. Raises `ProtocolError`, always."""
        cause = data[0] if data else 0
        why = _CAUSES.get(cause, f"cause {cause}")
        flying = self._flying
        if flying is not None and flying.attempt:
            if cause == _RESEND and flying.attempt < ATTEMPTS:
                self._send(now, flying, out)
            else:
                self._end(now, CommandState.REJECTED, f"the scanner says: {why}", out)
        raise ProtocolError(Reason.REJECTED, why)

    def wake_at(self, idle_at: float | None) -> float:
        """When to call `on_timer`; `idle_at`: when half a packet is given up."""
        due = [self._beat_at] if idle_at is None else [idle_at]
        if self._flying is not None:
            due.append(self._flying.deadline if self._flying.attempt else self._flying.send_at)
        return min(due)

    def _wake_up(self, now: float, out: Out) -> None:
        self._beat_at = now + _HEARTBEAT
        self._flying = _Flying(self._queue.pop(0), 0, now + _WAKE_AFTER, 0.0)
        out.write.append(Packet(WAKE_UP))

    def _send(self, now: float, flying: _Flying, out: Out) -> None:
        wish = flying.wish
        if not flying.attempt and wish.call is not None and now > wish.call.expires:
            out.ended.append(expired(wish.call))
            self._next(now, out)
            return
        self._flying = flying._replace(attempt=flying.attempt + 1, deadline=now + TIMEOUT)
        out.send(wish.opcode, wish.data, RESEND_BIT if flying.attempt else 0)

    def _end(self, now: float, state: CommandState, why: str, out: Out) -> None:
        if self._flying is not None and self._flying.wish.call is not None:
            out.ended.append(Ended(self._flying.wish.call.number, state, why))
        self._next(now, out)

    def _next(self, now: float, out: Out) -> None:
        self._flying = None
        if self._queue:
            self._send(now, _Flying(self._queue.pop(0), 0, now, 0.0), out)
