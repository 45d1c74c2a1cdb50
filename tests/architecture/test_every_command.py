"""Every command that a document shows is executed by a test; the one that runs all tests, by what decides whether a change lands."""

import re
import shlex
from pathlib import Path

import pytest

from devicehub.cli.grammar import Spelled
from devicehub.cli.parser import build_parser
from tests.architecture.tree import ROOT, tracked
from tests.guides import blocks

FOLLOWED = {
    "docs/add-a-device.md": "tests/system/test_add_a_device.py",
    "docs/tutorial.md": "tests/real/test_first_guides.py",
    "docs/guides/recover-a-journal.md": "tests/real/test_first_guides.py",
    "docs/guides/enter-a-finding.md": "tests/real/test_entry_guide.py",
    "docs/guides/connect-a-downstream-system.md": "tests/real/test_downstream_guide.py",
    "docs/guides/check-a-desk.md": "tests/real/test_preflight_guide.py",
    "docs/guides/run-an-inspection.md": "tests/real/test_inspection_guide.py",
    "docs/guides/write-a-driver.md": "tests/system/test_write_a_driver.py",
    "docs/guides/change-the-rules.md": "tests/real/test_rules_guide.py",
    "docs/guides/handle-an-alarm.md": "tests/real/test_alarm_guide.py",
    "docs/guides/run-an-exercise.md": "tests/real/test_exercise_guide.py",
    "docs/guides/import-files.md": "tests/real/test_import_guide.py",
    "docs/guides/secure-a-station.md": "tests/real/test_secure_guide.py",
    "docs/guides/install-a-workstation.md": "tests/packaging/test_fresh_debian.py",
    "docs/guides/connect-a-consumer.md": "tests/real/test_consumer_guide.py",
    "docs/guides/contribute-a-capture.md": "tests/real/test_short_guides.py",
    "docs/guides/change-a-configuration.md": "tests/real/test_short_guides.py",
    "docs/guides/send-a-command.md": "tests/real/test_short_guides.py",
    "docs/guides/find-what-is-wrong.md": "tests/real/test_tool_guides.py",
    "docs/guides/plug-in-a-device.md": "tests/real/test_tool_guides.py",
    "docs/guides/monitor-a-station.md": "tests/real/test_tool_guides.py",
    "docs/reference/device-file.md": "tests/system/test_checkout_commands.py",
    "CONTRIBUTING.md": "tests/system/test_checkout_commands.py",
    "README.md": "tests/real/test_short_guides.py",
}
ALL_TESTS = "sh packaging/test.sh"
_INLINE = re.compile(r"`devicehub ([^`]+)`")


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(path: Path) -> list[str]:
    lines = (line for block in blocks(path) if block.kind == "sh" for line in block.text.splitlines())
    return [bare for line in lines if (bare := re.sub(r"\s{2,}#.*", "", line).strip())]


@pytest.mark.parametrize("path", documents(), ids=name)
def test_every_command_of_a_document_is_executed(path: Path) -> None:
    if name(path) in FOLLOWED:
        assert path.name in (ROOT / FOLLOWED[name(path)]).read_text(encoding="utf-8")
    else:
        assert commands(path) == []


def test_what_runs_all_tests_decides_whether_a_change_lands() -> None:
    assert f"exec {ALL_TESTS}" in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("path", documents(), ids=name)
def test_every_command_of_ours_is_one(path: Path) -> None:
    parser = build_parser()
    for line in commands(path):
        for part in re.split(r"[|>&]", line):
            if part.strip().startswith("devicehub "):
                parser.parse_args(shlex.split(part, comments=True)[1:])


def test_every_command_that_is_named_in_passing_exists_with_its_options() -> None:
    known = {one.words: one for one in build_parser().spelled()}
    shown = ((name(path), found) for path in documents() for found in _INLINE.findall(path.read_text(encoding="utf-8")))
    assert [f"{where}: devicehub {found}" for where, found in shown if not is_known(found, known)] == []


@pytest.mark.parametrize(
    "wrong",
    ["alarm", "alarms lists", "alarms list|shw", "doctor [--mend]", "journal replay --fom 1", "run --json x --y"],
)
def test_what_is_no_command_or_no_option_of_it_would_be_found(wrong: str) -> None:
    assert not is_known(wrong, {one.words: one for one in build_parser().spelled()})


def is_known(shown: str, known: dict[tuple[str, ...], Spelled]) -> bool:
    """Whether its words are a command, what follows a noun is one of its verbs, and the options are its own."""
    words = re.sub(r"[\[\]]", " ", shown).split()
    length = max(length for length in range(len(words) + 1) if tuple(words[:length]) in known)
    one, rest = known[tuple(words[:length])], words[length:]
    if one.inner and rest and not rest[0].startswith("-"):
        return set(rest[0].split("|")) <= set(one.inner)
    options = {word.partition("=")[0] for word in rest if word.startswith("-")}
    return options <= {flag for argument in one.arguments for flag in argument.names}
