"""Where a scenario is played: its clock, its devices, its way to the broker."""

from collections.abc import Callable
from dataclasses import replace

from devicehub.clock import Clock
from devicehub.exercise.acts import Act
from devicehub.exercise.bus import LINK, BusProtocol
from devicehub.exercise.gate import Gate
from devicehub.exercise.load import modelled
from devicehub.exercise.schema import Scenario
from devicehub.hub import Hub, Plan
from devicehub.registry import load_driver
from devicehub.transport.bench import Bench


class Scenery:
    """Of one performance."""

    def __init__(self, scenario: Scenario, seed: int, utc: Callable[[], float], *, seeded: bool) -> None:
        """`seed`: of what devices do; `seeded`: ids and waiting follow too. `utc`: the clock, which an act may set."""
        self._shift = 0.0
        self.clock = Clock(utc=lambda: utc() + self._shift, seed=seed if seeded else None)
        self._on_bus = frozenset(one.id for one in scenario.device if one.link == "bus")
        models = {
            one.id: (LINK if one.id in self._on_bus else load_driver(one.driver).link, modelled(one))
            for one in scenario.device
        }
        self.bench = Bench(models, self.clock, seed)
        self._gate: Gate | None = None

    def entered(self, plan: Plan) -> Plan:
        """The plan of a hub that plays here: its way to the broker can be barred, devices on the bus have no driver."""
        self._gate = Gate(plan.connect)
        posts = [replace(one, make_protocol=BusProtocol) if one.device in self._on_bus else one for one in plan.posts]
        return replace(plan, connect=self._gate.connect, posts=posts)

    async def do(self, act: Act, hub: Hub) -> None:
        """What an act does to devices and surroundings; nothing for what is only said or checked."""
        if act.faults is not None:
            self.bench.fault(act.device, act.faults)
        elif act.verb == "unplug":
            await self.bench.unplug(act.device)
        elif act.verb == "plug":
            self.bench.insert(act.device)
            hub.wake()
        elif act.device:
            self.bench.do(act.device, act.verb, act.values)
        elif act.verb == "clock_jump":
            self._shift += float(act.values["seconds"])
        elif self._gate is not None and act.verb == "broker_down":
            self._gate.bar()
        elif self._gate is not None and act.verb == "broker_up":
            self._gate.open()
