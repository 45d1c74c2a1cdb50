"""Expectations held against events: what is late, wrong or missing costs the points and is told."""

from collections.abc import Mapping

import pytest

from devicehub.exercise.judge import Score, judge, played
from devicehub.exercise.report import html
from devicehub.exercise.schema import LANGUAGES, Language, Scenario
from devicehub.exercise.timed import Fact
from devicehub.exercise.tongue import tongue

TITLE = {"en": "A <b>", "sq": "b", "sr-Latn": "c", "sr-Cyrl": "d"}
ALARM = {"alarm": "cam/hot", "within": "5s", "ack_within": "10s", "disposition": ["nuisance"], "points": 40}
Data = Mapping[str, object]


def scenario(expect: Data, do: str = "checkpoint", **values: float) -> Scenario:
    return Scenario.model_validate(
        {
            "scenario": {"id": "s", "title": TITLE},
            "device": [{"id": "cam", "driver": "thermal.gy_mcu90640"}],
            "at": [{"t": "00:10", "do": do, "expect": expect, **values}, {"t": "01:00", "do": "end"}],
        }
    )


def step(at: float, number: int = 0) -> Fact:
    return Fact(at, "hub.exercise", "", {"why": f"s step {number}"})


def fact(at: float, word: str, **data: object) -> Fact:
    return Fact(at, word, "cam/hot", data)


def closed(at: float, code: str) -> Fact:
    return fact(at, "alarm.confirmed", disposition={"code": code})


RAISED, ACKED = fact(102, "alarm.raised"), fact(105, "alarm.acked")


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ([step(100), RAISED, ACKED, closed(108, "nuisance")], ""),
        ([], "the step never happened"),
        ([step(100)], "not raised in time"),
        ([step(100), fact(106, "alarm.raised"), ACKED], "not raised in time"),
        ([fact(99, "alarm.raised"), step(100)], "not raised in time"),
        ([step(100), RAISED], "never acknowledged"),
        ([step(100), RAISED, fact(113, "alarm.acked")], "acknowledged after 11.0 s, not within 10s"),
        ([step(100), RAISED, ACKED], "never closed"),
        ([step(100), RAISED, ACKED, closed(108, "test")], "closed as test"),
    ],
)
def test_an_alarm_has_to_be_raised_acknowledged_and_closed_as_it_should(facts: list[Fact], why: str) -> None:
    score = judge(scenario(ALARM), facts)
    assert (score.findings[0].why, score.points, score.passed) == (why, 0 if why else 40, not why)


def test_reaction_times_are_told() -> None:
    found = judge(scenario(ALARM), [step(100), RAISED, ACKED, closed(108, "nuisance")]).findings[0]
    assert (found.raised_s, found.acked_s, found.closed_s, found.disposition) == (2, 3, 6, "nuisance")


def test_a_jump_of_the_clock_that_the_scenario_made_costs_no_time() -> None:
    facts = [step(100), fact(3702, "alarm.raised"), fact(3705, "alarm.acked"), closed(3706, "nuisance")]
    found = judge(scenario(ALARM, "clock_jump", seconds=3600.0), facts).findings[0]
    assert (found.passed, found.raised_s) == (True, 2)


@pytest.mark.parametrize(
    ("expect", "facts", "why"),
    [
        ({"quiet": True, "within": "5s"}, [step(100)], ""),
        ({"quiet": True, "within": "5s"}, [step(100), RAISED], "cam/hot was raised"),
        ({"event": "capture", "within": "5s"}, [step(100), fact(103, "capture")], ""),
        ({"event": "capture", "within": "5s"}, [step(100), fact(106, "capture")], "no capture"),
        ({"lane": ["blind"], "within": "5s"}, [fact(90, "lane.changed", state="blind"), step(100)], ""),
        ({"lane": ["blind"], "within": "5s"}, [step(100), fact(101, "lane.changed", state="blind")], ""),
        (
            {"lane": ["blind"], "within": "5s"},
            [fact(90, "lane.changed", state="no-alarm"), step(100)],
            "the lane said no-alarm",
        ),
        ({"command": "cam/hot", "within": "5s"}, [step(100), fact(103, "command", state="done")], ""),
        (
            {"command": "cam/hot", "within": "5s"},
            [step(100), fact(103, "command", state="accepted"), fact(104, "command", state="rejected")],
            "cam/hot was not done",
        ),
        (
            {"command": "cam/cold", "within": "5s"},
            [step(100), fact(103, "command", state="done")],
            "cam/cold was not done",
        ),
        (
            {"command": "cam/hot", "within": "5s"},
            [step(100), fact(106, "command", state="done")],
            "cam/hot was not done",
        ),
    ],
)
def test_lane_events_and_quiet_are_judged_within_their_time(expect: Data, facts: list[Fact], why: str) -> None:
    assert judge(scenario(expect), facts).findings[0].why == why


def test_a_journal_tells_which_scenarios_were_played() -> None:
    assert played([Fact(1, "hub.exercise", "", {"why": "s begins"}), step(100)]) == ["s"]


def test_a_report_shows_what_was_missed_and_no_markup_of_a_title() -> None:
    one = scenario(ALARM)
    page = html(one, judge(one, [step(100)]), tongue("en"))
    assert "NOT PASSED" in page
    assert "MISSED: not raised in time" in page
    assert "A &lt;b&gt;" in page
    assert "<script" not in page


def test_a_scenario_without_points_is_passed() -> None:
    score: Score = judge(scenario({**ALARM, "points": 0}), [])
    assert score.percent == 100.0


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "expect",
    [
        ALARM,
        {"quiet": True, "within": "5s"},
        {"lane": ["blind"], "within": "5s"},
        {"command": "cam/hot", "within": "5s"},
    ],
)
def test_a_report_is_in_one_language_and_tells_what_the_instructor_did(language: Language, expect: Data) -> None:
    one = scenario(expect)
    given = Fact(101, "hub.exercise", "", {"why": 's injects {"do":"hotspot","device":"cam","values":{"dk":9.0}}'})
    page = html(one, judge(one, [step(100), given, RAISED]), tongue(language))
    assert "00:01.0  hotspot cam dk=9.0" in page
    assert f'lang="{language}"' in page
    assert {one for one in LANGUAGES if tongue(one).t("expected") in page} == {language}
