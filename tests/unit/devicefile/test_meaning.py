"""What is made of a decoded message: each word of `measure`, `spectrum`, `image` and `alarm` reaches the sample."""

from pathlib import Path

import pytest

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.model.alarm import AlarmCategory
from devicehub.model.reading import (
    Axis,
    DeviceAlarm,
    Image,
    Layout,
    Measurement,
    Radiometric,
    Sample,
    Scan,
    Spectrum,
    Trigger,
)
from devicehub.model.units import Unit
from devicehub.wire.packet import Packet
from tests.unit.devicefile.files import SMALL, write

FILE = SMALL.replace(
    "[[request]]",
    """\
[[channel]]
name = "energy"
title = "Energy"
kind = "spectrum"
[[channel]]
name = "heat"
title = "Heat"
kind = "image"
unit = "Cel"
[[channel]]
name = "plate"
title = "Plate"
kind = "scan"
[[message]]
name = "lines"
match = { kind = 2 }
fields = [{ name = "fine", type = "u8" }, { name = "counts", type = "array", of = "u16" }]
[[message.spectrum]]
channel = "energy"
field = "counts"
unit = "keV"
step = "2.5"
start = "fine - 10"
quadratic = "fine / 8"
live_time = "fine * 2"
mode = "accumulated"
[[message]]
name = "picture"
match = { kind = 3 }
fields = [{ name = "pixels", type = "array", of = "u16", count = 6 }]
image = [{ channel = "heat", field = "pixels", width = 3, height = 2, gain = 0.25, offset = -40.0, radiometric = "WORD" }]
[[message]]
name = "rough"
match = { kind = 4 }
fields = [{ name = "mean", type = "u8" }, { name = "spread", type = "u8" }]
compute = { twice = "mean * 2" }
measure = [{ channel = "level", value = "twice // 2", uncertainty = "spread / 4", when = { spread = { to = 99 } } }]
[[message]]
name = "bang"
match = { kind = 5 }
fields = [{ name = "loud", type = "u8" }]
alarm = [{ point = "bang", when = { loud = { from = 10 } }, text = "{loud} dB", category = "device", event = true }]
[[message]]
name = "door"
match = { kind = 6 }
fields = [{ name = "open", type = "u8" }]
alarm = [{ point = "door", when = { open = 1 } }]
trigger = [{ name = "opened", when = { open = 1 } }]
[[message]]
name = "plates"
match = { kind = 7 }
fields = [{ name = "sure", type = "u8" }, { name = "text", type = "text" }]
scan = [{ channel = "plate", field = "text", symbology = "plate", when = { sure = 1 } }]
[[message]]
name = "levels"
match = { kind = 8 }
fields = [{ name = "rows", type = "list", fields = [{ name = "half", type = "u8" }] }]
measure = [{ channel = "level", value = "half * 2", each = "rows" }]
[[request]]""",
    1,
)


def said(folder: Path, *bodies: str, radiometric: str = "true") -> list[Sample]:
    """What is told of messages, each given as its bytes behind the length."""
    probe = Conversation(load(write(folder, FILE.replace("WORD", radiometric))), {})
    probe.start(0.0)
    out: list[Sample] = []
    for number, text in enumerate(bodies):
        body = bytes.fromhex(text)
        frame = bytes([len(body) + 1]) + body
        step = probe.on_packet(0.01 * number, Packet(frame + bytes([sum(frame) & 255])))
        assert step.faults == ()
        out += step.samples
    return out


def test_a_spectrum_has_the_axis_that_the_device_says_down_to_its_quadratic_term(tmp_path: Path) -> None:
    assert said(tmp_path, "02 0c 0100 0200") == [
        Spectrum(
            "energy",
            bytes.fromhex("01000200"),
            Layout.U16LE,
            Axis(Unit.KILOELECTRONVOLT, step=2.5, start=2.0, quadratic=1.5),
            mode="accumulated",
            live_time=24.0,
        )
    ]


@pytest.mark.parametrize("radiometric", list(Radiometric))
def test_a_pixel_in_degrees_is_gain_times_pixel_and_offset_and_says_how_sure_that_is(
    tmp_path: Path, radiometric: Radiometric
) -> None:
    (image,) = said(tmp_path, "03 a000 f000 0001 0002 0003 0004", radiometric=radiometric)
    assert isinstance(image, Image)
    assert (image.width, image.height, image.radiometric) == (3, 2, radiometric)
    first = int.from_bytes(image.data[:2], "little")
    assert (image.gain * first + image.offset, image.offset) == (0.0, -40.0)


def test_a_value_has_the_uncertainty_that_its_formula_gives(tmp_path: Path) -> None:
    assert said(tmp_path, "04 32 06") == [Measurement("level", 50, uncertainty=1.5)]


def test_a_value_whose_condition_does_not_hold_is_none(tmp_path: Path) -> None:
    assert said(tmp_path, "04 32 64", "04 32 63") == [Measurement("level", 50, uncertainty=24.75)]


def test_each_row_of_a_list_is_a_value(tmp_path: Path) -> None:
    assert said(tmp_path, "08 01 02 03") == [Measurement("level", value) for value in (2, 4, 6)]


def test_an_alarm_that_is_an_event_ends_as_it_begins_and_comes_each_time_anew(tmp_path: Path) -> None:
    """Else it would stand in the alarm list for ever: the device never says that it is over."""
    bang = [
        DeviceAlarm("bang", active, f"{loud} dB", category=AlarmCategory.DEVICE)
        for loud in (10, 11)
        for active in (True, False)
    ]
    assert said(tmp_path, "05 0a", "05 09", "05 0b") == bang


def test_an_alarm_that_is_a_state_is_told_when_it_changes_and_a_trigger_when_it_comes_true(tmp_path: Path) -> None:
    on, off, opened = DeviceAlarm("door", active=True), DeviceAlarm("door", active=False), Trigger("opened")
    assert said(tmp_path, "06 01", "06 01", "06 00", "06 00", "06 01") == [on, opened, off, on, opened]


def test_what_is_scanned_counts_only_while_its_condition_holds(tmp_path: Path) -> None:
    assert said(tmp_path, "07 00 41423132", "07 01 41423133") == [Scan("plate", "plate", b"AB13")]
