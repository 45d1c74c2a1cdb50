"""The bounded queue: order, drops that are counted and reported, and a clean end."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from devicehub.model.device import DeviceState
from devicehub.model.errors import Reason
from devicehub.model.reading import Change, Dropped, Fault, Measurement, Reading, Stamp, Tick
from devicehub.pipe import Pipe


def reading(number: int, device: str = "d") -> Reading:
    return Reading(device, Stamp(float(number), float(number)), Measurement("c", float(number)))


async def test_what_does_not_fit_is_counted_and_reported_with_its_bounds() -> None:
    pipe = Pipe(capacity=2)
    for number in range(5):
        pipe.offer(reading(number))
    assert pipe.dropped == 3
    assert await pipe.take(10) == [reading(0), reading(1)]
    pipe.offer(reading(9))
    assert await pipe.take(10) == [Dropped("d", Stamp(4, 4), Stamp(2, 2), 3), reading(9)]


async def test_changes_of_state_always_fit() -> None:
    pipe = Pipe(capacity=1)
    pipe.offer(reading(0))
    lost = Change("d", Stamp(1, 1), DeviceState.LOST, "unplugged")
    pipe.offer(lost)
    assert await pipe.take(10) == [reading(0), lost]


async def test_a_closed_pipe_is_drained_and_then_ends() -> None:
    pipe = Pipe()
    pipe.offer(reading(0))
    pipe.close()
    assert await pipe.take(10) == [reading(0)]
    assert await pipe.take(10) == []


async def test_a_waiting_taker_is_woken() -> None:
    pipe = Pipe()
    taker = asyncio.ensure_future(pipe.take(1))
    assert not taker.done()
    pipe.offer(reading(7))
    assert await taker == [reading(7)]


@given(st.lists(st.one_of(st.integers(1, 4), st.just(0)), max_size=60))
def test_nothing_vanishes_uncounted(script: list[int]) -> None:
    async def play() -> None:
        pipe, offered, seen = Pipe(capacity=3), 0, 0
        for word in script:
            if word:
                pipe.offer(reading(offered))
                offered += 1
            elif len(pipe):
                for item in await pipe.take(2):
                    seen += item.count if isinstance(item, Dropped) else 1
        unreported = sum(overflow.count for overflow in pipe._overflow.values())
        waiting = sum(item.count if isinstance(item, Dropped) else 1 for item in pipe._waiting.values())
        assert offered == seen + waiting + unreported

    asyncio.run(play())


async def test_faults_of_a_flood_wait_once_per_reason_with_their_number_and_the_newest_detail() -> None:
    pipe = Pipe(capacity=1)
    for number in range(1000):
        pipe.offer(Fault("d", Stamp(number, number), Reason.GARBAGE, f"{number}"))
        pipe.offer(Fault("d", Stamp(number, number), Reason.LENGTH))
    assert (len(pipe), pipe.dropped) == (2, 0)
    first, last = Stamp(0, 0), Stamp(999, 999)
    assert await pipe.take(10) == [
        Fault("d", last, Reason.GARBAGE, "999", 1000, first),
        Fault("d", last, Reason.LENGTH, "", 1000, first),
    ]
    pipe.offer(Fault("d", Stamp(1000, 1000), Reason.GARBAGE))
    assert await pipe.take(10) == [Fault("d", Stamp(1000, 1000), Reason.GARBAGE)]


async def test_what_was_refused_last_is_told_at_the_end_too() -> None:
    pipe = Pipe(capacity=1)
    for number in range(4):
        pipe.offer(reading(number))
    pipe.close()
    assert await pipe.take(10) == [reading(0), Dropped("d", Stamp(3, 3), Stamp(1, 1), 3)]
    assert await pipe.take(10) == []


async def test_a_change_of_state_tells_what_was_refused_before_it() -> None:
    pipe = Pipe(capacity=1)
    pipe.offer(reading(0))
    pipe.offer(reading(1))
    lost = Change("d", Stamp(2, 2), DeviceState.LOST, "unplugged")
    pipe.offer(lost)
    assert await pipe.take(10) == [reading(0), Dropped("d", Stamp(1, 1), Stamp(1, 1), 1), lost]


async def test_a_tick_tells_what_was_refused_of_devices_that_say_nothing_more() -> None:
    pipe = Pipe(capacity=1)
    pipe.offer(reading(0))
    pipe.offer(reading(1))
    pipe.offer(reading(2))
    pipe.offer(Tick(Stamp(9, 9)))
    assert await pipe.take(10) == [reading(0), Dropped("d", Stamp(2, 2), Stamp(1, 1), 2), Tick(Stamp(9, 9))]


async def test_the_oldest_is_what_waits_or_was_refused_and_is_not_told() -> None:
    pipe = Pipe(capacity=2)
    assert pipe.oldest() is None
    pipe.offer(Fault("d", Stamp(1, 1), Reason.GARBAGE))
    pipe.offer(reading(2))
    pipe.offer(Fault("d", Stamp(3, 3), Reason.GARBAGE))
    assert pipe.oldest() == Stamp(1, 1), "the first of two that wait as one"
    pipe.offer(reading(4))
    await pipe.take(2)
    assert pipe.oldest() == Stamp(4, 4), "refused, and not told yet"
    pipe.offer(Tick(Stamp(5, 5)))
    assert pipe.oldest() == Stamp(4, 4), "it waits to be told"
    await pipe.take(2)
    assert pipe.oldest() is None
