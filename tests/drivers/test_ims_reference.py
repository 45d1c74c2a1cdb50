"""The driver of the reference trace detector: what it asks, what it makes of answers, faults and silence."""

import re
from pathlib import Path

import pytest

from devicehub.model.command import CommandState
from devicehub.model.errors import ConfigError, ProtocolError, Reason
from devicehub.model.reading import (
    Capability,
    Cause,
    DeviceAlarm,
    Identity,
    Level,
    Measurement,
    Outcome,
    Quality,
    Result,
    Spectrum,
    Stored,
    Trigger,
)
from devicehub.model.units import Unit
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Ended
from simulators.trace import _ims_reference_wire as wire
from tests.drivers.ims_reference_bench import Bench, facts

READY = wire.State(1, swabs=80, desiccant=390, dopant=690).pack()
ALARMED = wire.Verdict(1, 0, (wire.Peak(0, 1, alarmed=True, confidence=80, k0=1.451, amplitude=2119.0, name="TNT"),))


def test_it_asks_who_and_how_it_is_and_what_it_found_last() -> None:
    bench = Bench()
    assert [request[3] for request in bench.requests] == [wire.IDENTIFY, wire.GET_STATE, wire.GET_LAST_RUN]
    assert not bench.faults


def test_without_a_command_it_only_asks_questions() -> None:
    bench = Bench()
    bench.simulator.do("demo")
    for kind in ("crc", "drop", "duplicate", "truncate", "garbage"):
        bench.simulator.do("fault", kind=kind)
        bench.run(60)
    questions = {wire.IDENTIFY, wire.GET_STATE, wire.GET_ENVIRONMENT, wire.GET_LAST_RUN}
    assert {request[3] for request in bench.requests} <= questions


def test_the_calibrants_are_facts_of_the_identity() -> None:
    (identity,) = Bench().seen(Identity)
    known = facts(identity)
    assert known["calibrant-negative"] == "4-nitrobenzonitrile"
    assert known["calibrant-negative-k0"] == "1.652"
    assert known["calibrant-positive"] == "nicotinamide"
    assert known["reactant-ion-positive-k0"] == "2.3"
    assert known["drift-length"] == "60 mm"
    assert known["drift-voltage"] == "1400 V"


def test_a_warming_up_device_detects_nothing_and_a_ready_one_everything() -> None:
    bench = Bench()
    assert bench.seen(Capability)[:2] == [
        Capability("explosives", Level.NONE, Cause.WARMING_UP),
        Capability("narcotics", Level.NONE, Cause.WARMING_UP),
    ]
    bench.forget().run(61)
    assert bench.states() == ["warming-up", "ready"]
    assert bench.seen(Capability)[-2:] == [Capability("explosives", Level.FULL), Capability("narcotics", Level.FULL)]


def test_a_clean_swab_is_a_clear_result_with_both_polarities_and_their_peaks() -> None:
    bench = Bench().warmed().swab()
    assert bench.states() == ["sampling", "ready"]
    assert bench.seen(Trigger) == [Trigger("sample")]
    (result,) = bench.seen(Result)
    assert (result.outcome, result.duration, result.cause) == (Outcome.CLEAR, 5.0, Cause.NONE)
    assert {peak.name for peak in result.peaks} == {"4-nitrobenzonitrile", "chloride", "nicotinamide", "hydronium"}
    assert [scan.mode for scan in bench.seen(Spectrum)] == ["negative", "positive"] * 10
    assert all(len(scan.data) == 4000 and scan.quality is Quality.GOOD for scan in bench.seen(Spectrum))
    assert not bench.faults


def test_an_alarm_names_its_group_and_its_peaks_until_the_operator_takes_it_off() -> None:
    bench = Bench().warmed().swab("cocaine", 10)
    (result,) = bench.seen(Result)
    (peak,) = [peak for peak in result.peaks if peak.name == "cocaine"]
    assert result.outcome is Outcome.ALARM
    assert peak.unit is Unit.REDUCED_MOBILITY
    assert peak.position == pytest.approx(1.160, abs=0.003)
    assert bench.seen(DeviceAlarm) == [DeviceAlarm("narcotics", active=True, text="cocaine", value=peak.amplitude)]
    bench.forget().simulator.do("acknowledge")
    bench.run(0.1)
    assert bench.seen(DeviceAlarm) == [DeviceAlarm("narcotics", active=False)]


def test_each_run_has_its_own_sample_id() -> None:
    bench = Bench().warmed().swab().swab()
    first, second = (int(result.sample_id) for result in bench.seen(Result))
    assert second == first + 1


def test_a_lost_verdict_is_fetched_and_reported_once() -> None:
    bench = Bench().warmed()
    bench.simulator.do("sample", substance="TNT", mass_ng=10)
    bench.run(4.9)
    bench.simulator.do("fault", kind="drop", amount=2)
    bench.run(15)
    (result,) = bench.seen(Result)
    assert result.outcome is Outcome.ALARM
    assert "sequence" in bench.reasons()
    assert bench.seen(DeviceAlarm)[-1].text == "TNT"


def test_missing_scans_are_named_with_their_run() -> None:
    bench = Bench().warmed()
    bench.simulator.do("sample")
    bench.run(1.1)
    bench.simulator.do("fault", kind="drop")
    bench.run(5)
    (result,) = bench.seen(Result)
    details = [fault.detail for fault in bench.faults if fault.reason is Reason.SEQUENCE]
    assert details == ["1 frames missing", f"run {result.sample_id}: 19 of 20 scans arrived"]


def test_a_run_from_before_the_link_is_a_stored_record_and_an_old_one_is_left_out() -> None:
    for age, reported in ((30.0, [("135", 30.0)]), (61.0, [])):
        protocol = load_driver("trace.ims_reference").open({"recover-window": 60.0})
        protocol.start(0.0)
        data = wire.frame(wire.RUN_END, 7, wire.run_end(135, 5.0, 20, ALARMED, age), reply_to=3)
        samples = protocol.on_packet(0.1, Packet(data)).samples
        stored = [sample for sample in samples if isinstance(sample, Stored)]
        assert [(one.record, one.age) for one in stored] == reported
        assert all(isinstance(one.sample, Result) and one.sample.sample_id == "135" for one in stored)
        assert not any(isinstance(sample, Result) for sample in samples)


def test_an_alarm_that_no_longer_stands_is_not_raised_again_by_an_old_run() -> None:
    protocol = load_driver("trace.ims_reference").open({})
    protocol.start(0.0)
    data = wire.frame(wire.STATE, 6, READY, 2) + wire.frame(wire.RUN_END, 7, wire.run_end(135, 5.0, 20, ALARMED), 3)
    alarms = [sample for sample in protocol.on_packet(0.1, Packet(data)).samples if isinstance(sample, DeviceAlarm)]
    assert alarms == [DeviceAlarm("explosives", active=False), DeviceAlarm("narcotics", active=False)]


def test_silence_withdraws_the_capabilities_and_speech_gives_them_back() -> None:
    bench = Bench().warmed()
    bench.simulator.do("fault", kind="stuck", amount=12)
    bench.run(11)
    assert bench.seen(Capability)[-2:] == [
        Capability("explosives", Level.NONE, Cause.STALE),
        Capability("narcotics", Level.NONE, Cause.STALE),
    ]
    assert set(bench.reasons()) == {"timeout"}
    bench.forget().run(5)
    assert bench.seen(Capability)[-1] == Capability("narcotics", Level.FULL)


def test_a_request_is_sent_three_times_and_asked_again_at_the_next_poll() -> None:
    protocol = load_driver("trace.ims_reference").open({"poll-period": 20.0})
    step = protocol.start(0.0)
    sent: list[tuple[float, int, int]] = []
    faults: list[ProtocolError] = []
    while step.wake_at is not None and step.wake_at < 30.0:
        at = step.wake_at
        step = protocol.on_timer(at)
        sent += [(at, packet.data[3], packet.data[4]) for packet in step.write]
        faults += step.faults
    identify = [(at, sequence) for at, kind, sequence in sent if kind == wire.IDENTIFY]
    assert identify == [(1.0, 1), (2.0, 1), (23.0, 5), (24.0, 5), (25.0, 5)]
    assert {fault.reason for fault in faults} == {Reason.TIMEOUT}


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("crc", {"checksum", "sequence"}),
        ("drop", {"sequence"}),
        ("duplicate", {"sequence"}),
        ("garbage", {"garbage"}),
        ("truncate", {"truncated", "sequence"}),
    ],
)
def test_a_damaged_line_costs_one_frame_and_no_more(kind: str, reasons: set[str]) -> None:
    bench = Bench().warmed()
    bench.simulator.do("fault", kind=kind)
    bench.run(30)
    assert set(bench.reasons()) == reasons
    assert len(bench.faults) <= 2
    bench.forget().swab()
    assert len(bench.seen(Spectrum)) == 20
    assert not bench.faults


def test_a_restart_aborts_the_run_that_was_under_way() -> None:
    protocol = load_driver("trace.ims_reference").open({})
    protocol.start(0.0)
    protocol.on_packet(0.1, Packet(wire.frame(wire.RUN_START, 500, wire.run_start(9, 5.0, 20))))
    step = protocol.on_packet(
        0.2, Packet(wire.frame(wire.IDENT, 0, wire.Ident("m", "s", "f", "l", 0.06, 1, ()).pack()))
    )
    assert Result(Outcome.ABORTED, "9", cause=Cause.FAULT) in step.samples
    assert not step.faults


def test_broken_sensors_are_told_from_broken_values() -> None:
    protocol = load_driver("trace.ims_reference").open({})
    protocol.start(0.0)
    state = wire.State(1, faults=0x0010).pack()
    gas = wire.Gas(383.15, 0.0, 4.0).pack()
    step = protocol.on_packet(0.1, Packet(wire.frame(wire.STATE, 0, state) + wire.frame(wire.ENVIRONMENT, 1, gas)))
    pressure = next(
        sample for sample in step.samples if isinstance(sample, Measurement) and sample.channel == "pressure"
    )
    assert (pressure.quality, pressure.cause) == (Quality.BAD, Cause.FAULT)
    assert Measurement("drift-temperature", 110.0) in step.samples
    assert Capability("explosives", Level.DEGRADED, Cause.FAULT) in step.samples


def test_a_failed_self_test_is_told_as_such_also_where_the_device_goes_on() -> None:
    protocol = load_driver("trace.ims_reference").open({})
    protocol.start(0.0)
    step = protocol.on_packet(0.1, Packet(wire.frame(wire.STATE, 0, wire.State(1, faults=0x0080).pack())))
    assert Capability("explosives", Level.DEGRADED, Cause.SELF_TEST_FAILED) in step.samples


def test_options_outside_their_limits_are_refused() -> None:
    with pytest.raises(ConfigError, match="poll-period"):
        load_driver("trace.ims_reference").open({"poll-period": 0.1})


def test_the_examples_of_the_specification_are_what_driver_and_simulator_say() -> None:
    document = Path(__file__).parents[2] / "docs" / "protocols" / "ims-reference.md"
    examples = dict(re.findall(r"^\| ([A-Z_]+) \| `([0-9a-f ]+)` \|$", document.read_text(), re.MULTILINE))
    assert len(examples) == 10
    assert bytes.fromhex(examples["IDENTIFY"]) == load_driver("trace.ims_reference").open({}).start(0.0).write[0].data
    for name, text in examples.items():
        data = bytes.fromhex(text)
        kind, sequence, reply_to = data[3], int.from_bytes(data[4:6], "little"), int.from_bytes(data[6:8], "little")
        assert kind == getattr(wire, name)
        assert wire.frame(kind, sequence, data[12:-2], reply_to) == data


def told(bench: Bench, verb: str) -> Ended:
    """What becomes of a command."""
    assert isinstance(bench.protocol, Commanded)
    bench.forget()
    bench._settle(bench.protocol.on_command(bench.now, Call(7, verb, {}, bench.now + 10)))
    bench.run(5)
    (ended,) = bench.ended
    return ended


def test_a_run_is_begun_and_ended_on_command() -> None:
    bench = Bench().warmed()
    assert told(bench, "start-sample") == Ended(7, CommandState.DONE)
    assert bench.requests[0][3] == wire.START_SAMPLE
    bench = Bench().warmed()
    bench.simulator.do("sample", substance="", mass_ng=0.0)
    assert told(bench, "abort-sample") == Ended(7, CommandState.DONE)
    (result,) = bench.seen(Result)
    assert result.outcome is Outcome.ABORTED


def test_what_the_device_refuses_is_rejected_with_its_reason() -> None:
    ended = told(Bench().warmed(), "abort-sample")
    assert ended == Ended(7, CommandState.REJECTED, "the device says that it is not ready")
    busy = Bench().warmed()
    busy.simulator.do("sample", substance="", mass_ng=0.0)
    assert told(busy, "start-sample") == Ended(7, CommandState.REJECTED, "the device says that it is busy")


def test_the_acknowledgement_of_the_specification_ends_a_command() -> None:
    """The request is under sequence 9 there."""
    protocol = load_driver("trace.ims_reference").open({})
    protocol.start(0.0)
    for at in range(1, 12):
        protocol.on_timer(float(at))
    assert isinstance(protocol, Commanded)
    for number in range(5):
        protocol.on_command(12.0 + number / 10, Call(number, "start-sample", {}, 100.0))
    ended: list[Ended] = []
    for at in range(13, 60):
        step = protocol.on_timer(float(at))
        ended += step.ended
        if any(packet.data[4:6] == b"\x09\x00" for packet in step.write):
            ended += protocol.on_packet(at + 0.1, Packet(bytes.fromhex("a55a0108070009000100b6c190ef4f"))).ended
    assert CommandState.DONE in {one.state for one in ended}
