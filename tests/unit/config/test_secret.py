"""Secrets are read where they are kept, and never part of the configuration."""

from pathlib import Path

import pytest

from devicehub.config import Config, Secret
from devicehub.model.errors import ConfigError


def test_a_file_holds_a_secret_and_perhaps_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("hunter2\n")
    assert Secret(file=path).read() == "hunter2"


def test_systemd_gives_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mqtt.password").write_text("hunter2")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret(credential="mqtt.password").read() == "hunter2"


def test_the_environment_gives_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PASSWORD", "hunter2")
    assert Secret(environment="HUB_PASSWORD").read() == "hunter2"


def test_a_secret_that_is_not_there_is_a_configuration_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    empty, binary, huge = tmp_path / "empty", tmp_path / "binary", tmp_path / "huge"
    empty.touch()
    binary.write_bytes(b"\xff\xfe")
    huge.write_text("x" * 70_000)
    cases = [
        (Secret(file=tmp_path / "none"), "No such file"),
        (Secret(file=tmp_path), "Is a directory"),
        (Secret(file=empty), "is empty or not set"),
        (Secret(file=binary), "not UTF-8"),
        (Secret(file=huge), "longer than"),
        (Secret(environment="HUB_NO_SUCH_VARIABLE"), "is empty or not set"),
        (Secret(credential="x"), "LoadCredential="),
    ]
    for secret, words in cases:
        with pytest.raises(ConfigError, match=words):
            secret.read()


def test_neither_repr_nor_json_holds_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("hunter2")
    hub = {"site": "s", "node": "n"}
    config = Config.model_validate({"hub": hub, "mqtt": {"url": "mqtt://b", "password": {"file": str(path)}}})
    assert config.mqtt.password is not None
    assert config.mqtt.password.read() == "hunter2"
    assert "hunter2" not in repr(config) + config.model_dump_json()
