"""A file that nobody tested says so in everything that it yields, of whatever kind."""

from pathlib import Path
from typing import get_args

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.devicefile.telling import UNTESTED, marked
from devicehub.model.reading import (
    Capability,
    Cause,
    DeviceAlarm,
    Identity,
    Image,
    Level,
    Measurement,
    Outcome,
    Quality,
    Result,
    Sample,
    Scan,
    Spectrum,
    Stored,
    Trigger,
)
from devicehub.registry import device_files
from devicehub.wire.packet import Packet
from tests.unit.devicefile.files import write

EVERYTHING = """\
format = 1
title = "Probe"
source = "test"
untested = true
capabilities = ["level"]
[link]
kind = "serial"
[frame]
kind = "delimited"
end = "0a"
header = [{ name = "kind", type = "u8" }]
[[channel]]
name = "level"
title = "Level"
[[channel]]
name = "mode"
title = "Mode"
kind = "state"
states = ["off", "on"]
[[channel]]
name = "curve"
title = "Curve"
kind = "spectrum"
[[channel]]
name = "picture"
title = "Picture"
kind = "image"
[[channel]]
name = "code"
title = "Code"
kind = "scan"
[[message]]
name = "everything"
match = { kind = 0x41 }
fields = [
    { name = "level", type = "u8", channel = "level" },
    { name = "mode", type = "u8", channel = "mode" },
    { name = "pixels", type = "array", of = "u8", count = 4 },
    { name = "code", type = "text" },
]
identity = { serial = "code" }
measure = [{ channel = "level", value = "level * 2" }]
spectrum = [{ channel = "curve", field = "pixels", unit = "1" }]
image = [{ channel = "picture", field = "pixels", width = 2, height = 2 }]
scan = [{ channel = "code", field = "code", symbology = "qr-code" }]
alarm = [{ point = "high", when = { level = { from = 1 } }, text = "level {level}" }]
capability = [{ name = "level", level = "full" }]
trigger = [{ name = "button", when = { mode = 1 } }]
"""


def said(sample: Sample) -> bool:
    """Whether a sample says by itself that nobody tested what it comes from."""
    match sample:
        case Measurement() | Spectrum() | Image() | Scan():
            return (sample.quality, sample.cause) == (Quality.UNCERTAIN, Cause.UNTESTED)
        case Capability():
            return (sample.level, sample.cause) == (Level.DEGRADED, Cause.UNTESTED)
        case DeviceAlarm():
            return sample.text.startswith(UNTESTED)
        case Identity():
            return ("driver", UNTESTED) in sample.facts
        case Trigger() | Result():
            return sample.note.startswith(UNTESTED)
        case Stored():
            return said(sample.sample)


def test_every_kind_of_sample_that_an_untested_file_can_yield_says_so(tmp_path: Path) -> None:
    probe = Conversation(load(write(tmp_path, EVERYTHING)), {})
    probe.start(0.0)
    samples = probe.on_packet(0.1, Packet(b"A\x05\x01\x01\x02\x03\x04XK-7\x0a")).samples
    kinds = {type(sample) for sample in samples}
    assert kinds == {Measurement, Spectrum, Image, Scan, Capability, DeviceAlarm, Identity, Trigger}
    assert [sample for sample in samples if not said(sample)] == []


def test_so_do_what_a_memory_holds_and_every_kind_that_is_not_thought_of_yet() -> None:
    """A kind that is added to the samples and not marked fails here."""
    measured = Measurement("level", 1)
    one_of_each: tuple[Sample, ...] = (
        measured,
        Capability("level", Level.FULL),
        DeviceAlarm("high", active=True),
        Result(Outcome.CLEAR),
        Stored("7", 3.0, measured),
        Stored("8", 3.0, Result(Outcome.ALARM, note="swab")),
        Trigger("button"),
    )
    assert [sample for sample in one_of_each if not said(marked(sample))] == []
    assert {type(one) for one in one_of_each} | {Spectrum, Image, Scan, Identity} == set(get_args(Sample))


def test_what_is_worse_than_untested_stays_what_it_is() -> None:
    lost = Capability("level", Level.NONE, Cause.NOT_CONNECTED)
    bad = Measurement("level", 1, Quality.BAD, Cause.SATURATED)
    assert (marked(lost), marked(bad)) == (lost, bad)


def test_no_shipped_file_is_untested() -> None:
    assert [name for name, path in device_files().items() if load(path).file.untested] == []
