"""Hub, broker and consumer are killed with SIGKILL at random, again and again, under load.

Nothing that the hub accepted is lost, nothing is stored out of order or twice. The broker has no persistence, so
that with each of its deaths everything it acknowledged and did not hand on is gone.

Sabotage: the same with a subscriber that trusts acknowledgements in place of the durable consumer loses messages.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from devicehub.clock import Clock
from tests.real.hearing import Ears, hearing
from tests.real.hub_process import HubProcess, started, until
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import settings
from tests.torture.arrivals import times
from tests.torture.ledgers import Ids, Verdict, accepted, compared, in_lines, of_bodies
from tests.torture.load import ROOT, Lines, configured, speaking

pytestmark = pytest.mark.real

KILLS = 200
SABOTAGED_KILLS = 12
SENSORS = 5
PER_SECOND = 300.0
PAUSE = (0.02, 1.0)
PATIENT = 0.8
CATCH_UP_S = 120.0


class Child:
    """A process that is started again whenever it was killed."""

    def __init__(self, folder: Path, begins: str, *words: str) -> None:
        """`begins`: what it says when it begins its work."""
        self._folder = folder
        self._begins = begins
        self._words = words
        self._stack = AsyncExitStack()
        self.process: HubProcess | None = None
        self.kills = 0

    async def start(self) -> None:
        environment = {"PYTHONPATH": str(ROOT)}
        child = started(*self._words, cwd=self._folder, environment=environment)
        self.process = await self._stack.enter_async_context(child)

    async def ready(self) -> None:
        assert self.process is not None
        await self.process.says(self._begins)

    async def kill(self) -> None:
        assert self.process is not None
        assert await self.process.ends(signal.SIGKILL) == -signal.SIGKILL
        self.kills += 1
        await self._stack.aclose()
        await self.start()

    async def close(self) -> None:
        await self._stack.aclose()


class Broker:
    """A broker without persistence: it forgets everything when it dies."""

    def __init__(self, broker: Mosquitto) -> None:
        self._broker = broker
        self.kills = 0

    async def ready(self) -> None:
        """It was, when `kill` returned."""

    async def kill(self) -> None:
        await self._broker.kill()
        self.kills += 1
        await self._broker.start()


@asynccontextmanager
async def station(folder: Path) -> AsyncIterator[tuple[Mosquitto, Child, Lines]]:
    """A hub under load at its broker."""
    async with mosquitto(folder) as broker, speaking(folder, SENSORS, PER_SECOND) as lines:
        config = configured(folder, lines.paths, broker.port)
        hub = Child(folder, "will publish", "run", "--config", str(config))
        try:
            await hub.start()
            yield broker, hub, lines
        finally:
            await hub.close()


async def at_random(victims: Sequence[Child | Broker], kills: int, chance: Random) -> None:
    """Kill each of them again and again, all at the same time, `kills` times in all.

    Mostly when it has begun its work, now and then while it starts.
    """

    async def hunt(victim: Child | Broker, share: int) -> None:
        for _ in range(share):
            if chance.random() < PATIENT:
                await victim.ready()
            await Clock().sleep(chance.uniform(*PAUSE))
            await victim.kill()

    async with asyncio.TaskGroup() as group:
        for place, victim in enumerate(victims):
            group.create_task(hunt(victim, (kills + place) // len(victims)))


async def settled(folder: Path, arrived: Callable[[], Ids]) -> Verdict:
    """Wait until the hub, which has ended, and the consumer agree, or nothing comes any more; what is true then."""
    journal = folder / "state" / "journal.sqlite"
    with suppress(TimeoutError):  # the verdict says what is missing
        await until(lambda: compared(accepted(journal), arrived()).lost == 0, CATCH_UP_S)
    return compared(accepted(journal), arrived())


async def test_nothing_accepted_is_lost_whoever_is_killed(tmp_path: Path) -> None:
    kills, chance, out = times(KILLS), Random(1), tmp_path / "archive.jsonl"
    async with station(tmp_path) as (broker, hub, lines):
        words = ("consume", str(out), "--name", "archive", "--broker", f"mqtt://127.0.0.1:{broker.port}")
        consumer = Child(tmp_path, "stores", *words)
        try:
            await consumer.start()
            mortal = Broker(broker)
            await at_random([hub, mortal, consumer], kills, chance)
            lines.close()
            verdict = await settled(tmp_path, lambda: in_lines(out))
        finally:
            await consumer.close()
    print(
        f"N = {kills} kills ({hub.kills} of the hub, {mortal.kills} of the broker, {consumer.kills} of the consumer): "
        f"{verdict.events} events accepted, {verdict.lost} lost, {verdict.inversions} out of order, {verdict.twice} twice"
    )
    assert hub.kills + mortal.kills + consumer.kills == kills
    assert verdict.events > kills * 5, "there was load"
    assert (verdict.lost, verdict.inversions, verdict.twice) == (0, 0, 0)


async def test_who_trusts_acknowledgements_loses_messages(tmp_path: Path) -> None:
    """The sabotage: a subscriber that reads everything at quality of service 1, and a broker that dies."""
    chance, ears = Random(2), Ears()
    async with station(tmp_path) as (broker, hub, _):
        listening = asyncio.create_task(_listening(broker, ears))
        try:
            await at_random([Broker(broker)], times(SABOTAGED_KILLS), chance)
            await _stopped(hub)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    verdict = compared(accepted(tmp_path / "state" / "journal.sqlite"), of_bodies(one.body for one in ears.heard))
    print(f"N = {times(SABOTAGED_KILLS)} kills of the broker: {verdict.events} events, {verdict.lost} lost")
    assert verdict.lost > 0


async def _listening(broker: Mosquitto, ears: Ears) -> None:
    """For ever, connecting again as soon as the broker is back."""
    while True:
        try:
            async with hearing(settings(broker), ears):
                await asyncio.Event().wait()
        except Exception:  # noqa: BLE001 - whatever ends it, this subscriber just comes again
            await Clock().sleep(0.05)


async def _stopped(hub: Child) -> None:
    assert hub.process is not None
    assert await hub.process.ends(signal.SIGTERM) == 0
