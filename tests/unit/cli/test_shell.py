"""Completion and manual page say what the parser knows, and shells and roff understand them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from devicehub.cli.completion import bash, fish
from devicehub.cli.man import page
from devicehub.cli.parser import build_parser

COMMANDS = list(build_parser().spelled())


def test_the_parser_tells_every_command_with_its_options() -> None:
    found = {one.words: one for one in COMMANDS}
    assert {"devices", "doctor", "man"} <= set(found[()].inner)
    (stream,) = [one for one in found["journal", "replay"].arguments if "--stream" in one.names]
    assert stream.choices == ("alarms", "events", "scans")
    (config,) = [one for one in found["doctor",].arguments if "--config" in one.names]
    assert config.value == "FILE"


def completed(empty: Path, *words: str) -> set[str]:
    """What bash would offer for the last word."""
    program = shutil.which("bash")
    if program is None:
        pytest.skip("bash is not installed")
    line = " ".join(f"'{word}'" for word in words)
    shown = "printf '%s\\n' \"${COMPREPLY[@]}\""
    script = f"{bash(COMMANDS)}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _devicehub; {shown}"
    done = subprocess.run([program, "-c", script], capture_output=True, text=True, check=True, cwd=empty)
    return set(done.stdout.split("\n"))


def test_bash_offers_commands_options_and_choices(tmp_path: Path) -> None:
    assert {"doctor", "demo", "devices"} <= completed(tmp_path, "devicehub", "d")
    assert {"add", "scan", "list"} <= completed(tmp_path, "devicehub", "devices", "")
    assert completed(tmp_path, "devicehub", "devices", "add", "--dr") == {"--driver", ""}
    assert completed(tmp_path, "devicehub", "journal", "replay", "--stream", "a") == {"alarms", ""}
    assert "fish" in completed(tmp_path, "devicehub", "completion", "")


def test_fish_offers_each_command_once_where_it_may_stand() -> None:
    lines = fish(COMMANDS).splitlines()
    assert "complete -c devicehub -f -n 'not __fish_seen_subcommand_from " in "\n".join(lines)
    assert sum(line.endswith("-a scan") for line in lines) == 1
    assert all(line.startswith("complete -c devicehub ") for line in lines)


def test_roff_reads_the_manual_page_without_a_warning() -> None:
    program = shutil.which("groff")
    if program is None:
        pytest.skip("groff is not installed")
    done = subprocess.run([program, "-man", "-ww", "-Tascii"], input=page(), capture_output=True, text=True, check=True)
    assert (done.stderr, len(done.stdout) > 10_000) == ("", True)


def test_every_command_is_in_the_manual_page() -> None:
    text = page().replace("\\-", "-")
    assert [one.words for one in COMMANDS if not one.inner and f'"devicehub {" ".join(one.words)}"' not in text] == []
