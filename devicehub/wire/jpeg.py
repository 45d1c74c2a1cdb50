"""JPEG at the level of its markers: size, end, damage, missing Huffman tables. No pixel is decoded.

Layout (ITU-T T.81 | ISO/IEC 10918-1, Annex B): FF D8, then segments `FF marker u16be-length body`
(the length counts itself), then per scan an FF DA segment followed by entropy-coded bytes in which
FF is stuffed as FF 00 and FF D0..D7 are restart markers in cyclic order, then FF D9. A start of frame
(FF C0..CF without C4, C8, CC) holds: u8 precision, u16be height, u16be width, u8 components.

What markers cannot show: bytes lost inside one restart interval, or inside a scan without restarts.
All functions are O(n), never read outside `data` and raise nothing but `ProtocolError` with reason
CORRUPT (not the structure of a JPEG), TRUNCATED (it ends too early) or LENGTH (larger than `MAX_PIXELS`).
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from devicehub.model.errors import ProtocolError, Reason

MAX_PIXELS = 16_000_000
SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_SOS, _EOI, _DHT, _DRI = 0xDA, 0xD9, 0xC4, 0xDD
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEGMENTS = frozenset(range(0xC0, 0xFF)) - frozenset(range(0xD0, 0xDA))
_SCAN_MARKER = re.compile(rb"\xff[^\x00\xff]")


class _Segment(Struct, frozen=True):
    """A marker segment: `start` at its FF, `body` behind its length, `end` behind its last byte."""

    marker: int
    start: int
    body: int
    end: int


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels from the start of frame. Raises `ProtocolError`."""
    for segment in _header(data):
        if segment.marker in _FRAMES:
            return _frame_size(data, segment)
    raise ProtocolError(Reason.CORRUPT, "no start of frame before the first scan")


def trim_jpeg(data: bytes) -> bytes:
    """The image without what a camera's buffer holds behind the last end marker. Raises `ProtocolError`."""
    if not data.startswith(SOI):
        raise ProtocolError(Reason.CORRUPT, f"starts with {data[:2].hex() or 'nothing'} instead of ffd8")
    end = data.rfind(EOI, len(SOI))
    if end < 0:
        raise ProtocolError(Reason.TRUNCATED, "no end of image")
    return data[: end + len(EOI)]


def check_jpeg(data: bytes) -> tuple[int, int]:
    """Check the structure of a trimmed image from first to last byte; its size. Raises `ProtocolError`."""
    size = jpeg_size(data)
    scan = _header_end(data)
    restarts = _has_restarts(data)
    while True:
        at = _scan_end(data, scan, restarts=restarts)
        if data[at + 1] == _EOI:
            break
        scan = next(segment.end for segment in _segments(data, at) if segment.marker == _SOS)
    if at + len(EOI) != len(data):
        raise ProtocolError(Reason.CORRUPT, f"{len(data) - at - len(EOI)} bytes behind the end of image")
    return size


def with_huffman_tables(data: bytes) -> bytes:
    """The image with the default Huffman tables before its first scan, if it carries none.

    Cameras that send "MJPG" may leave them out, which browsers refuse. For previews only: evidence stays
    as received. Raises `ProtocolError`.
    """
    last = None
    for segment in _header(data):
        if segment.marker == _DHT:
            return data
        last = segment
    if last is None:
        raise ProtocolError(Reason.CORRUPT, "no scan")
    return data[: last.start] + default_huffman_tables() + data[last.start :]


def _header(data: bytes) -> Iterator[_Segment]:
    """The segments from the start of image to the first start of scan inclusive. Raises `ProtocolError`."""
    if not data.startswith(SOI):
        raise ProtocolError(Reason.CORRUPT, f"starts with {data[:2].hex() or 'nothing'} instead of ffd8")
    yield from _segments(data, len(SOI))


def _segments(data: bytes, at: int) -> Iterator[_Segment]:
    """Segments from `at` to the next start of scan inclusive. Raises `ProtocolError`."""
    while True:
        start = at
        while at + 1 < len(data) and data[at] == data[at + 1] == 0xFF:  # fill bytes may precede a marker
            at += 1
        if at + 4 > len(data):
            raise ProtocolError(Reason.TRUNCATED, f"ends in the header at byte {at}")
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at] != 0xFF or marker not in _SEGMENTS or length < 2:
            raise ProtocolError(Reason.CORRUPT, f"no marker segment at byte {at}: {data[at : at + 4].hex()}")
        if at + 2 + length > len(data):
            raise ProtocolError(Reason.TRUNCATED, f"segment {marker:02x} at byte {at} is longer than the data")
        yield _Segment(marker, start, at + 4, at + 2 + length)
        at += 2 + length
        if marker == _SOS:
            return


def _header_end(data: bytes) -> int:
    end = 0
    for segment in _header(data):
        end = segment.end
    return end


def _has_restarts(data: bytes) -> bool:
    intervals = [data[s.body : s.end] for s in _header(data) if s.marker == _DRI]
    return bool(intervals) and any(intervals[-1])


def _frame_size(data: bytes, segment: _Segment) -> tuple[int, int]:
    body = data[segment.body : segment.end]
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise ProtocolError(Reason.CORRUPT, f"start of frame of {len(body)} bytes")
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if not (width and height):
        raise ProtocolError(Reason.CORRUPT, f"size {width}x{height}")
    if width * height > MAX_PIXELS:
        raise ProtocolError(Reason.LENGTH, f"size {width}x{height} is more than {MAX_PIXELS} pixels")
    return width, height


def _scan_end(data: bytes, at: int, *, restarts: bool) -> int:
    """The offset of the FF of the marker that ends the scan whose data begins at `at`. Raises `ProtocolError`."""
    expected = 0
    for match in _SCAN_MARKER.finditer(data, at):
        marker = data[match.end() - 1]
        if not 0xD0 <= marker <= 0xD7:
            if marker == _EOI or marker in _SEGMENTS:
                return match.end() - 2
            raise ProtocolError(Reason.CORRUPT, f"marker {marker:02x} inside a scan at byte {match.start()}")
        if not restarts or marker - 0xD0 != expected:
            raise ProtocolError(Reason.CORRUPT, f"restart {marker - 0xD0} instead of {expected} at {match.start()}")
        expected = (expected + 1) % 8
    raise ProtocolError(Reason.TRUNCATED, "no end of image")


# Annex K.3.3 of the standard: for each table, how many codes of each length 1..16, then the symbols.
_DC_SYMBOLS = bytes(range(12))
_AC_LUMA = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a"
    "3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a929394"
    "95969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8"
    "e9eaf1f2f3f4f5f6f7f8f9fa"
)
_AC_CHROMA = bytes.fromhex(
    "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728"
    "292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92"
    "939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7"
    "e8e9eaf2f3f4f5f6f7f8f9fa"
)
_TABLES = (
    (0x00, bytes.fromhex("00010501010101010100000000000000"), _DC_SYMBOLS),
    (0x10, bytes.fromhex("0002010303020403050504040000017d"), _AC_LUMA),
    (0x01, bytes.fromhex("00030101010101010101010000000000"), _DC_SYMBOLS),
    (0x11, bytes.fromhex("00020102040403040705040400010277"), _AC_CHROMA),
)


def default_huffman_tables() -> bytes:
    """The 420-byte DHT segment of the four default tables, DC and AC for luminance, then for chrominance."""
    body = b"".join(bytes([key]) + counts + symbols for key, counts, symbols in _TABLES)
    return b"\xff\xc4" + (len(body) + 2).to_bytes(2, "big") + body
