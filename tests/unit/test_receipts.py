"""Receipts: what durable consumers say they have, and when to send again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.deliver.receipts import (
    ALIVE,
    CREDIT,
    MOST_CONSUMERS,
    STALL,
    STALL_MOST,
    Receipts,
    RefusedReceipt,
    checked,
    reach,
    served,
)
from devicehub.journal import Mark
from devicehub.journal.tables import Receipt
from devicehub.model.stream import Stream

STORED = {Stream.ALARMS: Mark(90, 9), Stream.EVENTS: Mark(100, 50), Stream.SCANS: Mark()}
EPOCH = "0badcafe"


def payload(epoch: str = EPOCH, **received: object) -> bytes:
    return json.dumps({"epoch": epoch, "received": received}).encode()


def taken(receipts: Receipts, number: int, now: float, *, name: str = "archive", live: bool = True) -> None:
    receipts.note(name, checked(name, payload(events=number), EPOCH, STORED), now, now, live=live)


def test_numbers_of_another_epoch_say_nothing_about_this_one() -> None:
    assert checked("archive", payload(events=17, alarms=9), EPOCH, STORED) == {"events": 17, "alarms": 9}
    assert checked("archive", payload("another", events=99999), EPOCH, STORED) == {"events": 0}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (payload(events=51), "only 50 are stored"),
        (payload(events=-1), "whole number"),
        (payload(events=True), "whole number"),
        (payload(events="7"), "whole number"),
        (payload(readings=1), "no stream"),
        (b'{"epoch": 7, "received": {}}', "must be"),
        (b'{"epoch": "x"}', "must be"),
        (b"[]", "object"),
        (b"\xff", "UTF-8"),
        (b'{"epoch":"x","epoch":"y","received":{}}', "twice"),
    ],
)
def test_a_receipt_that_cannot_be_right_is_refused_with_the_reason(body: bytes, words: str) -> None:
    with pytest.raises(RefusedReceipt, match=words):
        checked("archive", body, EPOCH, STORED)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_receipt_or_a_refusal(body: bytes) -> None:
    try:
        numbers = checked("archive", body, EPOCH, STORED)
    except RefusedReceipt:
        return
    assert all(number <= STORED[stream].number for stream, number in numbers.items())


def test_there_is_an_end_to_the_number_of_consumers() -> None:
    receipts = Receipts()
    for number in range(MOST_CONSUMERS):
        taken(receipts, 1, 0.0, name=f"c{number}")
    with pytest.raises(RefusedReceipt, match="already"):
        taken(receipts, 1, 0.0, name="one-more")
    taken(receipts, 2, 0.0, name="c7")
    assert receipts.of(Stream.EVENTS)["c7"] == 2


def test_each_consumer_has_a_receipt_of_its_own() -> None:
    receipts = Receipts()
    assert receipts.of(Stream.EVENTS) == {}
    taken(receipts, 17, 0.0)
    taken(receipts, 12, 0.0, name="analysis")
    assert receipts.of(Stream.ALARMS) == {}
    assert receipts.of(Stream.EVENTS) == {"analysis": 12, "archive": 17}
    assert receipts.leave("analysis")
    assert not receipts.leave("analysis")
    assert receipts.of(Stream.EVENTS) == {"archive": 17}


def test_a_consumer_that_stays_behind_has_stalled_and_is_served_ever_more_seldom() -> None:
    receipts = Receipts()
    served: list[float] = []
    for tick in range(400):
        now = tick * 0.5
        taken(receipts, 10, now)
        if receipts.stalled(Stream.EVENTS, 50, now) is not None:
            served.append(now)
    pauses = [later - earlier for earlier, later in zip([0.0, *served], served, strict=False)]
    assert pauses[:6] == [STALL, 4.0, 8.0, 16.0, 32.0, STALL_MOST]


def test_a_consumer_that_comes_forward_has_not_stalled() -> None:
    receipts = Receipts()
    for tick in range(80):
        taken(receipts, 10 + tick // 3, tick * 0.5)
        assert receipts.stalled(Stream.EVENTS, 50, tick * 0.5) is None


def test_what_was_acknowledged_only_just_now_makes_nobody_stall() -> None:
    receipts = Receipts()
    taken(receipts, 10, 0.0)
    assert receipts.stalled(Stream.EVENTS, 10, 3600.0) is None
    taken(receipts, 10, 3600.0)
    assert receipts.stalled(Stream.EVENTS, 11, 3600.0) is None
    assert receipts.stalled(Stream.EVENTS, 11, 3600.0 + STALL) == 10


def test_nothing_is_sent_again_for_a_consumer_that_is_away() -> None:
    """What the broker retains of it says what it has, and not that it is there."""
    receipts = Receipts()
    taken(receipts, 10, 0.0, live=False)
    assert [receipts.stalled(Stream.EVENTS, 50, now) for now in (0.0, STALL, 10.0)] == [None] * 3
    taken(receipts, 10, 20.0)
    receipts.stalled(Stream.EVENTS, 50, 20.0)
    assert receipts.stalled(Stream.EVENTS, 50, 20.0 + STALL) == 10
    assert receipts.stalled(Stream.EVENTS, 50, 20.0 + ALIVE) is None


def test_the_lowest_of_those_that_stalled_is_where_to_begin() -> None:
    receipts = Receipts()
    for name, number in (("a", 30), ("b", 20), ("c", 50)):
        taken(receipts, number, 0.0, name=name)
    receipts.stalled(Stream.EVENTS, 50, 0.0)
    assert receipts.stalled(Stream.EVENTS, 50, STALL) == 20


def test_a_consumer_restored_from_a_backup_is_served_from_there() -> None:
    receipts = Receipts()
    taken(receipts, 40, 0.0)
    taken(receipts, 5, 10.0)
    receipts.stalled(Stream.EVENTS, 50, 10.0)
    assert receipts.stalled(Stream.EVENTS, 50, 10.0 + STALL) == 5


def test_what_changed_is_told_once_and_taken_over_by_the_next_run() -> None:
    receipts = Receipts()
    taken(receipts, 17, 3.0)
    taken(receipts, 9, 4.0, name="gone")
    receipts.leave("gone")
    assert receipts.changes() == ([Receipt("archive", Stream.EVENTS, 17, 3.0)], ["gone"])
    assert receipts.changes() == ([], [])
    later = Receipts()
    later.resume([Receipt("archive", Stream.EVENTS, 17, 3.0)])
    assert later.of(Stream.EVENTS) == {"archive": 17}
    assert later.silent(before=3.1) == ["archive"]
    assert later.silent(before=2.9) == []


def test_a_replay_goes_as_far_as_those_it_is_for_can_confirm() -> None:
    """Not those that are away, and not those that are further behind and have to wait for one of their own."""
    receipts = Receipts()
    for name, number, live in (("away", 3, False), ("behind", 5, True), ("here", 20, True), ("ahead", 40, True)):
        taken(receipts, number, 100.0, name=name, live=live)
    living = receipts.living(Stream.EVENTS, 100.0)
    assert sorted(living) == [5, 20, 40]
    assert (served(living, 20), served(living, 5), served(living, 41)) == (20 + CREDIT, 5 + CREDIT, None)
    assert receipts.living(Stream.EVENTS, 100.1) == []


def test_history_goes_no_further_than_the_slowest_that_keeps_up() -> None:
    assert reach([10, 50, 5000], sent=900) == 10 + CREDIT
    assert reach([10, 500], sent=CREDIT + 11) == 500 + CREDIT, "who lacks more is served by a replay"
    assert reach([], sent=7) is None


def test_what_could_not_be_stored_is_told_again() -> None:
    receipts = Receipts()
    taken(receipts, 17, 3.0)
    taken(receipts, 9, 4.0, name="gone")
    receipts.leave("gone")
    told = receipts.changes()
    receipts.unsaved(*told)
    assert receipts.changes() == told


def test_who_confirmed_nothing_of_this_epoch_may_lack_what_was_carried_over_and_is_reminded_ever_more_seldom() -> None:
    """Soon again once it is heard on a new connection."""
    receipts = Receipts()
    taken(receipts, 0, 0.0)
    reminders = []
    for now in range(10_000):
        taken(receipts, 0, float(now))
        if now == 9_000:
            receipts.joined("archive")
        if receipts.stalled(Stream.EVENTS, 0, float(now), carried=True) is not None:
            reminders.append(now)
    assert len([now for now in reminders if now < 9_000]) < 14
    assert 9_000 + STALL in reminders
    taken(receipts, 1, 10_000.0)
    assert receipts.stalled(Stream.EVENTS, 1, 20_000.0, carried=True) is None
