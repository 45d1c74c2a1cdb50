"""`devicehub consume` and `devicehub consume-check`: what is wrong on the command line is told before anything is opened."""

import argparse
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from devicehub.cli.consume import name_of, streams_of
from devicehub.cli.main import main
from devicehub.cli.parser import build_parser
from devicehub.model.segment import SEGMENT
from devicehub.model.stream import Stream

Cli = Callable[..., tuple[int, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEVICEHUB_CONFIG", raising=False)

    def run(*words: str) -> tuple[int, str]:
        try:
            code = main(words)
        except SystemExit as end:  # argparse ends so
            code = int(end.code or 0)
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["out.csv"], "out.csv: must end in .jsonl or .sqlite"),
        (["out.jsonl", "--node", "lane1"], "--node lane1: must be SITE/NODE"),
        (["out.jsonl", "--node", "A/b"], "--node A/b: must be SITE/NODE"),
        (["out.jsonl", "--name", "my archive"], "--name my archive: must be"),
        (["out.jsonl", "--streams", "alarms,rumours"], "'rumours' is none of alarms, events, scans"),
        (["out.jsonl", "--streams", ""], "'' is none of"),
        (["out.jsonl", "--broker", "http://127.0.0.1"], "must be mqtt://"),
        ([], "OUT"),
    ],
    ids=str,
)
def test_a_wrong_word_is_one_line_and_makes_no_file(cli: Cli, tmp_path: Path, words: list[str], said: str) -> None:
    code, err = cli("consume", *words)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ("endless.jsonl", 65, "is no regular file"),
        ("folder.jsonl", 66, "is a folder"),
        ("none/out.jsonl", 73, "no such"),
    ],
)
def test_a_place_that_is_no_file_is_told_before_it_is_read(
    cli: Cli, tmp_path: Path, place: str, code: int, said: str
) -> None:
    (tmp_path / "endless.jsonl").symlink_to("/dev/full")
    (tmp_path / "folder.jsonl").mkdir()
    before = sorted(tmp_path.iterdir())
    assert cli("consume", place, "--broker", "mqtt://127.0.0.1:1")[0] == code
    assert said in cli("consume", place, "--broker", "mqtt://127.0.0.1:1")[1]
    assert sorted(tmp_path.iterdir()) == before


def test_a_program_that_is_not_there_is_told_before_anything_is_played(cli: Cli) -> None:
    assert cli("consume-check", "--name", "own", "no-such-program") == (
        69,
        "devicehub: no-such-program: no such program\n",
    )


def test_a_configuration_that_is_not_there_is_told(cli: Cli) -> None:
    assert cli("consume", "out.jsonl", "--config", "none.toml")[0] == 66


@pytest.mark.parametrize("name", ["out.jsonl", "out.sqlite"])
def test_a_file_of_something_else_is_told_and_left_alone(cli: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("shopping list\n" * 100)
    code, err = cli("consume", name, "--broker", "mqtt://127.0.0.1:1")
    assert code == 65
    assert "left alone" in err
    assert (tmp_path / name).read_text() == "shopping list\n" * 100


def test_leaving_without_a_broker_is_told(cli: Cli) -> None:
    code, err = cli("consume", "out.jsonl", "--leave", "--name", "a", "--broker", "mqtt://127.0.0.1:1")
    assert code == 69
    assert "nothing listens on 127.0.0.1:1" in err


@pytest.mark.parametrize("words", [["--name", "A b"], ["--name", "a", "--node", "lane1"]], ids=str)
def test_the_check_wants_names_that_fit_into_a_topic(cli: Cli, words: list[str]) -> None:
    code, err = cli("consume-check", *words, "--", "true")
    assert code == 2
    assert "must be" in err


def parsed(*words: str) -> argparse.Namespace:
    return build_parser().parse_args(["consume", *words])


def test_the_name_is_given_or_of_the_configuration_or_of_this_computer_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEVICEHUB_CONFIG", raising=False)
    (tmp_path / "archive.toml").write_text('[hub]\nsite = "s"\nnode = "archive"\n[mqtt]\nurl = "mqtt://b"\n')
    assert name_of(parsed("out.jsonl", "--name", "given")) == "given"
    assert name_of(parsed("out.jsonl", "--config", "archive.toml")) == "archive"
    own = name_of(parsed("Lane 1.sqlite", "--broker", "mqtt://b"))
    assert SEGMENT.fullmatch(own)
    monkeypatch.setattr(socket, "gethostname", lambda: "Box")
    assert name_of(parsed("out.jsonl", "--broker", "mqtt://b")) == "box-out"


def test_scans_are_personal_data_and_not_stored_unless_asked_for() -> None:
    assert streams_of(parsed("out.jsonl").streams) == {Stream.ALARMS, Stream.EVENTS}
    assert streams_of("alarms, scans") == {Stream.ALARMS, Stream.SCANS}
