"""A progress bar: drawn for a terminal, a percent at a time, and gone in the end; for others there is none."""

import io
import json

import pytest

from devicehub.cli.bar import Bar
from devicehub.cli.main import main
from tests.conformance import FIXTURES

CAPTURE = FIXTURES / "atom_fast" / "published-captures.txt"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_it_fill_and_then_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    bar = Bar("replaying", 1000)
    for done in range(0, 1001, 5):
        bar.reach(done)
    drawn = terminal.getvalue().split("\r")[1:]
    assert len(drawn) == 101
    assert drawn[0] == f"replaying [{'-' * 32}]   0 %"
    assert drawn[50] == f"replaying [{'#' * 16}{'-' * 16}]  50 %"
    bar.end()
    assert terminal.getvalue().endswith("100 %\r\x1b[K")


def test_a_file_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    bar = Bar("replaying", 0)
    bar.reach(1)
    bar.end()
    assert stream.getvalue() == ""


def test_a_bar_beside_what_is_printed_on_the_same_terminal_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    Bar("replaying", 10, wanted=False).reach(5)
    assert terminal.getvalue() == ""


def test_a_program_is_told_a_line_of_json_for_each_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    bar = Bar("verifying", 1000, as_json=True)
    for done in range(0, 1001, 5):
        bar.reach(done)
    bar.end()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert told == [{"progress": "verifying", "percent": percent} for percent in range(101)]


def test_work_that_knows_by_itself_how_much_there_is_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    Bar("verifying", 0).reach_of(5, 10)
    assert terminal.getvalue().endswith(" 50 %")


def progress(told: str, title: str) -> list[int]:
    """The percents of lines of JSON on standard error, all of which have this title."""
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert {line["progress"] for line in lines} == {title}
    return [line["percent"] for line in lines]


def test_a_replay_tells_how_far_it_is_to_a_program_and_nothing_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["replay", str(CAPTURE), "--driver", "radiation.atom_fast", "--speed", "100"]
    assert main([*words, "--json"]) == 0
    assert progress(capsys.readouterr().err, "replaying") == [0, 50, 100]
    assert main(words) == 0
    assert capsys.readouterr().err == ""
