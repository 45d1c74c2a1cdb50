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
