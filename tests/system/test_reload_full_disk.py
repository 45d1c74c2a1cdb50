"""Reloads while the disk takes nothing: they wait as everything does, but for the one that makes room."""

import asyncio
from pathlib import Path

from devicehub.hub.plan import Upkeep
from tests.real.journals import full_disk
from tests.system.street import renewed, street


async def test_more_room_for_the_journal_is_taken_at_once_however_many_reloads_wait(state: Path) -> None:
    """With no room left nothing is accepted, so that an earlier reload cannot end; the one that helps need not wait."""
    async with street(state, "a", "b") as here:
        assert here.house is not None
        hub, clock = here.house.hub, here.house.clock
        here.upkeep = Upkeep(journal_limit=1)
        first = hub.reload()
        await clock.sleep(5)
        here.devices.pop("b")
        second = hub.reload()
        await clock.sleep(5)
        assert not first.done()
        assert not second.done()
        here.upkeep = Upkeep()
        third = hub.reload()
        await asyncio.gather(first, second, third)
    assert here.values("a") == list(range(here.devices["a"].said))
    assert len(here.data("event", "hub-reloaded")) == 3


async def test_a_reload_on_a_full_disk_ends_when_there_is_room_again(state: Path) -> None:
    async with street(state, "a", "b") as here:
        assert here.house is not None
        with full_disk():
            await here.house.clock.sleep(1)
            here.devices["b"] = renewed(here.devices["b"])
            answer = here.house.hub.reload()
            await here.house.clock.sleep(10)
            assert not answer.done()
        await answer
        await here.house.clock.sleep(2)
    assert here.values("a") == list(range(here.devices["a"].said))
    assert here.values("b")[-1] == here.devices["b"].said - 1


async def test_a_device_that_is_changed_twice_meanwhile_is_changed_twice_in_order(state: Path) -> None:
    async with street(state, "a", "b") as here:
        assert here.house is not None
        answers = []
        with full_disk():
            await here.house.clock.sleep(1)
            for _ in range(3):
                here.devices["b"] = renewed(here.devices["b"])
                answers.append(here.house.hub.reload())
                await here.house.clock.sleep(2)
            assert not any(answer.done() for answer in answers)
        await asyncio.gather(*answers)
        await here.house.clock.sleep(2)
        assert len(here.devices["b"].socket.opened) == 1, "by the last one written"
    assert here.values("b")[-1] == here.devices["b"].said - 1
    assert here.values("a") == list(range(here.devices["a"].said))
