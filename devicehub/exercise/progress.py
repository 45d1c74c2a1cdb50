"""An exercise under way, as trainee and instructor are shown it: what was done and comes, what is met so far. Pure."""

from enum import StrEnum
from math import inf
from typing import Final

from msgspec import Struct

from devicehub.exercise.judge import Finding, found, scored
from devicehub.exercise.marks import Injected
from devicehub.exercise.schema import Expect, Scenario, Step, Words, seconds
from devicehub.exercise.timed import Timed

LATEST: Final = inf


class Outcome(StrEnum):
    """Of an expectation: it can still come out either way, or not any more."""

    OPEN = "open"
    MET = "met"
    MISSED = "missed"


class State(StrEnum):
    """Of an exercise."""

    RUNNING = "running"
    PAUSED = "paused"
    OVER = "over"


class Said(Struct, frozen=True):
    """What the trainee was told, seconds after the beginning, in each language."""

    at: float
    text: Words


class Demand(Struct, frozen=True):
    """What is expected of a step, times in seconds, and what came of it so far."""

    outcome: Outcome
    finding: Finding
    within: float
    ack_within: float | None
    alarm: str
    lane: tuple[str, ...]
    event: str
    command: str
    quiet: bool
    disposition: tuple[str, ...]


class Line(Struct, frozen=True):
    """A step on the timeline, `at` seconds after the beginning. `happened`: it was done."""

    number: int
    at: float
    act: Injected
    happened: bool
    text: Words
    path: str
    demand: Demand | None = None


class Sheet(Struct, frozen=True):
    """What the instructor sees of the course. `points`: of what is met already; `most`: of all that there are.

    `paths`: those that were taken so far.
    """

    steps: tuple[Line, ...]
    paths: tuple[str, ...]
    points: int
    most: int
    percent: float
    pass_mark: int
    complete: bool


def sheet(scenario: Scenario, course: Timed, utc: float, *, over: bool, complete: bool) -> Sheet:
    """How it stands at a second of the wall clock. `complete`: no event was missed."""
    now = LATEST if over else course.at(utc)
    findings = {one.step: one for one in found(scenario, course)}
    steps = tuple(_line(number, step, findings.get(number), course, now) for number, step in enumerate(scenario.at))
    met = tuple(one.demand.finding for one in steps if one.demand is not None and one.demand.outcome is Outcome.MET)
    points, most = sum(one.points for one in met), scored(scenario, tuple(findings.values())).most
    percent = round(100.0 * points / most, 1) if most else 100.0
    return Sheet(steps, tuple(sorted(course.paths)), points, most, percent, scenario.scenario.pass_mark, complete)


def _line(number: int, step: Step, finding: Finding | None, course: Timed, now: float) -> Line:
    act = Injected(step.do, step.device, step.values, None if step.lasts is None else seconds(step.lasts))
    demand = None if finding is None or step.expect is None else _demand(step.expect, finding, course, now)
    return Line(number, step.at, act, number in course.began, step.text, step.path, demand)


def _demand(expect: Expect, finding: Finding, course: Timed, now: float) -> Demand:
    return Demand(
        outcome(expect, finding, course.began.get(finding.step), now),
        finding,
        seconds(expect.within),
        None if expect.ack_within is None else seconds(expect.ack_within),
        expect.alarm,
        tuple(one.value for one in expect.lane),
        expect.event,
        expect.command,
        expect.quiet,
        tuple(one.value for one in expect.disposition),
    )


def outcome(expect: Expect, finding: Finding, began: float | None, now: float) -> Outcome:
    """What is known of an expectation `now`, by the time of the exercise; `LATEST` once it is over."""
    if began is None:
        return Outcome.MISSED if now == LATEST else Outcome.OPEN
    until = began + seconds(expect.within)
    if finding.passed:
        return Outcome.OPEN if expect.quiet and now < until else Outcome.MET
    if expect.quiet:
        return Outcome.MISSED
    return Outcome.OPEN if now < LATEST and now <= _last(expect, finding, until) else Outcome.MISSED


def _last(expect: Expect, finding: Finding, until: float) -> float:
    """When it is decided that an expectation is missed that is not met yet."""
    if finding.raised_s is None:
        return until
    raised = until - seconds(expect.within) + finding.raised_s
    if expect.ack_within is not None:
        limit = seconds(expect.ack_within)
        if finding.acked_s is None:
            return raised + limit
        if finding.acked_s > limit:
            return raised
    return raised if finding.disposition else LATEST
