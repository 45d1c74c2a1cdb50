"""Every shipped scenario passes in virtual time, the same for the same seed; a broken hub or trainee fails them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import msgspec
import pytest

from devicehub.config.resources import shipped
from devicehub.exercise.facts import fact
from devicehub.exercise.load import load_scenario
from devicehub.exercise.marks import TYPE, Mark, Word, mark
from devicehub.exercise.schema import LANGUAGES, Expect, Scenario
from devicehub.exercise.trainee import Trainee
from devicehub.hub import Plan
from devicehub.model.alarm import Disposition
from devicehub.model.message import Message, Place
from devicehub.model.reading import Capability, Cause, Image, Level, Quality, Sample, Shutter
from devicehub.publish.envelope import Encoder
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step
from tests.system.house import gapless, journalled
from tests.system.rehearsal import Rehearsed, rehearse

FILES = sorted(shipped("scenarios").glob("*.toml"))
LIMITS = ("clock-jump", "garbage-device", "green-border-night", "low-battery", "nuisance-storm", "two-alarms")
CLOSED = ("broker-loss", "contaminated-swab", "green-border-night", "parcel-firearm-components")


def scenario(name: str) -> Scenario:
    return load_scenario(shipped("scenarios") / f"{name}.toml")


def test_there_are_twelve_in_four_languages_named_as_their_files() -> None:
    assert len(FILES) >= 12
    for file in FILES:
        head = load_scenario(file).scenario
        assert head.id == file.stem
        assert set(head.title) == set(LANGUAGES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_trainee_who_does_what_is_expected_gets_all_the_points(file: Path, state: Path) -> None:
    done = rehearse(load_scenario(file), state / "once")
    assert [(one.t, one.expected, one.why) for one in done.score.findings if not one.passed] == []
    assert (done.score.percent, done.score.passed) == (100.0, True)
    assert gapless(journalled(done.broker))
    assert all(out.topic.startswith("devicehub-sim/") for _, out in done.broker.log)
    assert rehearse(load_scenario(file), state / "twice").digest == done.digest


def test_another_seed_is_another_exercise(state: Path) -> None:
    one = scenario("frozen-sensor")
    other = one.model_copy(update={"scenario": one.scenario.model_copy(update={"seed": 7})})
    assert rehearse(one, state / "one").digest != rehearse(other, state / "other").digest


@dataclass
class _AllIsWell:
    """A device whose driver calls everything good."""

    inner: DeviceProtocol

    def start(self, now: float) -> Step:
        return self._told(self.inner.start(now))

    def on_packet(self, now: float, packet: Packet) -> Step:
        return self._told(self.inner.on_packet(now, packet))

    def on_timer(self, now: float) -> Step:
        return self._told(self.inner.on_timer(now))

    def _told(self, step: Step) -> Step:
        return msgspec.structs.replace(step, samples=tuple(map(_good, step.samples)))


def _good(sample: Sample) -> Sample:
    if isinstance(sample, Image):
        return msgspec.structs.replace(sample, quality=Quality.GOOD, cause=Cause.NONE, shutter=Shutter.OPEN)
    if isinstance(sample, Capability):
        return Capability(sample.name, Level.FULL)
    return sample


def stale_shown_as_good(plan: Plan) -> Plan:
    """Every driver says that what it has is good."""

    def lying(make: Callable[[], DeviceProtocol]) -> Callable[[], DeviceProtocol]:
        return lambda: _AllIsWell(make())

    posts = [replace(post, make_protocol=lying(post.make_protocol)) for post in plan.posts]
    return replace(plan, posts=posts)


def delayed(plan: Plan) -> Plan:
    """Alarms of limits come twenty seconds late."""
    limits = [msgspec.structs.replace(limit, on_delay_s=20.0) for limit in plan.setting.limits]
    return replace(plan, setting=replace(plan.setting, limits=limits))


@dataclass
class _Forgetful:
    """An encoder that writes down every disposition as another one."""

    inner: Encoder

    def encode(self, message: Message, place: Place | None = None) -> bytes:
        written = self.inner.encode(message, place)
        return re.sub(rb'"code":"[a-z.-]+"', b'"code":"unresolved"', written)


def another_disposition(plan: Plan) -> Plan:
    """What was given as the disposition is not what is on record."""
    return replace(plan, encoder=cast(Encoder, _Forgetful(plan.encoder)))


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


def test_a_hub_that_shows_a_frozen_picture_as_good_fails(state: Path) -> None:
    score = rehearse(scenario("frozen-sensor"), state / "s", stale_shown_as_good).score
    assert not score.passed
    assert [one.why for one in score.findings] == ["the lane said no-alarm", "not raised in time"]


@pytest.mark.parametrize("name", LIMITS)
def test_a_hub_whose_alarms_come_late_fails(name: str, state: Path) -> None:
    score = rehearse(scenario(name), state / "s", delayed).score
    late = [one for one in score.findings if one.expected.startswith(("alarm thermal-1", "alarm gamma-1"))]
    assert late
    assert {one.why for one in late} == {"not raised in time"}
    assert score.percent < 100.0


@pytest.mark.parametrize("name", CLOSED)
def test_a_hub_that_writes_down_another_disposition_fails(name: str, state: Path) -> None:
    score = rehearse(scenario(name), state / "s", another_disposition).score
    assert not score.passed
    assert "closed as unresolved" in {one.why for one in score.findings}


class Inventive(Trainee):
    """Closes everything as something that there is not."""

    async def _answer(self, expect: Expect) -> None:
        self._act("ack", expect.alarm)
        self._act("confirm", expect.alarm, disposition="harmless")


def test_a_disposition_that_there_is_not_closes_nothing(state: Path) -> None:
    score = rehearse(scenario("green-border-night"), state / "s", trainee=Inventive).score
    assert not score.passed
    assert score.findings[1].why == "never closed"


def test_a_branch_goes_by_what_the_trainee_did(state: Path) -> None:
    patient = rehearse(scenario("contaminated-swab"), state / "patient")
    hasty = rehearse(scenario("contaminated-swab"), state / "hasty", trainee=Careless)
    taken = [[one.rest for one in marks(done) if one.word is Word.TAKES] for done in (patient, hasty)]
    assert taken == [["patient"], ["hasty"]]


def test_what_stands_on_a_path_that_was_not_taken_costs_no_points(state: Path) -> None:
    awake = rehearse(scenario("nuisance-storm"), state / "awake").score
    asleep = rehearse(scenario("nuisance-storm"), state / "asleep", trainee=Asleep).score
    assert [awake.most, asleep.most] == [110, 100]


def marks(done: Rehearsed) -> list[Mark]:
    """What the exercise said of itself."""
    facts = [fact(out.payload) for _, out in done.broker.log if out.payload and out.type.endswith(TYPE)]
    return [found for one in facts if (found := mark(one.word, one.data)) is not None]


def test_a_trainee_who_closes_a_threat_as_a_test_fails(state: Path) -> None:
    score = rehearse(scenario("green-border-night"), state / "s", trainee=Careless).score
    assert not score.passed
    assert score.findings[1].why == "closed as test"


def test_a_trainee_who_does_nothing_fails(state: Path) -> None:
    score = rehearse(scenario("clock-jump"), state / "s", trainee=Asleep).score
    assert not score.passed
    assert score.findings[1].why == "never acknowledged"
