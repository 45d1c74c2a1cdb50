"""docs/add-a-device.md, followed to the letter in a copy of the checkout."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guides import Block, blocks

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "add-a-device.md"
"""What its blocks are: `fails`, `edit=FILE`, `with`, `file=FILE`, `config` or nothing."""


class Checkout:
    """A copy in which the guide is carried out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        skipped = shutil.ignore_patterns("__pycache__", ".hypothesis")
        for name in ("devicehub", "drivers", "simulators", "config", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=skipped)
        shutil.copy(ROOT / "pyproject.toml", folder)
        self._edited = ("", "")

    def follow(self, block: Block) -> None:
        name, path = block.word, block.rest
        if block.kind == "sh":
            self._command(block)
        elif name == "edit":
            self._edited = (path, block.text)
        elif name == "with":
            self._edit(block.text)
        elif name == "file":
            (self.folder / path).write_text(block.text)
        elif name == "config":
            (self.folder / "hub.toml").write_text('[hub]\nsite = "s"\nnode = "n"\n\n' + block.text)
            assert self.run("devicehub config check hub.toml").returncode == 0
        else:
            raise AssertionError(f"the guide has a block that nobody follows: {block}")

    def _command(self, block: Block) -> None:
        for line in block.text.splitlines():
            done = self.run(line)
            wanted = 1 if block.word == "fails" else 0
            assert done.returncode == wanted, f"{line}\n{done.stdout}\n{done.stderr}"
            if "pytest" in line:
                assert re.search(r"\d+ (passed|failed)", done.stdout), done.stdout

    def _edit(self, new: str) -> None:
        path, old = self._edited
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, f"{path} has {text.count(old)} times:\n{old}"
        (self.folder / path).write_text(text.replace(old, new))

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        program, *words = shlex.split(line)
        module = [] if program == "python" else ["-m", program]
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *module, *words],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip


def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "copy")
    for block in blocks(GUIDE):
        checkout.follow(block)
    driver = (checkout.folder / "drivers/trace/acme_sniffer2.py").read_text()
    assert "Maker" not in driver
    assert 'name="inlet"' in driver


def test_the_guide_has_every_kind_of_step() -> None:
    kinds = [block.word for block in blocks(GUIDE)]
    assert kinds.count("edit") == kinds.count("with") > 4
    assert {"fails", "file", "config"} <= set(kinds)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "copy")
    assert checkout.run("devicehub drivers new trace.acme_sniffer2").returncode == 0
    again = checkout.run("devicehub drivers new trace.acme_sniffer2")
    assert (again.returncode, again.stdout) == (73, "")
    assert "exists; it is left alone" in again.stderr
    assert again.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("tracer.acme_x", "did you mean 'trace'?"), ("trace.Acme", "FAMILY.MAKER_MODEL"), ("acme", "FAMILY.MAKER_MODEL")],
)
def test_a_name_that_cannot_be_is_a_usage_error(tmp_path: Path, name: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devicehub", "drivers", "new", name, "--into", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert words in done.stderr
