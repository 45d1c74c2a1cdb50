"""A whole hub in virtual time: shipped drivers, simulated devices in process, a broker in process."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from devicehub.clock import Clock
from devicehub.core import Setting
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.driver import Driver
from devicehub.hub import Hub, Plan, will
from devicehub.model.alarm import Limit
from devicehub.model.payload import InfoData
from devicehub.publish.envelope import Encoder
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics
from devicehub.registry import load_driver, load_simulator
from devicehub.simulator import AnySimulator
from devicehub.supervisor import Post
from devicehub.transport.simulated import SimulatedPort

EPOCH = 1_795_500_000.0


@dataclass
class House:
    """The parts of a running hub that a test may touch."""

    hub: Hub
    broker: MemoryBroker
    ports: dict[str, SimulatedPort]
    clock: Clock
    stop: asyncio.Event
    task: asyncio.Task[None]
    bodies: list[dict[str, object]] = field(default_factory=list)


def virtual_clock(seed: int, loop: asyncio.AbstractEventLoop) -> Clock:
    """A clock whose wall time follows a loop's."""
    return Clock(utc=lambda: EPOCH + loop.time(), seed=seed)


@asynccontextmanager
async def house(
    state: Path,
    devices: Sequence[str],
    *,
    seed: int = 1,
    limits: Sequence[Limit] = (),
    broker: MemoryBroker | None = None,
    posts: Sequence[Post] = (),
    drivers: dict[str, Driver] | None = None,
    slow_images: bool = True,
) -> AsyncIterator[House]:
    """Run a hub with one simulated device per driver name; stop and drain it at the end."""
    clock = virtual_clock(seed, asyncio.get_running_loop())
    random = Random(seed)
    broker = broker or MemoryBroker()
    found = {name.replace(".", "-").replace("_", "-"): load_driver(name) for name in devices}
    ports = {device: _port(driver, random.getrandbits(64), clock, slow=slow_images) for device, driver in found.items()}
    everything = found | (drivers or {})
    topics, encoder = Topics("bcp-test", "ws-1", exercise=True), Encoder("bcp-test", "ws-1", boot="b", exercise=True)
    setting = Setting(
        devices=everything,
        limits=limits,
        scans=ScanPolicy(Publish.HASH, b"k"),
        rules_digest="sha256:" + "0" * 64,
        ids=clock.ulid,
    )
    plan = Plan(
        setting=setting,
        posts=[Post(device, ports[device].open, partial(driver.open, {})) for device, driver in found.items()]
        + list(posts),
        connect=lambda: broker.connect(will(topics, encoder, clock, "b")),
        topics=topics,
        encoder=encoder,
        boot="b",
        info=lambda: InfoData(
            "0", "b", "sha256:" + "0" * 64, 1, tuple(devices), tuple(everything), "virtual", "2026-01-01T00:00:00.000Z"
        ),
        state=state,
    )
    hub, stop = Hub(plan, clock), asyncio.Event()
    task = asyncio.create_task(hub.run(stop))
    try:
        yield House(hub, broker, ports, clock, stop, task)
    finally:
        stop.set()
        await task
        for port in ports.values():
            port.unplug()


def _port(driver: Driver, seed: int, clock: Clock, *, slow: bool) -> SimulatedPort:
    def make() -> AnySimulator:
        simulator = load_simulator(driver.name)(Random(seed))
        simulator.do("demo")
        if slow:
            try:
                simulator.do("rate", hz=0.5)
            except ValueError:
                return simulator
        return simulator

    return SimulatedPort(driver.link, make, clock, tick=0.1)


def decoded(out: Outgoing) -> dict[str, object]:
    """The JSON of a message."""
    return msgspec.json.decode(out.payload, type=dict[str, object])


def journalled(broker: MemoryBroker) -> list[dict[str, object]]:
    """Every message that carries a sequence number, in order of arrival, first delivery only."""
    seen: dict[str, dict[str, object]] = {}
    for _, out in broker.log:
        if out.payload and b'"sequence":' in out.payload:
            body = decoded(out)
            seen.setdefault(str(body["sequence"]), body)
    return list(seen.values())


def digest(broker: MemoryBroker) -> str:
    """A hash over all journalled events."""
    sha = hashlib.sha256()
    for body in journalled(broker):
        body.pop("historical", None)
        body.pop("recordedtime", None)
        sha.update(msgspec.json.encode(body))
    return sha.hexdigest()
