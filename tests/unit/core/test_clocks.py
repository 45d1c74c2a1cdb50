"""A step of the wall clock, and a sleep of the machine, whatever happens at once."""

from hypothesis import given
from hypothesis import strategies as st

from devicehub.core.clocks import NOTICED, ClockWatch, Finding, Look
from devicehub.model.reading import Stamp

DAY = 86_400.0
START = Look(Stamp(1_795_500_000.0, 100.0), 5_000.0)


def later(look: Look, passed: float = 0.5, slept: float = 0.0, stepped: float = 0.0) -> Look:
    """A look after `passed` seconds awake."""
    at = Stamp(look.at.utc + passed + slept + stepped, look.at.mono + passed)
    return Look(at, look.boot + passed + slept)


def found(*looks: Look) -> list[tuple[float, float]]:
    watch = ClockWatch(START)
    return [(one.slept, one.stepped) for look in looks if (one := watch.look(look)) is not None]


def test_time_that_passes_is_no_finding_however_late_the_look() -> None:
    assert found(later(START), later(START, 3600.0)) == []


def test_a_step_is_found_once_with_its_size_and_its_instants() -> None:
    back = later(START, stepped=-DAY)
    watch = ClockWatch(START)
    assert watch.look(back) == Finding(START.at, back.at, 0.0, -DAY)
    assert watch.look(later(back)) is None


def test_a_clock_that_begins_in_1970_and_is_then_set_is_a_step_forward() -> None:
    first = Look(Stamp(30.0, 30.0), 30.0)
    assert ClockWatch(first).look(later(first, stepped=1_795_500_000.0)) is not None


def test_a_sleep_is_no_step() -> None:
    assert found(later(START, slept=3 * 3600.0)) == [(3 * 3600.0, 0.0)]


def test_a_clock_that_is_slewed_is_no_step() -> None:
    looks = [START]
    for _ in range(100):
        looks.append(later(looks[-1], stepped=0.000_25))
    assert found(*looks) == []


@given(
    st.floats(0.0, 1e4),
    st.one_of(st.just(0.0), st.floats(NOTICED + 0.01, 1e6)),
    st.one_of(st.just(0.0), st.floats(NOTICED + 0.01, 1e8), st.floats(-1e8, -NOTICED - 0.01)),
)
def test_both_are_told_apart_when_they_happen_at_once(passed: float, slept: float, stepped: float) -> None:
    given = found(later(START, passed, slept, stepped))
    assert bool(given) == bool(slept or stepped)
    for found_slept, found_stepped in given:
        assert abs(found_slept - slept) < 0.01
        assert abs(found_stepped - stepped) < 0.01
