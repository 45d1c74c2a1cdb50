"""Decodes a 16-bit greyscale PNG, for thermal cameras that store their counts that way. Nothing else of PNG.

    offset  what
    0       89 50 4E 47 0D 0A 1A 0A
    8       chunks: u32 length, 4 letters, content, u32 CRC-32 over letters and content; big-endian
    IHDR    u32 width, u32 height, u8 depth (16), u8 colour (0), u8 compression, u8 filter, u8 interlace (0)
    IDAT    one zlib stream over all IDAT chunks: per row a filter byte and 2 * width bytes

Source: W3C, Portable Network Graphics Specification, sections 5, 9 and 10. The file may come from
removable media: every length is checked and nothing is inflated beyond the size that IHDR promises.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from devicehub.model.errors import ProtocolError, Reason

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")


def png_size(data: bytes) -> tuple[int, int]:
    """`(width, height)` that IHDR states. Raises `ProtocolError`."""
    width, height, *_ = _HEADER.unpack(_header(data))
    return width, height


def check_png(data: bytes) -> tuple[int, int]:
    """Check every chunk up to IEND; the size that IHDR states. No pixel is inflated. Raises `ProtocolError`."""
    names = [name for name, _ in _chunks(data)]
    if b"IDAT" not in names:
        raise ProtocolError(Reason.TRUNCATED, "PNG without pixels")
    return png_size(data)


def decode_png16(data: bytes, *, largest_side: int = 4096) -> NDArray[np.uint16]:
    """The samples as written (big-endian on file), shape (height, width). Raises `ProtocolError`."""
    width, height, depth, colour, compression, method, interlace = _HEADER.unpack(_header(data))
    if not (0 < width <= largest_side and 0 < height <= largest_side):
        raise ProtocolError(Reason.RANGE, f"PNG of {width} x {height} pixels")
    if (depth, colour, compression, method, interlace) != (16, 0, 0, 0, 0):
        raise ProtocolError(Reason.UNSUPPORTED, f"PNG of depth {depth}, colour type {colour}, interlace {interlace}")
    rows = np.frombuffer(_inflated(data, height * (1 + 2 * width)), dtype=np.uint8).reshape(height, 1 + 2 * width)
    if rows[:, 0].max() > 4:
        raise ProtocolError(Reason.CORRUPT, "PNG row with an unknown filter")
    plain = _unfiltered(rows[:, 0], rows[:, 1:].reshape(height, width, 2))
    return plain[..., 0].astype(np.uint16) << np.uint16(8) | plain[..., 1]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk up to IEND, CRC checked."""
    if not data.startswith(SIGNATURE):
        raise ProtocolError(Reason.CORRUPT, "no PNG signature")
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size > len(data) - at - 12:
            break
        content = data[at + 8 : at + 8 + size]
        (crc,) = struct.unpack_from(">I", data, at + 8 + size)
        if zlib.crc32(content, zlib.crc32(name)) != crc:
            raise ProtocolError(Reason.CHECKSUM, f"PNG chunk {name!r}")
        yield name, content
        if name == b"IEND":
            return
        at += 12 + size
    raise ProtocolError(Reason.TRUNCATED, "PNG ends before IEND")


def _header(data: bytes) -> bytes:
    name, content = next(_chunks(data))
    if name != b"IHDR" or len(content) != _HEADER.size:
        raise ProtocolError(Reason.CORRUPT, "PNG does not begin with IHDR")
    return content


def _inflated(data: bytes, size: int) -> bytes:
    packed = b"".join(content for name, content in _chunks(data) if name == b"IDAT")
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(packed, size + 1)
    except zlib.error as error:
        raise ProtocolError(Reason.CORRUPT, f"PNG pixels: {error}") from None
    if len(plain) != size:
        raise ProtocolError(Reason.LENGTH, f"PNG pixels: {len(plain)} bytes or more instead of {size}")
    return plain


def _unfiltered(filters: NDArray[np.uint8], coded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the row filters of `coded`, shape (height, width, 2); a predictor is left, above and left above.

    A pixel needs its neighbours decoded, so whole anti-diagonals are computed at once: they need only
    the two diagonals before them. In a flat array with a border of zeros above and on the left, of row
    length `pitch`, a diagonal is the slice with step `pitch - 1`.
    """
    height, width, _ = coded.shape
    pitch = width + 1
    out = np.zeros(((height + 1) * pitch, 2), dtype=np.int16)
    padded = np.zeros((height + 1, pitch, 2), dtype=np.int16)
    padded[1:, 1:] = coded
    source = padded.reshape(out.shape)
    kinds = filters[:, np.newaxis]
    for diagonal in range(width + height - 1):
        top, bottom = max(0, diagonal - width + 1), min(diagonal, height - 1)
        first = (top + 1) * pitch + diagonal - top + 1
        last = (bottom + 1) * pitch + diagonal - bottom + 1
        here, left, above, corner = (slice(first - back, last - back + 1, width) for back in (0, 1, pitch, pitch + 1))
        predicted = _predicted(kinds[top : bottom + 1], out[left], out[above], out[corner])
        out[here] = (source[here] + predicted) & 0xFF
    return out.reshape(height + 1, pitch, 2)[1:, 1:].astype(np.uint8)


def _predicted(
    kinds: NDArray[np.uint8], left: NDArray[np.int16], above: NDArray[np.int16], corner: NDArray[np.int16]
) -> NDArray[np.int16]:
    """The five predictors of section 9, each pixel's own: None, Sub, Up, Average, Paeth."""
    to_left, to_above = np.abs(above - corner), np.abs(left - corner)
    to_corner = np.abs(left + above - 2 * corner)
    nearest = np.where(to_above <= to_corner, above, corner)
    paeth = np.where((to_left <= to_above) & (to_left <= to_corner), left, nearest)
    return np.choose(kinds, (np.zeros_like(left), left, above, (left + above) >> 1, paeth))
