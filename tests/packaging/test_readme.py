"""README.md as somebody reads it who has just cloned the repository: its set-up is done to the letter, in a copy."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_every_command import ALL_TESTS
from tests.guides import blocks
from tests.memory import in_memory
from tests.packaging.conftest import copy
from tests.packaging.debian import ROOM
from tests.real.hub_process import ROOT

pytestmark = [pytest.mark.real, pytest.mark.fresh]

DEMONSTRATION = "sh packaging/demo.sh"
RUN = "devicehub run"
# What has no end by itself is ended after so many seconds; `timeout` tells that by 124.
SECONDS = 15


@pytest.fixture
def clone() -> Iterator[Path]:
    with in_memory(ROOM) as folder:
        copy(folder / "devicehub")
        yield folder / "devicehub"


def shell(clone: Path, script: str) -> str:
    """What it says; it has to end well. Skips where packages cannot be had."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "DEVICEHUB_CONFIG"}}
    done = subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=clone, env=kept | {"XDG_STATE_HOME": str(clone.parent / "state")},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
    )  # fmt: skip
    if "No matching distribution" in done.stdout:
        pytest.skip(f"the packages cannot be had, is their registry reached? {done.stdout[-400:]}")
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_demonstration_makes_its_environment_and_shows_its_page_and_a_checkout_runs_as_shown(clone: Path) -> None:
    shown = [block.text for block in blocks(ROOT / "README.md") if block.kind == "sh"]
    (first,) = [text for text in shown if DEMONSTRATION in text]
    assert "page: http://127.0.0.1:" in shell(clone, f"{first.strip()} --for {SECONDS}")
    assert (clone / ".venv").is_dir()
    (last,) = [text for text in shown if RUN in text]
    said = shell(clone, last.replace(RUN, f"timeout {SECONDS} {RUN} || [ $? -eq 124 ]"))
    assert "will publish below devicehub/v1/" in said


def test_every_other_command_of_the_readme_is_ours_or_runs_all_tests() -> None:
    shown = [block.text for block in blocks(ROOT / "README.md") if block.kind == "sh"]
    others = [text.strip() for text in shown if DEMONSTRATION not in text and RUN not in text]
    assert ALL_TESTS in others
    assert all(text.startswith("devicehub ") for text in others if text != ALL_TESTS)
