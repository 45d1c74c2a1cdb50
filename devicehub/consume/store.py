"""What a store of messages does, whatever file is behind it, and how the right one is opened."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from devicehub.consume.book import Book, State
from devicehub.consume.heard import Heard
from devicehub.model.errors import DeviceHubError


class StoreError(DeviceHubError):
    """The file cannot be read or written: nothing of the batch counts as stored."""


class ForeignFileError(StoreError):
    """The file is not one of a consumer; it is left alone."""


class TakenError(StoreError):
    """Another process writes to the file."""


class Store(Protocol):
    """Messages on stable storage, in the order of storing. All methods block and raise `StoreError`."""

    def load(self, book: Book) -> None:
        """Tell an empty `book` what is stored. What a crash left half written is removed."""
        ...

    def store(self, batch: Sequence[Heard], changes: State) -> None:
        """Put messages on stable storage, and with them what has changed in the book by them."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold `path` against other consumers while the context is open; however the process ends, it is given back.

    A file beside it is what is locked. Raises `TakenError`, or `StoreError` when it cannot be made.
    """
    beside = path.with_name(path.name + ".lock")
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"{beside}: {error.strerror}; choose a folder this user may write to") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TakenError(f"{path} is written by another process; stop that one, or choose another file") from None
    finally:
        os.close(handle)
