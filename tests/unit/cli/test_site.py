"""A site's own device files in the commands that name drivers, and `drivers check`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devicehub.cli.main import main
from tests.unit.devicefile.files import SMALL, write

HUB = '[hub]\nsite = "s"\nnode = "n"\ndevice_files = "own"\n'
SIMULATED = SMALL + '[simulate]\nmodel = "vapour"\n[simulate.values]\nlevel = { level = "ppm" }\n'
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEVICEHUB_CONFIG", raising=False)
    (tmp_path / "devicehub.toml").write_text(HUB)
    write(tmp_path / "own")

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_they_are_listed_shown_and_decode(cli: Cli, tmp_path: Path) -> None:
    assert "trace.probe" in {one["name"] for one in json.loads(cli("drivers", "list", "--json")[1])}
    assert json.loads(cli("drivers", "show", "trace.probe", "--json")[1])["title"] == "Probe"
    code, out, _ = cli("drivers", "decode", "trace.probe", "03 01 32 36")
    assert (code, json.loads(out)["value"]) == (0, 50)
    (tmp_path / "capture.txt").write_text("0.00 < 03 01 32 36\n")
    assert json.loads(cli("drivers", "decode", "trace.probe", "--file", "capture.txt")[1])["value"] == 50
    assert cli("replay", "capture.txt", "--driver", "trace.probe")[1] == "0.00 = level 50 good\n"


def test_one_of_them_is_added_to_the_configuration(cli: Cli, tmp_path: Path) -> None:
    added = cli("devices", "add", "/dev/ttyUSB0", "--driver", "trace.probe", "--json")
    assert (added[0], json.loads(added[1])["id"]) == (0, "probe-1")
    assert 'port = "/dev/ttyUSB0"' in (tmp_path / "devicehub.toml").read_text()


def test_whatever_else_the_configuration_says_they_are_known(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(HUB + 'nonsense = 1\n[[device]]\nid = "x"\n')
    assert cli("drivers", "show", "trace.probe")[0] == 0


@pytest.mark.parametrize(("old", "new"), [("level = 50", "level = 51"), ("format = 1", "format = [")])
def test_one_that_is_wrong_hides_no_other_driver_from_a_scan(cli: Cli, tmp_path: Path, old: str, new: str) -> None:
    write(tmp_path / "own", SMALL.replace(old, new))
    code, _, err = cli("devices", "scan")
    assert code == 0
    assert "probe.toml:" in err
    assert "driver trace.probe is left out" in err
    assert cli("drivers", "list")[0] == 78


def test_one_with_the_name_of_another_driver_hides_none_either(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path / "own", SMALL, "radiation/gq_gmc")
    code, _, err = cli("devices", "scan")
    assert code == 0
    assert "the site's own device files are left out" in err


def test_a_check_plays_the_file_and_flips_its_bits(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, SIMULATED)
    code, out, _ = cli("drivers", "check", str(path), "--for", "20", "--json")
    (found,) = json.loads(out)
    assert code == 0
    assert found["samples"] == {"level": 20}
    assert (found["faults"], found["bits_flipped"], found["taken"]) == (0, 32, 0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("period_s = 1\n", "", "channel level gave nothing"),
        ('level = "ppm"', 'level = "ppm * 2"', "does not fit its field"),
        ("[simulate]", "[simulate]\nwhen = { level = { ppm = { to = 50 } } }", "no answer to ask"),
    ],
)
def test_a_check_fails_when_driver_and_simulator_do_not_agree(
    cli: Cli, tmp_path: Path, old: str, new: str, words: str
) -> None:
    path = write(tmp_path, SIMULATED.replace(old, new))
    code, out, _ = cli("drivers", "check", str(path))
    assert code == 65
    assert words in out


def test_a_check_fails_when_what_is_played_is_nothing_that_the_channel_can_be(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, SIMULATED.replace('unit = "%"\n[[message', 'unit = "%"\nlow = 49\n[[message'))
    code, out, _ = cli("drivers", "check", str(path), "--for", "20", "--json")
    (shown,) = json.loads(out)
    assert (code, shown["impossible"]) == (65, {"level": shown["samples"]["level"]})
    out = cli("drivers", "check", str(path), "--for", "20")[1]
    assert f"channel level: {shown['samples']['level']} values are not within 49 to inf, hence bad" in out


def test_what_no_check_value_protects_is_told(cli: Cli, tmp_path: Path) -> None:
    bare = SIMULATED.replace('[[check]]\nkind = "sum"\n', "").replace("03 01 32 36", "02 01 32")
    out = cli("drivers", "check", str(write(tmp_path, bare)), "--for", "5")[1]
    assert "one bit flipped: 8 of 24 went unnoticed (integrity: none)" in out


def test_a_file_outside_a_folder_of_a_family_is_a_usage_error(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli("drivers", "check", str(write(tmp_path, SMALL, "tracer/probe")))
    assert code == 2
    assert "did you mean 'trace'?" in err
