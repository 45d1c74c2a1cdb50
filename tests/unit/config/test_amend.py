"""A limit is changed in its rule file, as a new version by somebody who says why; else nothing changes."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from devicehub.config import Config, ConfigProblems, load_config
from devicehub.config.amend import amend
from devicehub.config.rules import InForce, rules_data
from devicehub.model.errors import ConfigError
from devicehub.model.rulebook import LimitWish

HUB = (
    '[hub]\nsite = "s"\nnode = "n"\nexercise = true\n'
    '[alarm]\nrules = "rules.toml"\ncontrol = true\n'
    '[[device]]\nid = "gamma-1"\ndriver = "radiation.atom_fast"\nport = "sim:"\n'
    '[[device]]\nid = "cam"\ndriver = "thermal.infiray_p2pro"\nport = "sim:"\n'
)
RULES = """[rules]
version = 3
author = "M. Muster"
reason = "acceptance test"

[[limit]]
device = "gamma-1"
channel = "dose-rate"
high = 0.5 # background is 0.1
high_high = 5.0

[[limit]]
device = "gamma-1"
channel = "dose-rate"
stale_s = 30.0

[[thermal]]
device = "cam"
channel = "temperature"
name = "warm"
above = 40.0
"""
WISH = LimitWish(
    device="gamma-1", point="dose-rate-high", value=0.4, was=0.5, author="op-1147", reason="too many went by"
)


def station(folder: Path) -> tuple[Config, InForce, Path]:
    (folder / "hub.toml").write_text(HUB)
    (folder / "rules.toml").write_text(RULES)
    config = load_config(folder / "hub.toml")
    return config, InForce(rules_data(config), 7), folder / "rules.toml"


def test_the_change_is_a_version_above_every_one_before_with_author_and_reason(tmp_path: Path) -> None:
    config, before, file = station(tmp_path)
    undo = amend(config, before, WISH)
    fresh = load_config(tmp_path / "hub.toml")
    assert fresh.rules is not None
    assert (fresh.limit[0].high, fresh.rules.version, fresh.rules.author) == (0.4, 8, "op-1147")
    assert "high = 0.4 # background is 0.1\n" in file.read_text()
    undo()
    assert file.read_text() == RULES
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["hub.toml", "rules.toml"]


@pytest.mark.parametrize(
    ("point", "was", "line"),
    [
        ("dose-rate-high-high", 5.0, "high_high = 9.0"),
        ("dose-rate-stale", 30.0, "stale_s = 9.0"),
        ("warm", 40.0, "above = 9.0"),
    ],
)
def test_every_kind_of_limit_is_found(tmp_path: Path, point: str, was: float, line: str) -> None:
    config, before, file = station(tmp_path)
    device = "cam" if point == "warm" else "gamma-1"
    amend(config, before, replace(WISH, device=device, point=point, value=9.0, was=was))
    assert line in file.read_text()


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (replace(WISH, was=0.6), "is 0.5, not 0.6: look again"),
        (replace(WISH, point="dose-rate-low"), "no limit of gamma-1/dose-rate-low can be changed"),
        (replace(WISH, value=0.5), "is 0.5 already"),
        (replace(WISH, reason="acceptance test"), "say why the rules were changed"),
        (replace(WISH, reason=" "), "rules.reason"),
        (replace(WISH, value=9.0), "high"),
    ],
)
def test_what_is_not_right_changes_nothing(tmp_path: Path, wish: LimitWish, told: str) -> None:
    config, before, file = station(tmp_path)
    with pytest.raises(ConfigError) as refused:
        amend(config, before, wish)
    assert told in str(refused.value)
    assert file.read_text() == RULES
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_somebody_edited_and_did_not_have_read_is_left_alone(tmp_path: Path) -> None:
    config, before, file = station(tmp_path)
    file.write_text(RULES.replace("5.0", "6.0"))
    with pytest.raises(ConfigError, match="is not in force"):
        amend(config, before, WISH)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("control = true", "control = false", "alarm.control is not true"),
        ('rules = "rules.toml"\n', "", "no rule file"),
    ],
)
def test_it_takes_a_rule_file_and_leave(tmp_path: Path, old: str, new: str, told: str) -> None:
    _, before, file = station(tmp_path)
    (tmp_path / "hub.toml").write_text(HUB.replace(old, new))
    with pytest.raises(ConfigError, match=told):
        amend(load_config(tmp_path / "hub.toml"), before, WISH)
    assert file.read_text() == RULES


def test_problems_are_those_of_the_rules(tmp_path: Path) -> None:
    config, before, _ = station(tmp_path)
    with pytest.raises(ConfigProblems):
        amend(config, before, replace(WISH, point="dose-rate-stale", was=30.0, value=-1.0))
