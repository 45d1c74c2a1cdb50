"""More happens to the hub than can be written down: so much is, and the rest is counted and told once."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from devicehub.hub.timers import REMARKS_MOST
from devicehub.publish.memory import MemoryBroker
from tests.system.house import house, journalled


def remarks(broker: MemoryBroker) -> list[tuple[str, str]]:
    """What the hub told of itself: what and why."""
    told = [cast("Mapping[str, object]", body["data"]) for body in journalled(broker)]
    return [(str(data["what"]), str(data.get("why", ""))) for data in told if "what" in data]


@pytest.mark.parametrize("ends", [False, True])
async def test_remarks_are_bounded_and_what_is_dropped_is_told_once(state: Path, *, ends: bool) -> None:
    async with house(state, ()) as running:
        await running.clock.sleep(5)
        for number in range(1000):
            running.hub.remark("tested", str(number))
        if not ends:
            await running.clock.sleep(60)
            running.hub.remark("tested", "later")
            await running.clock.sleep(1)
    told = remarks(running.broker)
    written = [why for what, why in told if what == "tested"]
    assert written == [str(number) for number in range(REMARKS_MOST)] + ["later"] * (not ends)
    dropped = [why for what, why in told if what == "remarks-dropped"]
    assert dropped == [f"{1000 - REMARKS_MOST} remarks were not written down: too many at once"]
