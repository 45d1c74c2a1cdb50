"""A scenario played in virtual time: the whole hub, the automatic trainee, a broker in process."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from devicehub.config.broker import broker_settings
from devicehub.configured import Configured
from devicehub.exercise.facts import journal_facts
from devicehub.exercise.judge import Score, judge
from devicehub.exercise.load import config_of, place_of
from devicehub.exercise.performance import Manner
from devicehub.exercise.schema import Scenario
from devicehub.exercise.stage import Stage
from devicehub.exercise.trainee import Trainee
from devicehub.hub import Hub, Plan, will
from devicehub.links import Links
from devicehub.publish.memory import MemoryBroker
from devicehub.view import View
from tests.system.house import EPOCH, digest
from tests.system.seen import breaches
from tests.virtual_loop import VirtualTimeLoop


@dataclass(frozen=True)
class Rehearsed:
    """What came of it."""

    score: Score
    digest: str
    broker: MemoryBroker


def as_it_is(plan: Plan) -> Plan:
    """A hub without sabotage."""
    return plan


def rehearse(
    scenario: Scenario,
    state: Path,
    sabotage: Callable[[Plan], Plan] = as_it_is,
    trainee: type[Trainee] = Trainee,
    *,
    sound: bool = True,
) -> Rehearsed:
    """Play it to its end, on a loop of its own, which begins at zero.

    `sound`: what is published is held against the contract, which is more than a hub that a test broke can keep.
    """
    broker = MemoryBroker()
    state.mkdir()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_played(scenario, state, (broker, sabotage, trainee)))
    assert not sound or breaches(out for _, out in broker.log) == []
    return Rehearsed(judge(scenario, journal_facts(state, place_of(scenario))), digest(broker), broker)


_Cast = tuple[MemoryBroker, Callable[[Plan], Plan], type[Trainee]]


async def _played(scenario: Scenario, state: Path, cast: _Cast) -> None:
    broker, sabotage, trainee = cast
    loop = asyncio.get_running_loop()
    stage = Stage(scenario, utc=lambda: EPOCH + loop.time(), seeded=True, manner=Manner(trainee=trainee))
    config, clock, stop = config_of(scenario, state), stage.clock, asyncio.Event()
    links = Links(clock, stage.bench)
    plan = Configured(config, links, clock, None).plan(broker_settings(config))
    last = will(plan.topics, plan.encoder, clock, plan.boot)
    plan = replace(plan, connect=lambda: broker.connect(last), view=View(), rules=None)
    plan = stage.entered(sabotage(plan))
    hub = Hub(plan, clock)
    running = asyncio.create_task(hub.run(stop))
    await stage.perform(hub, plan)
    stop.set()
    await running
    stage.bench.close()
    links.close()
