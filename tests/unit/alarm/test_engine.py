"""Limits with hysteresis: what raises, what clears, and that numpy and plain Python agree."""

from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from devicehub.alarm.engine import CROSSOVER, AlarmEngine
from devicehub.model.alarm import Condition, Limit

HIGH = Limit("hot", "thermal-1", "image.max", Condition.HIGH, 40.0, hysteresis=2.0)
LOW = Limit("cold", "thermal-1", "image.min", Condition.LOW, -10.0, hysteresis=2.0)

Step = tuple[int, float, bool]


def edges(engine: AlarmEngine, steps: list[Step]) -> list[tuple[int, bool]]:
    index, value, good = zip(*steps, strict=True) if steps else ((), (), ())
    return [(edge.reading, edge.active) for edge in engine.step(index, value, good)]


def test_a_high_limit_raises_above_it_and_clears_only_below_the_hysteresis() -> None:
    values = [39.9, 40.0, 40.1, 39.0, 38.1, 38.0, 41.0]
    assert edges(AlarmEngine([HIGH]), [(0, value, True) for value in values]) == [(2, True), (5, False), (6, True)]


def test_a_low_limit_is_its_mirror_image() -> None:
    values = [-10.0, -10.1, -9.0, -8.0]
    assert edges(AlarmEngine([LOW]), [(0, value, True) for value in values]) == [(1, True), (3, False)]


def test_a_bad_value_raises_and_never_clears() -> None:
    steps = [(0, 50.0, False), (0, 20.0, False), (0, 20.0, True)]
    assert edges(AlarmEngine([HIGH]), steps) == [(0, True), (2, False)]


def test_no_number_neither_raises_nor_clears() -> None:
    steps = [(0, nan, True), (0, 50.0, True), (0, nan, True), (0, nan, False), (0, inf, True)]
    assert edges(AlarmEngine([HIGH]), steps) == [(1, True)]


def test_a_restored_alarm_is_not_raised_again() -> None:
    engine = AlarmEngine([HIGH])
    engine.restore(0)
    assert edges(engine, [(0, 50.0, True), (0, 20.0, True)]) == [(1, False)]


numbers = st.one_of(st.floats(-20, 60), st.sampled_from([nan, inf, -inf, 40.0, 38.0, -10.0, -8.0]))
limits = st.lists(
    st.builds(
        Limit,
        st.just("p"),
        st.just("d"),
        st.just("c"),
        st.sampled_from([Condition.HIGH, Condition.LOW]),
        st.floats(-20, 60),
        st.floats(0, 5),
    ),
    min_size=1,
    max_size=5,
)


@given(limits, st.data())
def test_numpy_and_plain_python_give_the_same_edges(points: list[Limit], data: st.DataObject) -> None:
    step = st.tuples(st.integers(0, len(points) - 1), numbers, st.booleans())
    steps = data.draw(st.lists(step, min_size=CROSSOVER, max_size=4 * CROSSOVER))
    together, single = AlarmEngine(points), AlarmEngine(points)
    one_by_one = [(at, active) for at, step in enumerate(steps) for _, active in edges(single, [step])]
    assert edges(together, steps) == one_by_one
    assert list(together.active()) == list(single.active())
