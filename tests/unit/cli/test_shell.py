"""Completion and manual page say what the parser knows, and shells and roff understand them."""

import os
import subprocess
from pathlib import Path

import pytest

from devicehub.cli.completion import bash, fish
from devicehub.cli.main import main
from devicehub.cli.man import page
from devicehub.cli.parser import build_parser
from tests.patience import PATIENCE
from tests.programs import needed

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
    program = needed("bash")
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


# What is typed is completed by the keys of an interactive zsh; the command itself is one that says how it was called.
TYPED = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'source completion.zsh; devicehub() { print -r -- $#: $*. }'
zpty -r shell said '*devicehub\(\)*'
for line in $'devicehub compl\t fi\t' $'devicehub journal repl\t --str\t al\t'; do
    zpty -w shell $line
    zpty -r shell said '*<1->: *.'
    print -r -- $said
done
"""


def test_zsh_completes_what_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = needed("zsh")
    assert main(["completion", "zsh"]) == 0
    (tmp_path / "completion.zsh").write_text(capsys.readouterr().out)
    done = subprocess.run(
        [program, "-f", "-c", TYPED],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=PATIENCE, env=os.environ | {"TERM": "dumb"},
    )  # fmt: skip
    assert "2: completion fish." in done.stdout
    assert "4: journal replay --stream alarms." in done.stdout


def test_fish_completes_what_is_typed(tmp_path: Path) -> None:
    program = needed("fish")
    script = tmp_path / "completion.fish"
    script.write_text(fish(COMMANDS))

    def offered(line: str) -> set[str]:
        words = [program, "--no-config", "-c", f"source {script}; complete -C '{line}'"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return {one.split("\t")[0] for one in done.stdout.splitlines()}

    assert {"doctor", "demo", "devices"} <= offered("devicehub d")
    assert {"add", "scan", "list"} <= offered("devicehub devices ")
    assert offered("devicehub devices add --dr") == {"--driver"}
    assert offered("devicehub journal replay --stream ") == {"alarms", "events", "scans"}


def test_fish_offers_each_command_once_where_it_may_stand() -> None:
    lines = fish(COMMANDS).splitlines()
    assert "complete -c devicehub -f -n 'not __fish_seen_subcommand_from " in "\n".join(lines)
    assert sum(line.endswith("-a scan") for line in lines) == 1
    assert all(line.startswith("complete -c devicehub ") for line in lines)


def test_roff_reads_the_manual_page_without_a_warning() -> None:
    program = needed("groff")
    done = subprocess.run([program, "-man", "-ww", "-Tascii"], input=page(), capture_output=True, text=True, check=True)
    assert (done.stderr, len(done.stdout) > 10_000) == ("", True)


def test_every_command_is_in_the_manual_page() -> None:
    text = page().replace("\\-", "-")
    assert [one.words for one in COMMANDS if not one.inner and f'"devicehub {" ".join(one.words)}"' not in text] == []
