"""SSI packets out of a byte stream, and long messages out of several packets. The layout is in `zebra_ssi.py`."""

from typing import Final, NamedTuple

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.checksum import negated_sum16
from devicehub.wire.framer import Frame, HeadedFramer

DECODE_DATA: Final = 0xF3
SEGMENT: Final = 0x73
RESEND_BIT: Final = 0x01
CONTINUED_BIT: Final = 0x02
_OPCODES: Final = frozenset(
    {0x14, SEGMENT, 0x80, 0x91, 0x93, 0xA4, 0xA6, 0xB1, 0xB4, 0xC6, 0xD0, 0xD1, 0xD4, 0xD6, DECODE_DATA, 0xF6}
)


class SsiPacket(NamedTuple):
    """One packet of the decoder, checksum verified."""

    opcode: int
    status: int
    data: bytes

    @property
    def resent(self) -> bool:
        """The decoder sends it again."""
        return bool(self.status & RESEND_BIT)


def opened(frame: bytes) -> SsiPacket:
    """A whole frame, as `SsiFramer` gives it, taken apart."""
    return SsiPacket(frame[1], frame[3], frame[4:-2])


class SsiFramer(HeadedFramer):
    """Cuts the stream by length bytes. Garbage is reported once per run; buffer at most 257 bytes and one chunk."""

    def _next(self) -> Frame | None:
        if len(self._buffer) < 4:
            return None
        damaged = None
        if self._plausible():
            size = self._buffer[0]
            if len(self._buffer) < size + 2:
                return None
            frame = bytes(self._buffer[: size + 2])
            if negated_sum16(frame[:-2]) == int.from_bytes(frame[-2:], "big"):
                del self._buffer[: size + 2]
                self._in_garbage = False
                return frame
            damaged = frame[1]
        del self._buffer[0]
        first, self._in_garbage = not self._in_garbage, True
        if not first:
            return b""
        if damaged is None:
            return ProtocolError(Reason.GARBAGE, "bytes that begin no packet")
        return ProtocolError(Reason.CHECKSUM, f"packet with opcode {damaged:02x}")

    def _plausible(self) -> bool:
        size, opcode, source, _ = self._buffer[:4]
        # In the first segment of a long message byte 2 is 02 where the source, 00, should be.
        return size >= 4 and opcode in _OPCODES and (source == 0 or (opcode == SEGMENT and source == 2))


class Reassembly:
    """Joins continued DECODE_DATA packets and multi-packet segments; at most 64 KiB are kept."""

    _LIMIT = 0xFFFF

    def __init__(self) -> None:
        self._parts = bytearray()
        self._type: int | None = None
        self._index = -1
        self._wanted = 0

    def interrupted_by(self, packet: SsiPacket) -> bool:
        """The packet begins another message although this one is not whole."""
        if self._type is None:
            return False
        if packet.opcode == SEGMENT:
            return self._index < 0 or packet.data[:1] == b"\x00"
        return self._index >= 0 or packet.data[:1] != bytes([self._type])

    def add_decode(self, packet: SsiPacket) -> tuple[int, bytes] | None:
        """A DECODE_DATA packet: code type and data when the message is whole. Raises `ProtocolError`."""
        if not packet.data:
            raise ProtocolError(Reason.LENGTH, "DECODE_DATA without a code type")
        code_type, data = packet.data[0], packet.data[1:]
        self._type = code_type
        self._grow(data)
        if packet.status & CONTINUED_BIT:
            return None
        whole = code_type, bytes(self._parts)
        self.reset()
        return whole

    def add_segment(self, packet: SsiPacket) -> tuple[int, bytes] | None:
        """A segment packet: code type and data when the message is whole. Raises `ProtocolError`."""
        data = packet.data
        if not data:
            raise ProtocolError(Reason.LENGTH, "segment without an index")
        if data[0] == 0:
            self._begin(data)
            payload = data[10:]
        elif self._index < 0 or data[0] != self._index + 1:
            self.reset()
            raise ProtocolError(Reason.SEQUENCE, f"segment {data[0]} is out of order")
        else:
            payload = data[1:]
            self._index += 1
        self._grow(payload)
        if self._type is None or len(self._parts) < self._wanted:
            return None
        whole = self._type, bytes(self._parts[: self._wanted])
        self.reset()
        return whole

    def reset(self) -> None:
        """Forget what was gathered."""
        self._parts.clear()
        self._type, self._index, self._wanted = None, -1, 0

    def _begin(self, data: bytes) -> None:
        self.reset()
        if len(data) < 10 or data[1] != DECODE_DATA:
            raise ProtocolError(Reason.UNSUPPORTED, "the segments do not carry DECODE_DATA")
        self._index, self._type = 0, data[6]
        self._wanted = int.from_bytes(data[8:10], "big")
        if self._wanted > int.from_bytes(data[4:6], "big"):
            self.reset()
            raise ProtocolError(Reason.LENGTH, "the barcode is longer than its message")

    def _grow(self, data: bytes) -> None:
        if len(self._parts) + len(data) > self._LIMIT:
            self.reset()
            raise ProtocolError(Reason.OVERFLOW, "message of more than 64 KiB")
        self._parts += data
