"""Every command that a document shows is executed by a test, or stands here with the reason why not."""

import re
import shlex
from pathlib import Path

import pytest

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
    "README.md": "tests/real/test_short_guides.py",
}
NOT_RUN = {
    "sh packaging/demo.sh": "makes an environment and calls `devicehub demo`; packaging/setup.sh does the former for CI, tests the latter",
    "sh packaging/test.sh": "is what runs all tests",
    ". .venv/bin/activate": "the environment that CI has",
    "python -m pytest -q tests/drivers -k atom_fast": "a part of what CI runs",
    "python3 -m venv devicehub-env && . devicehub-env/bin/activate": "packaging/setup.sh makes an environment by the same words",
    "pip install --require-hashes -r requirements/run.txt": "packaging/setup.sh installs test.txt so, of which run.txt is a part",
    "pip install --no-deps --no-build-isolation .": "packaging/setup.sh installs the checkout so, editable",
    "devicehub drivers check devices/trace/acme.toml": "the guide behind it is followed with a file that exists",
    'devicehub drivers decode radiation.kromek_d5 "c0 12 00 ..."': "the bytes are cut short; decoding is tested with whole ones",
    "python -m pytest -q tests/drivers -k kromek_d5": "a part of what CI runs",
    "pytest tests/drivers/test_corpus.py --corpus captures/": "tests/drivers/test_corpus.py runs itself on a folder of captures",
}
_INLINE = re.compile(r"`devicehub ([a-z][a-z -]*)")


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
        assert [line for line in commands(path) if line not in NOT_RUN] == []


def test_what_is_not_run_is_still_there() -> None:
    shown = {line for path in documents() for line in commands(path)}
    assert NOT_RUN.keys() - shown == set()


@pytest.mark.parametrize("path", documents(), ids=name)
def test_every_command_of_ours_is_one(path: Path) -> None:
    parser = build_parser()
    for line in commands(path):
        for part in re.split(r"[|>&]", line):
            if part.strip().startswith("devicehub "):
                parser.parse_args(shlex.split(part, comments=True)[1:])


def test_every_command_that_is_named_in_passing_exists() -> None:
    known = known_commands()
    shown = ((name(path), found) for path in documents() for found in _INLINE.findall(path.read_text(encoding="utf-8")))
    wrong = []
    for where, found in shown:
        first, *rest = found.split()
        nouns = known.get(first)
        if nouns is None or (nouns and rest and rest[0] not in nouns):
            wrong.append(f"{where}: devicehub {found}")
    assert wrong == []


def known_commands() -> dict[str, set[str]]:
    """Each command, with what may follow a noun."""
    return {one.words[0]: set(one.inner) for one in build_parser().spelled() if len(one.words) == 1}
