"""H.264 by its units: where they begin, how large their picture is, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError
from devicehub.wire.h264 import kind, picture_size, units

# Sequence parameter set of Cardinal Peak's "world's smallest H.264 encoder" (128 by 96 pixels).
SMALLEST = bytes.fromhex("67 42 00 0a f8 41 a2")
PPS = bytes.fromhex("68 ce 38 80")


def test_the_published_parameter_set_is_of_128_by_96_pixels() -> None:
    assert picture_size(SMALLEST) == (128, 96)


def test_units_stand_between_start_codes_of_three_or_four_bytes() -> None:
    stream = b"\0\0\0\1" + SMALLEST + b"\0\0\1" + PPS + b"\0\0\0\1\x65\x88"
    assert [kind(unit) for unit in units(stream)] == [7, 8, 5]
    assert units(stream)[0] == SMALLEST


def test_what_begins_with_no_start_code_is_refused() -> None:
    with pytest.raises(ProtocolError, match="no unit"):
        units(b"\xff\xd8\xff")


@pytest.mark.parametrize("cut", range(1, len(SMALLEST) - 1))
def test_a_parameter_set_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ProtocolError):
        picture_size(SMALLEST[:cut])


@given(st.binary(max_size=300))
def test_any_bytes_have_a_size_or_are_refused(data: bytes) -> None:
    try:
        width, height = picture_size(b"\x67" + data)
    except ProtocolError:
        return
    assert 0 < width * height <= 16_000_000
