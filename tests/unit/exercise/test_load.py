"""What a wrong scenario is told: exact lines, each with its place."""

from pathlib import Path

import pytest

from devicehub.exercise.load import load_scenario, scenario_file
from devicehub.model.errors import ConfigError
from devicehub.tomlfile.problems import ConfigProblems

HEAD = """[scenario]
id = "s"
title = { en = "a", sq = "b", sr-Latn = "c", sr-Cyrl = "d" }
[[device]]
id = "cam"
driver = "thermal.gy_mcu90640"
"""
CONTROLLED = "set-emissivity"
END = '[[at]]\nt = "00:30"\ndo = "end"\n'


def step(lines: str) -> str:
    return HEAD + '[[at]]\nt = "00:01"\n' + lines + END


WRONG = [
    (HEAD.replace(', sr-Cyrl = "d"', "") + END, "1:2  scenario = a table: title lacks sr-Cyrl"),
    (HEAD + 'port = "/dev/ttyUSB0"\n' + END, '7:1  device[0].port = "/dev/ttyUSB0": a scenario has simulated devices'),
    (HEAD + 'usb = "10c4:ea60"\n' + END, "7:1  usb: a scenario has simulated devices only"),
    (HEAD, "1:1  at: missing"),
    (HEAD + '[[at]]\nt = "00:01"\ndo = "checkpoint"\n', "7:3  at: the last step must be 'end'"),
    (
        step('do = "checkpoint"\n').replace('"00:01"', '"1"'),
        '8:1  at[0].t = "1": must be minutes and seconds, as "02:10"',
    ),
    (step('do = "checkpoint"\n').replace('"00:30"', '"00:00"'), '11:1  at[1].t = "00:00": is before the step above'),
    (step('do = "explode"\n'), "9:1  at[0].do = \"explode\": 'explode' needs a device"),
    (step('do = "explode"\ndevice = "cam"\n'), "9:1  at[0].do = \"explode\": gy_mcu90640 has no verb 'explode'"),
    (step('do = "hotspot"\ndevice = "cam"\nx = 1\ny = 2\n'), "9:1  at[0].do = \"hotspot\": needs 'dk'"),
    (step('do = "hotspot"\ndevice = "can"\n'), "10:1  at[0].device = \"can\": no such device; did you mean 'cam'?"),
    (
        step('do = "ambient"\ndevice = "cam"\ncelsius = 3\nfor = "3s"\n'),
        "9:1  at[0].do = \"ambient\": 'ambient' does not end",
    ),
    (
        step('do = "fault"\ndevice = "cam"\nkind = "crc"\nrate = 2\n'),
        "9:1  at[0].do = \"fault\": fault 'crc': rate must be",
    ),
    (step('do = "clock_jump"\n'), "9:1  at[0].do = \"clock_jump\": 'clock_jump' needs seconds"),
    (
        step('do = "checkpoint"\nexpect = { within = "3s" }\n'),
        "must have exactly one of alarm, lane, event, command and quiet",
    ),
    (step('do = "say"\ntext = { en = "a", sq = "b", sr-Latn = "c" }\n'), "text lacks sr-Cyrl"),
    (step('do = "say"\ntext = { en = "a", sq = "", sr-Latn = "c", sr-Cyrl = "d" }\n'), "text lacks sq"),
    (step('do = "say"\n'), "text lacks en, sq, sr-Latn, sr-Cyrl"),
    (
        step('do = "checkpoint"\nexpect = { command = "can/set-rate", within = "3s" }\n'),
        '10:12  at[0].expect.command = "can/set-rate": no such device',
    ),
    (
        step('do = "checkpoint"\nexpect = { command = "cam/explode", within = "3s" }\n'),
        "driver thermal.gy_mcu90640 has no command 'explode'",
    ),
    (
        step('do = "checkpoint"\nexpect = { command = "cam/COMMAND", within = "3s" }\n').replace("COMMAND", CONTROLLED),
        "the device needs control = true",
    ),
    (
        step('do = "checkpoint"\nexpect = { command = "cam/COMMAND", within = "3s" }\n')
        .replace("COMMAND", CONTROLLED)
        .replace('"thermal.gy_mcu90640"', '"thermal.gy_mcu90640"\nlink = "bus"'),
        "a device on the bus takes no commands",
    ),
    (
        step('do = "checkpoint"\nexpect = { quiet = true, within = "3" }\n'),
        '10:26  at[0].expect.within = "3": must be seconds',
    ),
    (step('do = "checkpoint"\nexpect = { alarm = "x/y", within = "3s" }\n'), "no such device"),
    (
        HEAD + "model = { rate = { fps = 2 } }\n" + END,
        "7:11  device[0].model.rate: needs 'hz'",
    ),
    (
        HEAD + "model = { explode = {} }\n" + END,
        "7:11  device[0].model.explode: gy_mcu90640 has no verb 'explode'",
    ),
    (
        step('do = "hotspot"\ndevice = "cam"\nx = 1\ny = 2\ndk = 9\nramp = "3s"\n'),
        "'ramp' and 'from' need each other",
    ),
    (
        step('do = "hotspot"\ndevice = "cam"\nx = 1\ny = 2\ndk = 9\nramp = "3s"\nfrom = { z = 0 }\n'),
        "'from' has z, which the step has not as a number",
    ),
    (
        step('do = "hotspot"\ndevice = "cam"\nx = 1\ny = 2\ndk = 9\nramp = "3s"\nfrom = { dk = 0 }\nfor = "2s"\n'),
        "'for' is shorter than 'ramp'",
    ),
    (step('do = "branch"\nmet = "a"\n'), "'branch' needs on, and met or missed or both"),
    (
        step('do = "branch"\non = "first"\nmet = "a"\n'),
        '10:1  at[0].on = "first": no step above with this id expects something',
    ),
    (
        step('do = "checkpoint"\npath = "a"\n'),
        '10:1  at[0].path = "a": no branch above takes this path',
    ),
    (
        step('do = "checkpoint"\nexpect = { alarm = "cam/y", within = "3s", disposition = ["bad"] }\n'),
        "at[0].expect.disposition[0] = \"bad\": must be 'confirmed-threat'",
    ),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_each_mistake_is_told_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(text)
    with pytest.raises(ConfigProblems) as error:
        load_scenario(file)
    assert told in str(error.value)
    assert len(error.value.problems) == 1


def test_a_name_is_a_shipped_scenario_and_a_wrong_one_is_told_which_there_are() -> None:
    assert scenario_file("quiet-shift").is_file()
    with pytest.raises(ConfigError, match="did you mean 'quiet-shift'"):
        scenario_file("quite-shift")
