"""JPEG structure: size, end, damage, missing Huffman tables."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.jpeg import (
    MAX_PIXELS,
    check_jpeg,
    default_huffman_tables,
    jpeg_size,
    trim_jpeg,
    with_huffman_tables,
)
from simulators.endoscope._camera import picture
from tests.samples import sample

WHOLE = picture(64, 48, (0, 0), 0.0, dark=False, tables=True)
BARE = picture(64, 48, (0, 0), 0.0, dark=False, tables=False)
SOF = WHOLE.index(b"\xff\xc0")
SOS = WHOLE.index(b"\xff\xda")


def refused(data: bytes) -> Reason:
    with pytest.raises(ProtocolError) as raised:
        check_jpeg(data)
    return raised.value.reason


def with_size(width: int, height: int) -> bytes:
    return WHOLE[: SOF + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + WHOLE[SOF + 9 :]


def test_the_size_is_read_from_the_start_of_frame() -> None:
    assert jpeg_size(WHOLE) == (64, 48)
    assert jpeg_size(with_size(1280, 720)) == (1280, 720)
    assert check_jpeg(WHOLE) == (64, 48)


def test_the_size_is_known_before_the_frame_is_complete() -> None:
    assert jpeg_size(WHOLE[:SOS]) == (64, 48)


def test_no_size_and_more_than_sixteen_megapixels_are_refused() -> None:
    assert refused(with_size(0, 48)) is Reason.CORRUPT
    assert refused(with_size(4000, 4001)) is Reason.LENGTH
    assert jpeg_size(with_size(4000, MAX_PIXELS // 4000)) == (4000, 4000)


def test_what_lies_behind_the_last_end_marker_is_cut() -> None:
    assert trim_jpeg(WHOLE + bytes(100)) == WHOLE
    assert trim_jpeg(WHOLE + b"stale") == WHOLE
    assert trim_jpeg(WHOLE) == WHOLE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.CORRUPT),
        (WHOLE[1:], Reason.CORRUPT),
        (WHOLE[:-1], Reason.TRUNCATED),
        (b"\xff\xd8\xff", Reason.TRUNCATED),
    ],
)
def test_no_start_and_no_end_are_different_faults(data: bytes, reason: Reason) -> None:
    with pytest.raises(ProtocolError) as raised:
        trim_jpeg(data)
    assert raised.value.reason is reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xd8" + WHOLE[SOS:], Reason.CORRUPT),  # a scan without a frame
        (WHOLE[:SOS] + b"\xff\xd9", Reason.TRUNCATED),  # a frame without a scan
        (b"\xff\xd8\xff\xd9", Reason.TRUNCATED),  # nothing
        (WHOLE[:2] + b"\xff\xe0\x00\x01" + WHOLE[2:], Reason.CORRUPT),  # a length below its own size
        (WHOLE[:2] + b"\xff\xe0\xff\xff" + WHOLE[2:], Reason.TRUNCATED),  # a length beyond the end
        (WHOLE[: SOF + 9] + b"\x04" + WHOLE[SOF + 10 :], Reason.CORRUPT),  # four components in place of three
        (WHOLE + b"\0", Reason.CORRUPT),  # not trimmed
        (WHOLE[:-2] + b"\xff\x01\xff\xd9", Reason.CORRUPT),  # no marker stands there
        (WHOLE.replace(b"\xff\xd0", b"\xff\xd3"), Reason.CORRUPT),  # restart markers out of order
        (WHOLE.replace(b"\xff\xdd\x00\x04\x00\x04", b"\xff\xdd\x00\x04\x00\x00"), Reason.CORRUPT),  # none announced
    ],
)
def test_a_broken_structure_is_refused_with_its_reason(data: bytes, reason: Reason) -> None:
    assert refused(data) is reason


def test_bytes_lost_inside_a_scan_show_where_a_restart_marker_is_lost_with_them() -> None:
    picture_ = picture(640, 480, (0, 0), 0.0, dark=False, tables=True)
    middle = len(picture_) // 2
    assert refused(picture_[:middle] + picture_[middle + 2 * 932 :]) is Reason.CORRUPT


def test_fill_bytes_and_several_scans_are_allowed() -> None:
    filled = WHOLE[:2] + b"\xff\xff" + WHOLE[2:]
    assert check_jpeg(filled) == (64, 48)
    scans = WHOLE[:-2] + WHOLE[SOS:]
    assert check_jpeg(scans) == (64, 48)


def test_missing_huffman_tables_are_put_before_the_scan() -> None:
    scan = BARE.index(b"\xff\xda")
    preview = with_huffman_tables(BARE)
    assert preview == BARE[:scan] + default_huffman_tables() + BARE[scan:]
    assert check_jpeg(preview) == (64, 48)
    assert with_huffman_tables(preview) is preview
    assert with_huffman_tables(WHOLE) is WHOLE


def test_the_default_tables_are_the_published_segment() -> None:
    tables = default_huffman_tables()
    assert len(tables) == 420
    assert hashlib.sha256(tables).hexdigest().startswith("06ead79f18b4b181")


def test_the_default_tables_equal_the_sample_file() -> None:
    assert default_huffman_tables() == sample("imaging", "mjpeg_std_dht.bin")


@settings(deadline=None)
@given(st.integers(0, len(WHOLE) - 1))
def test_every_truncation_is_refused(length: int) -> None:
    with pytest.raises(ProtocolError):
        check_jpeg(WHOLE[:length])


def outcome(take: Callable[[bytes], object], data: bytes) -> str:
    try:
        take(data)
    except ProtocolError as error:
        return error.reason
    return "accepted"


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(WHOLE)), st.integers(0, 300))
def test_any_bytes_give_a_size_or_a_protocol_error(noise: bytes, at: int, skip: int) -> None:
    for data in (noise, b"\xff\xd8" + noise, WHOLE[:at] + noise + WHOLE[at + skip :]):
        for take in (jpeg_size, trim_jpeg, check_jpeg, with_huffman_tables):
            assert outcome(take, data) in {"accepted", Reason.CORRUPT, Reason.TRUNCATED, Reason.LENGTH}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_trimming_twice_is_trimming_once(tail: bytes) -> None:
    once = trim_jpeg(WHOLE + tail)
    assert trim_jpeg(once) == once


@pytest.mark.parametrize("filler", [b"\xff", b"\xff\x00", b"\xff\xd0", b"\xff\xe0\x00\x02"])
def test_hostile_repetition_costs_one_pass(filler: bytes) -> None:
    """Two megabytes of the worst fillers: a quadratic walk would take minutes."""
    many = filler * (2_000_000 // len(filler))
    for data in (b"\xff\xd8" + many, WHOLE[:-2] + many, WHOLE[:SOS] + many + WHOLE[SOS:]):
        assert outcome(check_jpeg, data) in {Reason.CORRUPT, Reason.TRUNCATED, "accepted"}
