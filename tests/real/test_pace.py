"""A loop that hurries: its own time is so many times as long as that on the wall."""

import asyncio

import pytest

from devicehub.clock import Clock, since_boot
from devicehub.exercise.pace import PacedLoop

pytestmark = pytest.mark.real


def test_ten_seconds_pass_in_a_fraction_of_them() -> None:
    clock = Clock()

    async def wait() -> float:
        began = clock.monotonic()
        await clock.sleep(10)
        return clock.monotonic() - began

    began = since_boot()
    with asyncio.Runner(loop_factory=lambda: PacedLoop(50)) as runner:
        passed = runner.run(wait())
    assert passed >= 10
    assert since_boot() - began < 5


def test_a_pace_that_changes_loses_no_time_and_goes_back_never() -> None:
    clock = Clock()

    async def wait(loop: PacedLoop) -> list[float]:
        seen = [clock.monotonic()]
        for speed in (50.0, 0.5, 20.0):
            loop.pace(speed)
            seen.append(clock.monotonic())
            await clock.sleep(0.2 * speed)
            seen.append(clock.monotonic())
        return seen

    began = since_boot()
    with asyncio.Runner(loop_factory=lambda: PacedLoop(1)) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, PacedLoop)
        seen = runner.run(wait(loop))
    assert seen == sorted(seen)
    assert [
        later - before >= least for before, later, least in zip(seen[1::2], seen[2::2], (10.0, 0.1, 4.0), strict=True)
    ]
    assert seen[1] - seen[0] < 1.0
    assert 0.6 <= since_boot() - began < 10
