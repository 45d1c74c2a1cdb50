"""Where the state of a hub in virtual time lies: in memory where there is some, since no power will fail."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder on a memory file system if there is one: a commit then costs no disk."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path_factory.mktemp("state")
        return
    with TemporaryDirectory(prefix="devicehub-test-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def state(memory: Path, request: pytest.FixtureRequest) -> Path:
    """An empty folder for one hub's journal and evidence."""
    folder = memory / str(request.node.name)
    folder.mkdir()
    return folder
