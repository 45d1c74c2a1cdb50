"""Every shipped scenario passes in virtual time, the same for the same seed; a broken hub or trainee fails them."""

from pathlib import Path

import pytest

from devicehub.config.resources import shipped
from devicehub.exercise.facts import fact
from devicehub.exercise.load import load_scenario
from devicehub.exercise.marks import TYPE, Mark, Word, mark
from devicehub.exercise.schema import LANGUAGES, Expect
from devicehub.exercise.trainee import Trainee
from devicehub.model.alarm import Disposition
from tests.system.house import gapless, journalled
from tests.system.rehearsal import Rehearsed, rehearse
from tests.system.sabotage import SABOTAGES, Sabotage, Slipping

FILES = sorted(shipped("scenarios").glob("*.toml"))
SHIPPED = {file.stem: load_scenario(file) for file in FILES}


def test_there_are_twelve_in_four_languages_named_as_their_files() -> None:
    assert len(FILES) >= 12
    for name, one in SHIPPED.items():
        head = one.scenario
        assert head.id == name
        assert set(head.title) == set(LANGUAGES)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_begins_by_telling_the_trainee_what_it_is_about(name: str) -> None:
    first, *rest = SHIPPED[name].at
    assert (first.do, first.t, first.path) == ("say", "00:01", "")
    assert set(first.text) == set(LANGUAGES)
    assert len(set(first.text.values())) == len(LANGUAGES)
    assert min(step.at for step in rest if step.do != "say") > first.at


@pytest.mark.parametrize("name", SHIPPED)
def test_nobody_passes_who_misses_an_alarm_point(name: str) -> None:
    one = SHIPPED[name]
    expects = [step.expect for step in one.at if step.expect is not None and not step.path]
    most = sum(expect.points for expect in expects)
    for alarm in {expect.alarm for expect in expects if expect.alarm}:
        left = sum(expect.points for expect in expects if expect.alarm != alarm)
        assert 100.0 * left / most < one.scenario.pass_mark, alarm


@pytest.mark.parametrize("name", SHIPPED)
def test_a_trainee_who_does_what_is_expected_gets_all_the_points(name: str, state: Path) -> None:
    """What the hub refuses to take costs nothing."""
    done = rehearse(SHIPPED[name], state / "once", trainee=Slipping)
    assert [(one.t, one.expected, one.why) for one in done.score.findings if not one.passed] == []
    assert (done.score.percent, done.score.passed) == (100.0, True)
    assert gapless(journalled(done.broker))
    assert all(out.topic.startswith("devicehub-sim/") for _, out in done.broker.log)
    captures = [out for _, out in done.broker.log if out.type.endswith(".capture")]
    kept = {found.parts[-3] for found in (state / "once").glob("evidence*/*/*")}
    assert kept == ({"evidence-exercise"} if captures else set())
    assert rehearse(SHIPPED[name], state / "twice", trainee=Slipping).digest == done.digest


def test_another_seed_is_another_exercise(state: Path) -> None:
    one = SHIPPED["frozen-sensor"]
    other = one.model_copy(update={"scenario": one.scenario.model_copy(update={"seed": 7})})
    assert rehearse(one, state / "one").digest != rehearse(other, state / "other").digest


class Careless(Trainee):
    """Closes everything as a test."""

    def _next(self, alarm: str) -> Expect | None:
        expect = super()._next(alarm)
        return expect and expect.model_copy(update={"disposition": (Disposition.TEST,)})


class Asleep(Trainee):
    """Does nothing."""

    def _next(self, alarm: str) -> Expect | None:
        del alarm
        return None


BROKEN = [
    pytest.param(name, sabotage, id=f"{name}-{broken}")
    for name, one in SHIPPED.items()
    for broken, sabotage in SABOTAGES.items()
    if sabotage.shows(one)
]


def test_each_way_to_be_broken_is_tried_on_every_scenario_where_it_can_show() -> None:
    """The others are left out for the reason that the sabotage names, and no others."""
    tried = {
        broken: {name for name, one in SHIPPED.items() if sabotage.shows(one)} for broken, sabotage in SABOTAGES.items()
    }
    every = set(SHIPPED)
    assert tried == {
        "late-alarms": every - {"quiet-shift"},
        "stale-shown-as-good": {"frozen-sensor", "silent-detector"},
        "never-stale": {"frozen-sensor", "garbage-device"},
        "any-code": every - {"quiet-shift", "frozen-sensor", "low-battery"},
        "threat-for-innocent": every - {"quiet-shift", "frozen-sensor", "low-battery", "clock-jump", "garbage-device"},
    }


@pytest.mark.parametrize(("name", "sabotage"), BROKEN)
def test_a_broken_hub_fails(name: str, sabotage: Sabotage, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sabotage.code(monkeypatch)
    score = rehearse(SHIPPED[name], state / "s", sabotage.plan, Slipping, sound=False).score
    missed = {one.why for one in score.findings if not one.passed}
    assert missed & sabotage.whys
    assert not score.passed


class Inventive(Trainee):
    """Closes everything as something that there is not."""

    async def _answer(self, expect: Expect) -> None:
        self._act("ack", expect.alarm)
        self._act("confirm", expect.alarm, disposition="harmless")


def test_a_disposition_that_there_is_not_closes_nothing(state: Path) -> None:
    score = rehearse(SHIPPED["green-border-night"], state / "s", trainee=Inventive).score
    assert not score.passed
    assert score.findings[1].why == "never closed"


def test_a_branch_goes_by_what_the_trainee_did(state: Path) -> None:
    patient = rehearse(SHIPPED["contaminated-swab"], state / "patient")
    hasty = rehearse(SHIPPED["contaminated-swab"], state / "hasty", trainee=Careless)
    taken = [[one.rest for one in marks(done) if one.word is Word.TAKES] for done in (patient, hasty)]
    assert taken == [["patient"], ["hasty"]]


def test_what_stands_on_a_path_that_was_not_taken_costs_no_points(state: Path) -> None:
    awake = rehearse(SHIPPED["nuisance-storm"], state / "awake").score
    asleep = rehearse(SHIPPED["nuisance-storm"], state / "asleep", trainee=Asleep).score
    assert [awake.most, asleep.most] == [110, 100]


def marks(done: Rehearsed) -> list[Mark]:
    """What the exercise said of itself."""
    facts = [fact(out.payload) for _, out in done.broker.log if out.payload and out.type.endswith(TYPE)]
    return [found for one in facts if (found := mark(one.word, one.data)) is not None]


def test_a_trainee_who_closes_a_threat_as_a_test_fails(state: Path) -> None:
    score = rehearse(SHIPPED["green-border-night"], state / "s", trainee=Careless).score
    assert not score.passed
    assert score.findings[1].why == "closed as test"


class Hurried(Trainee):
    """Answers every alarm as it should be, and goes on without a look at the device."""

    async def _expect(self, expect: Expect) -> None:
        if not expect.command:
            await super()._expect(expect)


def test_a_trainee_who_leaves_the_detector_as_it_is_fails(state: Path) -> None:
    score = rehearse(SHIPPED["contaminated-swab"], state / "s", trainee=Hurried).score
    assert not score.passed
    assert [one.why for one in score.findings if not one.passed] == ["trace-1/start-sample was not done"]


def test_a_trainee_who_does_nothing_fails(state: Path) -> None:
    score = rehearse(SHIPPED["clock-jump"], state / "s", trainee=Asleep).score
    assert not score.passed
    assert score.findings[1].why == "never acknowledged"
