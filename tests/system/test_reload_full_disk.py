"""Reloads while the disk takes nothing: they wait as everything does. One without room in the journal does not."""

import asyncio
from pathlib import Path

from devicehub.hub.plan import Upkeep
from tests.real.journals import full_disk
from tests.system.street import renewed, street


async def test_a_journal_without_room_counts_what_it_refuses_and_reloads_go_on(state: Path) -> None:
    async with street(state, "a", "b") as here:
        assert here.house is not None
        hub, clock = here.house.hub, here.house.clock
        here.upkeep = Upkeep(journal_limit=1)
        await hub.reload()
        await clock.sleep(5)
        here.devices.pop("b")
        await hub.reload()
        await clock.sleep(5)
        here.upkeep = Upkeep()
        await hub.reload()
        await clock.sleep(5)
    missing = set(range(here.devices["a"].said)) - set(here.values("a"))
    refused = [gap for gap in here.data("gap", "hub") if gap["reason"] == "overflow"]
    assert missing
    assert sum(int(str(gap["count"])) for gap in refused) >= len(missing)


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
