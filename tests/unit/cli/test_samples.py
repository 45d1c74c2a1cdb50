"""Samples as JSON: numbers exact, pixels by their figures."""

import hashlib
import json
import struct
from dataclasses import replace

from devicehub.cli.samples import fault_json, sample_json
from devicehub.driver import Driver, SerialLink
from devicehub.model.device import Category, Channel, ChannelKind
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import (
    Axis,
    Capability,
    Cause,
    DeviceAlarm,
    Identity,
    Image,
    Layout,
    Level,
    Measurement,
    Outcome,
    Peak,
    Quality,
    Radiometric,
    Result,
    Sample,
    Scan,
    Spectrum,
    Trigger,
)
from devicehub.model.units import Unit

DRIVER = Driver(
    title="t",
    category=Category.TRACE,
    link=SerialLink(),
    channels=(
        Channel(name="signal", title="", unit=Unit.NANOGRAM),
        Channel(name="image", title="", unit=Unit.CELSIUS, kind=ChannelKind.IMAGE),
        Channel(name="spectrum", title="", unit=Unit.COUNT, kind=ChannelKind.SPECTRUM),
        Channel(name="barcode", title="", kind=ChannelKind.SCAN),
    ),
)


def test_a_measurement_keeps_quality_and_cause() -> None:
    sample = Measurement("signal", 1.5, Quality.BAD, Cause.SATURATED, uncertainty=0.1)
    assert sample_json(sample, DRIVER) == {
        "channel": "signal", "kind": "measurement", "value": 1.5, "unit": "ng", "uncertainty": 0.1, "quality": "bad",
        "cause": "saturated",
    }  # fmt: skip


def test_a_value_that_its_channel_cannot_be_is_as_bad_as_the_hub_says_it_is() -> None:
    shown = sample_json(Measurement("signal", 1e9), replace(DRIVER, channels=(replace(DRIVER.channels[0], high=5.0),)))
    assert (shown["value"], shown["quality"], shown["cause"]) == (1e9, "bad", "out-of-range")


def test_what_is_not_a_number_is_null() -> None:
    shown = sample_json(Measurement("signal", float("nan")), DRIVER)
    assert shown["value"] is None
    json.dumps(shown, allow_nan=False)


def test_an_image_is_its_figures_and_digest_in_the_channels_unit() -> None:
    data = struct.pack("<4H", 100, 200, 300, 400)
    image = Image("image", data, Layout.U16LE, 2, 2, gain=0.1, offset=-10, radiometric=Radiometric.TRUE)
    shown = sample_json(image, DRIVER)
    assert (shown["min"], shown["mean"], shown["max"], shown["unit"]) == (0.0, 15.0, 30.0, "Cel")
    assert shown["digest"] == "sha256:" + hashlib.sha256(data).hexdigest()


def test_counts_that_are_no_temperatures_have_no_unit() -> None:
    assert "unit" not in sample_json(Image("image", b"\0\1", Layout.U8, 2, 1), DRIVER)


def test_a_jpeg_has_a_size_and_no_figures() -> None:
    shown = sample_json(Image("image", b"\xff\xd8\xff\xd9", Layout.JPEG, 640, 480), DRIVER)
    assert (shown["width"], shown["bytes"]) == (640, 4)
    assert "min" not in shown


def test_a_spectrum_is_its_figures_and_axis() -> None:
    data = struct.pack("<3I", 1, 5, 3)
    shown = sample_json(Spectrum("spectrum", data, Layout.U32LE, Axis(Unit.MILLISECOND, 0.5, 2.0)), DRIVER)
    assert (shown["n"], shown["max"], shown["axis"]) == (3, 5.0, {"unit": "ms", "start": 2.0, "step": 0.5})


def test_a_scan_is_text_and_hexadecimal() -> None:
    shown = sample_json(Scan("barcode", "qr-code", b"A\xff"), DRIVER)
    assert (shown["text"], shown["hex"]) == ("A\ufffd", "41ff")


def test_notices_name_what_they_are() -> None:
    peak = Peak("TNT", 1.45, Unit.REDUCED_MOBILITY, 900.0)
    cases: dict[Sample, dict[str, object]] = {
        Capability("gamma", Level.NONE, Cause.FAULT): {"capability": "gamma", "level": "none", "cause": "fault"},
        Identity((("serial", "7"),)): {"identity": {"serial": "7"}},
        Trigger("button"): {"trigger": "button"},
        DeviceAlarm("tnt", active=True): {"alarm": "tnt", "active": True},
        Result(Outcome.ALARM, "12", peaks=(peak,)): {
            "result": "alarm",
            "peaks": [{"name": "TNT", "position": 1.45, "unit": "cm2/(V.s)", "amplitude": 900.0}],
            "sample": "12",
        },
    }
    for sample, expected in cases.items():
        assert sample_json(sample, DRIVER) == expected


def test_a_fault_is_reason_and_detail() -> None:
    assert fault_json(ProtocolError(Reason.CHECKSUM, "x")) == {"fault": "checksum", "detail": "x"}
