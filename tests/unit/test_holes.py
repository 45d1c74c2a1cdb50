"""Holes: every number that will not come is told exactly once, in few gaps."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from devicehub.deliver.holes import MOST, Holes
from devicehub.model.gap import GapReason
from devicehub.model.payload import GapData
from devicehub.model.stream import Stream

numbers = st.lists(st.tuples(st.sampled_from(Stream), st.integers(1, 50)), unique=True, max_size=60)


@given(numbers)
async def test_every_number_is_in_exactly_one_range(noted: list[tuple[Stream, int]]) -> None:
    holes = Holes()
    for stream, number in noted:
        holes.add(stream, number, number, GapReason.REFUSED)
    holes.close()
    gaps = await holes.gaps("e")
    told = [(gap.stream, n) for gap in gaps for first, last in gap.ranges for n in range(first, last + 1)]
    assert sorted(told) == sorted((str(stream), number) for stream, number in noted)
    assert all(
        (gap.first, gap.last, gap.epoch) == (min(gap.ranges)[0], max(r[1] for r in gap.ranges), "e") for gap in gaps
    )
    assert await holes.gaps("e") == []


async def test_numbers_in_a_row_are_one_range_and_reasons_are_kept_apart() -> None:
    holes = Holes()
    for number in (5, 6, 7, 9):
        holes.add(Stream.EVENTS, number, number, GapReason.REFUSED)
    holes.add(Stream.EVENTS, 20, 29, GapReason.EXPIRED)
    assert [(gap.reason, gap.ranges, gap.count) for gap in await holes.gaps("e")] == [
        (GapReason.REFUSED, ((5, 7), (9, 9)), 4),
        (GapReason.EXPIRED, ((20, 29),), 10),
    ]


async def test_a_gap_is_of_bounded_size_and_the_rest_comes_with_the_next() -> None:
    holes = Holes()
    for number in range(1, 2 * MOST + 4, 2):
        holes.add(Stream.EVENTS, number, number, GapReason.REFUSED)
    first, second = [(await holes.gaps("e"))[0] for _ in range(2)]
    assert (len(first.ranges), len(second.ranges)) == (MOST, 2)


async def test_what_has_no_number_is_only_counted() -> None:
    holes = Holes()
    waiting = asyncio.ensure_future(holes.gaps("e"))
    await asyncio.wait([waiting], timeout=5)
    assert not waiting.done()
    holes.count(GapReason.REFUSED)
    assert await waiting == [GapData("hub", GapReason.REFUSED, count=1)]
