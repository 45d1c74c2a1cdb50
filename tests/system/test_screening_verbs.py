"""What a lesson does to devices that are read by people or by files: metal on a person, a panel that is too dense."""

from pathlib import Path

from devicehub.exercise.load import load_scenario
from tests.system.rehearsal import rehearse

SCENARIO = """
[scenario]
id = "lesson"
title = { en = "Lesson", sq = "Mësim", sr-Latn = "Čas", sr-Cyrl = "Час" }

[[device]]
id = "metal-1"
driver = "screening.operator_entry"
options = { kind = "metal-detector" }

[[device]]
id = "density-1"
driver = "screening.vendor_csv"

[[at]]
t = "00:05"
do = "metal"
device = "metal-1"
signal = 1.2
expect = { quiet = true, within = "8s" }

[[at]]
t = "00:15"
do = "metal"
device = "metal-1"
signal = 7.0
expect = { alarm = "metal-1/found-metal", within = "8s", ack_within = "30s", disposition = ["innocent.known-cause"] }

[[at]]
t = "00:30"
do = "density"
device = "density-1"
step = 4.0
expect = { quiet = true, within = "8s" }

[[at]]
t = "00:40"
do = "density"
device = "density-1"
step = 50.0
expect = { alarm = "density-1/found-dense", within = "12s", ack_within = "30s", disposition = ["confirmed-threat"] }

[[at]]
t = "01:20"
do = "end"
"""


def test_metal_and_density_raise_an_alarm_where_there_is_enough_of_it_and_else_none(
    tmp_path: Path, state: Path
) -> None:
    file = tmp_path / "lesson.toml"
    file.write_text(SCENARIO)
    score = rehearse(load_scenario(file), state / "s").score
    assert [(one.t, one.expected, one.why) for one in score.findings if not one.passed] == []
    assert len(score.findings) == 4
