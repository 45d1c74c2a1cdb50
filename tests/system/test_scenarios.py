"""Every shipped scenario passes in virtual time, the same for the same seed; a broken hub or trainee fails them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from devicehub.config.resources import shipped
from devicehub.exercise.load import load_scenario
from devicehub.exercise.schema import LANGUAGES, Expect, Scenario
from devicehub.exercise.trainee import Trainee
from devicehub.hub import Plan
from devicehub.model.alarm import Disposition
from devicehub.model.reading import Capability, Cause, Image, Level, Quality, Sample, Shutter
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step
from tests.system.house import gapless, journalled
from tests.system.rehearsal import rehearse

FILES = sorted(shipped("scenarios").glob("*.toml"))
TWICE = ("broker-loss", "frozen-sensor")


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
    if file.stem in TWICE:
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


def test_a_hub_whose_alarms_come_late_fails(state: Path) -> None:
    score = rehearse(scenario("green-border-night"), state / "s", delayed).score
    assert not score.passed
    assert score.findings[1].why == "not raised in time"


def test_a_trainee_who_closes_a_threat_as_a_test_fails(state: Path) -> None:
    score = rehearse(scenario("green-border-night"), state / "s", trainee=Careless).score
    assert not score.passed
    assert score.findings[1].why == "closed as test"


def test_a_trainee_who_does_nothing_fails(state: Path) -> None:
    score = rehearse(scenario("clock-jump"), state / "s", trainee=Asleep).score
    assert not score.passed
    assert score.findings[1].why == "never acknowledged"
