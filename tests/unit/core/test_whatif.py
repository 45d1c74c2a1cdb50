"""Rules on trial find what the core raises; two rule sets are held against each other alarm by alarm."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import inf, nan

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.core import Core, Setting
from devicehub.core.trial import RuleSet, Trial
from devicehub.core.whatif import Difference, Effect, Episode, compared, episodes
from devicehub.model.alarm import AlarmCategory, Condition, Distrust, Limit, Priority
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Change, Input, Quality
from tests.unit.core.bench import HIGH, HOT, at, driver, ids, level, picture, said

DEVICES = {"dev": driver()}
DIGEST = "sha256:" + "0" * 64
TURNS = {"alarm.raised", "alarm.returned"}

values = st.one_of(st.sampled_from([nan, inf, 9.0, 10.0, 11.0, 200.0]), st.floats(-20, 20, allow_nan=False))
rules = st.builds(
    Limit,
    name=st.just("rule"),
    device=st.just("dev"),
    channel=st.just("level"),
    condition=st.sampled_from([Condition.HIGH, Condition.LOW, Condition.RISE, Condition.STALE]),
    limit=st.floats(1, 9),
    hysteresis=st.sampled_from([0.0, 1.0]),
    category=st.sampled_from([AlarmCategory.THREAT, AlarmCategory.DEVICE]),
    on_delay_s=st.sampled_from([0.0, 2.0]),
    off_delay_s=st.sampled_from([0.0, 3.0]),
    window_s=st.sampled_from([1.5, 4.0]),
    count=st.just(2),
    of=st.just(3),
    distrust=st.sampled_from(list(Distrust)),
)
steps = st.lists(
    st.tuples(st.floats(0.01, 5), st.one_of(st.sampled_from(["lost", "tick"]), st.tuples(values, st.sampled_from(list(Quality))))),
    max_size=40,
)  # fmt: skip


def test_a_trial_of_no_rules_finds_nothing() -> None:
    trial = Trial(DEVICES, RuleSet())
    assert not list(trial.step([level(200.0, 1)]))


@settings(deadline=None)
@given(rules, steps)
def test_a_trial_finds_what_the_core_raises_and_when(limit: Limit, script: list[tuple[float, object]]) -> None:
    core = Core(Setting(devices=DEVICES, limits=[limit], rules_digest=DIGEST, ids=ids()))
    trial, now = Trial(DEVICES, RuleSet(limits=[limit], digest=DIGEST)), 0.0
    told: list[tuple[str, float]] = []
    found: list[tuple[str, float]] = []
    for pause, what in script:
        now += pause
        inputs: list[Input] = []
        if what == "lost":
            inputs = [Change("dev", at(now), DeviceState.LOST, "unplugged")]
        elif isinstance(what, tuple):
            inputs = [level(what[0], now, what[1])]
        messages = [*core.step(inputs).messages, *(core.tick(at(now)) if what == "tick" else ())]
        verdicts = [*trial.step(inputs), *(trial.tick(at(now)) if what == "tick" else ())]
        told += [(one.type, one.mono) for one in messages if one.kind is Kind.EVENT and one.type in TURNS]
        found += [("alarm.raised" if one.active else "alarm.returned", one.at.mono) for one in verdicts]
    assert found == told


def test_images_are_looked_at_as_in_the_core() -> None:
    trial = Trial(DEVICES, RuleSet(limits=[HOT], digest=DIGEST))
    (came,) = trial.step([said(picture(50, 70)), said(picture(50, 80), 2.0)])
    assert (came.point, came.at.mono, came.data.value, came.data.rules_digest) == ("hot", 1.0, 70.0, DIGEST)


def test_what_was_met_before_a_restart_is_met_still_and_does_not_come_again() -> None:
    trial = Trial(DEVICES, RuleSet(limits=[HIGH], digest=DIGEST))
    assert [one.active for one in trial.step([level(12.0, 1)])] == [True]
    trial.restart(at(5))
    assert trial.step([level(13.0, 6)]) == []
    assert [one.active for one in trial.over(at(7))] == [False]
    assert [one.active for one in trial.step([level(1.0, 8)])] == [False]
    assert trial.over(at(9)) == []


def data(priority: Priority = Priority.HIGH) -> AlarmData:
    (came,) = Trial(DEVICES, RuleSet(limits=[HIGH], digest=DIGEST)).step([level(12.0)])
    return msgspec.structs.replace(came.data, priority=priority)


PLAIN = data()
times = st.lists(st.integers(0, 60), unique=True, max_size=10).map(sorted)


@st.composite
def histories(draw: st.DrawFn) -> list[Episode]:
    """Alarms of two points; those of one do not overlap."""
    found = []
    for point in ("a", "b"):
        edges = draw(times)
        ends = [*edges, inf] if len(edges) % 2 else edges
        found += [Episode("dev", point, came, went, PLAIN) for came, went in list(pairwise(ends))[::2]]
    return found


def when(one: Episode) -> tuple[str, float, float]:
    return one.point, one.came, one.went


@settings(deadline=None)
@given(histories())
def test_the_same_rules_make_no_difference(past: list[Episode]) -> None:
    assert Counter(one.effect for one in compared(past, past)) == Counter({Effect.SAME: len(past)} if past else {})


@settings(deadline=None)
@given(histories(), histories())
def test_every_alarm_of_both_is_told_once_and_there_and_back_are_opposites(
    old: list[Episode], new: list[Episode]
) -> None:
    there, back = compared(old, new), compared(new, old)
    assert Counter(when(one.old) for one in there if one.old) == Counter(map(when, old))
    assert Counter(when(one.new) for one in there if one.new) == Counter(map(when, new))
    opposite = {
        Effect.GAINED: Effect.LOST,
        Effect.LOST: Effect.GAINED,
        Effect.EARLIER: Effect.LATER,
        Effect.LATER: Effect.EARLIER,
    }
    turned = Counter(opposite.get(one.effect, one.effect) for one in there)
    assert turned == Counter(one.effect for one in back)
    for one in there:
        if one.old and one.new:
            assert one.old.came <= one.new.went
            assert one.new.came <= one.old.went


def effects(old: list[Episode], new: list[Episode]) -> list[Effect]:
    return [one.effect for one in compared(old, new)]


def test_what_is_told_of_an_alarm() -> None:
    one = Episode("dev", "a", 10.0, 20.0, PLAIN)
    assert effects([], [one]) == [Effect.GAINED]
    assert effects([one], []) == [Effect.LOST]
    assert effects([one], [replace(one, came=12.0)]) == [Effect.LATER]
    assert effects([one], [replace(one, came=8.0)]) == [Effect.EARLIER]
    assert effects([one], [replace(one, came=10.0001)]) == [Effect.SAME]
    assert effects([one], [replace(one, data=data(Priority.LOW))]) == [Effect.REGRADED]
    assert effects([one], [replace(one, point="b")]) == [Effect.LOST, Effect.GAINED]
    assert effects([one], [replace(one, came=21.0, went=30.0)]) == [Effect.LOST, Effect.GAINED]


def test_an_alarm_that_stands_has_no_end() -> None:
    trial = Trial(DEVICES, RuleSet(limits=[HIGH], digest=DIGEST))
    found = episodes(trial.step([level(12.0, 1), level(1.0, 2), level(15.0, 3)]))
    assert [(one.came - at(0).utc, one.went - at(0).utc) for one in found] == [(1.0, 2.0), (3.0, inf)]
    assert isinstance(compared(found, [])[0], Difference)
