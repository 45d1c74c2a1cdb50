"""How soon each framing of device files is back in step behind garbage: to the byte what the reference promises."""

from hypothesis import example, given
from hypothesis import strategies as st

from devicehub.devicefile.framers import StreamFramer, framer
from devicehub.devicefile.framing import Framing
from devicehub.devicefile.integrity import compiled
from devicehub.devicefile.schema import CheckTable, FrameTable

MOST = 40
LINES = FrameTable(kind="delimited", end="0d 0a", most=MOST)
SLIP = FrameTable(kind="delimited", start="c0", end="c0", escape={"db dc": "c0", "db dd": "db"}, most=MOST)
CHECKED = FrameTable(kind="length", sync="aa 55", at=2, adjust=3, least=8, most=MOST)
BARE = FrameTable(kind="length", adjust=1, least=6, most=MOST)
UNCHECKED = FrameTable(kind="length", sync="aa 55", at=2, adjust=3, least=4, most=MOST)
REPORTS = FrameTable(
    kind="packet", payload_at=2, payload_size_at=1, more_at=7, report=8, payload_most=5, most=MOST, more_alike=True
)
CRC = compiled(CheckTable(kind="crc", width=32, poly=0x04C11DB7, init=0xFFFFFFFF, xorout=0xFFFFFFFF, check=0xFC891918))
GARBAGE = st.binary(min_size=1, max_size=3 * MOST)
BODIES = st.lists(
    st.binary(min_size=1, max_size=9).map(lambda body: body.replace(b"\x0d", b"d")), min_size=3, max_size=9
)
SHORT = st.binary(min_size=1, max_size=9).map(lambda body: body.replace(b"\xaa", b"a"))


def taken(cutter: StreamFramer, data: bytes) -> list[bytes]:
    return [frame for frame in cutter.feed(data) if isinstance(frame, bytes)]


@given(GARBAGE, BODIES)
@example(b"x" * 3 * MOST, [b"1", b"2", b"3"])
def test_lines_behind_garbage_lose_the_one_that_it_runs_into_and_no_other(garbage: bytes, bodies: list[bytes]) -> None:
    framing = Framing(LINES, ())
    cutter = framing.framer()
    list(cutter.feed(garbage))
    assert taken(cutter, b"".join(map(framing.reply, bodies)))[-len(bodies) + 1 :] == bodies[1:]


@given(GARBAGE, BODIES)
def test_escaped_frames_behind_garbage_lose_the_one_that_it_runs_into_and_no_other(
    garbage: bytes, bodies: list[bytes]
) -> None:
    framing = Framing(SLIP, ())
    cutter = framing.framer()
    list(cutter.feed(garbage))
    assert taken(cutter, b"".join(map(framing.reply, bodies)))[-len(bodies) + 1 :] == bodies[1:]


def _lengthed(table: FrameTable, bodies: list[bytes], least: int) -> list[bytes]:
    """Frames of these bodies, again and again, until they are so many bytes."""
    framing = Framing(table, (CRC,) if table is not UNCHECKED else ())
    head = b"\xaa\x55\x00" if table.sync else b"\x00"
    frames = [framing.reply(head + body) for body in bodies]
    while sum(map(len, frames)) < least:
        frames += frames
    return frames


@given(GARBAGE, st.sampled_from([CHECKED, BARE]), st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=4))
def test_of_frames_with_length_and_check_none_is_lost_and_all_are_there_after_the_most_bytes_of_one(
    garbage: bytes, table: FrameTable, bodies: list[bytes]
) -> None:
    cutter = Framing(table, (CRC,)).framer()
    before = taken(cutter, garbage)
    frames = _lengthed(table, bodies, MOST)
    assert before + taken(cutter, b"".join(frames)) == before + frames


def test_what_garbage_takes_for_a_frame_is_waited_for_to_its_last_byte_and_not_longer() -> None:
    cutter = Framing(CHECKED, (CRC,)).framer()
    garbage = b"\xaa\x55" + bytes([MOST - 3])
    frames = _lengthed(CHECKED, [b"12345"], 2 * MOST)
    line = b"".join(frames)
    assert taken(cutter, garbage + line[: MOST - len(garbage) - 1]) == []
    assert taken(cutter, line[MOST - len(garbage) - 1 :][:1]) == frames[: (MOST - len(garbage)) // len(frames[0])]


@given(GARBAGE, st.lists(SHORT, min_size=1, max_size=4))
def test_frames_with_length_and_sync_but_no_check_lose_what_begins_within_the_most_bytes_of_one_and_one_more(
    garbage: bytes, bodies: list[bytes]
) -> None:
    cutter = Framing(UNCHECKED, ()).framer()
    frames = _lengthed(UNCHECKED, bodies, 3 * MOST)
    starts = [sum(map(len, frames[:number])) for number in range(len(frames))]
    safe = [frame for frame, at in zip(frames, starts, strict=True) if at >= MOST][1:]
    assert taken(cutter, garbage + b"".join(frames))[-len(safe) :] == safe


@given(
    st.lists(st.binary(max_size=20), max_size=4), st.lists(st.binary(min_size=1, max_size=20), min_size=2, max_size=5)
)
def test_reports_behind_garbage_lose_the_frame_that_it_is_taken_for_a_part_of_and_no_other(
    garbage: list[bytes], bodies: list[bytes]
) -> None:
    framing = Framing(REPORTS, ())
    cutter = framer(REPORTS, framing.verify)
    for packet in garbage:
        list(cutter.feed(packet))
    reports = [report for body in bodies for report in framing.packets(b"\x02\x00" + body)]
    found = [frame for report in reports for frame in taken(cutter, report)]
    assert [frame[2:] for frame in found][-len(bodies) + 1 :] == bodies[1:]
