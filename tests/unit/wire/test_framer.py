"""Framers: the same frames and faults however a stream is cut, nothing good lost, nothing kept for ever."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.checksum import xor8
from devicehub.wire.framer import DelimiterFramer, Frame, Framer, SyncFramer, WholePackets

SYNC = b"\xaa\x55"
MOST = 40

Seen = list[bytes | Reason]


def size(header: bytes) -> int:
    """A frame: sync, length of the body, body, exclusive or of the body."""
    if header[2] > MOST - 4:
        raise ProtocolError(Reason.LENGTH)
    return header[2] + 4


def check(frame: bytes) -> None:
    if xor8(frame[3:-1]) != frame[-1]:
        raise ProtocolError(Reason.CHECKSUM)


def built(body: bytes) -> bytes:
    return SYNC + bytes([len(body)]) + body + bytes([xor8(body)])


def lines() -> DelimiterFramer:
    return DelimiterFramer(b"\r\n", limit=10)


def marked() -> DelimiterFramer:
    return DelimiterFramer(b"\x03", start=b"\x02", limit=10)


def synced() -> SyncFramer:
    return SyncFramer(SYNC, 3, size, check)


MAKERS = [lines, marked, synced]


def seen(frames: Iterator[Frame] | list[Frame]) -> Seen:
    return [frame.reason if isinstance(frame, ProtocolError) else frame for frame in frames]


def fed(framer: Framer, data: bytes, cuts: list[int]) -> Seen:
    out: Seen = []
    edges = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    for begin, end in pairwise(edges):
        out += seen(framer.feed(data[begin:end]))
    return out


# Bytes that mean something to the framers above come more often than chance would have them.
telling = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([SYNC, b"\r\n", b"\r", b"\n", b"\x02", b"\x03", b"\xaa", b"\x55", b"\xaa\x55\xff", b"x" * 30]),
        st.binary(max_size=MOST - 4).map(built),
    ),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize("make", MAKERS)
@given(data=telling, cuts=st.lists(st.integers(0, 2**20), max_size=30))
def test_chunking_changes_nothing(make: Callable[[], Framer], data: bytes, cuts: list[int]) -> None:
    whole = fed(make(), data, [])
    assert fed(make(), data, cuts) == whole
    assert fed(make(), data, list(range(len(data)))) == whole


@pytest.mark.parametrize("make", MAKERS)
@given(chunks=st.lists(telling, max_size=20))
def test_what_a_framer_keeps_is_bounded(make: Callable[[], DelimiterFramer | SyncFramer], chunks: list[bytes]) -> None:
    framer = make()
    for chunk in chunks:
        list(framer.feed(chunk))
        assert len(framer._buffer) <= MOST


@given(bodies=st.lists(st.binary(max_size=MOST - 4), max_size=8), noise=st.lists(st.binary(max_size=60), max_size=9))
def test_every_good_frame_between_garbage_is_found_in_order(bodies: list[bytes], noise: list[bytes]) -> None:
    """Behind the last one comes as much as a false length can ask for: a quiet line would end the wait with it."""
    stream, quiet = b"", bytes(MOST)
    for place, body in enumerate(bodies):
        stream += (noise[place] if place < len(noise) else b"").replace(b"\xaa", b"\xab") + built(body)
    found = [frame for frame in fed(synced(), stream + quiet, []) if isinstance(frame, bytes)]
    assert found == [built(body) for body in bodies]


@given(before=st.binary(max_size=30), body=st.binary(max_size=20))
def test_a_good_frame_inside_a_false_one_is_found(before: bytes, body: bytes) -> None:
    """A sync marker in the garbage claims a length that reaches into the good frame."""
    frame = built(body.replace(b"\xaa", b"\xab"))
    stream = SYNC + b"\x24" + before.replace(b"\xaa", b"\xab") + frame + bytes(MOST)
    assume(xor8(stream[3:39]) != stream[39])
    assert frame in seen(synced().feed(stream))


def test_a_run_of_garbage_is_reported_once_however_it_arrives() -> None:
    framer = synced()
    out = [seen(framer.feed(chunk)) for chunk in (b"xx", b"yy\xaa", b"zz", built(b"1"), b"q", b"r")]
    assert out == [[Reason.GARBAGE], [], [], [built(b"1")], [Reason.GARBAGE], []]


def test_a_bad_checksum_and_an_impossible_length_are_faults_of_their_own() -> None:
    bad = bytearray(built(b"abc"))
    bad[-1] ^= 1
    assert seen(synced().feed(bytes(bad) + built(b"d"))) == [Reason.CHECKSUM, built(b"d")]
    assert seen(synced().feed(SYNC + b"\xff" + built(b"d"))) == [Reason.LENGTH, built(b"d")]


@pytest.mark.parametrize("length", [0, -5])
def test_a_length_of_nothing_is_a_fault_and_no_endless_loop(length: int) -> None:
    framer = SyncFramer(SYNC, 3, lambda _: length, check)
    assert seen(framer.feed(SYNC + b"\x00" + SYNC + b"\x00"))[:1] == [Reason.LENGTH]


def test_lines_end_in_their_delimiter_which_is_removed() -> None:
    assert seen(lines().feed(b"one\r\n\r\ntwo\r\nthr")) == [b"one", b"", b"two"]


def test_a_line_that_never_ends_is_one_overflow_and_the_next_is_whole() -> None:
    framer = lines()
    assert [seen(framer.feed(b"x" * 9)) for _ in range(4)] == [[], [Reason.OVERFLOW], [], []]
    assert seen(framer.feed(b"\r\nnext\r\n")) == [b"next"]


def test_the_limit_is_the_longest_frame_that_passes() -> None:
    assert seen(lines().feed(b"x" * 10 + b"\r\n" + b"y" * 11 + b"\r\n")) == [b"x" * 10, Reason.OVERFLOW]


def test_bytes_before_the_start_of_a_frame_are_garbage_and_the_frame_counts() -> None:
    assert seen(marked().feed(b"ab\x02one\x03\x02two\x03")) == [Reason.GARBAGE, b"one", b"two"]


def test_a_frame_that_was_begun_anew_loses_its_first_beginning() -> None:
    assert seen(marked().feed(b"\x02on\x02one\x03")) == [Reason.GARBAGE, b"one"]


def test_an_end_without_a_start_is_garbage() -> None:
    assert seen(marked().feed(b"abc\x03")) == [Reason.GARBAGE]


def test_packets_of_a_link_that_keeps_borders_are_frames_as_they_are() -> None:
    framer = WholePackets()
    assert [list(framer.feed(data)) for data in (b"a", b"", b"bc")] == [[b"a"], [b""], [b"bc"]]


def test_what_a_false_head_swallowed_is_found_when_its_rest_does_not_come() -> None:
    framer = synced()
    assert seen(framer.feed(SYNC + bytes([MOST - 4]) + built(b"1") + built(b"2") + SYNC)) == []
    assert framer.waits
    assert seen(framer.give_up()) == [Reason.TRUNCATED, built(b"1"), built(b"2")]
    assert len(framer._buffer) == 0
    assert seen(framer.give_up()) == []
    assert seen(framer.feed(built(b"3"))) == [built(b"3")]


def test_silence_behind_garbage_that_was_told_is_no_news_and_ends_its_run() -> None:
    framer = synced()
    assert seen(framer.feed(b"x" + SYNC)) == [Reason.GARBAGE]
    assert seen(framer.give_up()) == []
    assert seen(framer.feed(b"x")) == [Reason.GARBAGE]


@given(data=telling, cuts=st.lists(st.integers(0, 2**20), max_size=30), bodies=st.lists(st.binary(max_size=20)))
def test_silence_between_frames_loses_none_of_them(data: bytes, cuts: list[int], bodies: list[bytes]) -> None:
    framer = synced()
    fed(framer, data, cuts)
    found = seen(framer.give_up())
    for body in bodies:
        found += [*seen(framer.feed(built(body))), *seen(framer.give_up())]
    assert found[-len(bodies) :] == [built(body) for body in bodies] if bodies else True


@given(bodies=st.lists(st.binary(max_size=MOST - 4), min_size=1, max_size=9), cut=st.integers(0, MOST), rest=telling)
def test_a_head_that_no_frame_has_inside_ends_what_was_begun(bodies: list[bytes], cut: int, rest: bytes) -> None:
    """Whatever it promises: no byte of the frames behind it is waited for."""
    good = [built(body.replace(b"\xaa", b"\xab")) for body in bodies]
    begun = (SYNC + bytes([MOST - 4]) + rest.replace(b"\xaa", b"\xab"))[: max(cut, 2)]
    assume(len(begun) + 3 <= MOST)
    framer = SyncFramer(SYNC, 3, size, check, sole=True)
    found = [*seen(framer.feed(begun)), *fed(framer, b"".join(good), list(range(0, 400, 7)))]
    assert [frame for frame in found if isinstance(frame, bytes)] == good


@given(data=telling, cuts=st.lists(st.integers(0, 2**20), max_size=30))
def test_chunking_changes_nothing_where_a_head_ends_what_was_begun(data: bytes, cuts: list[int]) -> None:
    whole = fed(SyncFramer(SYNC, 3, size, check, sole=True), data, [])
    assert fed(SyncFramer(SYNC, 3, size, check, sole=True), data, cuts) == whole
    assert fed(SyncFramer(SYNC, 3, size, check, sole=True), data, list(range(len(data)))) == whole


def test_a_marker_inside_whose_head_cannot_be_is_no_head() -> None:
    frame = built(SYNC + b"\xff" + SYNC + b"\xfe" + SYNC)
    framer = SyncFramer(SYNC, 3, size, check, sole=True)
    assert fed(framer, frame + built(b"1"), list(range(0, 40, 3))) == [frame, built(b"1")]
    begun = SYNC + bytes([MOST - 4]) + SYNC + b"\xff"
    assert seen(framer.feed(begun + built(b"2"))) == [Reason.TRUNCATED, built(b"2")]


def test_the_end_of_a_frame_is_no_head_with_what_comes_behind_it() -> None:
    frame = built(b"\xff\xaa")
    assert frame.endswith(SYNC)
    framer = SyncFramer(SYNC, 3, size, check, sole=True)
    assert seen(framer.feed(frame + b"\x01" + built(b"1"))) == [frame, Reason.GARBAGE, built(b"1")]
