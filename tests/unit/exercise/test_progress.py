"""What is known of an expectation while the exercise goes on, and the time by which it is judged."""

from collections.abc import Mapping

import pytest

from devicehub.exercise.judge import found, judge
from devicehub.exercise.progress import LATEST, Outcome, outcome, sheet
from devicehub.exercise.schema import Scenario
from devicehub.exercise.timed import Fact, timed
from tests.unit.exercise.test_judge import ACKED, ALARM, RAISED, closed, fact, scenario, step

OPEN, MET, MISSED = Outcome.OPEN, Outcome.MET, Outcome.MISSED
QUIET = {"quiet": True, "within": "5s"}


def mark(at: float, rest: str) -> Fact:
    return Fact(at, "hub.exercise", "", {"why": f"s {rest}"})


def known(one: Scenario, facts: list[Fact], now: float) -> Outcome:
    course = timed(one, facts)
    expect = one.at[0].expect
    assert expect is not None
    return outcome(expect, found(one, course)[0], course.began.get(0), now)


@pytest.mark.parametrize(
    ("expect", "facts", "now", "told"),
    [
        (ALARM, [], 200, OPEN),
        (ALARM, [], LATEST, MISSED),
        (ALARM, [step(100)], 104, OPEN),
        (ALARM, [step(100)], 106, MISSED),
        (ALARM, [step(100), RAISED], 111, OPEN),
        (ALARM, [step(100), RAISED], 113, MISSED),
        (ALARM, [step(100), RAISED, fact(113, "alarm.acked")], 114, MISSED),
        (ALARM, [step(100), RAISED, ACKED], 500, OPEN),
        (ALARM, [step(100), RAISED, ACKED], LATEST, MISSED),
        (ALARM, [step(100), RAISED, ACKED, closed(108, "test")], 109, MISSED),
        (ALARM, [step(100), RAISED, ACKED, closed(108, "nuisance")], 109, MET),
        (QUIET, [step(100)], 104, OPEN),
        (QUIET, [step(100)], 105, MET),
        (QUIET, [step(100), RAISED], 103, MISSED),
        ({"event": "capture", "within": "5s"}, [step(100)], 104, OPEN),
        ({"event": "capture", "within": "5s"}, [step(100), fact(102, "capture")], 102, MET),
    ],
)
def test_an_expectation_is_open_until_it_is_decided(
    expect: Mapping[str, object], facts: list[Fact], now: float, told: Outcome
) -> None:
    assert known(scenario(expect), facts, now) is told


def test_a_pause_costs_no_time_and_what_happens_in_it_happens_at_its_beginning() -> None:
    facts = [step(100), mark(101, "pauses"), fact(150, "alarm.raised"), mark(201, "resumes"), fact(204, "alarm.acked")]
    score = judge(scenario(ALARM), [*facts, closed(208, "nuisance")])
    assert (score.findings[0].passed, score.findings[0].raised_s, score.findings[0].acked_s) == (True, 1, 3)
    assert [(one.at, one.mark.word.value) for one in score.interventions] == [(1.0, "pauses"), (1.0, "resumes")]


@pytest.mark.parametrize("jump", ['injects {"do":"clock_jump","values":{"seconds":-3600.0}}'])
def test_a_jump_of_the_clock_by_the_instructor_costs_no_time_in_a_pause_or_out_of_it(jump: str) -> None:
    answers = [fact(-3496.0, "alarm.raised"), fact(-3495.0, "alarm.acked"), closed(-3494.0, "nuisance")]
    assert judge(scenario(ALARM), [step(100), mark(101, jump), *answers]).findings[0].raised_s == 4
    paused = [step(100), mark(101, "pauses"), mark(103, jump), mark(-3495, "resumes"), fact(-3494, "alarm.raised")]
    assert judge(scenario(ALARM), paused).findings[0].raised_s == 2


def test_what_comes_after_the_end_counts_no_more() -> None:
    facts = [step(100), RAISED, ACKED, step(110, 1)]
    assert judge(scenario(ALARM), [*facts, closed(114, "nuisance")]).passed
    assert judge(scenario(ALARM), [*facts, closed(116, "nuisance")]).findings[0].why == "never closed"


def test_the_points_so_far_are_those_of_what_is_met() -> None:
    one = scenario(ALARM)
    facts = [step(100), RAISED, ACKED]
    before = sheet(one, timed(one, facts), 107, over=False, complete=True)
    after = sheet(one, timed(one, [*facts, closed(108, "nuisance")]), 109, over=False, complete=True)
    assert [(seen.points, seen.most, seen.percent) for seen in (before, after)] == [(0, 40, 0.0), (40, 40, 100.0)]
    assert [line.happened for line in after.steps] == [True, False]
