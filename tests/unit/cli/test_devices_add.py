"""`devicehub devices add`: what is written, and that nothing is where the configuration would not be right."""

from collections.abc import Callable
from pathlib import Path

import pytest

from devicehub.cli.main import main

HUB = '[hub]\nsite = "s"\nnode = "n"\n'
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEVICEHUB_CONFIG", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize(
    ("driver", "place", "line"),
    [
        ("radiation.n42", "/srv/n42", 'folder = "/srv/n42"'),
        ("radiation.atom_fast", "AA:BB:CC:DD:EE:FF", 'address = "AA:BB:CC:DD:EE:FF"'),
        ("trace.aci_pids3", "/dev/ttyUSB0", 'port = "/dev/ttyUSB0"'),
    ],
)
def test_a_device_is_added_by_what_its_place_is_called(
    cli: Cli, tmp_path: Path, driver: str, place: str, line: str
) -> None:
    file = tmp_path / "devicehub.toml"
    file.write_text(HUB)
    assert cli("devices", "add", place, "--driver", driver)[0] == 0
    assert line in file.read_text()


def test_a_device_that_would_make_the_configuration_wrong_is_not_added_and_nothing_is_left_behind(
    cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "devicehub.toml"
    file.write_text(HUB)
    code, _, err = cli("devices", "add", "nowhere", "--driver", "radiation.atom_fast")
    assert (code, "Bluetooth address" in err, "devicehub.toml:" in err) == (78, True, True)
    assert file.read_text() == HUB
    assert [one.name for one in tmp_path.iterdir()] == ["devicehub.toml"]
