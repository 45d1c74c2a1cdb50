"""Generic conformance: a new driver is covered by being there."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devicehub.driver import SerialLink
from devicehub.model.device import ChannelKind
from devicehub.model.reading import Stored
from devicehub.record import format_sample
from devicehub.registry import driver_names, load_driver, simulator_names
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from tests.conformance import FIXTURES, chunked, feed, recorded_packets, replay, transcripts
from tests.drivers.simulated_hour import quiet_minutes, troubled_hour

DRIVERS = driver_names()
each_driver = pytest.mark.parametrize("name", DRIVERS)


@each_driver
def test_it_has_a_simulator_and_bytes_of_the_device(name: str) -> None:
    assert name in simulator_names()
    assert recorded_packets(name), f"no transcript in {FIXTURES / name.split('.')[1]}"


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
        made, expected = replay(load_driver(name), path)
        assert made == expected, path.name


@each_driver
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def _cut_anywhere(name: str) -> bool:
    """Only a serial line has no packet borders; where frames are told apart by time, time is what matters."""
    driver = load_driver(name)
    return isinstance(driver.link, SerialLink) and not driver.timed


@pytest.mark.parametrize("name", [name for name in DRIVERS if _cut_anywhere(name)])
@pytest.mark.parametrize("seed", range(3))
def test_the_result_does_not_depend_on_chunking(name: str, seed: int) -> None:
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
    hour = await quiet_minutes(name, 600)
    assert not hour.faults
    said = [sample.sample if isinstance(sample, Stored) else sample for sample in hour.samples]
    seen = {sample.channel for sample in said if hasattr(sample, "channel")}
    assert seen == {channel.name for channel in driver.channels}


@each_driver
async def test_an_hour_with_unplugging_and_garbage_on_the_line(name: str) -> None:
    """A device is heard again soon after garbage: before its capabilities are withdrawn for silence."""
    hour = await troubled_hour(name)
    assert hour.samples
    assert hour.bursts
    assert max(hour.waited()) <= load_driver(name).back_in_step, hour.faults[-20:]
