"""A configuration of an older format becomes one of this, says the same, and can be had back."""

import stat
from pathlib import Path

import pytest

from devicehub.cli.main import main
from devicehub.config import digest, load_config
from devicehub.config.migrate import kept_as

OLD = '# ours\n[hub]\nsite = "s"  # the site\nnode = "n"\nstate = "state"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "devicehub.toml"
    path.write_text(OLD)
    path.chmod(0o640)
    return path


def test_it_says_the_same_and_keeps_its_comments_mode_and_former_file(file: Path) -> None:
    before = digest(load_config(file))
    assert main(["config", "migrate", str(file)]) == 0
    assert digest(load_config(file)) == before
    assert "schema_version = 1\n" in file.read_text()
    assert file.read_text().endswith(OLD)
    assert kept_as(file, 0).read_text() == OLD
    assert {stat.S_IMODE(one.stat().st_mode) for one in (file, kept_as(file, 0))} == {0o640}


def test_the_way_back_gives_the_former_file_to_the_byte(file: Path) -> None:
    main(["config", "migrate", str(file)])
    assert main(["config", "migrate", str(file), "--back"]) == 0
    assert file.read_text() == OLD
    assert list(file.parent.iterdir()) == [file]


def test_a_dry_run_shows_the_change_and_writes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "migrate", str(file), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "+schema_version = 1" in shown
    assert "-[hub]" not in shown
    assert list(file.parent.iterdir()) == [file]
    assert file.read_text() == OLD


def test_what_has_this_format_is_left_alone(file: Path) -> None:
    main(["config", "migrate", str(file)])
    once = file.read_bytes()
    assert main(["config", "migrate", str(file)]) == 0
    assert file.read_bytes() == once


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema_version = 2\n", "which reads 1"),
        ("schema_version = 0\n", "which reads 1"),
        ("schema_version =\n", "not valid TOML"),
    ],
)
def test_a_newer_format_and_a_broken_file_stay_as_they_are(
    file: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text)
    assert main(["config", "migrate", str(file)]) == 78
    assert words in capsys.readouterr().err
    assert file.read_text() == text


def test_without_a_former_file_there_is_no_way_back(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "migrate", str(file), "--back"]) == 78
    assert "no earlier one is kept" in capsys.readouterr().err


def test_a_former_version_takes_what_it_left_when_a_newer_one_took_over(file: Path) -> None:
    file.write_text("schema_version = 7\n")
    kept_as(file, 1).write_text("schema_version = 1\n" + OLD)
    kept_as(file, 0).write_text(OLD)
    assert main(["config", "migrate", str(file), "--back"]) == 0
    assert file.read_text() == "schema_version = 1\n" + OLD
    assert main(["config", "migrate", str(file), "--back"]) == 0
    assert file.read_text() == OLD


def test_a_file_that_cannot_be_read_is_as_it_was_too(file: Path) -> None:
    kept_as(file, 0).write_text(OLD)
    file.write_text("schema_version =\n")
    assert main(["config", "migrate", str(file), "--back"]) == 0
    assert file.read_text() == OLD
