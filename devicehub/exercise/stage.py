"""A scenario on a hub: its plan, what it can be told, who looks on, and what page and report show of it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
from msgspec import structs

from devicehub.core.commands import command_data
from devicehub.exercise.direction import COMMANDS, verbs
from devicehub.exercise.facts import journal_facts
from devicehub.exercise.judge import judge
from devicehub.exercise.load import place_of
from devicehub.exercise.performance import Manner, Performance
from devicehub.exercise.progress import Said, Sheet, State, sheet
from devicehub.exercise.report import html
from devicehub.exercise.scenery import Scenery
from devicehub.exercise.schema import LANGUAGES, Scenario, Words
from devicehub.exercise.tongue import tongue
from devicehub.exercise.witness import Witness
from devicehub.hub import Hub, Plan
from devicehub.model.payload import InfoData
from devicehub.view import View


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown. `sheet` and `devices` are the instructor's alone, before the end."""

    id: str
    title: Words
    state: State
    instructor: bool
    at: float
    length: float
    speed: float
    said: tuple[Said, ...]
    devices: tuple[str, ...] = ()
    sheet: Sheet | None = None


class Stage:
    """One performance. `verbs`: what only an instructor may have the hub do."""

    verbs = frozenset(command.verb for command in COMMANDS)

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        utc: Callable[[], float],
        seeded: bool = False,
        manner: Manner | None = None,
    ) -> None:
        """`utc`: the wall clock, which a scenario may set. `seed`: instead of the scenario's.

        `seeded`: ids and waiting follow it too.
        """
        self.scenario = scenario
        self._manner = manner or Manner()
        self._scenery = Scenery(scenario, scenario.scenario.seed if seed is None else seed, utc, seeded=seeded)
        self._witness = Witness(scenario)
        self._performance = Performance(scenario, self._scenery, self._manner, self._witness.met)
        self._state = Path()
        self.clock = self._scenery.clock
        self.bench = self._scenery.bench

    def entered(self, plan: Plan) -> Plan:
        """The plan of a hub that plays here: its way to the broker can be barred, and an instructor has verbs."""
        self._state = plan.state
        view = plan.view or View()
        plan = replace(self._scenery.entered(plan), view=view, verbs=verbs(self._performance))
        return replace(plan, info=partial(_directed, plan.info))

    async def perform(self, hub: Hub, plan: Plan) -> None:
        """Play to the end, answered by the trainee if there is one. What fails beside it ends it, and is raised."""
        view = plan.view or View()
        works = [self._performance.play(hub), self._witness.watch(view)]
        if self._manner.trainee is not None:
            works.append(self._manner.trainee(self.scenario, hub, plan.topics, self.clock).watch(view))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ends:
            if isinstance(error, Exception):
                raise error

    def told(self, *, instructor: bool) -> bytes:
        """What is shown to whoever looks, as JSON."""
        performance, course = self._performance, self._witness.course
        over = performance.state is State.OVER
        found = Told(
            id=self.scenario.scenario.id,
            title=self.scenario.scenario.title,
            state=performance.state,
            instructor=instructor,
            at=round(performance.at(), 1),
            length=self.scenario.at[-1].at,
            speed=performance.speed,
            said=tuple(performance.said),
        )
        if instructor or over:
            now, complete = self.clock.utc(), not self._witness.missed
            seen = sheet(self.scenario, course, now, over=over, complete=complete)
            found = structs.replace(found, sheet=seen, devices=tuple(one.id for one in self.scenario.device))
        return msgspec.json.encode(found)

    def readable(self, *, instructor: bool) -> bool:
        """Whether somebody may have the report yet."""
        return instructor or self._performance.state is State.OVER

    def report(self, language: str) -> str:
        """The score as a page that prints, in English where there is no such language. Raises `JournalError`.

        Runs in any thread.
        """
        spoken = next((one for one in LANGUAGES if one == language), LANGUAGES[0])
        return html(
            self.scenario, judge(self.scenario, journal_facts(self._state, place_of(self.scenario))), tongue(spoken)
        )


def _directed(info: Callable[[], InfoData]) -> InfoData:
    """With the instructor's commands."""
    found = info()
    return structs.replace(
        found, commands=(*found.commands, *(command_data(command, allowed=True) for command in COMMANDS))
    )
