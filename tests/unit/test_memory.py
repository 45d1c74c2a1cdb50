"""Folders in memory of tests: what a killed process left goes, what a living one uses stays."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.memory import PREFIX, in_memory
from tests.real.hub_process import ROOT

pytestmark = pytest.mark.real

HOLDING = """
import sys, time
from pathlib import Path
from tests.memory import in_memory
with in_memory(memory=Path(sys.argv[1])) as folder:
    (folder / "much").write_bytes(bytes(1000))
    print(folder, flush=True)
    sys.stdin.read()
"""


def holder(memory: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(memory)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_goes_and_what_a_living_one_uses_stays(tmp_path: Path) -> None:
    (dead, left), (living, used) = holder(tmp_path), holder(tmp_path)
    dead.send_signal(signal.SIGKILL)
    dead.communicate()
    assert left.is_dir()
    with in_memory(memory=tmp_path) as mine:
        assert mine.parent == tmp_path
        assert not left.exists()
        assert (used / "much").exists()
    living.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_without_room_it_is_on_a_disk(tmp_path: Path) -> None:
    with in_memory(2**60, tmp_path) as folder:
        assert folder.name.startswith(PREFIX)
        assert folder.parent != tmp_path
    assert not folder.exists()
