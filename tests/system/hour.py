"""One hour of virtual time with all devices, random unplugging and a ten-minute broker outage.

`python -m tests.system.hour SEED STATE` prints the hash of its events: the same hour in another process.
"""

import asyncio
import sys
from pathlib import Path
from random import Random

from devicehub.registry import simulator_names
from tests.system.house import House, digest, house
from tests.virtual_loop import VirtualTimeLoop


async def _unplugging(running: House, random: Random) -> None:
    """Somebody keeps pulling plugs and putting them back."""
    while True:
        await running.clock.sleep(random.uniform(10, 60))
        port = random.choice(list(running.ports.values()))
        port.unplug()
        await running.clock.sleep(random.uniform(1, 20))
        port.plug()


async def _lived(state: Path, seed: int) -> House:
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


def an_hour(state: Path, seed: int) -> House:
    """The hour, on a loop of its own, which begins at zero."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_lived(state, seed))


if __name__ == "__main__":
    print(digest(an_hour(Path(sys.argv[2]), int(sys.argv[1])).broker))
