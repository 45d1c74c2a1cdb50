"""The engine judges value by value or many at once, in batches of any size, as a slow reference does.

A shorter run of the same: DEVICEHUB_ALARM_STEPS=20000 pytest tests/unit/alarm/test_engine_agrees.py
"""

import os
from collections.abc import Sequence
from math import inf, isnan, nan
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.alarm.engine import AlarmEngine
from devicehub.model.alarm import Condition, Distrust, Limit, Transition
from tests.unit.alarm.reference_engine import ReferenceLimit

STEPS = int(os.environ.get("DEVICEHUB_ALARM_STEPS", "1000000"))
LEVELS = (Condition.HIGH_HIGH, Condition.HIGH, Condition.LOW, Condition.LOW_LOW)
ALL = (*LEVELS, Condition.RISE, Condition.FALL, Condition.DEVIATION, Condition.STATE, Condition.STALE)
ALONE = tuple(one for one in ALL if one is not Condition.DEVIATION)
NEVER, ALWAYS, CROSSOVER = 10**9, 1, 40
SPECIAL = (nan, inf, -inf, 1e308, -1e308, 10.0, 8.0, -10.0, -8.0, 0.0, 1.0)

Value = tuple[int, float, bool, float]
Told = tuple[int, bool, float | None, float]


def told(edge: Transition, place: int) -> Told:
    """An edge that can be compared: what is no number is equal to what is none."""
    return edge.limit, edge.active, None if isnan(edge.value) else edge.value, edge.late + 1e9 * place


class Reference:
    """All limits, one value after the other."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = [ReferenceLimit(limit) for limit in limits]
        self.feeds = [(number, limit, False) for number, limit in enumerate(self.limits)]
        self.feeds += [(*feed[:2], True) for feed in self.feeds if feed[1].limit.condition is Condition.DEVIATION]

    def step(self, values: Sequence[Value]) -> list[Told]:
        out: list[Told] = []
        for place, (feed, value, good, at) in enumerate(values):
            number, limit, reference = self.feeds[feed]
            if reference:
                limit.refer(value, at, good=good)
                continue
            edges = limit.feed(value, at, good=good)
            out += [told(Transition(number, active, held, place, late), place) for active, held, late in edges]
        return out

    def tick(self, at: float) -> list[Told]:
        edges = [(n, edge) for n, limit in enumerate(self.limits) for edge in limit.lapse(at)]
        edges.sort(key=lambda edge: -edge[1][2])
        return [told(Transition(n, active, held, -1, late), -1) for n, (active, held, late) in edges]


def batch(engine: AlarmEngine, values: Sequence[Value], *, arrays: bool, swept: bool = False) -> list[Told]:
    """A batch as lists, as the core gives it, or as arrays. `swept`: one value of each limit."""
    index, value, good, at = (list(column) for column in zip(*values, strict=True)) if values else ([], [], [], [])
    if arrays:
        places = range(len(index)) if swept else np.array(index, dtype=np.intp)
        edges = engine.step(places, np.array(value), np.array(good, bool), np.array(at))
    else:
        edges = engine.step(index, value, good, at)
    return [told(edge, edge.reading) for edge in edges]


counting = st.sampled_from([(1, 1), (1, 1), (2, 2), (2, 3), (3, 5), (1, 4), (9, 12), (32, 32)])


@st.composite
def one_limit(draw: st.DrawFn) -> Limit:
    condition = draw(st.sampled_from(ALL))
    count, of = draw(counting)
    return Limit(
        "p",
        "d",
        "c",
        condition,
        draw(st.sampled_from([10.0, 0.5, -10.0, 0.1])),
        hysteresis=draw(st.sampled_from([0.0, 2.0, 0.1])),
        count=count,
        of=of,
        window_s=draw(st.sampled_from([0.5, 1.0, 3.0])),
        reference="r",
        states=("a",),
        distrust=draw(st.sampled_from(list(Distrust))),
    )


numbers = st.one_of(st.sampled_from(SPECIAL), st.floats(-20, 20))
limit_lists = st.lists(one_limit(), min_size=1, max_size=6)
pauses = st.sampled_from([0.0, 0.0, 0.1, 0.25, 1.0, 3.0, 1e5])


@settings(deadline=None)
@given(limit_lists, st.data())
def test_value_by_value_and_many_at_once_are_what_the_reference_says(limits: list[Limit], data: st.DataObject) -> None:
    reference, at = Reference(limits), 0.0
    engines = [AlarmEngine(limits, NEVER), AlarmEngine(limits, ALWAYS), AlarmEngine(limits, 4)]
    feed = st.integers(0, len(reference.feeds) - 1)
    for size in data.draw(st.lists(st.integers(0, 12), max_size=8)):
        values = []
        for _ in range(size):
            at += data.draw(pauses)
            values.append((data.draw(feed), data.draw(numbers), data.draw(st.booleans()), at))
        expected = reference.step(values)
        assert [batch(engine, values, arrays=data.draw(st.booleans())) for engine in engines] == [expected] * 3
        if data.draw(st.booleans()):
            at += data.draw(pauses)
            expected = reference.tick(at)
            assert [[told(edge, -1) for edge in engine.tick(at)] for engine in engines] == [expected] * 3
        assert {tuple(engine.active()) for engine in engines} == {tuple(limit.active for limit in reference.limits)}


class Walk:
    """Random values of any feed: each feed wanders, some values are special, some are not good, time never falls."""

    def __init__(self, feeds: int) -> None:
        self.chance = np.random.default_rng(4)
        self.level = [0.0] * feeds
        self.at = 0.0

    def values(self, size: int) -> list[Value]:
        feeds = self.chance.integers(0, len(self.level), size).tolist()
        moves = self.chance.normal(0.0, 5.0, size).tolist()
        special = self.chance.choice([*range(len(SPECIAL)), -1], size, p=[0.05 / len(SPECIAL)] * len(SPECIAL) + [0.95])
        good = (self.chance.random(size) > 0.1).tolist()
        times = self.at + np.cumsum(self.chance.choice([0.0, 0.001, 0.01], size))
        self.at = float(times[-1])
        out: list[Value] = []
        for feed, move, which, fine, at in zip(feeds, moves, special.tolist(), good, times.tolist(), strict=True):
            self.level[feed] = 0.9 * self.level[feed] + move
            out.append((feed, self.level[feed] if which < 0 else SPECIAL[which], fine, at))
        return out

    def sweep(self, limits: int) -> list[Value]:
        """One value of each limit in order, in one instant."""
        moves = self.chance.normal(0.0, 5.0, limits).tolist()
        return [(feed, self.level[feed] + move, True, self.at) for feed, move in enumerate(moves)]


@pytest.mark.parametrize("kinds", [LEVELS, ALL, ALONE], ids=["levels", "all", "without a reference"])
def test_over_a_long_run_batches_of_any_size_are_what_the_reference_says(kinds: tuple[Condition, ...]) -> None:
    """One engine for numpy from 40 values on, and one that is plain Python: the same batches through both."""
    chance = Random(4)
    limits = [random_limit(chance, kinds) for _ in range(200)]
    reference, mixed, plain = Reference(limits), AlarmEngine(limits, CROSSOVER), AlarmEngine(limits, NEVER)
    walk = Walk(len(reference.feeds))
    steps = large = seen = 0
    while steps < STEPS // 3:
        for limit in chance.sample(range(len(limits)), chance.choice([0, 0, 1, 3])):
            restored(limit, reference, mixed, plain)
        swept = chance.random() < 0.2
        values = (
            walk.sweep(len(limits)) if swept else walk.values(chance.choice([1, 5, CROSSOVER - 1, CROSSOVER, 1000]))
        )
        expected = reference.step(values)
        assert batch(mixed, values, arrays=chance.random() < 0.5, swept=swept) == expected
        assert batch(plain, values, arrays=False) == expected
        walk.at += chance.choice([0.0, 0.2, 2.0])
        late = reference.tick(walk.at)
        assert [[told(edge, -1) for edge in engine.tick(walk.at)] for engine in (mixed, plain)] == [late, late]
        steps += len(values)
        large += len(values) * (len(values) >= CROSSOVER)
        seen += len(expected)
    assert seen > steps // 100
    print(f"\n{steps} random steps, {large} of them in batches for numpy too: {seen} edges, all the same")


def restored(limit: int, reference: Reference, *engines: AlarmEngine) -> None:
    """A condition that was met before is met still, and no vote counts any more."""
    reference.limits[limit].active, reference.limits[limit].votes = True, []
    for engine in engines:
        engine.restore(limit)


def of_all(engine: AlarmEngine, value: float, at: float) -> None:
    """One value for every limit at once, which numpy judges."""
    size = len(engine.limits)
    engine.step(range(size), np.full(size, value), np.ones(size, dtype=np.bool_), at)


def test_a_condition_restored_after_numpy_judged_it_is_met_for_plain_python_too() -> None:
    engine = AlarmEngine([Limit("p", "d", "c", Condition.HIGH, 10.0)] * 200)
    of_all(engine, 60.0, 1.0)
    of_all(engine, 0.0, 2.0)
    engine.restore(7)
    assert [(edge.limit, edge.active) for edge in engine.step([6, 7], [0.0, 0.0], [True, True], 3.0)] == [(7, False)]


def test_what_time_made_stale_after_numpy_judged_for_long_is_stale_for_plain_python_too() -> None:
    highs = [Limit("p", "d", "c", Condition.HIGH, 10.0)] * 200
    engine = AlarmEngine([Limit("p", "d", "c", Condition.STALE, nan, window_s=5.0), *highs])
    for second in range(200):
        of_all(engine, 60.0 * (second % 2), float(second))
    assert [(edge.limit, edge.active) for edge in engine.tick(210.0)] == [(0, True)]
    assert [(edge.limit, edge.active) for edge in engine.step([0], [1.0], [True], 211.0)] == [(0, False)]


@pytest.mark.parametrize("share", [0.001, 0.5])
@pytest.mark.parametrize(
    "kinds", [LEVELS, LEVELS[:2], LEVELS[2:], ALL, ALONE], ids=["levels", "highs", "lows", "all", "without a reference"]
)
def test_a_value_of_every_limit_as_a_range_is_what_one_by_one_is(kinds: tuple[Condition, ...], share: float) -> None:
    chance = np.random.default_rng(5)
    limits = [random_limit(Random(n), kinds) for n in range(500)]
    dense, single, edges = AlarmEngine(limits), AlarmEngine(limits, NEVER), 0
    every = range(50, len(dense.inputs))
    for at in range(60):
        value = np.where(chance.random(len(every)) < share, chance.normal(0, 15, len(every)), 0.0)
        value[chance.random(len(every)) < share / 10] = nan
        good = chance.random(len(every)) > 0.1
        found = [told(edge, edge.reading) for edge in dense.step(every, value, good, float(at))]
        slow = single.step(every, value.tolist(), good.tolist(), float(at))
        assert found == [told(edge, edge.reading) for edge in slow]
        edges += len(found)
    assert edges > 10
    assert list(dense.active()) == list(single.active())


def random_limit(chance: Random, kinds: Sequence[Condition]) -> Limit:
    count, of = chance.choice([(1, 1), (2, 3), (3, 3), (4, 7), (3, 12)])
    condition = chance.choice(kinds)
    low = condition in {Condition.LOW, Condition.LOW_LOW}
    return Limit(
        "p",
        "d",
        "c",
        condition,
        chance.choice([-10.0, -4.0] if low else [4.0, 10.0]),
        hysteresis=chance.choice([0.0, 2.0]),
        count=count,
        of=of,
        window_s=chance.choice([0.5, 2.0]),
        reference="r",
        distrust=chance.choice(list(Distrust)),
    )
