"""What a scenario expects held against what was published: raised, acknowledged, closed, in time and as what. Pure.

It knows the events in their order and nothing of how they came: the same for a trainee, for CI and for a journal.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from msgspec import Struct
from msgspec.structs import replace

from devicehub.exercise.marks import Word, mark
from devicehub.exercise.schema import Expect, Scenario, seconds
from devicehub.exercise.timed import Fact, Intervention, Timed, timed
from devicehub.model.command import CommandState

RAISED: Final = "alarm.raised"
ACKED: Final = "alarm.acked"
CONFIRMED: Final = "alarm.confirmed"
LANE: Final = "lane.changed"
COMMAND: Final = "command"


class Finding(Struct, frozen=True):
    """How one expectation came out. Times in seconds: from the step to the alarm, from there to the acts."""

    step: int
    t: str
    expected: str
    passed: bool
    points: int
    most: int
    why: str = ""
    raised_s: float | None = None
    acked_s: float | None = None
    closed_s: float | None = None
    disposition: str = ""


class Score(Struct, frozen=True):
    """All of them. `percent` of the points; `passed`: at least the scenario's pass mark.

    `interventions`: what the instructor did, which may have changed what was to be expected.
    """

    scenario: str
    findings: tuple[Finding, ...]
    points: int
    most: int
    percent: float
    passed: bool
    interventions: tuple[Intervention, ...] = ()


def judge(scenario: Scenario, facts: Iterable[Fact]) -> Score:
    """The score. A step that never happened is failed."""
    course = timed(scenario, facts)
    return replace(scored(scenario, found(scenario, course)), interventions=tuple(course.interventions))


def found(scenario: Scenario, course: Timed) -> tuple[Finding, ...]:
    """How each expectation came out, in the order of the steps; of paths, those that were taken."""
    return tuple(
        _finding(number, expect, course.began.get(number), course.events, scenario)
        for number, step in enumerate(scenario.at)
        if (expect := step.expect) is not None and step.path in {"", *course.paths}
    )


def scored(scenario: Scenario, findings: tuple[Finding, ...]) -> Score:
    """What they are worth together."""
    points, most = sum(one.points for one in findings), sum(one.most for one in findings)
    percent = 100.0 * points / most if most else 100.0
    head = scenario.scenario
    return Score(head.id, findings, points, most, round(percent, 1), percent >= head.pass_mark)


def played(facts: Iterable[Fact]) -> list[str]:
    """The ids of the scenarios that were begun, in order."""
    marks = (mark(fact.word, fact.data) for fact in facts)
    return [one.scenario for one in marks if one is not None and one.word is Word.BEGINS]


def _finding(number: int, expect: Expect, at: float | None, events: Sequence[Fact], scenario: Scenario) -> Finding:
    t, words = scenario.at[number].t, expected(expect)
    if at is None:
        return Finding(number, t, words, passed=False, points=0, most=expect.points, why="the step never happened")
    until = at + seconds(expect.within)
    if expect.alarm:
        blank = Finding(number, t, words, passed=False, points=0, most=expect.points)
        return _alarm(blank, expect, (at, until), events)
    why = _missed(expect, (at, until), events)
    return Finding(number, t, words, not why, 0 if why else expect.points, expect.points, why)


def _missed(expect: Expect, span: tuple[float, float], events: Sequence[Fact]) -> str:
    """Why an expectation of anything but an alarm is not met; empty if it is."""
    inside = [fact for fact in events if span[0] <= fact.at <= span[1]]
    if expect.quiet:
        return next((f"{fact.subject} was raised" for fact in inside if fact.word == RAISED), "")
    if expect.command:
        done = (fact for fact in inside if fact.word == COMMAND and fact.data.get("state") == CommandState.DONE)
        return "" if any(fact.subject == expect.command for fact in done) else f"{expect.command} was not done"
    if expect.event:
        return "" if any(fact.word == expect.event for fact in inside) else f"no {expect.event}"
    before = [fact for fact in events if fact.word == LANE and fact.at < span[0]][-1:]
    said = [str(fact.data.get("state")) for fact in [*before, *(one for one in inside if one.word == LANE)]]
    return "" if set(said) & set(expect.lane) else f"the lane said {', '.join(said) or 'nothing'}"


def _alarm(blank: Finding, expect: Expect, span: tuple[float, float], events: Sequence[Fact]) -> Finding:
    mine = [fact for fact in events if fact.subject == expect.alarm and fact.at >= span[0]]
    raised = next((fact.at for fact in mine if fact.word == RAISED and fact.at <= span[1]), None)
    if raised is None:
        return replace(blank, why="not raised in time")
    acked = next((fact.at - raised for fact in mine if fact.word == ACKED and fact.at >= raised), None)
    closing = next((fact for fact in mine if fact.word == CONFIRMED and fact.at >= raised), None)
    code = "" if closing is None else _code(closing)
    why = _unanswered(expect, acked, code)
    closed = None if closing is None else round(closing.at - raised, 3)
    return replace(
        blank,
        passed=not why,
        points=0 if why else blank.most,
        why=why,
        raised_s=round(raised - span[0], 3),
        acked_s=None if acked is None else round(acked, 3),
        closed_s=closed,
        disposition=code,
    )


def _unanswered(expect: Expect, acked: float | None, code: str) -> str:
    if expect.ack_within is not None:
        if acked is None:
            return "never acknowledged"
        if acked > seconds(expect.ack_within):
            return f"acknowledged after {acked:.1f} s, not within {expect.ack_within}"
    if expect.disposition and code not in expect.disposition:
        return f"closed as {code}" if code else "never closed"
    return ""


def _code(fact: Fact) -> str:
    found = fact.data.get("disposition")
    return str(cast(Mapping[str, object], found).get("code", "")) if isinstance(found, dict) else ""


def expected(expect: Expect) -> str:
    """An expectation in a line."""
    if expect.alarm:
        told = f"alarm {expect.alarm} within {expect.within}"
        told += f", acknowledged within {expect.ack_within}" if expect.ack_within else ""
        return told + (f", closed as {' or '.join(expect.disposition)}" if expect.disposition else "")
    if expect.quiet:
        return f"no alarm for {expect.within}"
    what = f"event {expect.event}" if expect.event else f"command {expect.command}"
    what = f"lane {' or '.join(expect.lane)}" if expect.lane else what
    return f"{what} within {expect.within}"
