"""The log of GQ GMC counters: times, counts of one to four bytes, tags that differ by model, and what has no time."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.devicefile.memory.gq_gmc import GAP, LENGTH, GqGmcLog
from devicehub.devicefile.memory.series import Series
from devicehub.model.errors import ProtocolError, Reason

FORUM = bytes.fromhex("55aa00 0d0a12082f34 55aa")  # GQ's forum, topic 3869
THEN = datetime(2013, 10, 18, 8, 47, 52, tzinfo=UTC).timestamp()
SECONDS, MINUTES, HOURS, OFF = (FORUM + bytes([how]) for how in (1, 2, 3, 0))


def read(log: bytes, note: int = 2, step: int = 1 << 16) -> tuple[list[Series], list[Reason]]:
    codec, series, faults = GqGmcLog(note), list[Series](), list[Reason]()
    for at in range(0, len(log), step):
        for found in codec.feed(log[at : at + step]):
            if isinstance(found, ProtocolError):
                faults.append(found.reason)
            else:
                series.append(found)
    return series, faults


def test_the_published_time_is_that_of_the_counts_behind_it() -> None:
    ((one,), faults) = read(SECONDS + b"\x01\x00\x02" + OFF)
    assert (one.stamp, one.start, one.step, one.mode) == (THEN, 0.0, 1.0, "every second")
    assert (one.values, faults) == ((60, 0, 120), [])  # counts/min


@pytest.mark.parametrize(("head", "step", "first"), [(SECONDS, 1.0, 300), (MINUTES, 60.0, 5), (HOURS, 3600.0, 5)])
def test_how_counts_were_saved_says_what_they_are(head: bytes, step: float, first: int) -> None:
    ((one,), _) = read(head + b"\x05" + OFF)
    assert (one.step, one.values) == (step, (first,))


def test_counts_wider_than_a_byte_shift_nothing_in_either_family() -> None:
    """The trap: the tags of three and four bytes are those of a note and three bytes in the other family."""
    old = MINUTES + bytes.fromhex("55aa01 1388 55aa03 0186a0 55aa04 001e8480 07") + OFF
    new = MINUTES + bytes.fromhex("55aa01 1388 55aa02 0186a0 55aa03 001e8480 07") + OFF
    for log, note in ((old, 2), (new, 4)):
        ((one,), faults) = read(log, note)
        assert (one.values, faults) == ((5000, 100_000, 2_000_000, 7), [])


def test_a_note_between_counts_is_no_count() -> None:
    for note in (2, 4):
        ((one,), _) = read(MINUTES + b"\x05\x55\xaa" + bytes([note, 3]) + b"XK\x55" + b"\x06" + OFF, note)
        assert one.values == (5, 6)


def test_a_count_of_55_is_a_count_unless_aa_follows() -> None:
    ((one,), _) = read(MINUTES + b"\x55\x05\x55\x55\x06" + OFF)
    assert one.values == (0x55, 5, 0x55, 0x55, 6)


def test_a_long_log_is_told_in_series_that_do_not_change_when_it_grows() -> None:
    shorter, _ = read(SECONDS + bytes(range(80)))
    longer, _ = read(SECONDS + bytes(range(80)) + bytes(50) + OFF)
    assert [len(one.values) for one in longer] == [LENGTH, LENGTH, 10]
    assert [one.start for one in longer] == [0.0, 60.0, 120.0]
    assert [one.record for one in shorter] == [longer[0].record]
    assert len({one.record for one in longer}) == 3


def test_two_starts_at_one_time_are_two_records() -> None:
    series, _ = read(MINUTES + b"\x05" + MINUTES + b"\x06" + OFF)
    assert len({one.record for one in series}) == 2


def test_what_has_no_time_is_passed_over() -> None:
    series, faults = read(b"\x05\x06" + MINUTES + b"\x05" + OFF + b"\x09" + b"\xff\x07" + MINUTES + b"\x08" + OFF)
    assert ([one.values for one in series], faults) == ([(5,), (8,)], [])


def test_older_log_stands_behind_an_erased_sector_and_the_end_behind_more() -> None:
    old = MINUTES + b"\x05" + OFF
    assert len(read(old + b"\xff" * 4096 + old)[0]) == 2
    assert len(read(old + b"\xff" * (GAP + 1) + old)[0]) == 1


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("55aa00 0d0d12082f34 55aa02 05", Reason.RANGE),
        ("55aa00 0d0a12082f34 55aa09 05", Reason.GARBAGE),
        ("55aa00 0d0a12082f34 000002 05", Reason.GARBAGE),
        ("55aa07 05", Reason.UNSUPPORTED),
    ],
)
def test_a_log_that_makes_no_sense_is_a_fault_and_yields_nothing_until_the_next_time(log: str, reason: Reason) -> None:
    series, faults = read(bytes.fromhex(log) + MINUTES + b"\x08" + OFF)
    assert ([one.values for one in series], faults) == ([(8,)], [reason])


def test_counts_above_a_threshold_say_that_they_have_no_times() -> None:
    ((one,), _) = read(FORUM + b"\x04\x05" + OFF)
    assert one.defects


@given(st.binary(max_size=400), st.integers(1, 9), st.sampled_from([2, 4]))
def test_any_log_is_read_alike_however_it_is_cut(log: bytes, step: int, note: int) -> None:
    assert read(SECONDS + log, note, step) == read(SECONDS + log, note)
