"""What a driver may yield. Anything else is a bug, and is stopped where it harms nobody else."""

from math import nan

import numpy as np
import pytest

from devicehub.core.admission import Admission
from devicehub.model.alarm import Condition
from devicehub.model.drift import Drift
from devicehub.model.reading import (
    Axis,
    Capability,
    DeviceAlarm,
    Identity,
    Image,
    Layout,
    Level,
    Measurement,
    Outcome,
    Peak,
    Result,
    Sample,
    Scan,
    Spectrum,
    Trigger,
)
from devicehub.model.units import Unit
from tests.unit.core.bench import driver

AXIS = Axis(Unit.MILLISECOND, 1.0)

GOOD: list[Sample] = [
    Measurement("level", nan),
    Measurement("level", 1e9),
    Measurement("level", 2**63 - 1, device_time=0),
    Measurement("mode", 0.0, label="idle"),
    Image("image", b"\x00" * 4, Layout.U16LE, 2, 1),
    Image("image", b"", Layout.JPEG, 640, 480),
    Spectrum("plasmagram", b"", Layout.U16LE, AXIS),
    Spectrum("plasmagram", b"", Layout.U16LE, AXIS, run="7", index=3, drift=Drift(6.0, 1400.0, 0.0, -1.0, "", 1.652)),
    Scan("barcode", "qr", b"\xff\x00"),
    Capability("anything", Level.FULL),
    Identity((("serial", "\u00e4\x00"),)),
    Trigger("button"),
    DeviceAlarm("voc-1", active=True, value=nan),
    Result(Outcome.CLEAR, duration=nan),
]

BAD: list[tuple[Sample, str]] = [
    (Measurement("nothing", 1.0), "'nothing' is not declared"),
    (Measurement("image", 1.0), "declared image: Measurement came"),
    (Measurement("mode", 0.0, label="asleep"), "no state 'asleep'"),
    (Measurement("image.max", 0.0), "'image.max' is not declared"),
    (Image("level", b"\x00", Layout.U8, 1, 1), "declared measurement: Image came"),
    (Image("image", b"\x00" * 3, Layout.U16LE, 2, 1), "3 bytes are not 2x1 u16le"),
    (Image("image", b"", Layout.U8, 0, 5), "image of 0x5 pixels"),
    (Image("image", b"\x00", Layout.U8, 1, 1, gain=nan), "gain nan"),
    (Image("image", b"\x00", Layout.U8, 1, 1, gain=-0.1), "gain -0.1"),
    (Image("image", b"\x00", Layout.U8, 1, 1, gain=0.0), "gain 0.0"),
    (Image("image", b"\x00", Layout.U8, 1, 1, counter=2**64), "18446744073709551616 of type int"),
    (Measurement("level", 2**64), "18446744073709551616 of type int"),
    (Measurement("level", 1.0, label="\ud800"), "surrogates"),
    (Measurement("level", float(np.float64(1)), device_time=np.float64(7.5)), "type float64"),
    (Measurement("level", 1.0, uncertainty=np.float32(7.5)), "type float32"),  # type: ignore[arg-type]  # the bug
    (Measurement("level", 1.0, confidence=True), "True of type bool"),
    (DeviceAlarm("voc-1", active=True, value=2**70), "1180591620717411303424 of type int"),
    (Result(Outcome.CLEAR, duration=np.float64(7.5)), "type float64"),
    (Result(Outcome.ALARM, peaks=(Peak("RDX", 2**80, Unit.REDUCED_MOBILITY, 1.0),)), "1208925819614629174706176"),
    (Scan("barcode", "qr", b"", device_time=np.float64(7.5)), "type float64"),
    (Spectrum("plasmagram", b"", Layout.U16LE, AXIS, live_time=np.float64(7.5)), "type float64"),
    (Spectrum("plasmagram", b"\x00" * 3, Layout.U16LE, AXIS), "no spectrum of u16le"),
    (Spectrum("plasmagram", b"\x00" * 3, Layout.JPEG, AXIS), "no spectrum of jpeg"),
    (Spectrum("plasmagram", b"\x00" * 2, Layout.U16LE, Axis(Unit.MILLISECOND, nan)), "no line of numbers"),
    (Scan("level", "qr", b""), "declared measurement: Scan came"),
    (DeviceAlarm("voc/+", active=True), "'voc/[+]'"),
    (DeviceAlarm("", active=True), "''"),
    (DeviceAlarm("detected-tnt", active=True), "'detected-tnt' of condition device is the hub's own"),
    (DeviceAlarm("tnt", active=True, condition=Condition.DETECTION), "of condition detection is the hub's own"),
    (Result(Outcome.CLEAR, scans=2**64), "of type int"),
    (Spectrum("plasmagram", b"", Layout.U16LE, AXIS, run="\ud800"), "surrogates"),
    (Spectrum("plasmagram", b"", Layout.U16LE, AXIS, index=2**64), "of type int"),
    (Spectrum("plasmagram", b"", Layout.U16LE, AXIS, drift=Drift(6.0, nan, 383.0, 1008.0, "c", 1.6)), "no set of"),
    (Spectrum("plasmagram", b"", Layout.U16LE, AXIS, drift=Drift(6.0, 1.0, 383.0, 1008.0, "\ud800", 1.6)), "surrog"),
    (Identity((("serial", "\ud800"),)), "surrogates"),
    (Trigger("\ud800"), "surrogates"),
    (Result(Outcome.ALARM, peaks=(Peak("TNT", nan, Unit.REDUCED_MOBILITY, 1.0),)), "'TNT'"),
]


@pytest.mark.parametrize("sample", GOOD, ids=repr)
def test_what_a_device_may_say_at_any_time_is_admitted(sample: Sample) -> None:
    Admission(driver()).check(sample)


@pytest.mark.parametrize(("sample", "words"), BAD, ids=[words for _, words in BAD])
def test_what_only_a_bug_can_make_is_refused(sample: Sample, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Admission(driver()).check(sample)
