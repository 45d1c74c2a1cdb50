"""ACI PIDS3: published frames, the error word, what the module's silence and its lamp check mean."""

import zlib
from random import Random

import pytest

from devicehub.model.alarm import AlarmCategory
from devicehub.model.errors import ConfigError, Reason
from devicehub.model.reading import Capability, Cause, DeviceAlarm, Level, Measurement, Quality, Sample
from devicehub.registry import load_driver
from devicehub.simulator import SerialSimulator
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step
from drivers.trace.aci_pids3 import encode
from simulators.trace.aci_pids3 import AciPids3

DEVICE = "01303030303030303002646576696365203f03393639443932353004"


def answer(text: str) -> Packet:
    covered = b"00000000\x02" + text.encode() + b"\x03"
    return Packet(b"\x01" + covered + b"%08X" % zlib.crc32(covered) + b"\x04")


def started(**options: bool | float | str) -> DeviceProtocol:
    protocol = load_driver("trace.aci_pids3").open(options)
    protocol.start(0.0)
    return protocol


def converse(simulator: SerialSimulator, protocol: DeviceProtocol, seconds: float) -> list[Sample]:
    """Driver and simulator for some virtual seconds; answers take 10 ms."""
    samples: list[Sample] = []
    now, step = 0.0, protocol.start(0.0)
    while now < seconds:
        answers = b"".join(simulator.on_bytes(packet.data) for packet in step.write)
        samples.extend(step.samples)
        assert step.wake_at is not None
        ahead = 0.01 if answers else max(step.wake_at - now, 0.001)
        simulator.advance(ahead)
        now += ahead
        step = protocol.on_packet(now, Packet(answers)) if answers else protocol.on_timer(now)
    return samples


@pytest.mark.parametrize(
    ("text", "crc"), [("device ?", "969D9250"), ("pids.start", "1F463007"), ("pids.error ?", "32C059A1")]
)
def test_commands_carry_the_published_checksums(text: str, crc: str) -> None:
    assert encode(text)[-9:-1].decode() == crc


def test_the_first_question_is_the_manuals_example() -> None:
    step = load_driver("trace.aci_pids3").open({}).start(0.0)
    assert [packet.data.hex() for packet in step.write] == [DEVICE]


def test_only_questions_and_the_start_are_ever_sent() -> None:
    simulator = AciPids3(Random(1))
    sent: list[bytes] = []

    class Spy:
        def do(self, verb: str, **values: float | str) -> None:
            simulator.do(verb, **values)

        def on_bytes(self, data: bytes) -> bytes:
            sent.append(data)
            return simulator.on_bytes(data)

        def advance(self, dt: float) -> bytes:
            return simulator.advance(dt)

    converse(Spy(), load_driver("trace.aci_pids3").open({}), 200)
    texts = {frame[10:-10].decode() for frame in sent}
    assert {text for text in texts if not text.endswith(" ?")} == {"pids.start"}
    assert sum(frame == encode("pids.start") for frame in sent) == 1


def test_without_the_start_option_nothing_but_questions_is_sent() -> None:
    protocol = load_driver("trace.aci_pids3").open({"start": False})
    now, step = 0.0, protocol.start(0.0)
    while now < 300:
        assert encode("pids.start") not in [packet.data for packet in step.write]
        assert step.wake_at is not None
        now = step.wake_at
        step = protocol.on_timer(now)


def test_the_lamp_check_is_warming_up_until_the_first_concentration() -> None:
    simulator = AciPids3(Random(1))
    samples = converse(simulator, load_driver("trace.aci_pids3").open({}), 15)
    told = [sample for sample in samples if isinstance(sample, Capability)]
    assert told == [Capability("voc", Level.NONE, Cause.WARMING_UP), Capability("voc", Level.FULL)]
    assert isinstance(samples[samples.index(told[1]) + 1], Measurement)


@pytest.mark.parametrize(
    ("word", "level", "cause", "text"),
    [
        ("00000004", Level.NONE, Cause.SELF_TEST_FAILED, "lamp function"),
        ("00010000", Level.NONE, Cause.BLOCKED, "pump blocked"),
        ("00020002", Level.DEGRADED, Cause.FAULT, "humidity sensor, pump current"),
        ("20020000", Level.NONE, Cause.UNCALIBRATED, "pump current, EEPROM checksum"),
        ("00000200", Level.DEGRADED, Cause.FAULT, "reserved bit 9"),
    ],
)
def test_a_fault_takes_from_the_capability_and_marks_the_value(
    word: str, level: Level, cause: Cause, text: str
) -> None:
    protocol = started()
    protocol.on_packet(0.1, answer("pids.meas 1.0"))
    step = protocol.on_packet(0.2, answer(f"pids.error {word}"))
    assert step.samples == (
        DeviceAlarm("fault", active=True, text=text, category=AlarmCategory.DEVICE),
        Capability("voc", level, cause),
    )
    (value,) = protocol.on_packet(0.3, answer("pids.meas 2.0")).samples
    expected = Quality.UNCERTAIN if level is Level.DEGRADED else Quality.BAD
    assert value == Measurement("voc", 2.0, expected, cause)
    step = protocol.on_packet(0.4, answer("pids.error 00000000"))
    assert step.samples == (
        DeviceAlarm("fault", active=False, category=AlarmCategory.DEVICE),
        Capability("voc", Level.FULL),
    )


def test_relays_become_alarms_of_the_device_on_their_edges() -> None:
    protocol = started()
    protocol.on_packet(0.1, answer("pids.relay.state 000"))
    assert protocol.on_packet(0.2, answer("pids.relay.state 011")).samples == (
        DeviceAlarm("high", active=True),
        DeviceAlarm("low", active=True),
    )
    assert protocol.on_packet(0.3, answer("pids.relay.state 011")).samples == ()


def test_a_module_that_falls_back_to_idle_is_started_again() -> None:
    simulator = AciPids3(Random(1))
    protocol = load_driver("trace.aci_pids3").open({})
    converse(simulator, protocol, 15)
    simulator.do("fault", bit=16)
    simulator.do("repair")
    samples = converse(simulator, protocol, 200)
    assert isinstance(samples[-1], Measurement)
    assert samples[-1].quality is Quality.GOOD


def test_three_unanswered_questions_mean_not_connected() -> None:
    protocol = started()
    steps: list[Step] = [protocol.on_timer(float(second)) for second in (1, 2, 3)]
    assert [step.faults[0].reason for step in steps] == [Reason.TIMEOUT] * 3
    assert [step.samples for step in steps] == [(), (), (Capability("voc", Level.NONE, Cause.NOT_CONNECTED),)]


def test_a_flipped_bit_is_refused() -> None:
    protocol = started()
    frame = bytearray(answer("pids.meas 16.000").data)
    frame[20] ^= 1
    step = protocol.on_packet(0.1, Packet(bytes(frame)))
    assert step.samples == ()
    assert [fault.reason for fault in step.faults] == [Reason.CHECKSUM]


@pytest.mark.parametrize("command", ["", " ?", "x" * 33 + " ?", "a\x04 ?", "größe ?"])
def test_a_measurement_command_that_no_frame_can_carry_is_a_mistake_in_the_configuration(command: str) -> None:
    with pytest.raises(ConfigError, match="measure_command"):
        load_driver("trace.aci_pids3").open({"measure_command": command})
