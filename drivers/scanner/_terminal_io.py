"""Terminal I/O: a serial line over BLE with credits both ways, and the lengths that SSI packets have on it.

    credits RX (written)    u8: so many more notifications of data may come
    credits TX (indicated)  u8: so many more writes of data may be made
    data RX    (written)    at most 20 bytes, one credit each
    data TX    (notified)   at most 20 bytes, one credit each

An SSI packet is u16 little-endian, its length with these two bytes, and the packet, in as many pieces as it takes. The
packet begins with a length of its own, 4 less: where the two do not agree begins no packet, and bytes are passed over
until they do. So a damaged length costs what it promises, 259 bytes at most, and what it runs into.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.framer import Frame, HeadedFramer
from devicehub.wire.packet import Packet
from devicehub.wire.patience import Patience

SERVICE: Final = "0000fefb-0000-1000-8000-00805f9b34fb"
DATA_RX, DATA_TX, CREDITS_RX, CREDITS_TX = (f"0000000{number}-0000-1000-8000-008025000000" for number in (1, 2, 3, 4))
PIECE: Final = 20
GRANT, FEW = 40, 20
QUEUE_MOST: Final = 256
CREDITS_MOST: Final = 1024
IDLE: Final = 0.5
_LEAST, _MOST = 2 + 6, 2 + 257
_HEAD, _BEYOND = 3, 4


def lengthed(packet: bytes) -> bytes:
    """An SSI packet as it is on this line."""
    return (len(packet) + 2).to_bytes(2, "little") + packet


class Packets(HeadedFramer):
    """SSI packets, each without its length here. Garbage is told once a run."""

    def _next(self) -> Frame | None:
        if len(self._buffer) < _HEAD:
            return None
        if (fault := _refusal(self._buffer)) is not None:
            del self._buffer[: _beginning(self._buffer)]
            first, self._in_garbage = not self._in_garbage, True
            return fault if first else b""
        size = int.from_bytes(self._buffer[:2], "little")
        if len(self._buffer) < size:
            return None
        whole = bytes(self._buffer[2:size])
        del self._buffer[:size]
        self._in_garbage = False
        return whole


class TerminalIo:
    """Pieces to SSI packets, SSI packets to pieces, and who may send how many of them."""

    def __init__(self) -> None:
        self._queue: deque[bytes] = deque()
        self._credits = 0
        self._granted = 0
        self._patience = Patience(Packets(), IDLE)

    @property
    def wake_at(self) -> float | None:
        """When half a packet is given up."""
        return self._patience.wake_at

    def grant(self) -> tuple[Packet, ...]:
        """Allow the scanner more notifications, if it has few left."""
        if self._granted >= FEW:
            return ()
        self._granted += GRANT
        return (Packet(bytes([GRANT]), CREDITS_RX),)

    def take(self, now: float, packet: Packet) -> Iterable[bytes | ProtocolError]:
        """The SSI packet that a notification completes."""
        if packet.port == CREDITS_TX:
            if not packet.data:
                yield ProtocolError(Reason.TRUNCATED, "credits of no bytes")
            self._credits = min(self._credits + sum(packet.data[:1]), CREDITS_MOST)
        elif packet.port == DATA_TX:
            self._granted = max(self._granted - 1, 0)
            yield from self._patience.feed(now, packet.data)
        else:
            yield ProtocolError(Reason.UNEXPECTED, f"characteristic {packet.port[:40]!r}")

    def on_timer(self, now: float) -> Iterable[bytes | ProtocolError]:
        """Nothing came for a while: what is there of a packet is given up, what it swallowed is found."""
        return self._patience.on_timer(now)

    def send(self, packets: Iterable[Packet]) -> Iterable[ProtocolError]:
        """Queue SSI packets. The byte that wakes a decoder on a wire is not sent: a link that is open is awake."""
        for packet in packets:
            if packet.data == b"\0":
                continue
            whole = lengthed(packet.data)
            pieces = [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)]
            if len(self._queue) + len(pieces) > QUEUE_MOST:
                self._queue.clear()
                yield ProtocolError(Reason.OVERFLOW, "the scanner gives no credits: what was to be sent is dropped")
            self._queue += pieces

    def pieces(self) -> tuple[Packet, ...]:
        """What may be written now, one credit each."""
        out = []
        while self._queue and self._credits:
            self._credits -= 1
            out.append(Packet(self._queue.popleft(), DATA_RX))
        return tuple(out)


def _refusal(data: bytearray) -> ProtocolError | None:
    """Why these bytes do not begin a packet, None if they do."""
    size, inner = int.from_bytes(data[:2], "little"), data[2]
    if not _LEAST <= size <= _MOST:
        return ProtocolError(Reason.LENGTH, f"packet of {size} bytes")
    if inner + _BEYOND != size:
        return ProtocolError(Reason.LENGTH, f"packet of {size} bytes with one of {inner}")
    return None


def _beginning(data: bytearray) -> int:
    """Where a packet begins behind a byte that does not begin one, or may with what comes next."""
    last = len(data) - _HEAD
    return next((at for at in range(1, last + 1) if _refusal(data[at : at + _HEAD]) is None), last + 1)
