"""The state folder, and what lies in it for as long as something else does."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devicehub.model.errors import ConfigError


def made(state: Path) -> Path:
    """Make the state folder, and give it. Raises `ConfigError`."""
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"hub.state = {state}: {error.strerror}; choose a folder this user may write to") from None
    return state


@contextmanager
def told(path: Path, text: str) -> Iterator[None]:
    """A file that says where something is, for as long as it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """A folder of this run alone: what a killed run left in it goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
