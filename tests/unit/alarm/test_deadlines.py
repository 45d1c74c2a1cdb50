"""Deadlines: each key has the one that was set last, and what is due comes in order."""

from hypothesis import given
from hypothesis import strategies as st

from devicehub.alarm.deadlines import Deadlines

times = st.integers(0, 20).map(float)
orders = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from("abc"), times),
        st.tuples(st.just("cancel"), st.sampled_from("abc"), times),
        st.tuples(st.just("due"), st.just(""), times),
    ),
    max_size=300,
)


@given(orders)
def test_deadlines_agree_with_a_plain_table(script: list[tuple[str, str, float]]) -> None:
    deadlines: Deadlines[str] = Deadlines()
    table: dict[str, float] = {}
    for what, key, at in script:
        if what == "set":
            deadlines.set(key, at)
            table[key] = at
        elif what == "cancel":
            assert deadlines.cancel(key) is (table.pop(key, None) is not None)
        else:
            due = list(deadlines.due(at))
            assert sorted(due) == sorted((when, one) for one, when in table.items() if when <= at)
            assert [when for when, _ in due] == sorted(when for when, _ in due)
            table = {one: when for one, when in table.items() if when > at}
        assert {one: deadlines.at(one) for one in table} == table


def test_what_is_set_while_it_is_gone_through_comes_too() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1.0)
    seen = []
    for at, key in deadlines.due(2.5):
        seen.append((at, key))
        deadlines.set("a", at + 1.0)
    assert seen == [(1.0, "a"), (2.0, "a")]
    assert deadlines.at("a") == 3.0


def test_a_key_that_is_set_for_ever_takes_no_more_room() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for number in range(10_000):
        deadlines.set("a", 1e9 + number)
    assert list(deadlines.due(1e9 + 9998)) == []
    assert list(deadlines.due(1e9 + 9999)) == [(1e9 + 9999, "a")]


def test_what_is_due_at_once_comes_in_the_order_of_its_setting_and_nobody_is_due_who_was_not_set() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for key in "cab":
        deadlines.set(key, 1.0)
    assert [key for _, key in deadlines.due(1.0)] == ["c", "a", "b"]
    assert deadlines.at("a") is None
