"""Each condition as tables: what raises it, what ends it, what does neither. One value at a time and many at once."""

from collections.abc import Sequence
from math import inf, isnan, nan

import pytest
from msgspec.structs import replace

from devicehub.alarm.engine import AlarmEngine
from devicehub.model.alarm import Condition, Distrust, Limit

NEVER, ALWAYS = 10**9, 1
HIGH = Limit("hot", "thermal-1", "image.max", Condition.HIGH, 40.0, hysteresis=2.0)
LOW = Limit("cold", "thermal-1", "image.min", Condition.LOW, -10.0, hysteresis=2.0)
RISE = Limit("rise", "gamma-1", "rate", Condition.RISE, 2.0, hysteresis=1.0, window_s=10.0)
FALL = Limit("fall", "gamma-1", "rate", Condition.FALL, 2.0, hysteresis=1.0, window_s=10.0)
APART = Limit("apart", "gamma-1", "a", Condition.DEVIATION, 3.0, hysteresis=1.0, window_s=5.0, reference="b")
STALE = Limit("still", "gamma-1", "a", Condition.STALE, 30.0, window_s=30.0)
STATE = Limit("jam", "belt-1", "mode", Condition.STATE, 0.0, states=("jammed",))

pytestmark = pytest.mark.parametrize("crossover", [NEVER, ALWAYS], ids=["one by one", "many at once"])
Timed = tuple[float, float]


def changing(limit: Limit, values: Sequence[float], crossover: int, good: Sequence[bool] = ()) -> str:
    """What a limit says after each value, `#` for a condition that is met."""
    engine, marks = AlarmEngine([limit], crossover), ""
    for place, value in enumerate(values):
        engine.step([0], [value], [good[place] if good else True], float(place))
        marks += "#" if engine.active()[0] else "."
    return marks


def timed(limit: Limit, values: Sequence[Timed], crossover: int) -> list[tuple[int, bool, float]]:
    """Edges of (time, value)."""
    at, value = zip(*values, strict=True)
    edges = AlarmEngine([limit], crossover).step([0] * len(at), value, [True] * len(at), at)
    return [(edge.reading, edge.active, edge.value) for edge in edges]


@pytest.mark.parametrize(
    ("limit", "values", "marks"),
    [
        (HIGH, [39.9, 40.0, 40.1, 39.0, 38.1, 38.0, 41.0], "..###.#"),
        (LOW, [-9.0, -10.0, -10.1, -9.0, -8.1, -8.0, -11.0], "..###.#"),
        (STATE, [0, 1, 1, 0, 1], ".##.#"),
    ],
)
def test_a_limit_comes_beyond_it_and_goes_only_when_back_by_the_hysteresis(
    limit: Limit, values: list[float], marks: str, crossover: int
) -> None:
    assert changing(limit, values, crossover) == marks


TRACE = [  # after OPC 10000-9, 5.8.20: the levels of a non-exclusive limit alarm are independent of each other
    (50.0, ""),
    (80.0, ""),  # on the limit is not beyond it
    (80.5, "H"),
    (90.5, "HH H"),
    (85.1, "HH H"),  # within the deadband of HH
    (85.0, "H"),
    (75.1, "H"),
    (75.0, ""),
    (95.0, "HH H"),
    (9.5, "L LL"),  # from one side to the other at once
    (14.9, "L LL"),
    (15.0, "L"),
    (24.9, "L"),
    (25.0, ""),
    (nan, ""),
    (5.0, "L LL"),
    (nan, "L LL"),
    (inf, "HH H L LL"),  # beyond the high limits, and no reason to end the low ones
    (50.0, ""),
]


def test_two_levels_of_each_side_with_a_deadband(crossover: int) -> None:
    sides = {
        "HH": (Condition.HIGH_HIGH, 90.0),
        "H": (Condition.HIGH, 80.0),
        "L": (Condition.LOW, 20.0),
        "LL": (Condition.LOW_LOW, 10.0),
    }
    engine = AlarmEngine([Limit(name, "d", "c", one, at, 5.0) for name, (one, at) in sides.items()], crossover)
    seen = []
    for place, (value, _) in enumerate(TRACE):
        engine.step(range(4), [value] * 4, [True] * 4, float(place))
        seen.append((value, " ".join(name for name, on in zip(sides, engine.active(), strict=True) if on)))
    assert str(seen) == str(TRACE)


@pytest.mark.parametrize(
    ("distrust", "marks"),
    [(Distrust.JUDGE, "..##.##."), (Distrust.RAISE, ".###.###"), (Distrust.IGNORE, "........")],
)
def test_a_bad_value_may_raise_and_never_ends_a_condition(distrust: Distrust, marks: str, crossover: int) -> None:
    limit = Limit("p", "d", "c", Condition.HIGH, 40.0, distrust=distrust)
    values = [20.0, 20.0, 50.0, 20.0, 20.0, 50.0, nan, 20.0]
    good = [True, False, False, False, True, False, True, distrust is not Distrust.RAISE]
    assert changing(limit, values, crossover, good) == marks


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([nan, 50, nan, nan], ".###"),  # neither raises nor ends
        ([inf, 20], "#."),
        ([50, -inf, 20], "##."),  # no number ends nothing, on whichever side it is
    ],
)
def test_what_is_no_number_ends_nothing(values: list[float], marks: str, crossover: int) -> None:
    assert changing(HIGH, values, crossover) == marks


@pytest.mark.parametrize(
    ("count", "of", "values", "marks"),
    [
        (1, 1, [50, 20, 50, 20], "#.#."),
        (3, 3, [50, 50, 20, 50, 50, 50, 20, 20, 50, 20, 20, 20], ".....######."),
        (2, 3, [50, 20, 50, 50, 20, 50, 20], "..####."),
        (2, 4, [50, 20, 20, 20, 50, 20, 20, 50, 20, 20], ".......##."),
        (2, 2, [50, nan, 50, 20, nan, nan, 20], "..####."),  # what is no number pushes nothing out
        (2, 2, [50, 39, 50, 50, 39, 20, 39, 20, 20], "...#####."),  # within the hysteresis speaks for neither
    ],
)
def test_count_of_the_last_values_decides(count: int, of: int, values: list[float], marks: str, crossover: int) -> None:
    limit = Limit("p", "d", "c", Condition.HIGH, 40.0, hysteresis=2.0, count=count, of=of)
    assert changing(limit, values, crossover) == marks


def test_a_rate_is_over_a_window_and_a_step_shows_as_its_height_by_the_window(crossover: int) -> None:
    ramp = [(float(t), 2.5 * t) for t in range(0, 21, 5)] + [(25.0, 55.0), (30.0, 57.0), (40.0, 57.0)]
    assert timed(RISE, ramp, crossover) == [(2, True, 2.5), (6, False, pytest.approx(0.7))]
    step = [(float(t), 0.0 if t < 33 else 25.0) for t in range(60)]
    assert [(at, on) for at, on, _ in timed(RISE, step, crossover)] == [(40, True), (50, False)]


def test_a_falling_rate_is_told_as_it_is(crossover: int) -> None:
    assert timed(FALL, [(0, 100.0), (10, 75.0), (20, 75.0)], crossover) == [(1, True, -2.5), (2, False, 0.0)]
    assert timed(FALL, [(0, 0.0), (10, 25.0)], crossover) == []


def test_a_value_that_is_bad_is_no_start_of_a_rate(crossover: int) -> None:
    engine = AlarmEngine([RISE], crossover)
    edges = engine.step([0] * 4, [0.0, 90.0, 90.0, 90.0], [True, False, False, True], [0.0, 9.0, 10.0, 11.0])
    assert [(edge.reading, edge.value) for edge in edges] == [(2, 9.0)]


def test_a_deviation_counts_only_from_a_reference_that_is_good_and_not_old(crossover: int) -> None:
    engine = AlarmEngine([APART], crossover)
    assert engine.inputs == [("gamma-1", "a"), ("gamma-1", "b")]
    steps = [
        (0, 9.0, True, 0.0),  # nobody knows the reference
        (1, 5.0, False, 0.0),
        (0, 9.0, True, 0.0),
        (1, 5.0, True, 1.0),
        (0, 8.0, True, 1.0),  # on the limit
        (0, 1.0, True, 2.0),  # raises, below as well as above
        (1, nan, True, 3.0),
        (0, 3.0, True, 6.5),  # the reference is too old to end it
        (1, 5.0, True, 7.0),
        (0, 3.0, True, 7.0),
    ]
    index, value, good, at = zip(*steps, strict=True)
    edges = engine.step(index, value, good, at)
    assert [(edge.reading, edge.active, edge.value) for edge in edges] == [(5, True, 4.0), (9, False, 2.0)]


@pytest.mark.parametrize(("limit", "value"), [(HIGH, -inf), (LOW, inf), (HIGH, nan), (STATE, -inf)])
def test_what_is_no_number_raises_on_whichever_side_it_is_where_that_is_wanted(
    limit: Limit, value: float, crossover: int
) -> None:
    assert changing(replace(limit, distrust=Distrust.RAISE), [0.0, value, 0.0], crossover) == ".#."


@pytest.mark.parametrize("limit", [RISE, FALL, APART])
def test_what_nobody_knows_yet_raises_nothing_though_a_value_that_is_bad_does(limit: Limit, crossover: int) -> None:
    engine = AlarmEngine([replace(limit, distrust=Distrust.RAISE)], crossover)
    assert engine.step([0], [5.0], [True], 0.0) == []
    assert [edge.active for edge in engine.step([0], [nan], [True], 1.0)] == [True]


def test_a_reference_may_be_of_another_device(crossover: int) -> None:
    limit = Limit("apart", "gamma-1", "a", Condition.DEVIATION, 3.0, window_s=5.0, reference="gamma-2/b")
    assert AlarmEngine([limit], crossover).inputs[1] == ("gamma-2", "b")


def test_time_alone_makes_a_limit_stale_as_of_its_own_instant(crossover: int) -> None:
    engine = AlarmEngine([STALE], crossover)
    assert engine.tick(100.0) == []  # it begins to count
    assert engine.tick(130.0) == []
    (edge,) = engine.tick(131.5)
    assert (edge.active, edge.reading, edge.late) == (True, -1, 1.5)
    assert isnan(edge.value)
    assert engine.tick(200.0) == []
    assert engine.step([0], [nan], [True], 201.0) == []
    assert engine.step([0], [1.0], [False], 202.0) == []
    assert [edge.active for edge in engine.step([0], [1.0], [True], 203.0)] == [False]


def test_a_value_that_comes_too_late_tells_of_the_gap_though_nobody_asked(crossover: int) -> None:
    edges = AlarmEngine([STALE], crossover).step([0, 0, 0], [1.0, 1.0, 1.0], [True] * 3, [0.0, 30.0, 61.0])
    assert [(edge.active, edge.reading, edge.late) for edge in edges] == [(True, 2, 1.0), (False, 2, 0.0)]


def test_a_restored_condition_is_not_raised_again_and_ends_as_any_other(crossover: int) -> None:
    for limit in (HIGH, STALE):
        engine = AlarmEngine([limit], crossover)
        engine.restore(0)
        assert engine.tick(1.0) == []
        edges = engine.step([0, 0], [50.0, 20.0], [True, True], 2.0)
        assert [edge.active for edge in edges] == [False]


@pytest.mark.parametrize(
    "limit",
    [
        Limit("p", "d", "c", Condition.DEVICE, 1.0),
        Limit("p", "d", "c", Condition.HIGH, 1.0, count=2, of=1),
        Limit("p", "d", "c", Condition.HIGH, 1.0, count=1, of=33),
        Limit("p", "d", "c", Condition.HIGH, 1.0, count=0),
        Limit("p", "d", "c", Condition.RISE, 1.0),
        Limit("p", "d", "c", Condition.STALE, 1.0, window_s=inf),
        Limit("p", "d", "c", Condition.DEVIATION, 1.0, window_s=1.0),
    ],
)
def test_a_rule_that_cannot_be_is_refused(limit: Limit, crossover: int) -> None:
    with pytest.raises(ValueError, match="alarm point d/p: "):
        AlarmEngine([limit], crossover)


def test_without_limits_there_are_no_edges(crossover: int) -> None:
    engine = AlarmEngine([], crossover)
    assert list(engine.step([], [], [], 1.0)) == list(engine.tick(2.0)) == []


def test_a_column_that_is_too_short_is_refused(crossover: int) -> None:
    with pytest.raises((ValueError, IndexError)):
        AlarmEngine([Limit("p", "d", "c", Condition.HIGH, 1.0)], crossover).step([0, 0], [0.0, 2.0], [True], 1.0)
