"""Devices that leave: what they said is taken first, however full the pipe is, and then they are forgotten."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from devicehub.clock import Clock
from devicehub.driver import Driver, FileLink, SerialLink
from devicehub.model.device import Category
from devicehub.model.reading import Dropped, Input, Measurement, Reading, Stamp
from devicehub.pipe import Pipe


def reading(number: int, device: str) -> Reading:
    return Reading(device, Stamp(float(number), float(number)), Measurement("c", float(number)))


def driver(link: SerialLink | FileLink) -> Driver:
    return Driver(title="", category=Category.TRACE, link=link, channels=(), decode=lambda _: ())


async def test_it_waits_for_what_was_said_and_for_nothing_after_it() -> None:
    pipe = Pipe()
    for number in range(3):
        pipe.offer(reading(number, "leaves"))
    waiting = asyncio.ensure_future(pipe.drained(["leaves"]))
    await Clock().sleep(0)
    pipe.offer(reading(3, "stays"))
    await pipe.take(2)
    await Clock().sleep(0)
    assert not waiting.done()
    await pipe.take(1)
    await waiting
    assert await pipe.take(10) == [reading(3, "stays")]


async def test_an_empty_pipe_is_drained_at_once() -> None:
    await asyncio.wait_for(Pipe().drained(["anybody"]), 1)


async def test_what_was_refused_last_of_a_leaving_device_is_told() -> None:
    pipe = Pipe(capacity=1)
    pipe.offer(reading(0, "leaves"))
    pipe.offer(reading(1, "leaves"))
    waiting = asyncio.ensure_future(pipe.drained(["leaves"]))
    await Clock().sleep(0)
    assert await pipe.take(10) == [reading(0, "leaves"), Dropped("leaves", Stamp(1, 1), Stamp(1, 1), 1)]
    await waiting


async def test_a_taker_that_waits_is_woken_by_what_was_refused() -> None:
    pipe = Pipe(capacity=1)
    pipe.offer(reading(0, "leaves"))
    pipe.offer(reading(1, "leaves"))
    await pipe.take(10)
    taker = asyncio.ensure_future(pipe.take(10))
    await Clock().sleep(0)
    assert not taker.done()
    await pipe.drained(["leaves"])
    assert await taker == [Dropped("leaves", Stamp(1, 1), Stamp(1, 1), 1)]


async def test_the_share_of_each_follows_how_many_there_are() -> None:
    pipe = Pipe({"a": driver(SerialLink())}, capacity=8)
    pipe.revise({name: driver(SerialLink()) for name in "abcd"})
    for number in range(5):
        pipe.offer(reading(number, "a"))
    assert pipe.dropped == 3
    await pipe.take(10)
    pipe.revise({"a": driver(SerialLink())})
    for number in range(7):  # and the notice of those that were refused
        pipe.offer(reading(number, "a"))
    assert pipe.dropped == 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=60), st.sets(st.sampled_from("abc")))
async def test_nothing_that_was_accepted_is_lost(turns: list[tuple[str, int]], leaving: set[str]) -> None:
    """`turns`: a device says something, and so many inputs are taken."""
    pipe = Pipe(capacity=7)
    taken: list[Input] = []
    for number, (device, most) in enumerate(turns):
        pipe.offer(reading(number, device))
        if most and len(pipe):
            taken += await pipe.take(most)
    waiting = asyncio.ensure_future(pipe.drained(leaving))
    await Clock().sleep(0)
    while len(pipe):
        taken += await pipe.take(2)
    await waiting
    pipe.close()
    while rest := await pipe.take(5):
        taken += rest
    read = sum(isinstance(item, Reading) for item in taken)
    dropped = sum(item.count for item in taken if isinstance(item, Dropped))
    assert (read + dropped, dropped) == (len(turns), pipe.dropped)
