"""The documents are built as pages, without network and without a warning, by the command that CONTRIBUTING.md shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_every_command import commands, documents
from tests.architecture.tree import ROOT, tracked

pytestmark = pytest.mark.real

# Read by every Python that is started with it on its path: whoever looks up a name or connects ends the build.
NO_NETWORK = """
import sys
def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        raise RuntimeError(f"{event}: the documents are built without network")
sys.addaudithook(refuse)
"""
_FROM_ELSEWHERE = re.compile(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"(?:https?:)?//[^>]*>")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This source as a clone has it."""
    for file in tracked():
        target = tmp_path / "clone" / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return tmp_path / "clone"


def built(copy: Path) -> "subprocess.CompletedProcess[str]":
    (line,) = [line for line in commands(ROOT / "CONTRIBUTING.md") if "sphinx" in line]
    program, *words = line.split()
    assert program == "python"
    (copy.parent / "sitecustomize.py").write_text(NO_NETWORK)
    environment = os.environ | {"PYTHONPATH": str(copy.parent)}
    return subprocess.run(
        [sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )


def test_every_document_becomes_a_page_that_takes_nothing_from_elsewhere(copy: Path) -> None:
    done = built(copy)
    assert (done.returncode, done.stderr) == (0, "")
    for document in documents():
        page = (copy / "site" / document.relative_to(ROOT)).with_suffix(".html")
        assert _FROM_ELSEWHERE.findall(page.read_text(encoding="utf-8")) == [], page


def test_a_link_that_leads_nowhere_fails_the_build(copy: Path) -> None:
    with (copy / "docs" / "tutorial.md").open("a", encoding="utf-8") as tutorial:
        tutorial.write("\n[nowhere](guides/no-such-guide.md)\n")
    done = built(copy)
    assert done.returncode != 0
    assert "no-such-guide" in done.stderr
