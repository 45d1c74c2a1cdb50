"""Refusals: logged once per branch until it is taken again, and told as one gap of all there were."""

import logging

import pytest

from devicehub.model.message import Kind, Message
from devicehub.model.payload import GapData
from devicehub.publish.port import Outgoing
from devicehub.refusals import QUIET, Refusals
from tests.real.journals import alarm_state, encode, event
from tests.unit.publish.examples import TIME, ULID

ROOT = "devicehub/v1/site/node"


def out(topic: str) -> Outgoing:
    return Outgoing(
        f"{ROOT}/{topic}", b"{}", 1, retain=False, expiry=None, type="io.devicehub.reading", id="id", subject="d"
    )


def numbered(number: int) -> Outgoing:
    return encode(event(number), number, TIME)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_branch_that_is_refused_is_logged_once_whatever_its_topics(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for second in range(1000):
        refusals.refused(out(f"reading/d/c{second % 7}"), "Not authorized", second)
    refusals.refused(out("alarm/d/c"), "too large", 0)
    assert complaints(caplog) == [
        f"{ROOT}/reading/d/c0 refused: Not authorized; more of {ROOT}/reading is only counted",
        f"{ROOT}/alarm/d/c refused: too large; more of {ROOT}/alarm is only counted",
    ]


def test_a_branch_is_logged_again_when_it_is_refused_after_it_was_taken(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    refusals.refused(out("reading/d/c"), "Not authorized", 0)
    refusals.taken(out("reading/d/c"), QUIET)
    refusals.refused(out("reading/d/c"), "Not authorized", QUIET + 1)
    assert len(complaints(caplog)) == 2


def test_a_branch_of_which_some_is_taken_and_some_is_refused_is_no_flood(caplog: pytest.LogCaptureFixture) -> None:
    """As where spectra are larger than the broker takes and other readings are not."""
    refusals = Refusals()
    for second in range(1000):
        refusals.refused(out("reading/d/spectrum"), "too large", second)
        refusals.taken(out("reading/d/c"), second + 0.5)
        refusals.taken(out("state/d"), second + 0.5)
    assert len(complaints(caplog)) == 1


async def test_the_gap_says_how_many_and_between_which_numbers_and_the_next_one_begins_anew() -> None:
    refusals = Refusals()
    for number in (7, 5, 9):
        refusals.lost(numbered(number))
    assert await refusals.gap() == GapData("hub", "refused", count=3, first=5, last=9)
    refusals.lost(numbered(12))
    assert await refusals.gap() == GapData("hub", "refused", count=1, first=12, last=12)


async def test_the_end_of_an_alarm_has_no_number_and_counts() -> None:
    refusals = Refusals()
    refusals.lost(encode(alarm_state("tnt", None), None, TIME))
    assert await refusals.gap() == GapData("hub", "refused", count=1)


async def test_a_gap_that_is_refused_makes_no_gap() -> None:
    refusals = Refusals()
    refusals.lost(encode(Message(Kind.GAP, "gap", ULID, TIME, 1.0, GapData("hub", "refused", count=1)), 3, TIME))
    refusals.close()
    assert await refusals.gap() is None


async def test_what_was_lost_before_the_end_is_told_after_it_and_then_there_is_nothing_more() -> None:
    refusals = Refusals()
    refusals.lost(numbered(4))
    refusals.close()
    assert await refusals.gap() == GapData("hub", "refused", count=1, first=4, last=4)
    assert await refusals.gap() is None
