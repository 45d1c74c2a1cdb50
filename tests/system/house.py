"""A whole hub in virtual time: shipped drivers, simulated devices in process, a broker in process."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post
from devicehub.core import Setting
from devicehub.core.mobility import MobilityRules
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.core.trial import RuleSet
from devicehub.driver import Driver
from devicehub.hub import Hub, Plan, will
from devicehub.hub.plan import Reread, RulesChange, nothing_to_read
from devicehub.model.alarm import Limit
from devicehub.model.inspection import InspectionDesk
from devicehub.model.payload import InfoData
from devicehub.model.stream import Stream
from devicehub.model.thermal import ThermalRule
from devicehub.publish.envelope import Encoder
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics
from devicehub.registry import load_driver, load_simulator
from devicehub.simulator import AnySimulator
from devicehub.transport.simulated import SimulatedPort
from tests.system.seen import breaches

EPOCH = 1_795_500_000.0
RULES = "sha256:" + "0" * 64
HASHED = ScanPolicy(Publish.HASH, b"k")


@dataclass
class House:
    """The parts of a running hub that a test may touch."""

    hub: Hub
    broker: MemoryBroker
    ports: dict[str, SimulatedPort]
    clock: Clock
    stop: asyncio.Event
    task: asyncio.Task[None]

    async def kill(self) -> None:
        """End the hub as kill -9 does: nothing is drained, the journal is not closed, the link to the broker breaks."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.hub._journal._ledger._give_up()

    async def end(self) -> None:
        """Stop the hub and let it drain, unless it is dead."""
        self.stop.set()
        if not self.task.cancelled():
            await self.task
        for port in self.ports.values():
            port.unplug()


@dataclass(frozen=True, kw_only=True)
class Furniture:
    """What a house has beside simulated devices: limits, devices of a test's own, a configuration to read again.

    `demo`: the simulated devices are used by somebody. `mobility`: trace detectors whose plasmagrams the hub judges.
    """

    limits: Sequence[Limit] = ()
    thermal: Sequence[ThermalRule] = ()
    posts: Sequence[Post] = ()
    drivers: Mapping[str, Driver] = field(default_factory=dict[str, Driver])
    slow_images: bool = True
    demo: bool = True
    mobility: Mapping[str, MobilityRules] = field(default_factory=dict[str, MobilityRules])
    reread: Reread = nothing_to_read
    scans: ScanPolicy = HASHED
    rules: RulesChange | None = None
    required: Sequence[str] = ()
    shadow: RuleSet | None = None
    desks: Sequence[InspectionDesk] = ()


def virtual_clock(seed: int, loop: asyncio.AbstractEventLoop) -> Clock:
    """A clock whose wall time follows a loop's."""
    return Clock(utc=lambda: EPOCH + loop.time(), seed=seed)


def named(driver: str) -> str:
    """The device id of a house's device of that driver."""
    return driver.replace(".", "-").replace("_", "-")


@asynccontextmanager
async def house(
    state: Path,
    devices: Sequence[str],
    furniture: Furniture | None = None,
    *,
    seed: int = 1,
    broker: MemoryBroker | None = None,
    boot: str = "b",
) -> AsyncIterator[House]:
    """Run a hub with one simulated device per driver name; stop and drain it at the end.

    Everything that its broker saw is held against the contract then. Each device has chance of its
    own: what one does cannot depend on what else is in the house.
    """
    furniture, broker = furniture or Furniture(), broker or MemoryBroker()
    clock = virtual_clock(seed, asyncio.get_running_loop())
    ports = {named(name): _port(load_driver(name), Random(f"{seed} {name}"), clock, furniture) for name in devices}
    hub, stop = Hub(_plan(state, devices, furniture, (ports, clock, broker, boot)), clock), asyncio.Event()
    running = House(hub, broker, ports, clock, stop, asyncio.create_task(hub.run(stop)))
    try:
        yield running
    finally:
        await running.end()
    assert breaches(out for _, out in broker.log) == []


_Parts = tuple[dict[str, SimulatedPort], Clock, MemoryBroker, str]


def _plan(state: Path, devices: Sequence[str], furniture: Furniture, parts: _Parts) -> Plan:
    ports, clock, broker, boot = parts
    found = {named(name): load_driver(name) for name in devices}
    everything = found | dict(furniture.drivers)
    topics, encoder = Topics("bcp-test", "ws-1", exercise=True), Encoder("bcp-test", "ws-1", boot=boot, exercise=True)
    setting = Setting(
        devices=everything,
        limits=furniture.limits,
        thermal=furniture.thermal,
        scans=furniture.scans,
        mobility=furniture.mobility,
        rules_digest=RULES,
        required=furniture.required,
        shadow=furniture.shadow,
        desks=furniture.desks,
        ids=clock.ulid,
    )
    posts = [
        Post(device, ports[device].open, partial(driver.open, {}), driver.quiet) for device, driver in found.items()
    ]
    return Plan(
        setting=setting,
        posts=[*posts, *furniture.posts],
        connect=lambda: broker.connect(will(topics, encoder, clock, boot)),
        topics=topics,
        encoder=encoder,
        boot=boot,
        info=lambda: InfoData(
            "0", boot, RULES, 1, tuple(devices), tuple(everything), "virtual", "2026-01-01T00:00:00.000Z"
        ),
        state=state,
        reread=furniture.reread,
        rules=furniture.rules,
    )


def _port(driver: Driver, random: Random, clock: Clock, furniture: Furniture) -> SimulatedPort:
    return SimulatedPort(driver.link, _maker(driver.name, random.getrandbits(64), furniture), clock, tick=0.1)


def _maker(driver: str, seed: int, furniture: Furniture) -> Callable[[], AnySimulator]:
    def make() -> AnySimulator:
        simulator = load_simulator(driver)(Random(seed))
        if furniture.demo:
            simulator.do("demo")
        if furniture.slow_images:
            try:
                simulator.do("rate", hz=0.5)
            except ValueError:
                return simulator
        return simulator

    return make


def decoded(out: Outgoing) -> dict[str, object]:
    """The JSON of a message."""
    return msgspec.json.decode(out.payload, type=dict[str, object])


def journalled(broker: MemoryBroker) -> list[dict[str, object]]:
    """Every message that carries a sequence number, in order of arrival, first delivery only."""
    seen: dict[tuple[object, object], dict[str, object]] = {}
    for _, out in broker.log:
        if out.payload and b'"sequence":"' in out.payload:
            body = decoded(out)
            seen.setdefault((body["stream"], body["sequence"]), body)
    return list(seen.values())


def numbers(bodies: Iterable[Mapping[str, object]], stream: Stream = Stream.EVENTS) -> list[int]:
    """The numbers of one stream, in the order of the bodies."""
    return [int(str(body["sequence"])) for body in bodies if body["stream"] == stream]


def gapless(bodies: Sequence[Mapping[str, object]]) -> bool:
    """Whether each stream has every number from 1 on, in its order."""
    found = [numbers(bodies, stream) for stream in Stream]
    return all(each == list(range(1, len(each) + 1)) for each in found)


def digest(broker: MemoryBroker) -> str:
    """A hash over all journalled events."""
    sha = hashlib.sha256()
    for body in journalled(broker):
        body.pop("historical", None)
        body.pop("recordedtime", None)
        sha.update(msgspec.json.encode(body))
    return sha.hexdigest()
