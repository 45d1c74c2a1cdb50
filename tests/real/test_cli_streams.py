"""Standard streams that take nothing or are not there: one line and a code, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.real.test_cli import ROOT, environment

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full"),
]
COMMANDS = (("drivers", "list"), ("config", "check", "config/demo.toml"), ("version",), ("schema",))


def shell(redirection: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command with a redirection of the shell's."""
    return subprocess.run(
        ["/bin/sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-m", "devicehub", *words],
        cwd=ROOT, env=environment() | {"PYTHONUNBUFFERED": ""}, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", [*COMMANDS, ("--help",), ("--version",)])
def test_a_full_disk_is_one_line_and_74(words: tuple[str, ...]) -> None:
    done = shell(">/dev/full", *words)
    assert (done.returncode, done.stderr) == (74, "devicehub: standard output: No space left on device\n")


@pytest.mark.parametrize("words", COMMANDS)
def test_a_closed_output_is_one_line_and_74(words: tuple[str, ...]) -> None:
    done = shell(">&-", *words)
    assert (done.returncode, done.stderr) == (74, "devicehub: standard output: Bad file descriptor\n")


def test_closed_streams_that_a_command_does_not_need_change_nothing() -> None:
    assert shell("<&- 2>&-", "version").returncode == 0
    done = shell("<&-", "drivers", "decode", "thermal.gy_mcu90640", "-")
    assert (done.returncode, done.stdout) == (65, "")
    assert "finds nothing in 0 bytes" in done.stderr


def test_an_error_that_nobody_can_be_told_has_its_code_all_the_same() -> None:
    assert shell("2>/dev/full", "drivers", "show", "nope").returncode == 2
