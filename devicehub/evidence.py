"""Images kept as evidence: original bytes, content-addressed, on stable storage before the event that names them."""

import os
from pathlib import Path

from devicehub.model.errors import JournalError


def store(folder: Path, name: str, data: bytes) -> None:
    """Write `data` to `folder/name` durably; the same content twice is one file. Raises `JournalError`."""
    target = folder / name
    try:
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.rename(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise JournalError(f"evidence {target}: {error.strerror}") from error
