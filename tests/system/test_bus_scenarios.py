"""Scenarios whose devices put readings on the bus: the same rules, answers and points, without bytes of a device."""

from pathlib import Path

import pytest

from devicehub.config.resources import shipped
from devicehub.exercise.load import load_scenario
from devicehub.exercise.schema import Scenario
from devicehub.model.errors import ConfigError
from tests.system.rehearsal import rehearse

LESSON = """
[scenario]
id = "lesson"
title = { en = "Lesson", sq = "Mësim", sr-Latn = "Čas", sr-Cyrl = "Час" }

[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
link = "bus"
model = { reading = { channel = "dose-rate", value = 0.1 } }

[[device]]
id = "scanner-1"
driver = "scanner.hid_pos"
link = "bus"

[[desk]]
id = "desk-1"
devices = ["gamma-1", "scanner-1"]
scans = ["parcel"]

[[limit]]
device = "gamma-1"
channel = "dose-rate"
high = 0.5
priority = "high"

[[at]]
t = "00:05"
do = "scan"
device = "scanner-1"
data = "RR123456785XK"
expect = { event = "inspection.opened", within = "3s" }

[[at]]
t = "00:10"
do = "reading"
device = "gamma-1"
channel = "dose-rate"
value = 2.0
from = { value = 0.2 }
ramp = "2s"
expect = { alarm = "gamma-1/dose-rate-high", within = "4s", ack_within = "30s", disposition = ["confirmed-threat"] }

[[at]]
t = "00:30"
do = "unplug"
device = "gamma-1"
for = "5s"
expect = { event = "device.lost", within = "3s" }

[[at]]
t = "00:50"
do = "end"
"""


def lesson(folder: Path, text: str = LESSON) -> Scenario:
    path = folder / "lesson.toml"
    path.write_text(text)
    return load_scenario(path)


def test_readings_on_the_bus_raise_alarms_are_answered_and_scored(tmp_path: Path, state: Path) -> None:
    done = rehearse(lesson(tmp_path), state / "once")
    assert [(one.t, one.expected, one.why) for one in done.score.findings if not one.passed] == []
    assert rehearse(lesson(tmp_path), state / "twice").digest == done.digest


def test_the_same_scenario_is_played_by_bytes_or_on_the_bus(state: Path) -> None:
    by_bytes = load_scenario(shipped("scenarios") / "green-border-night.toml")
    on_bus = by_bytes.model_copy(
        update={"device": tuple(one.model_copy(update={"link": "bus"}) for one in by_bytes.device)}
    )
    scores = [rehearse(one, state / name).score for name, one in {"bytes": by_bytes, "bus": on_bus}.items()]
    assert [score.percent for score in scores] == [100.0, 100.0]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('do = "reading"', 'do = "source"', "a device on the bus has no verb 'source'"),
        ('channel = "dose-rate"\nvalue', 'channel = "dust"\nvalue', "there is no channel 'dust' with values"),
        ('device = "scanner-1"\ndata', 'device = "gamma-1"\ndata', "it reads no codes"),
        ('link = "bus"', 'link = "pty"', "link"),
    ],
)
def test_what_a_device_on_the_bus_cannot_say_is_told_before_it_is_played(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        lesson(tmp_path, LESSON.replace(old, new, 1))
