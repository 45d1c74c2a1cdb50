"""Simulated devices for exercises: in process, nobody acting by himself, every link open to faults while it runs.

Bytes go into the shipped drivers, in real or in virtual time alike.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from devicehub.clock import Clock, repeatable
from devicehub.driver import Link
from devicehub.simulator import AnySimulator, SimulatorFactory
from devicehub.transport.faults import FaultPlan, FaultTransport
from devicehub.transport.link import Transport
from devicehub.transport.simulated import SimulatedPort

TICK: Final = 0.1
Models = Mapping[str, tuple[Link, SimulatorFactory]]


class Bench:
    """The devices of one exercise, by id."""

    def __init__(self, models: Models, clock: Clock, seed: int) -> None:
        """`seed`: each device has chance of its own by it."""
        self._clock = clock
        self._ports = {
            name: SimulatedPort(link, _maker(factory, f"{seed} {name}"), clock, TICK)
            for name, (link, factory) in models.items()
        }
        self._plans: dict[str, FaultPlan] = {}
        self._open: dict[str, FaultTransport] = {}

    def plug(self, device: str, link: Link, factory: SimulatorFactory) -> Callable[[], Awaitable[Transport]]:
        """How to open the link of a device."""
        del link, factory
        port = self._ports[device]

        async def opened() -> Transport:
            self._open[device] = FaultTransport(await port.open(), self._plans.get(device, FaultPlan()), self._clock)
            return self._open[device]

        return opened

    async def unplug(self, device: str) -> None:
        """Yank it."""
        self._ports[device].unplug()

    def insert(self, device: str) -> None:
        """Plug it in again: it starts anew, and its link is sound."""
        self.fault(device, FaultPlan())
        self._ports[device].plug()

    def do(self, device: str, verb: str, values: Mapping[str, float | str]) -> None:
        """Change its simulated world. Raises `ValueError` for what its simulator does not know."""
        self._ports[device].simulator.do(verb, **values)

    def fault(self, device: str, plan: FaultPlan) -> None:
        """Spoil what comes over its link from now on, or no more."""
        self._plans[device] = plan
        if device in self._open:
            self._open[device].plan = plan

    def close(self) -> None:
        """Unplug everything."""
        for port in self._ports.values():
            port.unplug()


def _maker(factory: SimulatorFactory, seed: str) -> Callable[[], AnySimulator]:
    return lambda: factory(repeatable(seed))
