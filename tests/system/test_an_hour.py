"""One hour of virtual time with all devices, random unplugging and a ten-minute broker outage."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from devicehub.registry import simulator_names
from tests.system.house import House, digest, house, journalled
from tests.virtual_loop import VirtualTimeLoop


async def _unplugging(house: House, random: Random) -> None:
    """Somebody keeps pulling plugs and putting them back."""
    while True:
        await house.clock.sleep(random.uniform(10, 60))
        port = random.choice(list(house.ports.values()))
        port.unplug()
        await house.clock.sleep(random.uniform(1, 20))
        port.plug()


async def _an_hour(state: Path, seed: int) -> House:
    async with house(state, simulator_names(), seed=seed) as running:
        hands = asyncio.create_task(_unplugging(running, Random(seed)))
        await running.clock.sleep(1200)
        running.broker.outage(taken=3)
        await running.clock.sleep(600)
        running.broker.restore()
        await running.clock.sleep(1800)
        hands.cancel()
        await asyncio.gather(hands, return_exceptions=True)
    return running


def _run(state: Path, seed: int) -> House:
    """Each hour on a loop of its own, which begins at zero."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_an_hour(state, seed))


@pytest.fixture(scope="module")
def an_hour(tmp_path_factory: pytest.TempPathFactory) -> House:
    return _run(tmp_path_factory.mktemp("hour"), seed=1)


def test_nothing_is_lost_and_everything_is_in_order(an_hour: House) -> None:
    bodies = journalled(an_hour.broker)
    numbers = [int(str(body["sequence"])) for body in bodies]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 3600
    assert any(body.get("historical") for body in bodies), "the outage left nothing to catch up with"
    heard = {str(body["subject"]).split("/")[0] for body in bodies if "subject" in body}
    assert heard >= set(an_hour.ports)


def test_the_same_seed_gives_the_same_events(an_hour: House, tmp_path: Path) -> None:
    assert digest(an_hour.broker) == digest(_run(tmp_path, seed=1).broker)
