"""Where the state of a hub in virtual time lies: in memory where there is some, since no power will fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.memory import in_memory


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder on a memory file system if there is one: a commit then costs no disk."""
    with in_memory() as folder:
        yield folder


@pytest.fixture
def state(memory: Path, request: pytest.FixtureRequest) -> Path:
    """An empty folder for one hub's journal and evidence."""
    folder = memory / str(request.node.name)
    folder.mkdir()
    return folder
