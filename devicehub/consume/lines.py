"""A store that is a text file: one message a line, exactly as published.

Beside it lies `NAME.state`: what the book knew when the file was so long. It only saves reading the whole file at
the start, but for one thing: numbers that are lost and of which no stored message tells. It is replaced as a whole
after the file itself is on stable storage, so that it is never ahead. Without it everything is read.

What a crash leaves behind the last whole message is cut off; where that is more than one unfinished line, it is first
put aside as `NAME.torn`. Nothing of it was confirmed to a hub.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from devicehub.consume.book import Book, Counted, Current, Key, State
from devicehub.consume.heard import Heard, recalled
from devicehub.consume.store import ForeignFileError, StoreError
from devicehub.disk import sync_folder
from devicehub.model.errors import ProtocolError

STATE_EVERY: Final = 8 * 1024 * 1024
_CHECKED: Final = 4096
_log = logging.getLogger(__name__)


class _Saved(Struct, frozen=True):
    """`size`: of the file; `digest`: SHA-256 of its last bytes up to there, at most 4096."""

    size: int
    digest: str
    counts: tuple[Counted, ...]
    current: tuple[Current, ...]


class Lines:
    """See the module's docstring. Raises `StoreError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(path.name + ".state")
        self._counts: dict[Key, Counted] = {}
        self._current: dict[str, Current] = {}
        self._saved = 0
        with _reported(path):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            sync_folder(path.parent)
            self._size = os.fstat(self._file).st_size

    def load(self, book: Book) -> None:
        """See `Store.load`."""
        with _reported(self._path):
            saved = self._read_state()
            if saved is not None:
                book.restore(State(saved.counts, saved.current))
                self._saved = saved.size
            self._recall(book, self._saved)
            os.fsync(self._file)  # what a killed run wrote last is in memory only, and will now be confirmed
        self._merge(book.state())

    def store(self, batch: Sequence[Heard], changes: State) -> None:
        """See `Store.store`."""
        with _reported(self._path):
            if batch:
                self._append(b"".join(heard.body + b"\n" for heard in batch))
            self._merge(changes)
            if changes.lost or self._size - self._saved >= STATE_EVERY:
                self._save()

    def close(self) -> None:
        """See `Store.close`."""
        with _reported(self._path):
            try:
                if self._saved != self._size:
                    self._save()
            finally:
                os.close(self._file)

    def _merge(self, state: State) -> None:
        self._counts |= {one.key: one for one in state.counts}
        self._current |= {one.node: one for one in state.current}

    def _append(self, block: bytes) -> None:
        left = memoryview(block)
        try:
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError:
            # What could not be synchronised must not be read back from memory by the next run.
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(block)

    def _recall(self, book: Book, start: int) -> None:
        good = start
        with self._reading(start) as stream:
            for line in stream:
                heard = _recalled(line)
                if heard is None:
                    break
                book.replay(heard)
                good += len(line)
        if good < self._size:
            self._cut(good)

    def _cut(self, good: int) -> None:
        """What lies behind the last whole message was not confirmed to anybody."""
        with self._reading(good) as stream:
            first, more = stream.readline(), stream.read(1)
        if good == 0 and (more or not first.startswith(b"{")):
            raise ForeignFileError(f"{self._path} does not begin with a message of a hub; it is left alone")
        if good == 0 or more:
            self._put_aside(good)
        _log.warning("%s: the last %d bytes are no whole messages and are cut off", self._path, self._size - good)
        os.ftruncate(self._file, good)
        os.fsync(self._file)
        self._size = good

    def _put_aside(self, good: int) -> None:
        with self._path.with_name(self._path.name + ".torn").open("ab") as aside, self._reading(good) as stream:
            shutil.copyfileobj(stream, aside)
            aside.flush()
            os.fsync(aside.fileno())

    @contextmanager
    def _reading(self, start: int) -> Iterator[BinaryIO]:
        """The open file from `start` on, whatever its name belongs to by now."""
        with os.fdopen(os.dup(self._file), "rb") as stream:
            stream.seek(start)
            yield stream

    def _read_state(self) -> _Saved | None:
        try:
            saved = msgspec.json.decode(self._beside.read_bytes(), type=_Saved)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        fits = saved.size <= self._size and saved.digest == self._digest(saved.size)
        return saved if fits else None

    def _save(self) -> None:
        counts, current = tuple(self._counts.values()), tuple(self._current.values())
        state = msgspec.json.encode(_Saved(self._size, self._digest(self._size), counts, current))
        new = self._beside.with_name(self._beside.name + ".new")
        with new.open("wb") as stream:
            stream.write(state)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(self._beside)
        sync_folder(self._beside.parent)
        self._saved = self._size

    def _digest(self, size: int) -> str:
        start = max(0, size - _CHECKED)
        return hashlib.sha256(os.pread(self._file, size - start, start)).hexdigest()


def _recalled(line: bytes) -> Heard | None:
    if not line.endswith(b"\n"):
        return None
    try:
        return recalled(line[:-1])
    except ProtocolError:
        return None


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{error.filename or path}: {error.strerror}") from error
