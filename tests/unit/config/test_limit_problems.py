"""What a wrong limit is told: exact lines, each with its place."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config

BEFORE = """[hub]
site = "merdare"
node = "ws-1"
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
[[limit]]
"""

NO_CHANNEL = (
    '9:1  limit[0].channel = "zzzzzzzz": no such channel to limit; '
    "driver radiation.atom_fast has dose, dose-rate, count-rate, battery, temperature"
)
LIMITS = [
    (
        'device = "gama-1"\nchannel = "dose"\nhigh = 1',
        "8:1  limit[0].device = \"gama-1\": no such device; did you mean 'gamma-1'?",
    ),
    (
        'device = "x"\nchannel = "dose"\nhigh = 1',
        '8:1  limit[0].device = "x": no such device; it must be the id of a [[device]]',
    ),
    (
        'device = "gamma-1"\nchannel = "dose"',
        "7:3  limit[0]: must have a condition: high, low, high_high, low_low, rise, fall, deviation, states, stale_s",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nhigh = 1\nrise = 1',
        "7:3  limit[0]: high and rise are of different kinds; each needs a [[limit]] of its own",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nhigh = 3\nhigh_high = 3',
        "10:1  limit[0].high = 3.0: must be less than high_high = 3",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nlow = 1\nlow_low = 2',
        "11:1  limit[0].low_low = 2.0: must be less than low = 1",
    ),
    (
        'device = "gamma-1"\nchannel = "battery"\nhigh_high = 100\nhigh = 90',
        "10:1  limit[0].high_high = 100.0: never exceeded: battery is at most 100 %",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nhigh = 1\ncount = 3\nof = 2',
        "11:1  limit[0].count = 3: must be at most of = 2",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\ndeviation = 1',
        "7:3  limit[0]: deviation needs a reference, and nothing else has one",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nhigh = 1\nreference = "dose-rate"',
        "11:1  limit[0]: deviation needs a reference, and nothing else has one",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\ndeviation = 1\nreference = "dose-rat"',
        "11:1  limit[0].reference = \"dose-rat\": no such channel to compare with; did you mean 'dose-rate'?",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\ndeviation = 1\nreference = "dose-rate"',
        '11:1  limit[0].reference = "dose-rate": is in uSv/h, dose in mSv',
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\ndeviation = 1\nreference = "gama-1/dose"',
        "11:1  limit[0].reference = \"gama-1/dose\": no such device; did you mean 'gamma-1'?",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\ndeviation = 1\nreference = "dose"',
        '11:1  limit[0].reference = "dose": is the channel itself',
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\ndeviation = 1\nreference = "a b"',
        "11:1  limit[0].reference = \"a b\": must be a channel's name, or a device's and a channel's with '/' between them",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nstale_s = 30\nof = 2',
        "11:1  limit[0].of = 2: has no meaning with stale_s",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nstale_s = 30\nhysteresis = 1',
        "11:1  limit[0].hysteresis = 1.0: has no meaning with stale_s",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nstates = ["jammed"]',
        "10:1  limit[0].states: no such state 'jammed'; dose has none",
    ),
    ('device = "gamma-1"\nchannel = "dose"\nhigh = 1\nlow = 1', "11:1  limit[0].low = 1.0: must be less than high = 1"),
    (
        'device = "gamma-1"\nchannel = "dose-rat"\nhigh = 1',
        "9:1  limit[0].channel = \"dose-rat\": no such channel to limit; did you mean 'dose-rate'?",
    ),
    (
        'device = "gamma-1"\nchannel = "zzzzzzzz"\nhigh = 1',
        NO_CHANNEL,
    ),
    (
        'device = "gamma-1"\nchannel = "dose.max"\nhigh = 1',
        '9:1  limit[0].channel = "dose.max": is no image; only an image has .max',
    ),
    (
        'device = "gamma-1"\nchannel = "battery"\nhigh = 100',
        "10:1  limit[0].high = 100.0: never exceeded: battery is at most 100 %",
    ),
    (
        'device = "gamma-1"\nchannel = "battery"\nlow = 0',
        "10:1  limit[0].low = 0.0: never undercut: battery is at least 0 %",
    ),
    (
        'device = "gamma-1"\nchannel = "battery"\nhigh = 80\nhysteresis = 81',
        "11:1  limit[0].hysteresis = 81.0: the alarm of high never ends: battery is from 0 to 100 %",
    ),
    (
        'device = "gamma-1"\nchannel = "battery"\nlow = 20\nhysteresis = 81',
        "11:1  limit[0].hysteresis = 81.0: the alarm of low never ends: battery is from 0 to 100 %",
    ),
    (
        'device = "gamma-1"\nchannel = "dose"\nhigh = 1\n[[limit]]\ndevice = "gamma-1"\nchannel = "dose"\nhigh = 2',
        "11:3  limit[1]: alarm 'dose-high' is already limit[0]",
    ),
    (
        f'device = "gamma-1"\nchannel = "dose"\nhigh = 2\nlow = 1\nname = "{"x" * 60}"',
        f"12:1  limit[0]: the alarm's name '{'x' * 60}-high' is longer than 64 characters; set a shorter name",
    ),
]


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        load_config(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "line"), LIMITS, ids=[line[:60] for _, line in LIMITS])
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_text(BEFORE + text)
    if 'name = "xxx' in text:  # two points have it
        assert line in problems(path)
    else:
        assert problems(path) == [line]
