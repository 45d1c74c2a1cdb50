"""The numbers of one stream: whatever the network does, what is stored is everything, once, in order."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from devicehub.consume.count import Count, Ranges, Verdict

LAST = 30
numbers = st.integers(1, LAST)
ranges = st.lists(st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair))), max_size=3).map(tuple)
arrivals = st.lists(st.one_of(numbers, ranges), max_size=120)


def stored_by(count: Count, heard: Iterable[int | Ranges]) -> list[tuple[int, Verdict]]:
    """What is stored of numbers heard and of ranges told to be lost, in the order of storing."""
    stored: list[tuple[int, Verdict]] = []
    for one in heard:
        if isinstance(one, tuple):
            count.lose(one)
        elif (verdict := count.judge(one)) in (Verdict.STORE, Verdict.LATE):
            stored.append((one, verdict))
    return stored


def covered(parts: Ranges) -> set[int]:
    return {number for first, last in parts for number in range(first, last + 1)}


def test_the_next_number_is_stored_a_former_one_is_a_duplicate_a_later_one_shows_a_hole() -> None:
    count = Count()
    assert [count.judge(number) for number in (1, 2, 2, 1, 4, 3, 4)] == [
        *(Verdict.STORE, Verdict.STORE, Verdict.DUPLICATE, Verdict.DUPLICATE),
        *(Verdict.HOLE, Verdict.STORE, Verdict.STORE),
    ]
    assert count.received == 4


def test_numbers_told_to_be_lost_count_as_received_once_everything_before_them_is() -> None:
    count = Count()
    count.judge(1)
    assert count.lose(((3, 5), (8, 8)))
    assert count.received == 1
    assert count.judge(6) is Verdict.HOLE
    count.judge(2)
    assert count.received == 5
    assert [count.judge(number) for number in (6, 7)] == [Verdict.STORE, Verdict.STORE]
    assert count.received == 8


def test_a_lost_number_that_comes_after_all_is_stored_once() -> None:
    count = Count()
    count.lose(((1, 3),))
    assert [count.judge(2), count.judge(2)] == [Verdict.LATE, Verdict.DUPLICATE]
    assert (count.received, count.missing) == (3, ((1, 1), (3, 3)))


def test_what_is_stored_cannot_be_lost_any_more() -> None:
    count = Count()
    stored_by(count, [1, 2, 3])
    assert not count.lose(((1, 3),))
    assert count.judge(2) is Verdict.DUPLICATE


def test_telling_the_same_again_is_no_news() -> None:
    count = Count()
    assert count.lose(((2, 4),))
    assert not count.lose(((2, 4),))
    assert not count.lose(((3, 3),))
    assert not count.lose(((7, 6), (0, 0), (-5, -1)))


@given(arrivals)
def test_nothing_is_stored_twice_and_nothing_is_confirmed_that_is_neither_stored_nor_lost(
    heard: list[int | Ranges],
) -> None:
    count = Count()
    stored = [number for number, _ in stored_by(count, heard)]
    told = covered(tuple(part for one in heard if isinstance(one, tuple) for part in one))
    assert len(stored) == len(set(stored))
    assert set(range(1, count.received + 1)) <= set(stored) | told
    assert set(stored) <= set(range(1, count.received + 1))
    assert covered(count.missing).isdisjoint(stored)
    assert covered(count.missing) <= told


@given(arrivals)
def test_what_is_not_late_is_stored_in_ascending_order_and_leaves_out_only_what_was_told_lost(
    heard: list[int | Ranges],
) -> None:
    stored = stored_by(Count(), heard)
    in_order = [number for number, verdict in stored if verdict is Verdict.STORE]
    told = covered(tuple(part for one in heard if isinstance(one, tuple) for part in one))
    assert in_order == sorted(in_order)
    assert set(range(1, max(in_order, default=0) + 1)) - set(in_order) <= told


@given(arrivals, st.data())
def test_a_hub_that_sends_again_from_the_receipt_gets_everything_stored(
    heard: list[int | Ranges], data: st.DataObject
) -> None:
    count = Count()
    stored = [number for number, _ in stored_by(count, heard)]
    for _ in range(LAST + 1):
        if count.received >= LAST:
            break
        before = count.received
        window = range(count.received + 1, LAST + 1)
        taken = [*data.draw(st.lists(st.sampled_from(window), max_size=10)), window[0]]
        stored += [number for number, _ in stored_by(count, taken)]
        assert count.received > before, "what the receipt asks for takes it forward"
    assert count.received >= LAST
    assert set(range(1, LAST + 1)) == set(stored) | (covered(count.missing) & set(range(1, LAST + 1)))


@given(arrivals, arrivals)
def test_a_count_continues_from_what_was_kept_of_it(before: list[int | Ranges], after: list[int | Ranges]) -> None:
    whole, first = Count(), Count()
    stored_by(whole, before)
    stored_by(first, before)
    again = Count(first.next, first.missing)
    assert stored_by(whole, after) == stored_by(again, after)
    assert (whole.next, whole.missing) == (again.next, again.missing)


@given(arrivals)
def test_stored_numbers_alone_tell_the_next_run_what_to_ask_for(heard: list[int | Ranges]) -> None:
    count, again = Count(), Count()
    stored = stored_by(count, heard)
    for number, _ in stored:
        again.overtake(number)
    stored_numbers = {number for number, _ in stored}
    assert again.received == max(stored_numbers, default=0)
    assert again.received <= count.received
    assert covered(again.missing) == set(range(1, again.received + 1)) - stored_numbers


@given(st.lists(numbers, max_size=60))
def test_where_nothing_can_be_asked_for_again_everything_is_stored_once(heard: list[int]) -> None:
    count = Count()
    stored = [number for number in heard if count.overtake(number) in (Verdict.STORE, Verdict.LATE)]
    assert stored == list(dict.fromkeys(heard))
