"""Packets of the useeplus endoscope, to the byte: which headers are believed, and what in a page is real and what a ghost."""

import pytest

from devicehub.model.errors import ProtocolError, Reason
from drivers.endoscope._useeplus_packets import FULL, GAP, PAGE, Piece, one_piece, page_pieces

SOI = b"\xff\xd8"
HEADER = 12
STALE = b"\x33"
Found = list[int | Reason]


def packet(payload: bytes = b"", frame: int = 5, stream: int = 11, lens: int = 0, flags: int = 0) -> bytes:
    """A packet as the camera sends it; its length counts what follows the first five bytes."""
    head = b"\xaa\xbb" + bytes([stream]) + (7 + len(payload)).to_bytes(2, "little")
    return head + bytes([frame, lens, flags]) + bytes(4) + payload


def full(frame: int = 5, payload: bytes = b"") -> bytes:
    return packet(payload.ljust(FULL - HEADER, STALE), frame)


def reason(data: bytes) -> Reason | None:
    """Why a transfer of one packet is refused."""
    (found,) = one_piece(data)
    return found.reason if isinstance(found, ProtocolError) else None


def page(*parts: bytes) -> bytes:
    """Packets and gaps, and stale bytes up to its end."""
    data = b"".join(parts)
    assert len(data) <= PAGE
    return data.ljust(PAGE, STALE)


def found_in(data: bytes, frame: int | None = None) -> Found:
    """Of each packet its frame; of each fault its reason."""
    return [part.frame if isinstance(part, Piece) else part.reason for part in page_pieces(data, frame)]


def test_a_packet_of_a_header_alone_is_whole() -> None:
    assert list(one_piece(packet())) == [Piece(11, 5, 0, pressed=False, payload=b"")]


@pytest.mark.parametrize(
    ("length", "expected"), [(6, Reason.LENGTH), (7, None), (939, None), (1019, None), (1020, Reason.LENGTH)]
)
def test_a_length_counts_from_the_sixth_byte_and_goes_from_7_to_1019(length: int, expected: Reason | None) -> None:
    data = b"\xaa\xbb\x0b" + length.to_bytes(2, "little") + bytes(1100)
    assert reason(data[: 5 + max(length, 7)]) is expected


@pytest.mark.parametrize("payload", [b"", b"x", bytes(FULL - HEADER)])
def test_a_packet_that_lacks_its_last_byte_is_truncated_and_one_more_does_not_count(payload: bytes) -> None:
    whole = packet(payload)
    assert reason(whole[:-1]) is Reason.TRUNCATED
    assert list(one_piece(whole)) == list(one_piece(whole + b"\xaa"))


@pytest.mark.parametrize("stream", range(256))
def test_streams_are_7_and_11(stream: int) -> None:
    assert reason(packet(stream=stream)) is (None if stream in {7, 11} else Reason.UNSUPPORTED)


@pytest.mark.parametrize("lens", [0, 1, 2, 3, 255])
def test_there_are_two_lenses(lens: int) -> None:
    assert reason(packet(lens=lens)) is (None if lens < 2 else Reason.CORRUPT)


@pytest.mark.parametrize("bit", range(8))
def test_of_the_flags_bit_0_is_no_press_bit_1_is_one_and_the_others_are_never_set(bit: int) -> None:
    (found,) = one_piece(packet(flags=1 << bit))
    if bit > 1:
        assert isinstance(found, ProtocolError)
        assert found.reason is Reason.CORRUPT
    else:
        assert isinstance(found, Piece)
        assert found.pressed is (bit == 1)


@pytest.mark.parametrize(("gap", "faults"), [(0, []), (1, []), (GAP, []), (GAP + 1, [Reason.GARBAGE])])
def test_more_stale_bytes_than_a_gap_has_before_the_first_packet_are_garbage(gap: int, faults: Found) -> None:
    assert found_in(page(STALE * gap, full())) == [*faults, 5]


def test_a_page_without_a_packet_is_garbage_and_an_empty_transfer_is_nothing() -> None:
    assert found_in(page()) == [Reason.GARBAGE]
    assert found_in(b"") == []


@pytest.mark.parametrize(("behind", "expected"), [(GAP - 1, [5]), (GAP, [5]), (GAP + 1, [6, 5])])
def test_a_header_with_another_within_a_gap_behind_it_is_a_ghost(behind: int, expected: Found) -> None:
    begun = packet(bytes(FULL - HEADER), frame=6)[:behind]
    rest = full()
    if behind > GAP:  # far enough apart: a short packet of its own that begins a JPEG
        begun = packet(SOI.ljust(behind - HEADER, STALE), frame=6)
    assert found_in(page(begun, rest)) == expected


@pytest.mark.parametrize(("frame", "expected"), [(6, [6, 5]), (5, [5]), (None, [5])])
def test_a_small_packet_right_before_the_next_is_real_if_it_is_of_the_frame_being_received(
    frame: int | None, expected: Found
) -> None:
    """Even where it begins a JPEG: nothing else tells it from a ghost."""
    assert found_in(page(packet(SOI + b"end", frame=6), full()), frame) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(SOI + bytes(300), [6, 5], id="short, begins a JPEG"),
        pytest.param(b"\xff\xd9" + bytes(300), [5], id="short, begins with the end of one"),
        pytest.param(bytes(302), [5], id="short"),
        pytest.param(bytes(FULL - HEADER - 1), [5], id="one byte short"),
        pytest.param(bytes(FULL - HEADER), [6, 5], id="full"),
    ],
)
def test_a_short_packet_of_another_frame_is_real_only_if_it_begins_a_jpeg(payload: bytes, expected: Found) -> None:
    assert found_in(page(packet(payload, frame=6), full()), 5) == expected


def test_the_frame_being_received_is_that_of_the_packet_before_in_this_page_or_the_last() -> None:
    end = packet(b"x" * 200, frame=6)
    assert found_in(page(full(6), end)) == [6, 6]
    assert found_in(page(full(6)) + page(end)) == [6, 6]
    assert found_in(page(full(6)) + page(full(7), end)) == [6, 7]


def filled(size: int) -> bytes:
    """So many bytes of five packets of one frame without gaps."""
    data = full() * 3 + packet(bytes(300))
    return data + packet(bytes(size - len(data) - HEADER))


@pytest.mark.parametrize(("room", "faults"), [(GAP, []), (GAP + 1, [Reason.TRUNCATED])])
def test_a_packet_that_its_page_cuts_is_truncated_and_in_the_last_gap_a_ghost(room: int, faults: Found) -> None:
    assert found_in(filled(PAGE - room) + full()[:room], 5) == [5] * 5 + faults


def test_a_packet_may_end_with_its_page() -> None:
    assert found_in(filled(PAGE), 5) == [5] * 5
