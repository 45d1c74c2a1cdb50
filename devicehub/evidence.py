"""Images kept as evidence: original bytes, content-addressed, on stable storage before the event that names them.

Nothing is ever removed from here: evidence stays until a person or a job of the site's own removes it.
"""

import asyncio
import logging
import os
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devicehub.disk import sync_folder
from devicehub.model.errors import JournalError

_log = logging.getLogger(__name__)

_REAL: Final = "evidence"
_SIMULATED: Final = "evidence-exercise"


@dataclass(frozen=True, slots=True)
class Held:
    """How much lies in the evidence folder: files, and bytes of them."""

    files: int
    size: int


def evidence_folder(state: Path, *, exercise: bool) -> Path:
    """Where a hub with that state folder keeps its images.

    Those of exercises lie apart, under a name that says so: the bytes are the device's own and bear no mark, and an
    exercise that plays a recording has the very bytes of something real.
    """
    return state / (_SIMULATED if exercise else _REAL)


class EvidenceStore:
    """The evidence folder. Files are written in `executor`, by default the loop's, in the order of the calls."""

    def __init__(self, folder: Path, executor: Executor | None = None) -> None:
        """`executor`: best a thread of its own, which no device that hangs can take. Its owner ends it."""
        self._folder = folder
        self._executor = executor
        self.held: Held | None = None

    async def keep(self, name: str, data: bytes) -> None:
        """See `store`. Raises `JournalError`."""
        new = await asyncio.get_running_loop().run_in_executor(self._executor, store, self._folder, name, data)
        if new and self.held is not None:
            self.held = Held(self.held.files + 1, self.held.size + len(data))

    async def count(self) -> None:
        """Look once how much is `held`, which then counts on; where that cannot be seen it stays None."""
        try:
            self.held = await asyncio.get_running_loop().run_in_executor(self._executor, measured, self._folder)
        except JournalError as error:
            _log.warning("how much evidence there is cannot be counted: %s", error)


def store(folder: Path, name: str, data: bytes) -> bool:
    """Write `data` to `folder/name` durably; whether it is new, since the same content twice is one file.

    Raises `JournalError`.
    """
    target = folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = not target.exists()
        if new:
            part = target.with_name(f".{target.name}.part")
            with part.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            part.rename(target)
        for directory in {target.parent, folder}:  # also when the file exists: its entry may not be durable yet
            sync_folder(directory)
    except OSError as error:
        raise JournalError(f"evidence {target}: {error.strerror}") from error
    return new


def measured(folder: Path) -> Held:
    """All files below `folder`; none where there is no folder yet. Raises `JournalError`."""
    try:
        sizes = [entry.lstat().st_size for entry in folder.rglob("*") if not entry.is_dir()]
        return Held(len(sizes), sum(sizes))
    except FileNotFoundError:
        return measured(folder)  # one was removed while we looked
    except OSError as error:
        raise JournalError(f"evidence {folder}: {error.strerror}") from error
