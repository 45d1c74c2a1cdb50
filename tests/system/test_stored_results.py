"""A docked counter's log through a whole hub that is killed in the middle: each record once, none missing, dated."""

from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from devicehub.publish.memory import MemoryBroker
from tests.system.house import EPOCH, Furniture, House, house, journalled

DRIVER, DEVICE = "radiation.gq_gmc", "radiation-gq-gmc"
AWAY = 10_020
SERIES = (420 + AWAY) // 60
QUIET = Furniture(demo=False)


def logged(running: House) -> None:
    """The counter comes with a log, the same in each run of the hub: its memory outlives the hub."""
    running.ports[DEVICE].simulator.do("away", seconds=AWAY)


def told(broker: MemoryBroker) -> list[dict[str, object]]:
    """The envelopes of what was stored, each sequence number once."""
    return [body for body in journalled(broker) if "stored" in cast("dict[str, object]", body["data"])]


def records(broker: MemoryBroker) -> Counter[str]:
    return Counter(cast("dict[str, dict[str, str]]", body["data"])["stored"]["record"] for body in told(broker))


@pytest.mark.parametrize("killed", [0.3, 0.4, 60.0])
async def test_a_hub_that_is_killed_while_it_pulls_tells_every_record_once(state: Path, killed: float) -> None:
    broker = MemoryBroker()
    async with house(state, [DRIVER], QUIET, broker=broker, boot="one") as running:
        logged(running)
        await running.clock.sleep(killed)
        await running.kill()
    before = len(records(broker))
    async with house(state, [DRIVER], QUIET, broker=broker, boot="two") as running:
        logged(running)
        await running.clock.sleep(60)
    found = records(broker)
    assert len(found) in {SERIES, SERIES + 1}  # the minute that was being logged may have become full
    assert set(found.values()) == {1}
    assert (before >= SERIES) == (killed == 60.0)


async def test_stored_counts_are_history_at_the_time_that_they_were_and_raise_nothing(state: Path) -> None:
    broker = MemoryBroker()
    async with house(state, [DRIVER], QUIET, broker=broker) as running:
        logged(running)
        await running.clock.sleep(60)
    bodies = told(broker)
    assert {(body["type"], body["subject"]) for body in bodies} == {("io.devicehub.spectrum", f"{DEVICE}/count-log")}
    for body in bodies:
        data = cast("dict[str, object]", body["data"])
        stored = cast("dict[str, float]", data["stored"])
        assert data["historical"] is True
        assert stored["clock_offset_s"] == pytest.approx(EPOCH - 1_795_420_800 - AWAY - 420, abs=3)
    assert len({body["time"] for body in bodies}) == len(bodies)
    assert not [out for topic, out in broker.retained.items() if "/alarm/" in topic and out.payload]
