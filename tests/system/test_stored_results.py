"""What devices stored, through a whole hub that is killed in the middle: each record once, dated, and what is missing."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest

from devicehub.publish.memory import MemoryBroker
from tests.system.house import EPOCH, Furniture, House, house, journalled

DRIVER, DEVICE = "radiation.gq_gmc", "radiation-gq-gmc"
AWAY = 10_020
SERIES = (420 + AWAY) // 60
RADIACODE, POCKET = "radiation.radiacode", "radiation-radiacode"
ALONE = 700
HANDED_OVER = 200
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


@pytest.mark.parametrize("killed", [0.25, 1.0, 2.0, 3.0, 10.0, 60.0])
async def test_a_radiacode_outlives_a_killed_hub_and_what_it_had_not_handed_over_is_told_once(
    state: Path, killed: float
) -> None:
    """It says nothing twice: what a hub had asked for and not stored is gone, an answer a second until all is read."""
    broker = MemoryBroker()
    async with house(state, [RADIACODE], QUIET, broker=broker, boot="one") as running:
        device = running.ports[POCKET].simulator
        device.do("away", seconds=ALONE)
        await running.clock.sleep(killed)
        await running.kill()
    async with house(state, [RADIACODE], QUIET, broker=broker, boot="two") as running:
        running.ports[POCKET].simulator = device
        await running.clock.sleep(60)
    found = records(broker)
    assert set(found.values()) == {1}
    seconds = {record.partition(".")[0] for record in found if record.endswith(".count-rate")}
    lost = 0 if killed > 5 else HANDED_OVER * (int(killed) + 1)
    assert ALONE - lost - 10 <= len(seconds) <= ALONE
    began = [_of(body) for body in told(broker)]
    assert max(began) - min(began) < 2.5


def _of(body: dict[str, object]) -> float:
    """When the device began to count its time, by one record's time and number."""
    record = cast("dict[str, dict[str, str]]", body["data"])["stored"]["record"]
    return datetime.fromisoformat(str(body["time"])).timestamp() - int(record.partition(".")[0]) / 100
