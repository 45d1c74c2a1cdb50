"""Rule files: one home for rules, every mistake with its place, and no change without version, author and reason."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.config import Config, ConfigProblems, alarm_points, load_config
from devicehub.config.rules import InForce, remember, remembered, rules_data, rules_digest, succeeding
from devicehub.model.errors import ConfigError

MAIN = (
    '[hub]\nsite = "s"\nnode = "n"\n[alarm]\nrules = "rules.toml"\n'
    '[[device]]\nid = "g"\ndriver = "radiation.atom_fast"\n'
)
HEAD = '[rules]\nversion = {}\nauthor = "M"\nreason = "{}"\n'
LIMIT = '[[limit]]\ndevice = "g"\nchannel = "dose-rate"\n{}\n'
FIRST = HEAD.format(1, "first") + LIMIT.format("high = 0.5")


def loaded(folder: Path, rules: str, main: str = MAIN) -> Config:
    (folder / "devicehub.toml").write_text(main)
    (folder / "rules.toml").write_text(rules)
    return load_config(folder / "devicehub.toml")


def problems(folder: Path, rules: str, main: str = MAIN) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        loaded(folder, rules, main)
    return [str(one).replace(f"{folder}/", "") for one in caught.value.problems]


def refusals(config: Config, before: InForce) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        succeeding(config, before)
    return [f"{one.file.name}:{one.line}:{one.column}  {one.text}" for one in caught.value.problems]


def test_the_rules_of_the_file_are_those_of_the_configuration(tmp_path: Path) -> None:
    config = loaded(tmp_path, FIRST)
    assert [(point.name, point.limit) for point in alarm_points(config)] == [("dose-rate-high", 0.5)]
    assert config.rules is not None
    assert (config.rules.version, config.rules.author, config.rules.reason) == (1, "M", "first")


def test_rules_in_both_places_are_told_with_the_place_of_each_that_has_to_move(tmp_path: Path) -> None:
    found = problems(
        tmp_path, FIRST, MAIN + LIMIT.format("high = 1.0") + '[rules]\nversion = 1\nauthor = "M"\nreason = "x"\n'
    )
    assert [one.partition("  ")[0] for one in found] == ["devicehub.toml:9:3", "devicehub.toml:13:2"]
    assert found[0].endswith("limit[0]: with alarm.rules, every [[limit]] stands in rules.toml; move it there")
    assert "stands only at the head of the rule file" in found[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LIMIT.format("high = 1.0"), "rules.toml:1:1  rules: missing; [rules] with version, author and reason"),
        ('[rules]\nversion = 1\nauthor = " "\nreason = "x"\n', 'rules.toml:3:1  rules.author = " ": must not be empty'),
        ('[rules]\nversion = 0\nauthor = "M"\nreason = "x"\n', "rules.toml:2:1  rules.version = 0: must be at least 1"),
        (FIRST + "hihg = 1\n", "rules.toml:9:1  limit[0].hihg: unknown key; did you mean 'high'?"),
        (FIRST.replace("0.5", "1e9"), "rules.toml:8:1  limit[0].high"),
        (FIRST + '[hub]\nsite = "t"\n', "rules.toml:9:2  hub: unknown key"),
        (FIRST + "high = \n", "rules.toml:9:8  not valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_has_its_place_in_it(tmp_path: Path, text: str, said: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(said), found


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(MAIN)
    with pytest.raises(ConfigProblems, match=r"rules\.toml:1:1  no such rule file"):
        load_config(tmp_path / "devicehub.toml")


def test_rules_that_differ_need_a_new_version_and_a_reason_of_their_own(tmp_path: Path) -> None:
    before = succeeding(loaded(tmp_path, FIRST), None)
    edited = FIRST.replace("0.5", "0.6")
    (version, reason) = refusals(loaded(tmp_path, edited), before)
    assert version.startswith("rules.toml:2:1  rules.version = 1: the rules differ from those in force (sha256:")
    assert version.endswith("they need a version above 1, and its author and reason")
    assert reason == "rules.toml:4:1  rules.reason: is that of version 1; say why the rules were changed"
    (only,) = refusals(loaded(tmp_path, edited.replace("version = 1", "version = 2")), before)
    assert only == reason
    after = succeeding(loaded(tmp_path, edited.replace("version = 1", "version = 2").replace("first", "why")), before)
    assert (after.highest, after.rules.version, after.rules.reason) == (2, 2, "why")


def test_a_version_keeps_its_author_and_reason_and_never_comes_back(tmp_path: Path) -> None:
    second = HEAD.format(2, "second") + LIMIT.format("high = 0.5")
    before = succeeding(loaded(tmp_path, second), None)
    assert succeeding(loaded(tmp_path, second + "# the same\n"), before) == before
    (other,) = refusals(loaded(tmp_path, second.replace("second", "nicer")), before)
    assert "rules.version = 2: was in force with another author or reason" in other
    (older,) = refusals(loaded(tmp_path, FIRST), before)
    assert older == "rules.toml:2:1  rules.version = 1: version 2 was in force already"
    assert succeeding(loaded(tmp_path, second.replace("= 2", "= 7")), before).highest == 7


def test_rules_of_the_configuration_have_no_version_and_the_highest_one_is_not_forgotten(tmp_path: Path) -> None:
    before = succeeding(loaded(tmp_path, FIRST.replace("version = 1", "version = 3")), None)
    plain = loaded(tmp_path, "", MAIN.replace('rules = "rules.toml"\n', "") + LIMIT.format("high = 0.6"))
    between = succeeding(plain, before)
    assert (between.rules.version, between.highest) == (None, 3)
    (old,) = refusals(loaded(tmp_path, FIRST), between)
    assert "they need a version above 3" in old


def test_what_is_in_force_is_remembered_in_the_state_folder(tmp_path: Path) -> None:
    assert remembered(tmp_path) is None
    now = succeeding(loaded(tmp_path, FIRST), None)
    remember(tmp_path, now)
    assert remembered(tmp_path) == now
    (tmp_path / "rules.json").write_text("{}")
    with pytest.raises(ConfigError, match="not what a hub wrote"):
        remembered(tmp_path)


def test_the_digest_is_of_what_is_judged_by(tmp_path: Path) -> None:
    low = LIMIT.format("low = 0.01")
    one = rules_digest(loaded(tmp_path, FIRST + low))
    assert rules_digest(loaded(tmp_path, HEAD.format(9, "x") + low + LIMIT.format("count = 1\nhigh = 0.50"))) == one
    assert rules_digest(loaded(tmp_path, FIRST + low.replace("0.01", "0.02"))) != one
    assert rules_data(loaded(tmp_path, FIRST + low)).points == 2
    plain = MAIN.replace('rules = "rules.toml"\n', "") + FIRST.removeprefix(HEAD.format(1, "first")) + low
    assert rules_digest(loaded(tmp_path, "", plain)) == one


limits = st.dictionaries(st.sampled_from(["hysteresis", "on_delay_s", "off_delay_s"]), st.floats(0, 9), max_size=3)
versions = st.tuples(st.integers(1, 9), st.sampled_from(["a", "b", "c"]), limits)


@settings(deadline=None)
@given(st.lists(versions, min_size=2, max_size=8))
def test_whatever_is_written_what_is_in_force_never_changes_without_a_higher_version(
    history: list[tuple[int, str, dict[str, float]]],
) -> None:
    """What is refused leaves in force what was. The files are not needed: nothing is read of a right one again."""
    before, seen = None, 0
    for version, reason, keys in history:
        tables = tomllib.loads(HEAD.format(version, reason))
        limit = {"device": "g", "channel": "dose-rate", "high": 0.5, **keys}
        config = Config.model_validate({"hub": {"site": "s", "node": "n"}, "limit": [limit], **tables})
        config = config.model_copy(update={"alarm": config.alarm.model_copy(update={"rules": Path("/nowhere/r.toml")})})
        try:
            after = succeeding(config, before)
        except ConfigProblems:
            continue
        if before is not None and after.rules.digest != before.rules.digest:
            assert version > seen
            assert after.rules.reason != before.rules.reason
        before, seen = after, max(seen, version)
        assert before.highest == seen
