"""What devices need before a shift, in the configuration: what it becomes, and every mistake with its place."""

from math import inf
from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config
from devicehub.config.diff import diff
from devicehub.config.preflight import needs
from devicehub.model.preflight import CheckKind, KnownSample, Needs
from devicehub.model.reading import Outcome

HUB = '[hub]\nsite = "s"\nnode = "n"\nexercise = true\n'
DEVICES = "".join(
    f'[[device]]\nid = "{name}"\ndriver = "{driver}"\nport = "sim:"\n'
    for name, driver in (
        ("trace-1", "trace.ims_reference"),
        ("thermal-1", "thermal.gy_mcu90640"),
        ("scanner-1", "scanner.hid_pos"),
    )
)
SAMPLE = '[[preflight]]\ndevice = "{device}"\nsample = {{ name = "x", {sample} }}\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "devicehub.toml"
    path.write_text(HUB + DEVICES + text)
    return path


def test_the_table_is_what_the_hub_goes_by(tmp_path: Path) -> None:
    text = """\
[[preflight]]
device = "trace-1"
calibration_due = 2027-03-31
consumables = { swabs = 20, desiccant = 24.0 }
sample = { name = "TNT swab", outcome = "alarm", finding = "TNT", within_s = 90.0 }
without = ["sample"]

[[preflight]]
device = "thermal-1"
sample = { name = "black body", channel = "image.max", low = 34.0 }
"""
    trace, thermal = load_config(written(tmp_path, text)).preflight
    swab = KnownSample("TNT swab", 90.0, outcome=Outcome.ALARM, finding="TNT")
    assert needs(trace) == Needs("2027-03-31", (("swabs", 20.0), ("desiccant", 24.0)), swab, (CheckKind.SAMPLE,))
    assert needs(thermal).sample == KnownSample("black body", 60.0, channel="image.max", low=34.0, high=inf)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('[[preflight]]\ndevice = "trace"\n', "no such device; did you mean 'trace-1'?"),
        ('[[preflight]]\ndevice = "trace-1"\n[[preflight]]\ndevice = "trace-1"\n', "another [[preflight]] is about"),
        ('[[preflight]]\ndevice = "trace-1"\nconsumables = { swab = 1 }\n', "no such number; did you mean 'swabs'?"),
        ('[[preflight]]\ndevice = "trace-1"\nconsumables = { swabs = -1 }\n', "must be at least 0"),
        ('[[preflight]]\ndevice = "trace-1"\ncalibration_due = "2027-03-31"\n', "a date without quotes"),
        ('[[preflight]]\ndevice = "trace-1"\nwithout = ["calibration"]\n', "without[0]"),
        (SAMPLE.format(device="trace-1", sample='outcome = "alarm", text = "y"'), "exactly one of outcome, channel"),
        (SAMPLE.format(device="trace-1", sample="low = 1.0"), "exactly one of outcome, channel"),
        (SAMPLE.format(device="trace-1", sample='outcome = "maybe"'), "must be 'alarm' or 'clear'"),
        (SAMPLE.format(device="trace-1", sample='text = "y", finding = "z"'), "no meaning without outcome"),
        (SAMPLE.format(device="trace-1", sample='text = "y"'), "driver trace.ims_reference reads no codes"),
        (SAMPLE.format(device="trace-1", sample='channel = "swabs"'), "needs low, high or both"),
        (SAMPLE.format(device="trace-1", sample='channel = "swabs", low = 3.0, high = 2.0'), "must not be above high"),
        (SAMPLE.format(device="thermal-1", sample='channel = "image", low = 3.0'), "did you mean 'image."),
        (SAMPLE.format(device="scanner-1", sample='channel = "barcode", low = 3.0'), "no such number"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load_config(written(tmp_path, text))
    assert mistake in str(caught.value)
    assert "devicehub.toml:" in str(caught.value)


def test_other_needs_take_no_restart_of_anything(tmp_path: Path) -> None:
    old = load_config(written(tmp_path, ""))
    new = load_config(written(tmp_path, '[[preflight]]\ndevice = "trace-1"\n'))
    found = diff(old, new)
    assert (found.restart, found.live, found.devices.changed) == ((), ("preflight",), ())
