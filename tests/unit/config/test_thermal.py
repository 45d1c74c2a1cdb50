"""Regions and thermal rules: what is refused, and what becomes of what is right."""

from pathlib import Path

import pytest

from devicehub.config import Config, ConfigProblems, alarm_points, load_config, thermal_rules
from devicehub.config.diff import diff
from devicehub.model.alarm import Condition
from devicehub.model.thermal import Look, Region
from devicehub.model.units import Unit

START = """[hub]
site = "s"
node = "n"
[[device]]
id = "cam"
driver = "thermal.infiray_p2pro"
[[region]]
device = "cam"
name = "panel"
rectangle = [1, 2, 30, 40]
"""
RULE = '[[thermal]]\ndevice = "cam"\nchannel = "temperature"\nname = "warm"\n'
LINE = START.count("\n") + 1


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "hub.toml"
    path.write_text(text)
    with pytest.raises(ConfigProblems) as caught:
        load_config(path)
    return [str(one).removeprefix(f"{path}:") for one in caught.value.problems]


def valid(tail: str, **more: object) -> Config:
    """A rule that is right, with the regions `panel` and `roof`."""
    regions = [
        {"device": "cam", "name": "panel", "rectangle": [1, 2, 30, 40]},
        {"device": "cam", "name": "roof", "polygon": [[10, 0.5], [20, 0.5], [15, 9.2]]},
    ]
    rule = {"device": "cam", "channel": "temperature", "name": "warm", **more}
    return Config.model_validate({"hub": {"site": tail, "node": "n"}, "region": regions, "thermal": [rule]})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (RULE, "must have exactly one of above, below, interval, delta, anomaly"),
        (RULE + "above = 1\nbelow = 0\n", "must have exactly one of above, below, interval, delta, anomaly"),
        (RULE + "delta = 3\n", "delta needs a reference, and nothing else has one"),
        (RULE + 'above = 3\nreference = "panel"\n', "delta needs a reference, and nothing else has one"),
        (RULE + 'above = 3\nregion = "pannel"\n', "no such region; did you mean 'panel'?"),
        (RULE + "interval = [3, 3]\n", "the first must be less than the second"),
        (RULE + "anomaly = -1.0\n", "must be less than anomaly = 1"),
        (RULE + "above = 3\nframes = 10\n", "must be at most of = 9"),
        (RULE.replace("warm", "max") + "above = 3\n", "a statistic of every image goes by that name"),
        (RULE.replace("temperature", "image") + "above = 3\n", "no such image; driver thermal.infiray_p2pro has"),
        (RULE.replace("cam", "can") + "above = 3\n", "no such device; did you mean 'cam'?"),
        (RULE + "above = 3\n" + RULE + "above = 4\n", "device 'cam' has an alarm of that name"),
        (
            RULE + 'above = 3\n[[limit]]\ndevice = "cam"\nchannel = "temperature.max"\nhigh = 3\nname = "warm"\n',
            "device 'cam' has an alarm of that name",
        ),
        ('[[region]]\ndevice = "cam"\nname = "panel"\nrectangle = [0, 0, 1, 1]\n', "has a region of that name"),
        ('[[region]]\ndevice = "cam"\nname = "a"\n', "must have either rectangle or polygon"),
        ('[[region]]\ndevice = "cam"\nname = "a"\nrectangle = [0, 0, 0, 1]\n', "width and height must be at least 1"),
        ('[[region]]\ndevice = "cam"\nname = "a"\npolygon = [[0, 0], [1, 1]]\n', "at least three corners"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(tmp_path: Path, text: str, line: str) -> None:
    found = problems(tmp_path, START + text)
    assert len(found) == 1, found
    assert line in found[0]
    assert int(found[0].partition(":")[0]) >= LINE


@pytest.mark.parametrize(
    ("more", "condition", "limit", "unit"),
    [
        ({"above": 40.0}, Condition.HIGH, 40.0, Unit.CELSIUS),
        ({"below": -5.0}, Condition.LOW, -5.0, Unit.CELSIUS),
        ({"interval": [28.0, 40.0]}, Condition.HIGH, 0.0, Unit.KELVIN),
        ({"delta": 3.0, "reference": "roof"}, Condition.HIGH, 3.0, Unit.KELVIN),
        ({"delta": -3.0, "reference": "roof"}, Condition.LOW, -3.0, Unit.KELVIN),
        ({"anomaly": 6.0}, Condition.HIGH, 6.0, Unit.ONE),
        ({"anomaly": -6.0}, Condition.LOW, -6.0, Unit.ONE),
    ],
)
def test_a_rule_is_a_limit_on_the_value_it_makes(
    more: dict[str, object], condition: Condition, limit: float, unit: Unit
) -> None:
    config = valid("s", **more)
    (point,), (rule,) = alarm_points(config), thermal_rules(config)
    assert (point.name, point.channel, point.condition, point.limit) == ("warm", "temperature.warm", condition, limit)
    assert (point.hysteresis, point.message) == (1.0, "alarm.thermal")
    assert rule.unit(Unit.CELSIUS) is unit
    assert (rule.frames, rule.of) == (6, 9)


def test_regions_are_looked_up_by_name() -> None:
    (rule,) = thermal_rules(valid("s", delta=3.0, region="panel", reference="roof"))
    assert (rule.look, rule.region) == (Look.DELTA, Region("panel", (1, 2, 30, 40)))
    assert rule.reference == Region("roof", (10, 0, 10, 10), ((10.0, 0.5), (20.0, 0.5), (15.0, 9.2)))


def test_rules_and_regions_change_while_the_hub_runs() -> None:
    old = valid("s", above=40.0)
    assert diff(old, valid("s", above=41.0)).live == ("thermal",)
    assert diff(old, old.model_copy(update={"region": ()})).live == ("region",)
    assert diff(old, valid("s", above=41.0)).restart == ()
