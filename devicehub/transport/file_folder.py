"""The blocking half of a watch folder: which files are complete, reading them, putting them aside.

One file at a time is handed over; the next follows when somebody says what became of it.

A file is complete when its size and times have not changed for the settle time and it is not empty.
Nothing that is not a regular file is opened, and no symbolic link is followed: a folder may be
removable media that somebody prepared.
"""

import logging
import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from itertools import chain, count
from pathlib import Path
from typing import Final, Self

from devicehub.driver import FileLink
from devicehub.model.errors import LinkLostError, LinkMissingError, LinkPermissionError

_log = logging.getLogger("devicehub.transport.file")

TAKEN: Final = "taken"
REJECTED: Final = "rejected"
_UNFINISHED: Final = (".part", ".tmp", ".crdownload")
# Not every system has these; without them only the check after opening remains.
_OPEN: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: of rest until a file counts as complete, and between looks."""

    settle: float = 1.0
    period: float = 0.25


USUAL: Final = Pace()


class Fate(Enum):
    """What became of the file handed over last: nobody can say yet; it is stored; it was refused; nobody stores any."""

    OPEN = auto()
    STORED = auto()
    REFUSED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Mark:
    """What changes when a file changes. The change time also moves with its permissions and its name.

    No inode number: FAT invents them, and another one is not another file.
    """

    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """From `stat`."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class WatchFolder:
    """One folder. Not for two threads at once; every method blocks."""

    def __init__(self, path: Path, link: FileLink, pace: Pace) -> None:
        """Raises `LinkMissingError`, or `LinkPermissionError` when it cannot be read or written."""
        self.path = path
        self._link = link
        self.pace = pace
        self._since: dict[str, tuple[Mark, float]] = {}
        self._done: dict[str, Mark] = {}
        self._complete: deque[tuple[str, Mark]] = deque()
        self._handed: tuple[str, Mark] | None = None
        self._volume = _checked(path)

    def next_file(self, now: float, fate: Fate) -> tuple[str, bytes] | None:
        """Do with the last file as its `fate` wants, give the next complete one: name and content.

        A stored one is put aside, a refused one is given again, one that nobody stores stays where it is. While the
        fate is open nothing is given. `now`: seconds of a monotonic clock. Raises `LinkLostError`.
        """
        if self._handed is not None and fate is not Fate.OPEN:
            self._settle(*self._handed, fate)
            self._handed = None
        if not self._complete or self._handed is not None:
            self._complete = deque(self._scan(now))
        while self._complete and self._handed is None:
            name, mark = self._complete.popleft()
            data = self._load(name, mark)
            if data is not None:
                self._handed = (name, mark)
                self._done[name] = mark
                return printable(name), data
        return None

    def _settle(self, name: str, mark: Mark, fate: Fate) -> None:
        if fate is Fate.STORED:
            self._put_aside(name, mark, TAKEN)
        elif fate is Fate.REFUSED and self._done.pop(name, None) is not None:
            _log.warning("%s: there was no room for what %s says; it is read again", self.path, printable(name))

    def _scan(self, now: float) -> list[tuple[str, Mark]]:
        """The complete files in order of time and name."""
        try:
            found = dict(self._entries())
        except OSError as error:
            raise LinkLostError(f"{self.path}: {error.strerror}") from error
        before, self._since = self._since, {}
        self._done = {name: mark for name, mark in self._done.items() if found.get(name) == mark}
        complete = []
        for name, mark in found.items():
            known, since = before.get(name, (mark, now))
            self._since[name] = (mark, since if known == mark else now)
            if mark.size and name not in self._done and now - self._since[name][1] >= self.pace.settle:
                complete.append((name, mark))
        return sorted(complete, key=lambda each: (each[1].modified, each[0]))

    def _entries(self) -> Iterator[tuple[str, Mark]]:
        """Names that match, with their marks. Raises `OSError` when the folder is not what was opened."""
        if self.path.stat().st_dev != self._volume:
            raise FileNotFoundError(0, "its volume was removed or replaced")
        with os.scandir(self.path) as entries:
            for entry in entries:
                if not self._is_wanted(entry.name):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # gone between listing and looking
                mark = Mark.of(status)
                if not stat.S_ISREG(status.st_mode):
                    self._refuse(entry.name, mark, "not a regular file")
                yield entry.name, mark

    def _is_wanted(self, name: str) -> bool:
        lower = name.lower()
        if lower.startswith(".") or lower.endswith(_UNFINISHED):
            return False
        return any(fnmatchcase(lower, pattern) for pattern in self._link.patterns)

    def _load(self, name: str, mark: Mark) -> bytes | None:
        """The content, or None when the file is refused, gone, or no longer what it was."""
        if mark.size > self._link.limit:
            _log.warning(
                "%s: %s has %d bytes, more than %d: rejected", self.path, printable(name), mark.size, self._link.limit
            )
            self._put_aside(name, mark, REJECTED)
            return None
        try:
            with open(os.open(self.path / name, _OPEN), "rb") as file:  # noqa: PTH123 - a descriptor, not a path
                if Mark.of(os.fstat(file.fileno())) != mark:
                    return None
                data = file.read(mark.size + 1)
                unchanged = Mark.of(os.fstat(file.fileno())) == mark and len(data) == mark.size
        except FileNotFoundError:
            return None
        except OSError as error:
            self._refuse(name, mark, error.strerror or "cannot be read")
            return None
        return data if unchanged else None

    def _refuse(self, name: str, mark: Mark, why: str) -> None:
        """Leave a file alone from now on, unless it changes. Says so once."""
        if self._done.get(name) != mark:
            _log.warning("%s: %s is left alone: %s", self.path, printable(name), why)
            self._done[name] = mark

    def _put_aside(self, name: str, mark: Mark, where: str) -> None:
        """Move a file into a subfolder. A file that was replaced meanwhile stays: it is a new one."""
        source, folder = self.path / name, self.path / where
        try:
            status = source.lstat()
            if (status.st_size, status.st_mtime_ns) != (mark.size, mark.modified):
                return
            folder.mkdir(exist_ok=True)
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(0, f"'{where}' is not a folder")
            source.rename(_free(folder, name))
        except FileNotFoundError:
            return  # somebody took it away: nothing is left to move
        except OSError as error:
            self._done.pop(name, None)
            self._refuse(name, mark, f"cannot be moved to '{where}': {error.strerror}")


def printable(name: str) -> str:
    """A file name as text that can be encoded: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def _free(folder: Path, name: str) -> Path:
    """`name` in `folder`, with a number before its suffix when that is already there."""
    plain = Path(name)
    names = chain([name], (f"{plain.stem}-{number}{plain.suffix}" for number in count(1)))
    return next(folder / each for each in names if not os.path.lexists(folder / each))


def _checked(path: Path) -> int:
    """The device number of a usable folder's volume."""
    try:
        volume = path.stat().st_dev
        with os.scandir(path):
            usable = os.access(path, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
    except PermissionError:
        usable = False
    except OSError as error:
        raise LinkMissingError(f"{path}: {error.strerror}") from error
    if not usable:
        raise LinkPermissionError(f"{path}: must be readable and writable, since files are moved to '{TAKEN}'")
    return volume
