"""Images kept as evidence: original bytes, content-addressed, on stable storage before the event that names them."""

import os
from pathlib import Path

from devicehub.model.errors import JournalError


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


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
