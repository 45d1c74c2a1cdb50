"""What a power cut leaves of a folder: made from the log of every operation on its files (disk_shim.c).

A file's content is on the disk once it was synced. Of what was written since, any subset of 512-byte sectors may
be there: pages are torn, and a later write may be there without an earlier one, but of one sector. Nothing crosses a
sync of the same file.
A name is where a sync of its folder left it; of the changes since, the first few.

A sync that failed made nothing durable, and the kernel counts those pages as clean all the same: no later sync writes
them, unless something of the page (4096 bytes) is written again (Rebello et al., "Can Applications Recover from
fsync Failures?", USENIX ATC 2020).
"""

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from random import Random
from typing import Final

SECTOR: Final = 512
PAGE: Final = 4096
_HEAD: Final = struct.Struct("<ciqqII")


@dataclass(frozen=True, slots=True)
class Call:
    """One record of the log. `kind`, `one` and `two`: see disk_shim.c."""

    kind: str
    descriptor: int
    one: int
    two: int
    text: bytes
    other: bytes

    @property
    def path(self) -> str:
        return self.text.decode()


def calls(log: bytes) -> Iterator[Call]:
    """All whole records; the killed process may have left a part of one."""
    place = 0
    while place + _HEAD.size <= len(log):
        kind, descriptor, one, two, first, second = _HEAD.unpack_from(log, place)
        place += _HEAD.size
        if place + first + second > len(log):
            return
        text, other = log[place : place + first], log[place + first : place + first + second]
        yield Call(kind.decode(), descriptor, one, two, text, other)
        place += first + second


@dataclass(frozen=True, slots=True)
class _Write:
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class _Size:
    size: int
    grow: bool = False


def _put(content: bytearray, offset: int, new: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(new)] = new


def _resize(content: bytearray, change: _Size) -> None:
    if len(content) < change.size:
        content.extend(bytes(change.size - len(content)))
    elif not change.grow:
        del content[change.size :]


def _sectors(write: _Write) -> Iterator[_Write]:
    offset, end = write.offset, write.offset + len(write.content)
    while offset < end:
        until = min(end, offset - offset % SECTOR + SECTOR)
        yield _Write(offset, write.content[offset - write.offset : until - write.offset])
        offset = until


def _apply(content: bytearray, changes: list[_Write | _Size], random: Random, keep: float) -> None:
    """Each change of the size with probability `keep`; of each sector the first few writes, as it was written out once."""
    torn: set[int] = set()
    for change in changes:
        if isinstance(change, _Size):
            if random.random() < keep:
                _resize(content, change)
            continue
        for sector in _sectors(change):
            if sector.offset // SECTOR not in torn and random.random() < keep:
                _put(content, sector.offset, sector.content)
            else:
                torn.add(sector.offset // SECTOR)


@dataclass(eq=False, slots=True)
class _File:
    """`cache` is what the program sees, `disk` what is durable, `pending` what may be by now.

    `clean` are pages that a failed sync left looking clean.
    """

    cache: bytearray = field(default_factory=bytearray)
    disk: bytearray = field(default_factory=bytearray)
    pending: list[_Write | _Size] = field(default_factory=list)
    clean: set[int] = field(default_factory=set)

    def write(self, offset: int, content: bytes) -> None:
        _put(self.cache, offset, content)
        pages = range(offset // PAGE, (offset + len(content) - 1) // PAGE + 1)
        again = self.clean.intersection(pages)
        self.clean -= again
        self.pending += [_Write(page * PAGE, bytes(self.cache[page * PAGE : (page + 1) * PAGE])) for page in again]
        self.pending.append(_Write(offset, content))

    def resize(self, size: int, *, grow: bool = False) -> None:
        change = _Size(size, grow)
        _resize(self.cache, change)
        self.pending.append(change)

    def sync(self) -> None:
        for change in self.pending:
            if isinstance(change, _Size):
                _resize(self.disk, change)
            else:
                _put(self.disk, change.offset, change.content)
        self.pending.clear()

    def sync_failed(self, random: Random) -> None:
        _apply(self.disk, self.pending, random, random.choice((0.0, 0.5)))
        for change in self.pending:
            if isinstance(change, _Write):
                self.clean.update(range(change.offset // PAGE, (change.offset + len(change.content) - 1) // PAGE + 1))
        self.pending.clear()

    def after_a_cut(self, random: Random, keep: float) -> bytes:
        content = bytearray(self.disk)
        _apply(content, self.pending, random, keep)
        if len(content) < len(self.cache) and random.random() < keep:
            content.extend(bytes(len(self.cache) - len(content)))
        return bytes(content)


_Node = _File | None
"""What a name stands for; None is a folder."""
_Change = tuple[tuple[str, _Node, bool], ...]
"""Names that appear (True) or go (False), at once."""


class Disk:
    """A folder of files, on which the calls of a log happen one after the other."""

    def __init__(self, random: Random, files: Mapping[str, bytes] | None = None) -> None:
        """`files`: what is there and durable at first. `random`: what the disk does of its own accord."""
        self._random = random
        self._names: dict[str, _Node] = {"": None}
        for path, content in (files or {}).items():
            self._names |= {str(parent): None for parent in PurePosixPath(path).parents if str(parent) != "."}
            self._names[path] = _File(bytearray(content), bytearray(content))
        self._settled = dict(self._names)
        self._moves: dict[str, list[_Change]] = {}
        self._open: dict[int, tuple[str, _Node]] = {}
        self.syncs: dict[str, int] = {}
        self.writes: dict[str, int] = {}
        self.mapped: set[str] = set()

    def happen(self, call: Call) -> None:
        """One call of the log. What is neither of a file nor of a name changes nothing."""
        match call.kind:
            case "O":
                self._opened(call)
            case "C":
                del self._open[call.descriptor]
            case "U":
                self._move(((call.path, self._names[call.path], False),))
            case "R":
                node = self._names[call.path]
                self._move(((call.path, node, False), (call.other.decode(), node, True)))
            case "M":
                self._move(((call.path, None, True),))
            case "S":
                self._synced(call)
            case "W" | "T" | "P" | "F" | "Y":
                self._changed(call)

    def image(self, random: Random, keep: float) -> dict[str, bytes]:
        """The files a power cut now leaves, each sector that was not synced being there with probability `keep`."""
        names = dict(self._settled)
        for moves in self._moves.values():
            for change in moves[: sum(random.random() < keep for _ in moves)]:
                _rename(names, change)
        return {
            path: node.after_a_cut(random, keep)
            for path, node in names.items()
            if node is not None and all(_key(parent) in names for parent in PurePosixPath(path).parents)
        }

    def _opened(self, call: Call) -> None:
        if call.path not in self._names:
            self._move(((call.path, _File(), True),))
        node = self._names[call.path]
        if call.one & os.O_TRUNC and node is not None:
            node.resize(0)
        self._open[call.descriptor] = call.path, node

    def _changed(self, call: Call) -> None:
        path, node = (call.path, self._names[call.path]) if call.kind == "P" else self._open[call.descriptor]
        assert node is not None, f"{path} is a folder"
        if call.kind == "W":
            node.write(call.one, call.text)
            self.writes[path] = self.writes.get(path, 0) + 1
        elif call.kind == "Y":
            self.mapped.add(path)
        else:
            node.resize(call.one + call.two, grow=call.kind == "F")

    def _synced(self, call: Call) -> None:
        path, node = self._open[call.descriptor]
        if node is None:
            if not call.one:
                for change in self._moves.pop(path, []):
                    _rename(self._settled, change)
        elif call.one:
            node.sync_failed(self._random)
        else:
            node.sync()
        self.syncs[path] = self.syncs.get(path, 0) + (not call.one)

    def _move(self, change: _Change) -> None:
        _rename(self._names, change)
        self._moves.setdefault(_key(PurePosixPath(change[-1][0]).parent), []).append(change)


def _rename(names: dict[str, _Node], change: _Change) -> None:
    for path, node, there in change:
        if there:
            names[path] = node
        else:
            names.pop(path, None)


def _key(folder: PurePosixPath) -> str:
    return "" if str(folder) == "." else str(folder)
