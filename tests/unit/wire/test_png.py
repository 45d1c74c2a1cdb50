"""The 16-bit PNG decoder, against an encoder written row by row from the specification."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.png import SIGNATURE, decode_png16, png_size


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def predictor(kind: int, left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    ranked = sorted((abs(estimate - value), order, value) for order, value in enumerate((left, above, corner)))
    return (0, left, above, (left + above) // 2, ranked[0][2])[kind]


def encode(rows: list[list[int]], kinds: list[int], *, header: bytes = b"", cut: int = 0) -> bytes:
    """A PNG of `rows`, row i filtered with kinds[i], its pixels in two IDAT chunks."""
    width = len(rows[0])
    previous, lines = bytes(2 * width), bytearray()
    for row, kind in zip(rows, kinds, strict=True):
        plain = struct.pack(f">{width}H", *row)
        lines.append(kind)
        for i, value in enumerate(plain):
            left = plain[i - 2] if i >= 2 else 0
            corner = previous[i - 2] if i >= 2 else 0
            lines.append((value - predictor(kind, left, previous[i], corner)) & 0xFF)
        previous = plain
    packed = zlib.compress(bytes(lines[: len(lines) - cut]))
    middle = len(packed) // 2
    header = header or struct.pack(">IIBBBBB", width, len(rows), 16, 0, 0, 0, 0)
    body = chunk(b"IDAT", packed[:middle]) + chunk(b"IDAT", packed[middle:])
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"tEXt", b"x") + body + chunk(b"IEND", b"")


@st.composite
def pictures(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    row = st.lists(st.integers(0, 65535), min_size=width, max_size=width)
    rows = draw(st.lists(row, min_size=height, max_size=height))
    return rows, draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))


@settings(deadline=None)
@given(pictures())
def test_every_mix_of_row_filters_is_undone(picture: tuple[list[list[int]], list[int]]) -> None:
    rows, kinds = picture
    data = encode(rows, kinds)
    assert decode_png16(data).tolist() == rows
    assert png_size(data) == (len(rows[0]), len(rows))


@settings(deadline=None)
@given(pictures(), st.data())
def test_a_damaged_file_is_refused_and_never_raises_anything_else(
    picture: tuple[list[list[int]], list[int]], data: st.DataObject
) -> None:
    whole = encode(*picture)
    at = data.draw(st.integers(0, len(whole) - 13))
    flipped = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    for bad in (whole[:at], flipped):
        with pytest.raises(ProtocolError):
            decode_png16(bad)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0), Reason.UNSUPPORTED),
        (struct.pack(">IIBBBBB", 2, 1, 16, 0, 0, 0, 1), Reason.UNSUPPORTED),
        (struct.pack(">IIBBBBB", 0, 1, 16, 0, 0, 0, 0), Reason.RANGE),
        (struct.pack(">IIBBBBB", 1 << 24, 1, 16, 0, 0, 0, 0), Reason.RANGE),
        (struct.pack(">IIBBBBB", 3, 1, 16, 0, 0, 0, 0), Reason.LENGTH),
        (struct.pack(">IIBBBBB", 1, 1, 16, 0, 0, 0, 0), Reason.LENGTH),
        (b"short", Reason.CORRUPT),
    ],
)
def test_a_header_that_does_not_fit_is_refused(header: bytes, reason: Reason) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_png16(encode([[1, 2]], [0], header=header))
    assert caught.value.reason is reason


def test_pixels_that_end_early_are_refused() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_png16(encode([[1, 2], [3, 4]], [0, 0], cut=1))
    assert caught.value.reason is Reason.LENGTH


def test_an_unknown_filter_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 1, 1, 16, 0, 0, 0, 0)
    data = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\x05\x00\x00")) + chunk(b"IEND", b"")
    with pytest.raises(ProtocolError) as caught:
        decode_png16(data)
    assert caught.value.reason is Reason.CORRUPT


def test_a_bomb_is_not_inflated_beyond_the_size_it_states() -> None:
    header = struct.pack(">IIBBBBB", 2, 2, 16, 0, 0, 0, 0)
    bomb = zlib.compress(bytes(50_000_000))
    data = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", bomb) + chunk(b"IEND", b"")
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError) as caught:
            decode_png16(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.reason is Reason.LENGTH
    assert most < 1_000_000


def test_paeth_prefers_above_to_the_corner_when_both_are_as_near() -> None:
    # Left 11, above 8, corner 10: the estimate is 9, as far from above as from the corner.
    rows = [[10, 8], [11, 200]]
    assert decode_png16(encode(rows, [0, 4])).tolist() == rows


def test_a_camera_sized_image_with_the_slowest_filter_is_decoded() -> None:
    rows = (np.arange(480)[:, np.newaxis] * 7 + np.arange(640) * 3 + 18000).tolist()
    assert decode_png16(encode(rows, [4] * 480)).tolist() == rows
