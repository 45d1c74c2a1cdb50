"""The reliable line of OV780 cameras over UDP: order, acknowledgements, resending. The bytes are in `ov780`."""

from collections.abc import Iterator
from typing import Final

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.packet import Packet

PORT: Final = 1000
WINDOW: Final = 32
HEADER, MOST = 4, 4 + 1024
MARK: Final = 0x76
DATA, ACK, NACK = range(3)
FIRST_WAIT, LONGEST_WAIT = 0.02, 1.0


class Line:
    """Numbers from 0 on both sides. One message of ours is under way at a time, what comes is put in order."""

    def __init__(self) -> None:
        self._expected = 0
        self._early: dict[int, bytes] = {}
        self._number = 0
        self._under_way: bytes | None = None
        self._wait = FIRST_WAIT
        self.resend_at: float | None = None
        self.write: list[Packet] = []

    @property
    def free(self) -> bool:
        """What was sent has arrived."""
        return self._under_way is None

    def send(self, now: float, message: bytes) -> None:
        """Send a message; the one before must have arrived."""
        self._under_way, self._wait = message, FIRST_WAIT
        self._transmit(now)

    def on_timer(self, now: float) -> None:
        """Send again what was not acknowledged, after twice the time."""
        if self._under_way is not None and self.resend_at is not None and now >= self.resend_at:
            self._wait = min(self._wait * 2, LONGEST_WAIT)
            self._transmit(now)

    def take(self, now: float, datagram: bytes) -> Iterator[bytes | ProtocolError]:
        """The messages that a datagram completes, in order."""
        if not HEADER <= len(datagram) <= MOST or datagram[3] != MARK or datagram[0] > NACK:
            yield ProtocolError(Reason.GARBAGE, f"datagram begins with {datagram[:4].hex(' ')}")
            return
        number, expects = datagram[1], datagram[2]
        if self._under_way is not None and expects == (self._number + 1) % 256:
            self._under_way, self.resend_at, self._number = None, None, expects
        if datagram[0] == NACK and self._under_way is not None and number == self._number:
            self._transmit(now)
        elif datagram[0] == DATA:
            yield from self._data(number, datagram[HEADER:])

    def _data(self, number: int, payload: bytes) -> Iterator[bytes | ProtocolError]:
        ahead = (number - self._expected) % 256
        if WINDOW <= ahead < 256 - WINDOW:
            yield ProtocolError(Reason.SEQUENCE, f"datagram {number} instead of {self._expected}")
            return
        if ahead < WINDOW:
            self._early[number] = payload
        ready = []
        while self._expected in self._early:
            ready.append(self._early.pop(self._expected))
            self._expected = (self._expected + 1) % 256
        self._answer(ACK, number)
        for missing in ((self._expected + step) % 256 for step in range(ahead if not ready and ahead < WINDOW else 0)):
            if missing not in self._early:
                self._answer(NACK, missing)
        yield from ready

    def _transmit(self, now: float) -> None:
        assert self._under_way is not None
        head = bytes([DATA, self._number, self._expected, MARK])
        self.write.append(Packet(head + self._under_way, f"udp:{PORT}"))
        self.resend_at = now + self._wait

    def _answer(self, what: int, number: int) -> None:
        self.write.append(Packet(bytes([what, number, self._expected, MARK]), f"udp:{PORT}"))
