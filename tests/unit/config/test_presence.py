"""What a configuration names must be there when somebody checks it, and only then."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config

TEXT = """[hub]
site = "s"
node = "n"
[mqtt]
url = "mqtts://b"
ca = "ca.pem"
certificate = "c.pem"
key = "k.pem"
username = "u"
password = { environment = "HUB_PASSWORD" }
[scan]
key = { file = "scan.key" }
[[device]]
id = "a"
driver = "thermal.flir_rjpeg"
folder = "images"
"""


def told(path: Path) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        load_config(path, present=True)
    return [str(one).removeprefix(f"{path}:").replace(f"{path.parent}/", "") for one in caught.value.problems]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HUB_PASSWORD", raising=False)
    path = tmp_path / "hub.toml"
    path.write_text(TEXT)
    return path


def test_everything_that_is_not_there_is_told_at_its_place(path: Path) -> None:
    assert told(path) == [
        "6:1  mqtt.ca: no such file: ca.pem",
        "7:1  mqtt.certificate: no such file: c.pem",
        "8:1  mqtt.key: no such file: k.pem",
        '10:14  mqtt.password.environment = "HUB_PASSWORD": not set where this check runs',
        "12:9  scan.key.file: no such file: scan.key",
        "16:1  device[0].folder: no such folder: images",
    ]


def test_what_is_there_is_right(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ca.pem", "c.pem", "k.pem", "scan.key"):
        (path.parent / name).touch()
    (path.parent / "images").mkdir()
    monkeypatch.setenv("HUB_PASSWORD", "hunter2")
    assert load_config(path, present=True) == load_config(path)


def test_a_transcript_must_be_there_and_a_device_that_is_switched_off_needs_nothing(path: Path) -> None:
    device = '[[device]]\nid = "a"\ndriver = "radiation.atom_fast"\nport = "replay:a.txt"\n'
    path.write_text('[hub]\nsite = "s"\nnode = "n"\nexercise = true\n' + device)
    assert told(path) == ["8:1  device[0].port: no such transcript: a.txt"]
    path.write_text('[hub]\nsite = "s"\nnode = "n"\nexercise = true\n' + device + "enabled = false\n")
    load_config(path, present=True)


def test_a_hub_is_not_kept_from_starting(path: Path) -> None:
    assert load_config(path).hub.site == "s"
