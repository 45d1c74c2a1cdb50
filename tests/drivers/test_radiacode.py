"""RadiaCode: published bytes, spectra of both formats, and what the simulator's faults lead to."""

import asyncio
import itertools
import struct
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.clock import Clock
from devicehub.collect.session import Session
from devicehub.model.errors import LinkLostError, ProtocolError, Reason
from devicehub.model.reading import (
    DeviceAlarm,
    Fault,
    Input,
    Measurement,
    Outcome,
    Reading,
    Result,
    Spectrum,
    Stored,
)
from devicehub.registry import load_driver, load_simulator
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet
from drivers.radiation._radiacode_log import Records
from drivers.radiation._radiacode_records import Record, records, spectrum, virtual_string
from simulators.radiation.radiacode import CAESIUM_CHANNEL, CALIBRATION, RadiaCodeSim, _pack
from tests.drivers.radiacode_bench import Bench

HEAD = struct.pack("<Ifff", 60, *CALIBRATION)


def counts(made: Spectrum) -> list[int]:
    return [value for (value,) in struct.iter_unpack("<I", made.data)]


def test_the_requests_are_those_of_the_published_program() -> None:
    protocol = load_driver("radiation.radiacode").open({})
    (first,) = protocol.start(0.0).write
    assert first.data == bytes.fromhex("08 00 00 00 07 00 00 80 01 ff 12 ff")


def test_nothing_but_the_exchange_is_ever_written_to_the_device() -> None:
    """No clock, no settings: command 0007 opens the session, all others read."""
    protocol = load_driver("radiation.radiacode").open({})
    device = RadiaCodeSim(Random(1))
    commands = set()
    todo = list(protocol.start(0.0).write)
    for second in range(100):
        device.advance(1.0)
        commands |= {int.from_bytes(packet.data[4:6], "little") for packet in todo}
        answers = [answer for packet in todo for answer in device.on_write(packet.port, packet.data)]
        steps = [protocol.on_packet(float(second), Packet(data, port)) for port, data in answers]
        steps.append(protocol.on_timer(second + 0.5))
        todo = [packet for step in steps for packet in step.write]
    assert commands == {0x0007, 0x000A, 0x0826}


@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 300), st.integers(0, 2**32 - 1)), min_size=1, max_size=300))
def test_a_packed_spectrum_is_unpacked_to_the_same_counts(values: list[int]) -> None:
    steps = [after - before for before, after in itertools.pairwise(values)]
    if all(-(2**31) <= step < 2**31 for step in [values[0], *steps]):
        assert counts(spectrum(HEAD + _pack(values), 1)) == values
    assert counts(spectrum(HEAD + struct.pack(f"<{len(values)}I", *values), 0)) == values


def test_every_kind_of_run_in_a_packed_spectrum() -> None:
    runs = "2000 2100 07fa 3200 ce6480 2300 3075e0b1 1400 00127a 1500 00943577 1000".replace(" ", "")
    made = spectrum(HEAD + bytes.fromhex(runs), 1)
    expected = [0, 0, 7, 250, 200, 300, 172, 30172, 10172, 8010172, 2008010172, 0]
    assert counts(made) == expected
    assert made.live_time == 60.0
    assert made.axis.start == pytest.approx(-4.5)
    assert made.axis.step == pytest.approx(2.37)


@pytest.mark.parametrize(
    ("body", "version", "reason"),
    [
        ("2000", 2, Reason.UNSUPPORTED),
        ("1600", 1, Reason.UNSUPPORTED),
        ("f1ff", 1, Reason.LENGTH),
        ("f0ff f0ff", 1, Reason.LENGTH),
        ("1200 ff", 1, Reason.RANGE),
        ("010203", 0, Reason.LENGTH),
        ("", 1, Reason.LENGTH),
    ],
)
def test_a_spectrum_that_makes_no_sense_is_refused(body: str, version: int, reason: Reason) -> None:
    with pytest.raises(ProtocolError) as refused:
        spectrum(HEAD + bytes.fromhex(body), version)
    assert refused.value.reason is reason


def test_a_series_that_claims_more_than_there_is_is_truncated() -> None:
    record = struct.pack("<BBBiHI", 0, 1, 2, 0, 0xFFFF, 1000)
    with pytest.raises(ProtocolError, match="cut off"):
        list(records(record))


def test_a_virtual_string_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ProtocolError, match="1 bytes instead of 2"):
        virtual_string(struct.pack("<II", 1, 2) + b"x")


def test_the_dose_rate_follows_the_source_and_its_error_covers_it() -> None:
    bench = Bench(source=2.0)
    bench.run(60)
    rates = bench.values("dose-rate")
    assert len(rates) >= 58
    assert sum(rates) / len(rates) == pytest.approx(2.1, rel=0.05)
    first = next(one for one in bench.samples if isinstance(one, Measurement) and one.channel == "dose-rate")
    assert first.uncertainty is not None
    assert abs(first.value - 2.1) < 4 * first.uncertainty


def test_the_caesium_line_is_seen_at_its_energy() -> None:
    bench = Bench(source=2.0)
    bench.run(60)
    made = [one for one in bench.samples if isinstance(one, Spectrum)][-1]
    found = counts(made)
    peak = max(range(200, 400), key=lambda channel: found[channel])
    energy = made.axis.start + made.axis.step * peak + made.axis.quadratic * peak**2
    assert abs(peak - CAESIUM_CHANNEL) < 20
    assert energy == pytest.approx(662, abs=50)


@pytest.mark.parametrize(("verb", "reason"), [("mute", Reason.TIMEOUT), ("garble", Reason.OVERFLOW)])
def test_it_recovers_from_a_lost_or_damaged_answer(verb: str, reason: Reason) -> None:
    bench = Bench()
    bench.run(3)
    bench.device.do(verb)
    bench.run(15)
    assert [fault.reason for fault in bench.faults] == [reason]
    before = len(bench.values("count-rate"))
    bench.run(3)
    assert len(bench.values("count-rate")) >= before + 2


def stored(bench: Bench) -> list[Stored]:
    return [one for one in bench.samples if isinstance(one, Stored)]


def test_what_it_kept_while_nobody_listened_is_history_with_the_age_that_it_has() -> None:
    """Four answers full of it; the present, which is in the last of them, dates them all."""
    bench = Bench()
    bench.device.do("away", seconds=700)
    bench.run(10)
    rates = [one for one in stored(bench) if one.sample.channel == "count-rate" and one.record]  # type: ignore[union-attr]
    assert max(one.age for one in rates) == pytest.approx(700, abs=6)
    assert len({one.record for one in stored(bench)}) == len(stored(bench))
    assert len(bench.values("count-rate")) <= 16  # those of now
    assert bench.faults == []


def test_its_own_log_is_history_even_when_it_is_new() -> None:
    bench = Bench()
    bench.run(130)
    assert [round(one.age) for one in stored(bench) if isinstance(one.sample, Measurement)] == [0, 0, 0, 0]


def test_an_alarm_of_before_raises_nothing_and_is_told() -> None:
    bench = Bench(source=2.0)
    bench.device.do("away", seconds=300)
    bench.device.do("source", rate=0.0)
    bench.device.do("away", seconds=60)
    bench.run(10)
    assert not [one for one in bench.samples if isinstance(one, DeviceAlarm)]
    (old,) = [one for one in stored(bench) if isinstance(one.sample, Result)]
    assert (old.sample.outcome, old.sample.note) == (Outcome.ALARM, "alarm dose-rate-1 of the device")  # type: ignore[union-attr]


def test_records_that_never_reach_the_present_are_told_after_a_minute() -> None:
    log = Records()
    told = []
    for second in range(62):
        late = [
            Record(n, second * 100 * 20 + n * 100, logged=False, samples=(Measurement("dose", 1.0),)) for n in range(20)
        ]
        told += list(log.take(float(second), late))
    assert len(told) >= 60 * 20


async def test_over_usb_what_somebody_else_left_in_the_device_is_passed_over() -> None:
    driver, clock = load_driver("radiation.radiacode_usb"), Clock(seed=1)
    port = SimulatedPort(driver.link, lambda: load_simulator("radiation.radiacode_usb")(Random(1)), clock)
    port.simulator.do("leftover")
    heard: list[Input] = []
    transport = await port.open()
    session = Session("dev", driver.open({}), lambda _: None, heard.append, clock)
    task = asyncio.create_task(session.run(transport, lambda: None))
    await clock.sleep(60)
    port.unplug()
    with pytest.raises(LinkLostError):
        await task
    said = [one.sample for one in heard if isinstance(one, Reading)]
    assert sum(isinstance(one, Measurement) and one.channel == "dose-rate" for one in said) >= 55
    assert [one for one in heard if isinstance(one, Fault)] == []
