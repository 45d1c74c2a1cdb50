"""One hour of virtual time with all devices, random unplugging and a ten-minute broker outage, or less of all of it.

`python -m tests.system.hour SEED STATE SECONDS` prints the hash of its events: the same time in another process.
"""

import asyncio
import sys
from pathlib import Path
from random import Random

from devicehub.registry import simulator_names
from tests.system.house import House, digest, house
from tests.virtual_loop import VirtualTimeLoop

HOUR = 3600.0


async def _unplugging(running: House, random: Random) -> None:
    """Somebody keeps pulling plugs and putting them back."""
    while True:
        await running.clock.sleep(random.uniform(10, 60))
        port = random.choice(list(running.ports.values()))
        port.unplug()
        await running.clock.sleep(random.uniform(1, 20))
        port.plug()


async def _lived(state: Path, seed: int, seconds: float) -> House:
    async with house(state, simulator_names(), seed=seed) as running:
        hands = asyncio.create_task(_unplugging(running, Random(seed)))
        await running.clock.sleep(seconds / 3)
        running.broker.outage(taken=3)
        await running.clock.sleep(seconds / 6)
        running.broker.restore()
        await running.clock.sleep(seconds / 2)
        hands.cancel()
        await asyncio.gather(hands, return_exceptions=True)
    return running


def an_hour(state: Path, seed: int, seconds: float = HOUR) -> House:
    """The hour, on a loop of its own, which begins at zero; a third of it before the outage, a sixth within."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_lived(state, seed, seconds))


if __name__ == "__main__":
    print(digest(an_hour(Path(sys.argv[2]), int(sys.argv[1]), float(sys.argv[3])).broker))
