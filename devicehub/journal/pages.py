"""The pages of a journal's database and write-ahead log, by number and version. Pure.

Source: sections 1.6 and 4.2 of https://www.sqlite.org/fileformat2.html.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from mmap import mmap
from typing import Final

from msgspec import Struct

from devicehub.journal.wal import FRAME, HEADER, Log

Buffer = bytes | mmap

_DATABASE: Final = -1


class Spot(Struct, frozen=True):
    """A place in a page. `frame`: of the log, from 0; -1 for the database. `start`: of the page, in its file."""

    frame: int
    start: int
    offset: int


class Pages:
    """The pages of both files. A log has many versions of a page; of the database there is one."""

    def __init__(self, database: Buffer, log: Buffer, facts: Log) -> None:
        self._database = database
        self._log = log
        self._size = facts.page_size
        self._versions: dict[int, list[int]] = {}
        self._commits: list[int] = []
        for frame in range(facts.frames):
            if (start := self._start(frame)) + self._size > len(log):
                break
            number, commit = struct.unpack_from(">II", log, start - FRAME)
            self._versions.setdefault(number, []).append(frame)
            if commit:
                self._commits.append(frame)

    def files(self) -> tuple[Buffer, Buffer]:
        """The log and the database: what is newer comes first."""
        return self._log, self._database

    def spot(self, file: int, at: int) -> Spot | None:
        """Where that byte of a file is; None for one that is in no page."""
        if file == 1:
            offset = at % self._size
            return Spot(_DATABASE, at - offset, offset)
        frame, offset = divmod(at - HEADER, self._size + FRAME)
        if at < HEADER or offset < FRAME or self._start(frame) + self._size > len(self._log):
            return None
        return Spot(frame, self._start(frame), offset - FRAME)

    def content(self, spot: Spot) -> bytes:
        """The page of a spot."""
        file = self._database if spot.frame == _DATABASE else self._log
        return file[spot.start : spot.start + self._size]

    def overflow(self, spot: Spot, first: int, need: int) -> Iterator[bytes]:
        """What may follow a record on its overflow pages: as of its own commit, as SQLite reads it now, as it was."""
        given: set[bytes] = set()
        for end in self._ends(spot):
            content = self._followed(first, need, end)
            if content is not None and content not in given:
                given.add(content)
                yield content

    def repaired(self, spot: Spot, first: int, need: int) -> Iterator[bytes]:
        """What may follow where one of the page numbers in the chain of overflow pages is damaged."""
        room = self._size - 4
        for end in self._ends(spot):
            chain = self._chain(first, need, end)
            for bad in range(len(chain) + 1):
                before = b"".join(page[4:] for page in islice(chain, bad))
                if len(before) >= need:
                    break
                single = need - len(before) <= room
                for page in self._all():
                    following: int = struct.unpack_from(">I", page)[0]
                    if single != (following == 0):
                        continue
                    rest = page[4:] if single else self._joined(page, need - len(before), end)
                    if rest is not None:
                        yield (before + rest)[:need]

    def _joined(self, page: bytes, need: int, end: int) -> bytes | None:
        rest = self._followed(struct.unpack_from(">I", page)[0], need - len(page) + 4, end)
        return None if rest is None else page[4:] + rest

    def _followed(self, first: int, need: int, end: int) -> bytes | None:
        content = b"".join(page[4:] for page in self._chain(first, need, end))
        return content[:need] if len(content) >= need else None

    def _chain(self, first: int, need: int, end: int) -> list[bytes]:
        """Overflow pages from the first on, as far as they can be followed."""
        chain: list[bytes] = []
        while need > 0 and (page := self._page(first, end)) is not None:
            chain.append(page)
            need -= len(page) - 4
            first = struct.unpack_from(">I", page)[0]
        return chain

    def _page(self, number: int, end: int) -> bytes | None:
        """The newest version of a page in a log that ends there, else that of the database."""
        versions = self._versions.get(number, [])
        newest = bisect_right(versions, end)
        if newest:
            start = self._start(versions[newest - 1])
            return self._log[start : start + self._size]
        start = (number - 1) * self._size
        page = self._database[start : start + self._size] if number > 0 else b""
        return page if len(page) == self._size else None

    def _all(self) -> Iterator[bytes]:
        for start in range(0, len(self._database) - self._size + 1, self._size):
            yield self._database[start : start + self._size]
        for frame in sorted(frame for versions in self._versions.values() for frame in versions):
            yield self._log[self._start(frame) : self._start(frame) + self._size]

    def _ends(self, spot: Spot) -> list[int]:
        newest = max((versions[-1] for versions in self._versions.values()), default=_DATABASE)
        if spot.frame == _DATABASE:
            return [_DATABASE, newest]
        commit = bisect_right(self._commits, spot.frame - 1)
        own = self._commits[commit] if commit < len(self._commits) else newest
        return [own, newest, _DATABASE]

    def _start(self, frame: int) -> int:
        return HEADER + frame * (self._size + FRAME) + FRAME
