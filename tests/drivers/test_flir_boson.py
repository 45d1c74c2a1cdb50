"""FLIR Boson: scales of its video, what a standstill means; its control port, escapes and what is never sent."""

from random import Random

import numpy as np
import pytest

from devicehub.model.command import CommandState
from devicehub.model.device import OptionValue
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Identity, Image, Measurement, Quality, Radiometric, Sample, Shutter
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet, frame_port
from devicehub.wire.protocol import Call, Commanded, Ended, Step
from drivers.thermal.flir_boson_control import REFUSED, encode, reply
from simulators.thermal.flir_boson import FlirBoson
from simulators.thermal.flir_boson_control import FlirBosonControl

VIDEO = load_driver("thermal.flir_boson")
CONTROL = load_driver("thermal.flir_boson_control")


def watch(simulator: FlirBoson, seconds: float, **options: OptionValue) -> list[Step]:
    protocol = VIDEO.open(options)
    steps = [protocol.start(0.0)]
    for tick in range(1, round(seconds * 20) + 1):
        frames = simulator.advance(0.05)
        steps += [protocol.on_packet(tick * 0.05, Packet(data, frame_port("Y16 ", 320, 256))) for data in frames]
    return steps


def images(steps: list[Step]) -> list[Image]:
    return [sample for step in steps for sample in step.samples if isinstance(sample, Image)]


def test_counts_are_never_shown_as_degrees() -> None:
    first = images(watch(FlirBoson(Random(1)), 1.0))[0]
    assert (first.radiometric, first.gain, first.quality) == (Radiometric.NONE, 1.0, Quality.UNCERTAIN)


def test_hundredths_are_approximate_degrees() -> None:
    simulator = FlirBoson(Random(1))
    simulator.do("fault", kind="linear")
    first = images(watch(simulator, 1.0, scale="centikelvin"))[0]
    assert (first.radiometric, first.cause) == (Radiometric.APPROXIMATE, Cause.APPROXIMATE)
    assert float(np.median(np.frombuffer(first.data, "<u2"))) * 0.01 - 273.15 == pytest.approx(12.75, abs=0.2)


def test_counts_taken_for_hundredths_are_refused() -> None:
    simulator = FlirBoson(Random(1))
    steps = watch(simulator, 1.0, scale="centikelvin")
    assert images(steps)
    protocol = VIDEO.open({"scale": "centikelvin"})
    low = np.full((256, 320), 9000, "<u2").tobytes()
    (fault,) = protocol.on_packet(0.0, Packet(low, frame_port("Y16 ", 320, 256))).faults
    assert fault.reason is Reason.RANGE
    assert "option 'scale'" in fault.detail


def test_a_picture_that_stands_still_is_a_correction_and_then_a_hang() -> None:
    simulator = FlirBoson(Random(1))
    simulator.do("shutter")
    shutters = [image.shutter for image in images(watch(simulator, 3.0))]
    assert shutters.count(Shutter.CLOSED) >= 2
    assert shutters.count(Shutter.SETTLING) == 1
    simulator.do("fault", kind="freeze")
    assert images(watch(simulator, 3.0, **{"freeze-limit": 2.0}))[-1].cause is Cause.STALE


def test_video_is_only_read() -> None:
    assert [packet for step in watch(FlirBoson(Random(1)), 2.0) for packet in step.write] == []


class Bench:
    """The control port's driver and its simulator, in steps of 50 ms."""

    def __init__(self, fault: str = "") -> None:
        self.simulator = FlirBosonControl(Random(1))
        if fault:
            self.simulator.do("fault", kind=fault)
        self.protocol = CONTROL.open({})
        self.now = 0.0
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.ended: list[Ended] = []
        self.sent: list[bytes] = []
        self._wake_at: float | None = None
        self._took(self.protocol.start(0.0))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            self.simulator.advance(0.05)
            while self._wake_at is not None and self._wake_at <= self.now:
                self._took(self.protocol.on_timer(self.now))

    def command(self, verb: str) -> None:
        assert isinstance(self.protocol, Commanded)
        self._took(self.protocol.on_command(self.now, Call(1, verb, {}, self.now + 5)))

    def labels(self, channel: str) -> list[str]:
        return [one.label for one in self.samples if isinstance(one, Measurement) and one.channel == channel]

    def _took(self, step: Step) -> None:
        self.samples += step.samples
        self.faults += step.faults
        self.ended += step.ended
        self._wake_at = step.wake_at
        for packet in step.write:
            self.sent.append(packet.data)
            if answer := self.simulator.on_bytes(packet.data):
                self._took(self.protocol.on_packet(self.now, Packet(answer)))


def test_the_camera_says_who_it_is() -> None:
    bench = Bench()
    bench.run(1.0)
    facts = dict(fact for sample in bench.samples if isinstance(sample, Identity) for fact in sample.facts)
    assert facts == {
        "serial": "93588",
        "part": "20640A050-6CAAX",
        "sensor-serial": str(0x8E9EAE),
        "software": "4.0.23710",
    }
    assert bench.faults == []


def test_a_correction_by_command_shows_while_it_runs() -> None:
    bench = Bench()
    bench.run(1.5)
    bench.command("run-ffc")
    bench.run(3.0)
    assert [ended.state for ended in bench.ended] == [CommandState.DONE]
    assert bytes.fromhex("8e000000000100050007ffffffff225cae") in bench.sent
    assert "yes" in bench.labels("ffc-running")
    assert bench.labels("ffc-running")[-1] == "no"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("checksum", Reason.CHECKSUM),
        ("garbage", Reason.GARBAGE),
        ("truncated", Reason.TIMEOUT),
        ("mute", Reason.TIMEOUT),
        ("other-sequence", Reason.UNEXPECTED),
    ],
)
def test_a_damaged_answer_is_told_and_the_next_round_is_good(kind: str, reason: Reason) -> None:
    bench = Bench()
    bench.run(1.5)
    bench.simulator.do("fault", kind=kind)
    bench.run(3.0)
    assert reason in {fault.reason for fault in bench.faults}
    bench.faults.clear()
    bench.run(2.0)
    assert bench.faults == []


def test_a_late_answer_is_still_that_answer() -> None:
    bench = Bench()
    bench.run(1.5)
    bench.simulator.do("fault", kind="late")
    bench.run(3.0)
    assert {fault.reason for fault in bench.faults} == {Reason.TIMEOUT}
    assert bench.labels("gain")[-1] == "automatic"


def test_what_an_older_camera_does_not_know_is_refused_and_the_rest_goes_on() -> None:
    bench = Bench("old")
    bench.run(5.0)
    assert {str(fault) for fault in bench.faults} == {
        "rejected: function 00050055: unknown function",
        "timeout: no answer",
    }
    assert len(bench.labels("gain")) >= 3
    assert bench.labels("ffc-desired") == []


@pytest.mark.parametrize("function", [*REFUSED, 0x00050001, 0])
def test_what_changes_the_camera_for_good_cannot_be_encoded(function: int) -> None:
    with pytest.raises(ValueError, match="is never sent"):
        encode(function)


def test_a_request_whose_crc_needs_an_escape_is_escaped() -> None:
    """Sources escape the payload only; then a CRC byte of 8E, 9E or AE ends the frame or begins another."""
    request = encode(0x00050004)
    assert request.endswith(bytes.fromhex("cc9e81ae"))
    assert request.count(b"\x8e") == request.count(b"\xae") == 1


def test_the_published_replies_that_need_escapes_are_read() -> None:
    sequence = bytes.fromhex("000000009e8100050030ffffffff6e80")
    with pytest.raises(ProtocolError, match="sequence 142"):
        reply(sequence)
    with pytest.raises(ProtocolError, match="sequence 78"):
        reply(bytes.fromhex("000000004e00050030ffffffff9e81eb"))


def test_the_simulators_know_no_other_verbs() -> None:
    with pytest.raises(ValueError, match="no verb"):
        FlirBosonControl(Random(1)).do("dance")
    with pytest.raises(ValueError, match="no fault"):
        FlirBoson(Random(1)).do("fault", kind="meltdown")
    with pytest.raises(ValueError, match="no format"):
        FlirBoson(Random(1)).select("Y16 ", 640, 512)
