"""What a device file's simulated device says, and when; what it says of values that do not fit."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.devicefile.fields import compile_fields
from devicehub.devicefile.fitting import fitting, limits
from devicehub.devicefile.load import driver
from devicehub.devicefile.rehearsal import play
from devicehub.devicefile.schema_message import FieldTable
from devicehub.devicefile.simulate import Device
from devicehub.tomlfile.problems import ConfigProblems
from tests.unit.devicefile.files import SMALL, compiled

SAID = '[simulate]\nmodel = "vapour"\n[simulate.values]\nlevel = {{ level = {} }}\n{}'
VAPOUR = "[simulate.every_s]\nlevel = 1.0\n"


def simulated(folder: Path, level: object, rest: str = VAPOUR) -> Device:
    return Device(compiled(folder, (SMALL, SMALL + SAID.format(level, rest))), Random(0))


def test_what_nobody_asked_for_is_said_only_while_its_condition_holds(tmp_path: Path) -> None:
    device = simulated(tmp_path, 7, VAPOUR + "[simulate.when]\nlevel = { high = 1 }\n")
    assert device.advance(1.0) == []
    device.do("vapour", ppm=1000)
    device.advance(60.5)
    assert device.advance(0.5) == [bytes.fromhex("0301070b")]


@pytest.mark.parametrize(("level", "holds"), [("300", "255"), ("-1", "0"), ('"low + 1000"', "255")])
def test_a_value_that_does_not_fit_from_the_start_is_a_mistake_of_the_file(
    tmp_path: Path, level: str, holds: str
) -> None:
    with pytest.raises(ConfigProblems) as refused:
        simulated(tmp_path, level)
    (text,) = str(refused.value).splitlines()
    assert "probe.toml:37:11  simulate.values.level.level: level = " in text
    assert text.endswith(f"does not fit its field, which holds {holds}")


def test_one_that_grows_beyond_its_field_is_held_there_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    device = simulated(tmp_path, '"ppm * 10"')
    device.do("vapour", ppm=1000)
    said = [frame for _ in range(120) for frame in device.advance(1.0)]
    assert len(said) == 120
    assert said[-1] == bytes.fromhex("0301ff03")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("simulated Probe, message level: level = ")
    assert caplog.messages[0].endswith("does not fit its field, which holds 255")


def test_a_message_that_cannot_be_computed_is_not_sent_and_the_device_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    device = simulated(tmp_path, '"50 // (1 - high)"')
    assert device.advance(1.0)
    device.do("vapour", ppm=1000)
    assert not any(device.advance(1.0) for _ in range(120))
    device.do("vapour", ppm=0)
    assert any(device.advance(1.0) for _ in range(60))
    assert len(caplog.messages) == 1
    assert "not sent" in caplog.messages[0]


def test_a_device_to_which_nothing_happens_knows_how_long_it_has_been_on(tmp_path: Path) -> None:
    said = SAID.replace("vapour", "constant").format('"seconds"', VAPOUR)
    device = Device(compiled(tmp_path, (SMALL, SMALL + said)), Random(0))
    device.do("demo")
    assert [frame[2] for _ in range(3) for frame in device.advance(1.0)] == [1, 2, 3]
    with pytest.raises(ValueError, match="no verb 'burn'"):
        device.do("burn")


def test_a_rehearsal_tells_what_did_not_fit(tmp_path: Path) -> None:
    text = SMALL + SAID.format('"100 + ppm * 10"', VAPOUR)
    file = compiled(tmp_path, (SMALL, text))
    played = play(file, driver(file, "trace.probe").open({}), 120.0)
    assert any("the simulator cannot say message level: level = " in fault for fault in played.faults)


NUMBERS = [
    *[{"type": f"{sign}{width}"} for sign in "ui" for width in (8, 16, 24, 32, 64)],
    {"type": "f32"}, {"type": "f32", "scale": 0.001}, {"type": "u16", "scale": 0.1, "offset": -40.0},
    {"type": "i16", "scale": -0.01}, {"type": "u64", "scale": 0.5}, {"type": "decimal", "size": 4},
    {"type": "hex", "size": 3}, {"type": "bcd", "size": 2},
]  # fmt: skip


@pytest.mark.parametrize("table", NUMBERS, ids=str)
@given(value=st.integers(-(10**30), 10**30))
def test_what_was_brought_to_fit_is_encoded_and_decoded_as_it_is(table: dict[str, Any], value: int) -> None:
    field = FieldTable.model_validate({"name": "n", **table})
    found = limits(field)
    assert found is not None
    fits = fitting(field)(value)
    assert fits == min(max(value, found[0]), found[1])
    layout, out, back = compile_fields([field], "big"), bytearray(), dict[str, Any]()
    layout.encode({"n": fits}, out)
    layout.decode(bytes(out), 0, back)
    assert back["n"] == pytest.approx(fits, rel=1e-6, abs=abs(field.scale or 1.0))


@pytest.mark.parametrize("kind", ["u8", "u12", "u16", "i8", "i32"])
@pytest.mark.parametrize("coding", ["plain", "zero-run", "delta"])
@given(values=st.lists(st.integers(-(2**40), 2**40) | st.just(0), min_size=1, max_size=400))
def test_an_array_that_was_brought_to_fit_comes_back_whole(kind: str, coding: str, values: list[int]) -> None:
    if kind == "u12" and coding != "plain":
        return
    field = FieldTable.model_validate({"name": "n", "type": "array", "of": kind, "coding": coding})
    fits = np.asarray(fitting(field)(np.array(values, np.int64)))
    layout, out, back = compile_fields([field], "little"), bytearray(), dict[str, Any]()
    layout.encode({"n": fits}, out)
    layout.decode(bytes(out), 0, back)
    assert back["n"].tolist()[: len(values)] == fits.tolist()


def test_text_and_bytes_are_cut_and_lists_are_looked_into() -> None:
    text = FieldTable(name="t", type="text", size=3)
    assert fitting(text)("abcd") == "abc"
    assert fitting(FieldTable(name="b", type="bytes", size=2))(b"abc") == b"ab"
    rows = FieldTable(name="l", type="list", fields=(FieldTable(name="r", type="i8"), text))
    assert fitting(rows)([{"r": -300, "t": "abc"}]) == [{"r": -128, "t": "abc"}]
    same = [{"r": 1, "t": "abc"}]
    assert fitting(rows)(same) is same


def test_a_formula_that_is_none_is_told_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigProblems, match=r'probe.toml:37:11  simulate.values.level.level = "low \*\*": not a formula'
    ):
        simulated(tmp_path, '"low **"')
