"""A state folder belongs to one hub at a time: two would write one journal and publish under one name."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devicehub.model.errors import ConfigError, JournalError

NAME = "hub.lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold `folder` while the context is open; however the process ends, the kernel gives it back.

    The file holds the number of the process, for a person to read. Raises `JournalError` when another
    hub holds the folder, `ConfigError` when nobody can.
    """
    path = folder / NAME
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ConfigError(f"hub.state: {path}: {error.strerror}; choose a folder this user may write to") from None
    try:
        _take(handle, folder)
        yield
    finally:
        os.close(handle)


def is_held(folder: Path) -> bool:
    """Whether a hub holds `folder` at this moment. Raises `ConfigError` when nobody can."""
    if not (folder / NAME).exists():
        return False
    try:
        with held(folder):
            return False
    except JournalError:
        return True


def _take(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(handle, 20).decode(errors="replace").strip()
        raise JournalError(
            f"hub.state: {folder} is in use by another hub (process {holder or 'unknown'}); "
            "stop that one, or give this one a folder of its own"
        ) from None
    except OSError as error:
        raise ConfigError(f"hub.state: {folder}: {error.strerror}; choose a folder on a local disk") from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
