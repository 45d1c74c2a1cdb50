"""Stored events for people: filtered, newest first, a page at a time, each checked against its digest."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from devicehub.journal.browse import Wish, browse
from devicehub.journal.rows import TABLE, Entry, genesis, row
from devicehub.model.stream import Stream
from devicehub.publish.port import Outgoing


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """Ten events of two devices: readings, and alarms of every third."""
    with closing(sqlite3.connect(":memory:")) as db:
        _fill(db)
        yield db


def _fill(db: sqlite3.Connection) -> None:
    db.execute(TABLE)
    chain = genesis("e")
    for position in range(1, 11):
        device = "a" if position % 2 else "a_b"
        kind = "io.devicehub.alarm.raised" if position % 3 == 0 else "io.devicehub.reading"
        out = Outgoing(
            f"t/{position}",
            b'{"data":{"alarm":"A%d"}}' % (position % 5),
            qos=1,
            retain=False,
            expiry=None,
            type=kind,
            id=f"id-{position}",
            subject=f"{device}/p",
        )
        stored = row(Entry(position, Stream.EVENTS, position, 100.0 + position, None, out), chain)
        chain = stored[-1]
        db.execute(f"INSERT INTO event VALUES ({', '.join('?' * len(stored))})", stored)


def positions(db: sqlite3.Connection, **wish: object) -> list[int]:
    return [one.position for one in browse(db, Wish(**wish))]  # type: ignore[arg-type]


def test_the_newest_come_first_and_the_next_page_goes_on_behind_them(db: sqlite3.Connection) -> None:
    assert positions(db, most=4) == [10, 9, 8, 7]
    assert positions(db, most=4, before=7) == [6, 5, 4, 3]
    assert positions(db, before=1) == []


def test_only_what_is_of_the_kind_the_device_and_the_time_is_given(db: sqlite3.Connection) -> None:
    assert positions(db, kind="alarm") == [9, 6, 3]
    assert positions(db, without=("reading", "spectrum")) == [9, 6, 3]
    assert positions(db, without=("alarm",), most=3) == [10, 8, 7]
    assert positions(db, device="a") == [9, 7, 5, 3, 1]
    assert positions(db, device="a_b", kind="alarm") == [6]
    assert positions(db, since=103.0, until=105.0) == [5, 4, 3]
    assert positions(db, alarm="A1") == [6, 1]
    assert positions(db, alarm="A") == []


def test_only_what_is_of_the_place_is_given_and_not_of_one_that_begins_alike(db: sqlite3.Connection) -> None:
    db.execute("UPDATE event SET topic = 'devicehub/v1/bcp/lane-1/' || topic WHERE position IN (2, 4)")
    db.execute("UPDATE event SET topic = 'devicehub-sim/v1/bcp/lane-1/' || topic WHERE position IN (1, 3)")
    db.execute("UPDATE event SET topic = 'devicehub/v1/bcp/lane-12/' || topic WHERE position = 5")
    assert positions(db, within="devicehub/v1/bcp/lane-1") == [4, 2]
    assert positions(db, within="devicehub-sim/v1/bcp/lane-1") == [3, 1]
    assert positions(db, within="devicehub/v1") == [5, 4, 2]
    assert positions(db, within="devicehub/v1", outside="devicehub/v1/bcp/lane-1") == [5]


def test_what_people_type_is_no_pattern(db: sqlite3.Connection) -> None:
    assert positions(db, device="a%") == []
    assert positions(db, kind="%") == []


def test_an_event_that_was_changed_is_told_apart(db: sqlite3.Connection) -> None:
    db.execute("UPDATE event SET payload = ? WHERE position = 9", (b'{"data":1}',))
    assert [one.position for one in browse(db, Wish()) if not one.intact] == [9]


def test_only_what_was_judged_so_is_given(db: sqlite3.Connection) -> None:
    judged = b'{"data":{"alarm":"a","disposition":{"code":"nuisance","at":"x","by":"op"}}}'
    db.execute("UPDATE event SET payload = ? WHERE position IN (3, 6)", (judged,))
    assert positions(db, disposition="nuisance") == [6, 3]
    assert positions(db, disposition="nuis") == []
    assert positions(db, disposition="test") == []
