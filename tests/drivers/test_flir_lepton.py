"""FLIR Lepton on PureThermal: scales, telemetry above and below, the shutter, and settings that do not fit."""

from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from devicehub.model.device import OptionValue
from devicehub.model.reading import Cause, Image, Measurement, Quality, Radiometric, Shutter
from devicehub.model.units import Unit
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet, frame_port
from devicehub.wire.protocol import Step
from simulators.thermal.flir_lepton import FlirLepton

DRIVER = load_driver("thermal.flir_lepton")


def watch(simulator: FlirLepton, rows: int = 122, seconds: float = 1.0, **options: OptionValue) -> list[Step]:
    """What the driver makes of a simulated camera, from now on."""
    width = 160 if rows in {120, 122} else 80
    simulator.select("Y16 ", width, rows)
    protocol = DRIVER.open({"warm-up": 0.0, **options})
    steps = [protocol.start(0.0)]
    for tick in range(1, round(seconds * 50) + 1):
        frames = simulator.advance(0.02)
        steps += [protocol.on_packet(tick * 0.02, Packet(data, frame_port("Y16 ", width, rows))) for data in frames]
    return steps


def images(steps: list[Step]) -> list[Image]:
    return [sample for step in steps for sample in step.samples if isinstance(sample, Image)]


def faults(steps: list[Step]) -> list[str]:
    return [str(fault.reason) for step in steps for fault in step.faults]


def celsius(image: Image) -> NDArray[np.float64]:
    raw = np.frombuffer(image.data, "<u2").reshape(image.height, image.width)
    return np.asarray(raw * image.gain + image.offset)


@pytest.mark.parametrize(("scale", "kind", "within"), [("centikelvin", "", 0.2), ("decikelvin", "tenths", 0.3)])
def test_the_panel_has_its_temperature_in_both_scales(scale: str, kind: str, within: float) -> None:
    simulator = FlirLepton(Random(1))
    if kind:
        simulator.do("fault", kind=kind)
    first = images(watch(simulator, scale=scale))[0]
    assert first.radiometric is Radiometric.TRUE
    assert float(np.median(celsius(first))) == pytest.approx(12.75, abs=within)


@pytest.mark.parametrize("rows", [122, 63])
@pytest.mark.parametrize("place", ["footer", "header"])
def test_telemetry_is_read_where_the_option_says_it_stands(rows: int, place: str) -> None:
    simulator = FlirLepton(Random(1))
    if place == "header":
        simulator.do("fault", kind="header")
    steps = watch(simulator, rows, telemetry=place)
    assert faults(steps) == []
    assert {(image.width, image.height) for image in images(steps)} == {(160, 120) if rows == 122 else (80, 60)}
    counters = [image.counter for image in images(steps)]
    assert counters == [3 * number for number in range(1, len(counters) + 1)]


@pytest.mark.parametrize("place", ["footer", "header"])
def test_pixels_are_not_taken_for_telemetry(place: str) -> None:
    simulator = FlirLepton(Random(1))
    if place == "footer":
        simulator.do("fault", kind="header")
    steps = watch(simulator, seconds=3.0, telemetry=place)
    assert len(faults(steps)) >= 0.8 * len(steps)
    assert set(faults(steps)) <= {"corrupt", "sequence"}


@pytest.mark.parametrize(("scale", "kind"), [("centikelvin", "counts"), ("decikelvin", "counts"), ("counts", "")])
def test_a_scale_that_does_not_fit_is_refused_not_believed(scale: str, kind: str) -> None:
    simulator = FlirLepton(Random(1))
    if kind:
        simulator.do("fault", kind=kind)
    steps = watch(simulator, scale=scale)
    assert images(steps) == []
    assert set(faults(steps)) == {"range"}


def test_counts_are_no_degrees() -> None:
    simulator = FlirLepton(Random(1))
    simulator.do("fault", kind="counts")
    (first, *_) = images(watch(simulator, scale="counts"))
    assert (first.radiometric, first.gain, first.offset) == (Radiometric.NONE, 1.0, 0.0)
    assert DRIVER.configured({"scale": "counts"}).channel("temperature").unit is Unit.COUNT
    assert DRIVER.channel("temperature").unit is Unit.CELSIUS


def test_the_shutter_blanks_from_its_first_notice_to_the_frame_after() -> None:
    simulator = FlirLepton(Random(1))
    protocol = DRIVER.open({"warm-up": 0.0})
    protocol.start(0.0)
    steps = []
    for tick in range(1, 200):
        if tick == 50:
            simulator.do("shutter")
        steps += [
            protocol.on_packet(tick * 0.02, Packet(data, frame_port("Y16 ", 160, 122)))
            for data in simulator.advance(0.02)
        ]
    seen = [image.shutter for image in images(steps)]
    first, after = seen.index(Shutter.CLOSED), seen.index(Shutter.SETTLING)
    assert seen == [Shutter.OPEN] * first + [Shutter.CLOSED] * (after - first) + [Shutter.SETTLING] + [Shutter.OPEN] * (
        len(seen) - after - 1
    )
    assert after - first >= 8
    measured = [sample for step in steps for sample in step.samples if isinstance(sample, Measurement)]
    states = [sample.label for sample in measured if sample.channel == "ffc"]
    assert states == ["done", "imminent", "running", "done"]


def test_a_frame_without_telemetry_is_never_quite_trusted() -> None:
    causes = {(image.quality, image.cause) for image in images(watch(FlirLepton(Random(1)), 120))}
    assert causes == {(Quality.UNCERTAIN, Cause.INCOMPLETE)}


@pytest.mark.parametrize(("kind", "cause"), [("repeat", Cause.DUPLICATE), ("unshuttered", Cause.UNCALIBRATED)])
def test_what_is_wrong_with_a_frame_is_its_cause(kind: str, cause: Cause) -> None:
    simulator = FlirLepton(Random(1))
    simulator.do("fault", kind=kind)
    assert cause in {image.cause for image in images(watch(simulator))}


@pytest.mark.parametrize(("kind", "reason"), [("truncated", "truncated"), ("oversized", "length")])
def test_a_frame_of_another_length_is_refused(kind: str, reason: str) -> None:
    simulator = FlirLepton(Random(1))
    simulator.do("fault", kind=kind)
    assert faults(watch(simulator)) == [reason]


def test_the_camera_tells_its_temperatures_once_a_second() -> None:
    steps = watch(FlirLepton(Random(1)), seconds=3.0)
    told = [s for step in steps for s in step.samples if isinstance(s, Measurement) and s.channel.endswith("ture")]
    assert [sample.channel for sample in told] == ["sensor-temperature", "housing-temperature"] * 3
    assert told[1].value == 27.9
    assert all(29.9 < sample.value < 30.7 for sample in told[::2])


def test_nothing_is_ever_written_to_the_camera() -> None:
    """Telemetry, TLinear, gain and FFC are set through extension units: all of that changes the camera."""
    assert [packet for step in watch(FlirLepton(Random(1)), seconds=2.0) for packet in step.write] == []


def test_the_simulator_knows_no_other_format_or_fault() -> None:
    simulator = FlirLepton(Random(1))
    with pytest.raises(ValueError, match="no format"):
        simulator.select("Y16 ", 160, 119)
    with pytest.raises(ValueError, match="no fault"):
        simulator.do("fault", kind="meltdown")
    with pytest.raises(ValueError, match="no verb"):
        simulator.do("dance")
