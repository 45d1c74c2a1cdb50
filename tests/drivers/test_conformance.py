"""Generic conformance: a new driver is covered by being there."""

import asyncio
import contextlib
import tomllib
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devicehub.clock import Clock
from devicehub.driver import SerialLink
from devicehub.model.device import ChannelKind
from devicehub.model.errors import LinkLostError
from devicehub.model.reading import Sample
from devicehub.record import format_sample, parse, run_transcript
from devicehub.registry import driver_names, load_driver, load_simulator, simulator_names
from devicehub.simulator import AnySimulator
from devicehub.transport.memory import MemoryTransport
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from tests.conformance import FIXTURES, check_step, chunked, feed, recorded_packets, transcripts

DRIVERS = driver_names()
each_driver = pytest.mark.parametrize("name", DRIVERS)


@each_driver
def test_it_has_a_simulator_and_a_transcript(name: str) -> None:
    assert name in simulator_names()
    assert transcripts(name), f"no transcript in {FIXTURES / name.split('.')[1]}"


@each_driver
def test_its_declaration_is_complete(name: str) -> None:
    driver = load_driver(name)
    assert driver.category == name.split(".", maxsplit=1)[0]
    assert driver.channels
    names = [channel.name for channel in driver.channels]
    assert len(set(names)) == len(names)
    for channel in driver.channels:
        assert channel.name.replace("-", "").isalnum(), channel.name
        assert channel.name.islower() or channel.name.isnumeric()
        assert (channel.kind is ChannelKind.STATE) == bool(channel.states)
    assert driver.open({}) is not driver.open({})


@each_driver
def test_every_transcript_replays_exactly(name: str) -> None:
    for path in transcripts(name):
        lines = parse(path.read_text(), path.name)
        options = _options(path.read_text())
        replayed = run_transcript(load_driver(name).open(options), lines)
        assert [str(line) for line in replayed] == [str(line) for line in lines], path.name


def _options(text: str) -> dict[str, bool | int | float | str]:
    """A transcript may set options in a comment: `#: name = value` with a TOML value."""
    return tomllib.loads("\n".join(line[2:] for line in text.splitlines() if line.startswith("#:")))


@each_driver
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_give_samples_or_faults_and_nothing_else(name: str, data: st.DataObject) -> None:
    driver = load_driver(name)
    recorded = recorded_packets(name)
    ports = sorted({packet.port for packet in recorded}) or [""]
    mutated = st.builds(_mutate, st.sampled_from(recorded), st.integers(0, 10**6), st.integers(0, 255))
    anything = st.one_of(
        st.builds(Packet, st.binary(max_size=80), st.sampled_from(ports)), mutated, st.sampled_from(recorded)
    )
    feed(driver, driver.open({}), data.draw(st.lists(anything, max_size=12)))


def _mutate(packet: Packet, at: int, value: int) -> Packet:
    if not packet.data:
        return packet
    at %= len(packet.data)
    if value % 5 == 0:
        return Packet(packet.data[:at], packet.port)
    return Packet(packet.data[:at] + bytes([value]) + packet.data[at + 1 :], packet.port)


@pytest.mark.parametrize("name", [name for name in DRIVERS if isinstance(load_driver(name).link, SerialLink)])
@pytest.mark.parametrize("seed", range(3))
def test_the_result_does_not_depend_on_chunking(name: str, seed: int) -> None:
    """Only a serial line has no packet borders."""
    driver = load_driver(name)
    packets = recorded_packets(name)
    noise = [Packet(Random(seed).randbytes(5)), *packets, Packet(b"\x00\xff"), *packets]
    expected = _outcome(feed(driver, driver.open({}), [Packet(b"".join(p.data for p in noise))]))
    assert _outcome(feed(driver, driver.open({}), chunked(noise, Random(seed)))) == expected


def _outcome(steps: list[Step]) -> list[str]:
    """Samples and faults in order, timeouts aside: they depend on when bytes come, not how."""
    out = [format_sample(sample) for step in steps for sample in step.samples]
    return out + sorted(str(fault.reason) for step in steps for fault in step.faults if fault.reason != "timeout")


@each_driver
async def test_simulator_and_driver_agree_and_produce_every_channel(name: str) -> None:
    driver = load_driver(name)
    samples, faults = await _an_hour(name, seconds=600, unplugging=False)
    assert not faults
    seen = {sample.channel for sample in samples if hasattr(sample, "channel")}
    assert seen == {channel.name for channel in driver.channels}


@each_driver
async def test_an_hour_with_unplugging(name: str) -> None:
    samples, _ = await _an_hour(name, seconds=3600, unplugging=True)
    assert samples


async def _an_hour(name: str, seconds: float, *, unplugging: bool) -> tuple[list[Sample], list[str]]:
    """Drive the shipped driver against its simulator in virtual time."""
    clock = Clock(seed=7)
    driver = load_driver(name)
    make = load_simulator(name)
    random = Random(11)
    port = SimulatedPort(driver.link, lambda: _acting(make(Random(3)), seconds), clock)
    samples: list[Sample] = []
    faults: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                transport = await port.open()
                life = random.uniform(60, 600) if unplugging else seconds
                yank = asyncio.get_running_loop().call_later(life, port.unplug)
                try:
                    await _converse(name, transport, samples, faults)
                except LinkLostError:
                    yank.cancel()
                finally:
                    await transport.close()
                    yank.cancel()
                await clock.sleep(1)
                port.plug()
    except TimeoutError:
        return samples, faults


def _acting(simulator: AnySimulator, seconds: float) -> AnySimulator:
    """The simulated operator acts by himself; a camera runs slowly, and still slower through a whole hour."""
    simulator.do("demo")
    with contextlib.suppress(ValueError):
        simulator.do("rate", hz=0.5 if seconds > 600 else 2.0)
    return simulator


async def _converse(name: str, transport: MemoryTransport, samples: list[Sample], faults: list[str]) -> None:
    """The least a session does: packets and timers to the protocol, its writes to the link."""
    driver = load_driver(name)
    loop = asyncio.get_running_loop()
    protocol = driver.open({})
    step = protocol.start(loop.time())
    while True:
        check_step(driver, step)
        samples.extend(step.samples[: 100_000 - len(samples)])
        faults.extend(f"{loop.time():.2f} {fault}" for fault in step.faults)
        for packet in step.write:
            await transport.write(packet)
        try:
            async with asyncio.timeout_at(step.wake_at):
                packet = await transport.read()
        except TimeoutError:
            step = protocol.on_timer(loop.time())
        else:
            step = protocol.on_packet(loop.time(), packet)
