"""A copy of the checkout in which a guide is carried out."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.guides import Block

ROOT = Path(__file__).parents[2]


class Checkout:
    """Follows a guide. What its blocks are: a file, more of it, an edit and what it is to become, commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        skipped = shutil.ignore_patterns("__pycache__", ".hypothesis")
        for name in ("devicehub", "drivers", "simulators", "config", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=skipped)
        shutil.copy(ROOT / "pyproject.toml", folder)
        self._edited = ("", "")

    def follow(self, block: Block) -> None:
        """Do what a block says. `fails`: the commands end with 1 or 65; `mistake=...`: with 78 and these words."""
        name, path = block.word, block.rest
        if block.kind == "sh":
            self._command(block)
        elif name == "edit":
            self._edited = (path, block.text.rstrip("\n"))
        elif name == "with":
            self._edit(block.text.rstrip("\n"))
        elif name == "file":
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(block.text)
        elif name == "more":
            (self.folder / path).write_text((self.folder / path).read_text() + block.text)
        elif name == "config":
            head = "" if block.text.startswith("[hub]") else '[hub]\nsite = "s"\nnode = "n"\n\n'
            (self.folder / "devicehub.toml").write_text(head + block.text)
            assert self.run("devicehub config check devicehub.toml").returncode == 0
        else:
            raise AssertionError(f"the guide has a block that nobody follows: {block}")

    def _command(self, block: Block) -> None:
        for line in block.text.splitlines():
            done = self.run(line)
            wanted = {"fails": {1, 65}, "mistake": {78}}.get(block.word, {0})
            assert done.returncode in wanted, f"{line}\n{done.stdout}\n{done.stderr}"
            assert block.word != "mistake" or block.rest in done.stderr, done.stderr
            if "pytest" in line:
                assert re.search(r"\d+ (passed|failed)", done.stdout), done.stdout

    def _edit(self, new: str) -> None:
        path, old = self._edited
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, f"{path} has {text.count(old)} times:\n{old}"
        (self.folder / path).write_text(text.replace(old, new))

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """A command line, as from a shell in the checkout."""
        program, *words = shlex.split(line)
        module = {
            "python": [sys.executable],
            "pytest": [sys.executable, "-m", "pytest"],
            "devicehub": [sys.executable, "-m", "devicehub"],
        }.get(program, [program])
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [*module, *words],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
