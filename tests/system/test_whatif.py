"""What-if on the journal of a whole hub gives the alarms of a whole hub that ran by those rules."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from devicehub.cli.whatif_replay import Replay
from devicehub.core.trial import RuleSet, Trial
from devicehub.core.whatif import Effect, compared, episodes
from devicehub.driver import Driver
from devicehub.journal.replayed import bounds, kept
from devicehub.model.alarm import AlarmCategory, Condition, Distrust, Limit
from devicehub.registry import load_driver
from tests.system.house import EPOCH, RULES, Furniture, House, house, journalled, named

DRIVERS = ("trace.aci_pids3", "radiation.atom_fast")
CHANNELS = (("trace.aci_pids3", "voc"), ("radiation.atom_fast", "dose-rate"), ("radiation.atom_fast", "count-rate"))
PREFIX = "devicehub-sim/v1/bcp-test/ws-1"
LEVELS = (Condition.HIGH, Condition.LOW)
EVERY = (*LEVELS, Condition.RISE, Condition.FALL, Condition.STALE)
Came = tuple[str, str, float]


@dataclass(frozen=True)
class Past:
    """A journal, and what was raised while it was written. `start`: UTC seconds, which go on from one hub to the next."""

    start: float
    journal: Path
    raised: list[Came]
    values: dict[tuple[str, str], list[float]]


async def lived(state: Path, limits: Sequence[Limit], seed: int, *, rough: bool = False) -> Past:
    """A hub that runs for a while by these limits; a `rough` one loses a detector, is killed and runs again."""
    broker, start = None, EPOCH + asyncio.get_running_loop().time()
    for run in range(2 if rough else 1):
        async with house(
            state, DRIVERS, Furniture(limits=limits), seed=seed + run, broker=broker, boot=f"{run:08x}"
        ) as here:
            await here.clock.sleep(60)
            if rough:
                await _replugged(here)
                await here.kill()
        broker = here.broker
    bodies = journalled(here.broker)
    return Past(start, state / "journal.sqlite", sorted(_raised(bodies)), _values(bodies))


async def _replugged(here: House) -> None:
    port = here.ports[named(DRIVERS[0])]
    port.unplug()
    await here.clock.sleep(15)
    port.plug()
    await here.clock.sleep(45)


def _raised(bodies: Sequence[dict[str, object]]) -> Iterator[Came]:
    for body in bodies:
        if body["type"] == "io.devicehub.alarm.raised" and "/rule-" in str(body["subject"]):
            device, _, point = str(body["subject"]).partition("/")
            yield device, point, datetime.fromisoformat(str(body["time"])).timestamp()


def _values(bodies: Sequence[dict[str, object]]) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for body in bodies:
        data = body["data"]
        if body["type"] == "io.devicehub.reading" and isinstance(data, dict) and isinstance(data["value"], float | int):
            device, _, channel = str(body["subject"]).partition("/")
            found.setdefault((device, channel), []).append(data["value"])
    return found


def drawn(past: Past, random: Random) -> list[Limit]:
    """Limits that what was measured goes beyond now and then."""
    return [_limit(past, random, number) for number in range(12)]


def _limit(past: Past, random: Random, number: int) -> Limit:
    driver, channel = random.choice(CHANNELS)
    values = sorted(past.values[named(driver), channel])
    spread = (values[-1] - values[0]) or 1.0
    condition = random.choice(EVERY)
    level = values[int(random.uniform(0.1, 0.9) * len(values))] + spread * 1e-4
    # Neither a window nor a rate that values meet exactly: the last digits of a time are not journalled.
    window, rate = random.choice([2.7, 5.3]), spread / 47.3
    limit = {Condition.STALE: window, Condition.RISE: rate, Condition.FALL: rate}.get(condition, level)
    counted = random.choice([(1, 1), (2, 3)]) if condition is not Condition.STALE else (1, 1)
    return Limit(
        f"rule-{number}",
        named(driver),
        channel,
        condition,
        limit,
        hysteresis=0.0 if condition is Condition.STALE else spread * random.choice([0.0, 0.05]),
        category=random.choice([AlarmCategory.THREAT, AlarmCategory.DEVICE]),
        on_delay_s=random.choice([0.0, 0.0, 1.5]),
        off_delay_s=random.choice([0.0, 3.0]),
        count=counted[0],
        of=counted[1],
        window_s=window,
        distrust=random.choice(list(Distrust)),
    )


def replayed(past: Past, *rules: Sequence[Limit]) -> Replay:
    devices: dict[str, Driver] = {named(name): load_driver(name) for name in DRIVERS}
    replay = Replay([Trial(devices, RuleSet(limits=one, digest=RULES)) for one in rules], devices)
    with closing(sqlite3.connect(past.journal)) as db:
        for part in kept(db, PREFIX, 0.0, bounds(db)):
            replay.take(part)
    replay.end()
    return replay


def came(replay: Replay, rules: int) -> list[Came]:
    return sorted((one.device, one.point, one.at.utc) for one in replay.verdicts[rules] if one.active)


def since(past: Past, found: Sequence[Came]) -> list[Came]:
    return [(device, point, at - past.start) for device, point, at in found]


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_found_is_what_a_hub_by_these_rules_raises(memory: Path, seed: int) -> None:
    before = await lived(memory / f"before-{seed}", [], seed)
    rules = drawn(before, Random(seed))
    after = await lived(memory / f"after-{seed}", rules, seed)
    rough = await lived(memory / f"rough-{seed}", rules, seed, rough=True)
    assert before.values == after.values, "rules do not change what is measured"
    assert len(after.raised) > 5, "there is something to find"
    for past in (before, after, rough):
        replay = replayed(past, [], rules, rules)
        other = rough if past is rough else after
        found, raised = since(past, came(replay, 1)), since(other, other.raised)
        assert [one[:2] for one in found] == [one[:2] for one in raised]
        assert [one[2] for one in found] == pytest.approx([one[2] for one in raised], abs=0.01)
        assert came(replay, 0) == []
        assert {one.effect for one in compared(*map(episodes, replay.verdicts[1:]))} == {Effect.SAME}
        assert replay.passed.starts == (2 if past is rough else 1)
        assert (replay.passed.illegible, replay.passed.foreign) == (0, {})
