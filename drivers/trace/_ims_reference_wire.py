"""Frames of the reference ion-mobility trace detector (docs/protocols/ims-reference.md, section 3).

Little-endian. `n` is the payload's length, at most 4096:

    offset  type  what
    0       2     sync A5 5A
    2       u8    version, 01
    3       u8    type; bit 7 set: from the host
    4       u16   sequence of the sender
    6       u16   reply-to: sequence of the request that this answers, 0 for none
    8       u16   n
    10      u16   CRC-16/CCITT-FALSE of bytes 0 to 9
    12      n     payload
    12+n    u16   CRC-16/CCITT-FALSE of bytes 0 to 11+n

The header has a CRC of its own, because a damaged length would otherwise swallow the frames behind it.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.checksum import crc16_ccitt_false
from devicehub.wire.framer import SyncFramer

SYNC = b"\xa5\x5a"
VERSION = 1
LARGEST_PAYLOAD = 4096
_LONGEST_STRING = 32
_HEADER = struct.Struct("<2sBBHHHH")
_CRC = struct.Struct("<H")


class Kind(IntEnum):
    """Types of frames. Those from 0x80 go to the device."""

    IDENT = 0x01
    STATE = 0x02
    ENVIRONMENT = 0x03
    SCAN = 0x04
    RUN_START = 0x05
    RUN_END = 0x06
    HEARTBEAT = 0x07
    ACK = 0x08
    NAK = 0x09
    IDENTIFY = 0x81
    GET_STATE = 0x82
    GET_ENVIRONMENT = 0x83
    GET_LAST_RUN = 0x84
    START_SAMPLE = 0x90
    ABORT_SAMPLE = 0x91


@dataclass(frozen=True, slots=True)
class Envelope:
    """A frame whose checks have passed."""

    kind: int
    sequence: int
    reply_to: int
    payload: bytes


def request(kind: Kind, sequence: int) -> bytes:
    """A request to the device; no request of this driver has a payload."""
    head = _HEADER.pack(SYNC, VERSION, kind, sequence, 0, 0, 0)[:10]
    head += _CRC.pack(crc16_ccitt_false(head))
    return head + _CRC.pack(crc16_ccitt_false(head))


def _size(header: bytes) -> int:
    _, version, _, _, _, length, check = _HEADER.unpack(header)
    if crc16_ccitt_false(header[:10]) != check:
        raise ProtocolError(Reason.CHECKSUM, "header")
    if version != VERSION:
        raise ProtocolError(Reason.UNSUPPORTED, f"protocol version {version}")
    if length > LARGEST_PAYLOAD:
        raise ProtocolError(Reason.LENGTH, f"payload of {length} bytes")
    return _HEADER.size + int(length) + _CRC.size


def _check(frame: bytes) -> None:
    if crc16_ccitt_false(frame[: -_CRC.size]) != _CRC.unpack(frame[-_CRC.size :])[0]:
        raise ProtocolError(Reason.CHECKSUM, f"frame of type {frame[3]:#04x}")


def framer() -> SyncFramer:
    """A fresh framer of this protocol."""
    return SyncFramer(SYNC, _HEADER.size, _size, _check)


def envelope(frame: bytes) -> Envelope:
    """Open a frame that the framer has passed."""
    _, _, kind, sequence, reply_to, _, _ = _HEADER.unpack_from(frame)
    return Envelope(kind, sequence, reply_to, frame[_HEADER.size : -_CRC.size])


class Continuity:
    """Watches the device's sequence: every frame it sends counts one on, modulo 65536."""

    def __init__(self) -> None:
        self._last: int | None = None

    def missing(self, frame: Envelope) -> int:
        """How many frames are missing before this one; -1 when it came twice.

        A device that starts anew says IDENT as number 0: nothing is missing then.
        """
        last, self._last = self._last, frame.sequence
        if last is None or (frame.kind == Kind.IDENT and frame.sequence == 0 != last):
            return 0
        return ((frame.sequence - last) & 0xFFFF) - 1


class Cursor:
    """Takes a payload apart from its beginning. Every method raises `ProtocolError` instead of reading too far."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    def take(self, layout: struct.Struct) -> tuple[int, ...]:
        """The next integers."""
        return layout.unpack(self.raw(layout.size))

    def raw(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self._at + size
        if end > len(self._payload):
            raise ProtocolError(Reason.LENGTH, "payload shorter than its fields")
        start, self._at = self._at, end
        return self._payload[start:end]

    def text(self) -> str:
        """The next string, printable."""
        (size,) = self.raw(1)
        if size > _LONGEST_STRING:
            raise ProtocolError(Reason.LENGTH, f"string of {size} bytes")
        try:
            value = self.raw(size).decode()
        except UnicodeDecodeError:
            raise ProtocolError(Reason.CORRUPT, "string is not UTF-8") from None
        if not value.isprintable():
            raise ProtocolError(Reason.CORRUPT, "string with control characters")
        return value

    def finish(self) -> None:
        """All of the payload must have been taken."""
        if self._at != len(self._payload):
            raise ProtocolError(Reason.LENGTH, f"{len(self._payload) - self._at} bytes too many")
