"""The time of a scenario: acts come in their order, and none while it stands still."""

from hypothesis import given
from hypothesis import strategies as st

from devicehub.exercise.acts import Act
from devicehub.exercise.course import Course

TIMES = st.lists(st.integers(0, 50), max_size=12)


def course(*times: float) -> Course:
    one = Course([Act(at, number, "checkpoint") for number, at in enumerate(sorted(times))])
    one.begin(100.0)
    return one


def test_an_act_is_due_at_its_second_and_once() -> None:
    one = course(5)
    assert (one.due(104.9), one.wait(104.0)) == (None, 1.0)
    act = one.due(105.0)
    assert act is not None
    assert (act.step, one.due(200.0), one.wait(200.0)) == (0, None, None)


def test_its_time_stands_still_in_a_pause_and_goes_on_where_it_stood() -> None:
    one = course(5)
    one.pause(102.0)
    assert (one.at(150.0), one.due(150.0), one.wait(150.0), one.paused) == (2.0, None, None, True)
    one.resume(160.0)
    assert (one.at(161.0), one.wait(161.0), one.paused) == (3.0, 2.0, False)


def test_what_is_put_in_at_the_second_where_it_stands_is_due_in_a_pause() -> None:
    one = course(5)
    one.pause(102.0)
    one.insert([Act(2.0, -1, "say")])
    act = one.due(150.0)
    assert act is not None
    assert act.verb == "say"


@given(TIMES, TIMES)
def test_acts_come_in_the_order_of_time_whenever_they_were_put_in(first: list[int], later: list[int]) -> None:
    one = course(*first)
    one.insert(Act(at, -1, "say") for at in later)
    given_out = []
    while (act := one.due(1000.0)) is not None:
        given_out.append(act.at)
    assert given_out == sorted([*first, *later])
