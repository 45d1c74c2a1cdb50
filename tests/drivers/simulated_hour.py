"""A shipped driver against its simulator in virtual time, with what befalls a link: it is unplugged, it gets garbage."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from random import Random

from devicehub.clock import Clock
from devicehub.model.errors import LinkLostError
from devicehub.model.reading import Sample
from devicehub.record import Line
from devicehub.registry import load_driver, load_simulator
from devicehub.simulator import AnySimulator
from devicehub.transport.memory import MemoryTransport
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet
from tests.conformance import check_step, recorded_packets

MOST = 100_000
TICK = 0.25
QUIET_TICK = 0.1


@dataclass(frozen=True, slots=True)
class Burst:
    """Garbage at a second of virtual time, on a link that is lost at another."""

    at: float
    until: float


@dataclass(slots=True)
class Hour:
    """What was heard: packets, samples with their times, faults, and the garbage that came between."""

    packets: list[Line] = field(default_factory=list[Line])

    samples: list[Sample] = field(default_factory=list[Sample])
    times: list[float] = field(default_factory=list[float])
    faults: list[str] = field(default_factory=list[str])
    bursts: list[Burst] = field(default_factory=list[Burst])

    def waited(self) -> list[float]:
        """Seconds from each burst to the next sample, or to the end of a link that brought none any more."""
        return [
            next((at for at in self.times if burst.at < at < burst.until), burst.until) - burst.at
            for burst in self.bursts
            if burst.at < self.times[-1]
        ]


async def heard(name: str, seconds: float) -> list[Line]:
    """What a simulated device says to its driver, as the lines of a transcript that come from a device."""
    return (await quiet_minutes(name, seconds)).packets


async def quiet_minutes(name: str, seconds: float) -> Hour:
    """Nothing befalls the link."""
    hour = Hour()
    port = port_of(name, Clock(seed=7), 2.0, QUIET_TICK)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            transport = await port.open()
            try:
                await session_of(name, transport, hour)
            finally:
                await transport.close()
    return hour


async def troubled_hour(name: str, seconds: float = 3600) -> Hour:
    """Unplugged every minute or ten, and garbage on the line once between."""
    hour, random, clock = Hour(), Random(11), Clock(seed=7)
    port = port_of(name, clock, 0.5, TICK)
    loop = asyncio.get_running_loop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                transport = await port.open()
                life = random.uniform(60, 600)
                yank = loop.call_later(life, port.unplug)
                hour.bursts.append(Burst(at := loop.time() + random.uniform(0.1, 0.7) * life, loop.time() + life))
                burst = loop.call_at(at, transport.push, garbage(name, random))
                try:
                    await session_of(name, transport, hour)
                finally:
                    await transport.close()
                    yank.cancel()
                    burst.cancel()
                await clock.sleep(1)
                port.plug()
    return hour


def garbage(name: str, random: Random) -> list[Packet]:
    """Noise, and the beginning of something that was never finished, from wherever the device speaks."""
    recorded = recorded_packets(name)
    ports = sorted({packet.port for packet in recorded})
    noise = [
        Packet(random.randbytes(random.choice((1, 20, 64, 200))), random.choice(ports))
        for _ in range(random.randint(1, 4))
    ]
    begun = random.choice(recorded)
    return [*noise, Packet(begun.data[: random.randint(0, len(begun.data))], begun.port)]


def port_of(name: str, clock: Clock, rate: float, tick: float) -> SimulatedPort:
    """Where its simulator is plugged in: `rate` pictures a second of a camera, a `tick` of seconds."""
    make = load_simulator(name)
    return SimulatedPort(load_driver(name).link, lambda: _acting(make(Random(3)), rate), clock, tick)


def _acting(simulator: AnySimulator, rate: float) -> AnySimulator:
    """The simulated operator acts by himself; a camera runs slowly."""
    simulator.do("demo")
    with contextlib.suppress(ValueError):
        simulator.do("rate", hz=rate)
    return simulator


async def session_of(name: str, transport: MemoryTransport, hour: Hour) -> None:
    """The least a session does until the link is lost: packets and timers to the protocol, its writes to the link."""
    driver = load_driver(name)
    loop = asyncio.get_running_loop()
    protocol = driver.open({})
    step = protocol.start(loop.time())
    with contextlib.suppress(LinkLostError):
        while True:
            check_step(driver, step)
            taken = step.samples[: MOST - len(hour.samples)]
            hour.samples.extend(taken)
            hour.times.extend([loop.time()] * len(taken))
            hour.faults.extend(f"{loop.time():.2f} {fault}" for fault in step.faults)
            for packet in step.write:
                await transport.write(packet)
            try:
                async with asyncio.timeout_at(step.wake_at):
                    packet = await transport.read()
            except TimeoutError:
                step = protocol.on_timer(loop.time())
            else:
                hour.packets.append(Line(loop.time(), "<", "", packet))
                step = protocol.on_packet(loop.time(), packet)
