"""Folders in memory, where there is some, for what need not outlive a test: nothing waits for a disk.

A process that is killed cannot remove its own. Beside each folder stands a file that its process holds locked for as
long as it lives; whoever makes a folder removes those whose file nobody holds.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

MEMORY = Path("/dev/shm")
PREFIX = "devicehub-test-"
HELD = ".held"


@contextmanager
def in_memory(room: int = 0, memory: Path = MEMORY) -> Iterator[Path]:
    """An empty folder, on a disk where memory has less than `room` bytes free; it is removed at the end."""
    if not _roomy(memory, room):
        with TemporaryDirectory(prefix=PREFIX) as folder:
            yield Path(folder)
        return
    name = f"{PREFIX}{uuid4().hex}"
    file, made = memory / (name + HELD), memory / name
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        made.mkdir(0o700)
        try:
            yield made
        finally:
            shutil.rmtree(made)
            file.unlink()


def _roomy(memory: Path, room: int) -> bool:
    """Whether there is a memory with so much free, once nothing is in it that nobody uses."""
    if not os.access(memory, os.W_OK):
        return False
    _sweep(memory)
    return shutil.disk_usage(memory).free >= room


def _sweep(memory: Path) -> None:
    """Remove what killed processes left. A file that has no folder yet is somebody's who is about to make one."""
    for file in memory.glob(f"{PREFIX}*{HELD}"):
        folder = file.with_name(file.name.removesuffix(HELD))
        if folder.is_dir() and _left(file):
            shutil.rmtree(folder, ignore_errors=True)  # what its process started may still write there
            file.unlink(missing_ok=True)


def _left(file: Path) -> bool:
    """Whether nobody holds it."""
    try:
        with file.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True
