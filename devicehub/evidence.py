"""Images kept as evidence: original bytes, content-addressed, on stable storage before the event that names them.

Nothing is ever removed from here: evidence stays until a person or a job of the site's own removes it.
"""

import asyncio
import os
from concurrent.futures import Executor
from pathlib import Path

from devicehub.model.errors import JournalError


class EvidenceStore:
    """The evidence folder. Files are written in `executor`, by default the loop's, in the order of the calls."""

    def __init__(self, folder: Path, executor: Executor | None = None) -> None:
        """`executor`: best a thread of its own, which no device that hangs can take. Its owner ends it."""
        self._folder = folder
        self._executor = executor

    async def keep(self, name: str, data: bytes) -> None:
        """See `store`. Raises `JournalError`."""
        await asyncio.get_running_loop().run_in_executor(self._executor, store, self._folder, name, data)

    async def size(self) -> int:
        """See `size`. Raises `JournalError`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, size, self._folder)


def store(folder: Path, name: str, data: bytes) -> None:
    """Write `data` to `folder/name` durably; the same content twice is one file. Raises `JournalError`."""
    target = folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            part = target.with_name(f".{target.name}.part")
            with part.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            part.rename(target)
        for directory in {target.parent, folder}:  # also when the file exists: its entry may not be durable yet
            _sync(directory)
    except OSError as error:
        raise JournalError(f"evidence {target}: {error.strerror}") from error


def size(folder: Path) -> int:
    """Bytes of all files below `folder`; none where there is no folder yet. Raises `JournalError`."""
    try:
        return sum(entry.lstat().st_size for entry in folder.rglob("*") if not entry.is_dir())
    except FileNotFoundError:
        return size(folder)  # one was removed while we looked
    except OSError as error:
        raise JournalError(f"evidence {folder}: {error.strerror}") from error


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
