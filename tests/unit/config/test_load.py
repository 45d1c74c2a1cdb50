"""Files to a configuration: merging, relative paths, the digest, and the file that ships."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from devicehub.cli.usual import usual_config
from devicehub.config import Config, ConfigProblems, alarm_points, digest, load_config
from devicehub.config.models import default_state
from devicehub.config.resources import shipped
from devicehub.model.alarm import Limit
from devicehub.tomlfile.words import model_at

HUB = '[hub]\nsite = "merdare"\nnode = "ws-1"\n'


def write(folder: Path, main: str, **parts: str) -> Path:
    path = folder / "devicehub.toml"
    path.write_text(main)
    for name, text in parts.items():
        (folder / "conf.d").mkdir(exist_ok=True)
        (folder / "conf.d" / f"{name}.toml").write_text(text)
    return path


def test_files_in_conf_d_add_devices_and_fill_tables(tmp_path: Path) -> None:
    gamma = '[[device]]\nid = "{}"\ndriver = "radiation.atom_fast"\n'
    path = write(
        tmp_path, HUB + gamma.format("g1"), b=gamma.format("g3"), a=gamma.format("g2") + "[hub]\nhealth_s = 5\n"
    )
    config = load_config(path)
    assert [device.id for device in config.device] == ["g1", "g2", "g3"]
    assert config.hub.health_s == 5


def test_a_key_set_in_two_files_names_both_places(tmp_path: Path) -> None:
    path = write(tmp_path, HUB, a='\n[hub]\nsite = "other"\n')
    with pytest.raises(ConfigProblems) as caught:
        load_config(path)
    (problem,) = caught.value.problems
    assert str(problem) == f"{tmp_path}/conf.d/a.toml:3:1  hub.site: already set at {path}:2:1"


def test_a_mistake_in_an_appended_device_is_placed_in_its_own_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        HUB + '[[device]]\nid = "g1"\ndriver = "radiation.atom_fast"\n',
        a='[[device]]\nid = "g2"\ndriver = "radiation.atom_fast"\noptions = { a = 1 }\n',
        b='[[device]]\nid = "g1"\ndriver = "radiation.atom_fast"\n',
    )
    with pytest.raises(ConfigProblems) as caught:
        load_config(path)
    assert [str(problem) for problem in caught.value.problems] == [
        f"{tmp_path}/conf.d/a.toml:4:13  device[1].options.a: unknown key; driver radiation.atom_fast has no options",
        f'{tmp_path}/conf.d/b.toml:2:1  device[2].id = "g1": already used by device[0]',
    ]


def test_every_broken_file_is_reported_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "[hub", a="x = ")
    with pytest.raises(ConfigProblems) as caught:
        load_config(path)
    assert [problem.file.name for problem in caught.value.problems] == ["a.toml", "devicehub.toml"]


def test_relative_paths_are_relative_to_the_main_file(tmp_path: Path) -> None:
    replay = '[[device]]\nid = "g1"\ndriver = "radiation.atom_fast"\nport = "replay:a.txt"\n'
    path = write(
        tmp_path, HUB + 'state = "state"\nexercise = true\n' + replay, a='[scan]\nkey = { file = "scan.key" }\n'
    )
    config = load_config(path)
    assert config.hub.state == tmp_path / "state"
    assert config.device[0].port == f"replay:{tmp_path}/a.txt"
    assert config.scan.key is not None
    assert config.scan.key.file == tmp_path / "scan.key"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_bytes(b"\xef\xbb\xbf" + HUB.encode())
    assert load_config(path).hub.site == "merdare"


def test_the_digest_depends_on_settings_and_not_on_writing(tmp_path: Path) -> None:
    one = digest(load_config(write(tmp_path, HUB)))
    assert one == digest(load_config(write(tmp_path, '# comment\nhub = { node = "ws-1", site = "merdare" }\n')))
    assert one == digest(load_config(write(tmp_path, HUB + "health_s = 10\n")))
    assert one != digest(load_config(write(tmp_path, HUB + "health_s = 11\n")))
    assert re.fullmatch("sha256:[0-9a-f]{64}", one)


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, HUB))
    with pytest.raises(ValueError, match="frozen"):
        config.hub.site = "other"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extra=st.text(max_size=40), at=st.integers(0, 60), cut=st.integers(0, 5))
def test_any_text_is_a_configuration_or_problems_with_places(tmp_path: Path, extra: str, at: int, cut: int) -> None:
    base = HUB + '[mqtt]\nurl = "mqtt://b"\n[[limit]]\ndevice = "x"\nchannel = "y"\nhigh = 1\n'
    path = tmp_path / "devicehub.toml"
    path.write_bytes((base[:at] + extra + base[at + cut :]).encode())
    lines = path.read_bytes().decode().count("\n") + 1
    with pytest.raises(ConfigProblems) as caught:
        load_config(path)
    assert caught.value.problems
    for problem in caught.value.problems:
        assert 1 <= problem.line <= lines + 1
        assert problem.column >= 1
        assert "\n" not in problem.text


def points(**keys: object) -> list[Limit]:
    limit = {"device": "d", "channel": "image.max", **keys}
    return alarm_points(Config.model_validate({"hub": {"site": "s", "node": "n"}, "limit": [limit]}))


def test_a_limit_makes_one_alarm_point_per_side() -> None:
    high, low = points(high=40, low=-5.0, hysteresis=0.5)
    assert (high.name, high.condition, high.limit, high.hysteresis) == ("image-max-high", "high", 40.0, 0.5)
    assert (low.name, low.condition, low.limit, low.message) == ("image-max-low", "low", -5.0, "alarm.limit")
    assert [point.name for point in points(high=1, name="hot")] == ["hot"]
    assert [point.name for point in points(high=1, low=0, name="hot")] == ["hot-high", "hot-low"]


def test_levels_further_out_are_points_of_their_own_with_their_own_priority() -> None:
    found = points(high=40, high_high=60.0, low_low=-20.0, count=2, of=3, distrust="raise")
    assert [(point.name, point.condition, point.limit, point.priority) for point in found] == [
        ("image-max-high", "high", 40.0, "high"),
        ("image-max-high-high", "high-high", 60.0, "critical"),
        ("image-max-low-low", "low-low", -20.0, "critical"),
    ]
    assert {(point.count, point.of, point.distrust) for point in found} == {(2, 3, "raise")}


def test_other_conditions_are_points_named_after_them() -> None:
    rise, fall = points(rise=0.5, fall=1.0, window_s=4.0)
    assert (rise.name, rise.limit, rise.window_s) == ("image-max-rise", 0.5, 4.0)
    assert (fall.name, fall.limit) == ("image-max-fall", 1.0)
    (apart,) = points(deviation=2.0, reference="image.mean")
    assert (apart.name, apart.limit, apart.reference) == ("image-max-deviation", 2.0, "image.mean")
    (jammed,) = points(states=["jammed", "open"])
    assert (jammed.name, jammed.states) == ("image-max-state", ("jammed", "open"))
    (stale,) = points(stale_s=30.0)
    assert (stale.name, stale.limit, stale.window_s) == ("image-max-stale", 30.0, 30.0)


SHIPPED = shipped("devicehub.toml").read_text()
EXAMPLE = re.sub(r"^#(?=[\[a-z])", "", SHIPPED, flags=re.MULTILINE)
# Keys without a default, or whose default is a place on this machine or nothing at all.
EXAMPLES = {
    *(
        "hub.site",
        "hub.node",
        "hub.state",
        "hub.device_files",
        "mqtt.password",
        "mqtt.ca",
        "mqtt.certificate",
        "mqtt.key",
        "scan.key",
    ),
    *(
        "device.id",
        "device.driver",
        "device.address",
        "device.folder",
        "device.mobility",
        "device.csv",
        "scan.watchlist",
    ),
    *("alarm.rules", "alarm.shadow", "rules.version", "rules.author", "rules.reason", "lane.requires"),
    *(
        "preflight.device",
        "preflight.calibration_due",
        "preflight.consumables",
        "preflight.sample",
        "preflight.without",
    ),
    *("desk.id", "desk.devices", "desk.scans", "desk.symbologies", "desk.buttons"),
    *("limit.device", "limit.channel", "limit.reference", "limit.states", "limit.stale_s"),
    *(f"limit.{key}" for key in ("high", "low", "high_high", "low_low", "rise", "fall", "deviation")),
    "sound.player",
    *("response.points", "response.category", "response.en", "response.sq", "response.sr_latn", "response.sr_cyrl"),
    *("region.device", "region.name", "region.rectangle", "region.polygon"),
    *("thermal.device", "thermal.channel", "thermal.name", "thermal.region", "thermal.reference"),
    *(f"thermal.{look}" for look in ("above", "below", "interval", "delta", "anomaly")),
}


def test_the_shipped_file_is_valid_and_holds_the_defaults_only() -> None:
    config = load_config(shipped("devicehub.toml"))
    assert config == Config.model_validate({"hub": {"site": config.hub.site, "node": config.hub.node}})


def test_the_shipped_file_names_every_key_and_no_other() -> None:
    written = tomllib.loads(EXAMPLE)
    assert set(written) == set(Config.model_fields)
    for table, keys in written.items():
        model = model_at((table,), Config)
        if model is not None:
            assert set(keys[0] if isinstance(keys, list) else keys) == set(model.model_fields), table


def test_every_example_in_the_shipped_file_is_valid_and_every_other_value_is_the_default() -> None:
    written = tomllib.loads(EXAMPLE)
    Config.model_validate(written)
    for table, keys in written.items():
        model = model_at((table,), Config)
        for key, value in (keys[0] if isinstance(keys, list) else keys if model else {}).items():
            assert model is not None
            check_default(model, f"{table}.{key}", value)


def check_default(model: type[BaseModel], name: str, value: object) -> None:
    default = model.model_fields[name.split(".")[1]].get_default(call_default_factory=True, validated_data={})
    if name in EXAMPLES:
        assert value != default, f"{name} is at its default and belongs off the list"
    else:
        assert value == default, name


def test_the_state_folder_is_systemds_or_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/devicehub:/var/lib/other")
    assert default_state() == Path("/var/lib/devicehub")
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert default_state() == Path("/x/devicehub")


def test_the_configuration_is_looked_for_in_its_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEVICEHUB_CONFIG", raising=False)
    (tmp_path / "devicehub.toml").touch()
    assert usual_config() == Path("devicehub.toml")
    monkeypatch.setenv("DEVICEHUB_CONFIG", "/srv/hub.toml")
    assert usual_config() == Path("/srv/hub.toml")
