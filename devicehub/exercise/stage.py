"""Where a scenario is played: its clock, its devices, its way to the broker, and the steps as they come."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from devicehub.clock import Clock
from devicehub.exercise.acts import Act
from devicehub.exercise.gate import Gate
from devicehub.exercise.load import timeline
from devicehub.exercise.schema import Scenario, Words
from devicehub.exercise.trainee import Trainee
from devicehub.hub import Hub, Plan
from devicehub.registry import load_driver, load_simulator
from devicehub.transport.bench import Bench

REMARK: Final = "exercise"
ECHO: Final = 5.0


class Stage:
    """One performance."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        utc: Callable[[], float],
        seeded: bool = False,
        told: Callable[[Words], None] = lambda _: None,
        trainee: type[Trainee] | None = None,
    ) -> None:
        """`utc`: the wall clock, which a scenario may set. `seed`: instead of the scenario's.

        `seeded`: ids and waiting follow it too. `told`: hears what is said. `trainee`: who answers, if it is no
        person.
        """
        self.scenario = scenario
        self._told = told
        self._trainee = trainee
        self._shift = 0.0
        number = scenario.scenario.seed if seed is None else seed
        self.clock = Clock(utc=lambda: utc() + self._shift, seed=number if seeded else None)
        models = {one.id: (load_driver(one.driver), load_simulator(one.driver)) for one in scenario.device}
        self.bench = Bench(models, self.clock, number)
        self._gate: Gate | None = None

    def entered(self, plan: Plan) -> Plan:
        """The plan of a hub that plays here: its way to the broker is this scenario's to bar."""
        self._gate = Gate(plan.connect)
        return replace(plan, connect=self._gate.connect)

    async def perform(self, hub: Hub, plan: Plan) -> None:
        """Play to the end, answered by the trainee if there is one."""
        if self._trainee is None or plan.view is None:
            await self._play(hub)
            return
        acting = asyncio.create_task(self._trainee(self.scenario, hub, plan.topics, self.clock).watch(plan.view))
        try:
            await self._play(hub)
        finally:
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)

    async def _play(self, hub: Hub) -> None:
        """Everything, until its end. Each step is the event `hub.exercise`, by which it is judged afterwards."""
        began = self.clock.monotonic()
        self._remark(hub, "begins")
        for act in timeline(self.scenario):
            await self.clock.sleep(began + act.at - self.clock.monotonic())
            if not act.undo:
                self._remark(hub, f"step {act.step}")
            if act.verb == "end":
                break
            await self._do(act, hub)
        await self.clock.sleep(ECHO)

    def _remark(self, hub: Hub, what: str) -> None:
        hub.remark(REMARK, f"{self.scenario.scenario.id} {what}")

    async def _do(self, act: Act, hub: Hub) -> None:
        if act.faults is not None:
            self.bench.fault(act.device, act.faults)
        elif act.verb == "unplug":
            await self.bench.unplug(act.device)
        elif act.verb == "plug":
            self.bench.insert(act.device)
            hub.wake()
        elif act.device:
            self.bench.do(act.device, act.verb, act.values)
        else:
            self._surroundings(act)

    def _surroundings(self, act: Act) -> None:
        if act.verb == "clock_jump":
            self._shift += float(act.values["seconds"])
        elif act.verb == "say":
            self._told(self.scenario.at[act.step].text)
        elif self._gate is not None and act.verb == "broker_down":
            self._gate.bar()
        elif self._gate is not None and act.verb == "broker_up":
            self._gate.open()
