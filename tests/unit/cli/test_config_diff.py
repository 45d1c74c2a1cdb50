"""`devicehub config diff`: key by key what another configuration says otherwise, defaults included."""

import json
from pathlib import Path

import pytest

from devicehub.cli.main import main

HERE = """
[hub]
site = "s"
node = "n"
[mqtt]
url = "mqtts://broker.example"
username = "u"
password = { file = "password" }
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
[[device]]
id = "voc-1"
driver = "trace.aci_pids3"
port = "/dev/ttyUSB0"
[[limit]]
device = "voc-1"
channel = "voc"
high = 10.0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "devicehub.toml").write_text(HERE)
    (tmp_path / "password").write_text("correct horse")
    return tmp_path


def shown(folder: Path, other: str, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    (folder / "other.toml").write_text(other)
    command = ["config", "diff", str(folder / "other.toml"), "--config", str(folder / "devicehub.toml"), *words]
    assert main(command) == 0
    return capsys.readouterr().out


def test_each_key_is_told_by_device_and_a_secret_is_never_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = (
        HERE.replace("ttyUSB0", "ttyUSB1").replace("high = 10.0", "high = 20.0").replace('file = "p', 'file = "new-p')
    )
    lines = shown(folder, other, capsys).splitlines()
    assert lines == [
        '- device[voc-1].port = "/dev/ttyUSB0"',
        '+ device[voc-1].port = "/dev/ttyUSB1"',
        "- limit[0].high = 10.0",
        "+ limit[0].high = 20.0",
        f'- mqtt.password.file = "{folder}/password"',
        f'+ mqtt.password.file = "{folder}/new-password"',
    ]


def test_the_order_of_devices_and_a_default_that_is_written_down_are_no_difference(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, gamma, rest = HERE.partition('[[device]]\nid = "gamma-1"\ndriver = "radiation.atom_fast"\n')
    other = head.replace('node = "n"', 'node = "n"\nexercise = false') + rest + gamma
    assert shown(folder, other, capsys) == "they say the same\n"


def test_a_device_that_only_one_has_is_told_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = HERE + '[[device]]\nid = "scanner-1"\ndriver = "scanner.hid_pos"\n'
    found = json.loads(shown(folder, other, capsys, "--json"))
    assert {"key": "device[scanner-1].driver", "here": None, "other": "scanner.hid_pos"} in found
    assert {one["key"].partition("]")[0] for one in found} == {"device[scanner-1"}
