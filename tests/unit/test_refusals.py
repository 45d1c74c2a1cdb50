"""Refusals: logged once per branch until it is taken again."""

import logging

import pytest

from devicehub.deliver.refusals import QUIET, Refusals
from devicehub.publish.port import Outgoing

ROOT = "devicehub/v1/site/node"


def out(topic: str) -> Outgoing:
    return Outgoing(
        f"{ROOT}/{topic}", b"{}", 1, retain=False, expiry=None, type="io.devicehub.reading", id="id", subject="d"
    )


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
