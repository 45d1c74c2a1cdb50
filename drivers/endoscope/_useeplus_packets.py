"""Packets of the useeplus endoscope out of bulk transfers; the layout stands in `useeplus`.

A page of 4096 bytes holds up to four packets with gaps of at most 160 stale bytes before, between and
behind them. A gap may begin with an old header. The rule (jerometerry/useeplus): a header followed by
another valid header within 160 bytes is a ghost. A short packet of the current frame that ends exactly where
the next header stands is real all the same: the last piece of a JPEG may be that small. A short packet of another
frame that does not begin a JPEG is a ghost as well: only the last packet of a frame is short.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from devicehub.model.errors import ProtocolError, Reason

PAGE = 4096
GAP = 160
FULL = 944
MAX_LENGTH = 1019
MAGIC = b"\xaa\xbb"
STREAMS = (7, 11)
_HEADER = struct.Struct("<2sBHBBBI")
_PREFIX = 5


class Piece(Struct, frozen=True):
    """One packet: which stream and frame, which lens, button pressed or not, piece of JPEG."""

    stream: int
    frame: int
    lens: int
    pressed: bool
    payload: bytes


def one_piece(data: bytes) -> Iterator[Piece | ProtocolError]:
    """The packet at the beginning of a transfer. An empty transfer holds nothing; bytes behind it do not count."""
    if not data:
        return
    fault = _refusal(data, 0)
    if fault is not None:
        yield fault
        return
    piece, end = _piece(data, 0)
    yield piece if end <= len(data) else ProtocolError(Reason.TRUNCATED, f"{len(data)} bytes of {end}")


def page_pieces(data: bytes, frame: int | None) -> Iterator[Piece | ProtocolError]:
    """All packets of a transfer of whole pages. `frame`: id of the frame being received."""
    for start in range(0, len(data), PAGE):
        for part in _page(data[start : start + PAGE], frame):
            if isinstance(part, Piece):
                frame = part.frame
            yield part


def _page(page: bytes, frame: int | None) -> Iterator[Piece | ProtocolError]:
    at = _next_header(page, 0)
    if page and (at < 0 or at > GAP):
        yield ProtocolError(Reason.GARBAGE, f"{at if at >= 0 else len(page)} bytes without a packet")
    while at >= 0:
        piece, end = _piece(page, at)
        following = _next_header(page, at + 1)
        ghost = 0 < following <= at + GAP and not (following == end and piece.frame == frame)
        ghost = ghost or (end - at < FULL and piece.frame != frame and not piece.payload.startswith(b"\xff\xd8"))
        if not ghost and end <= len(page):
            yield piece
            frame = piece.frame
            at = _next_header(page, end)
            continue
        if not ghost and len(page) - at > GAP:
            yield ProtocolError(Reason.TRUNCATED, f"{len(page) - at} bytes of {end - at} in a page")
        at = following


def _next_header(data: bytes, at: int) -> int:
    """Offset of the next believable header, -1 if there is none."""
    at = data.find(MAGIC, at)
    while at >= 0 and _refusal(data, at) is not None:
        at = data.find(MAGIC, at + 1)
    return at


def _refusal(data: bytes, at: int) -> ProtocolError | None:
    """Why the bytes at `at` are not a header, None if they are."""
    if data[at : at + 2] != MAGIC:
        return ProtocolError(Reason.GARBAGE, f"starts with {data[at : at + 2].hex()} instead of aabb")
    if len(data) - at < _HEADER.size:
        return ProtocolError(Reason.TRUNCATED, f"header of {len(data) - at} bytes")
    _, stream, length, _, lens, flags, _ = _HEADER.unpack_from(data, at)
    if stream not in STREAMS:
        return ProtocolError(Reason.UNSUPPORTED, f"stream {stream}")
    if not _HEADER.size - _PREFIX <= length <= MAX_LENGTH:
        return ProtocolError(Reason.LENGTH, f"packet length {length}")
    if lens > 1 or flags & 0xFC:
        return ProtocolError(Reason.CORRUPT, f"lens {lens}, flags {flags:02x}")
    return None


def _piece(data: bytes, at: int) -> tuple[Piece, int]:
    """The packet whose header at `at` was found good, and where it ends (perhaps behind the data)."""
    _, stream, length, frame, lens, flags, _ = _HEADER.unpack_from(data, at)
    end = at + _PREFIX + length
    return Piece(stream, frame, lens, bool(flags & 0x02), data[at + _HEADER.size : end]), end
