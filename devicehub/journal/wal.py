"""SQLite's write-ahead log, read before SQLite does: whether replaying it would lose what was committed.

SQLite replays frames up to the first whose checksum fails and says nothing of those behind it. That is right for the
torn last transaction of a crash, which was never acknowledged. It is wrong for a changed bit: every later commit
would vanish, and its numbers would be used a second time. Told apart by what follows: behind a torn transaction there
is no frame of this log that commits.

Source: sections 4.1 to 4.3 of https://www.sqlite.org/fileformat2.html. All integers are big-endian.

Header, 32 bytes:

| offset | what |
|---|---|
| 0 | 0x377f0682, or ...83 where checksums are over big-endian words |
| 4 | version, 3007000 |
| 8 | page size |
| 12 | checkpoint number |
| 16 | two salts, new with each start from the beginning |
| 24 | two checksums of the bytes before |

Frame, 24 bytes and a page: page number; size of the database in pages where it commits, else 0; the two salts; two
checksums over the first 8 bytes and the page, continued from the frame before.
"""

import struct
from functools import cache
from mmap import mmap
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Buffer = bytes | memoryview

HEADER: Final = 32
FRAME: Final = 24
PAGE: Final = 4096
_MAGIC: Final = 0x377F0682
_VERSION: Final = 3_007_000
_MOD: Final = 1 << 32


class Log(Struct, frozen=True):
    """What a log holds. `committed`: the frames that SQLite replays; `frames`: all that there are, older ones too.

    `fault`: why commits would be lost; empty for a sound log. `torn`: a power cut explains it too, which writes a
    transaction that was never acknowledged in any order, its end before its begin.
    """

    page_size: int = PAGE
    frames: int = 0
    committed: int = 0
    fault: str = ""
    torn: bool = False


class _Sums:
    """The checksum of a frame as a sum over its words: it is linear modulo 2 to the 32nd."""

    def __init__(self, pairs: int) -> None:
        powers = [(1, 0, 1)]
        for _ in range(pairs):
            one, two, three = powers[-1]
            powers.append(((one + two) % _MOD, (two + three) % _MOD, (two + 2 * three) % _MOD))
        self._power = powers.pop()
        column = np.array(powers[::-1], dtype=np.uint64)
        first = np.stack([column[:, 0] + column[:, 1], column[:, 1]], axis=1).reshape(-1)
        second = np.stack([column[:, 1] + column[:, 2], column[:, 2]], axis=1).reshape(-1)
        self.factors: Words = np.stack([first, second], axis=1).astype(np.uint32)

    def of(self, words: Words) -> Words:
        """Of rows of words, before anything is continued."""
        return words @ self.factors

    def continued(self, before: tuple[int, int], own: tuple[int, int]) -> tuple[int, int]:
        """A frame's checksum after that of the frame before."""
        one, two, three = self._power
        return (
            (one * before[0] + two * before[1] + own[0]) % _MOD,
            (two * before[0] + three * before[1] + own[1]) % _MOD,
        )


@cache
def _sums(pairs: int) -> _Sums:
    return _Sums(pairs)


def inspect(data: Buffer) -> Log:
    """What the bytes of a `-wal` file hold."""
    if len(data) < HEADER + FRAME:
        return Log()
    magic, version, size, _, *salts, first, second = struct.unpack_from(">8I", data)
    order = ">" if magic & 1 else "<"
    words = np.frombuffer(data, dtype=f"{order}u4", count=6).astype(np.uint32)
    own = _sums(3).of(words[np.newaxis])[0]
    if magic & ~1 != _MAGIC or version != _VERSION or (int(own[0]), int(own[1])) != (first, second):
        empty = not any(data[:HEADER])
        return Log(frames=(len(data) - HEADER) // (PAGE + FRAME), fault="its header is damaged", torn=empty)
    count = (len(data) - HEADER) // (size + FRAME)
    if count == 0:
        return Log(size)
    frames = np.frombuffer(data, dtype=np.uint8, count=count * (size + FRAME), offset=HEADER)
    return _Frames(frames.reshape(count, size + FRAME), order, (salts[0], salts[1])).walked((first, second))


def spent(data: Buffer, database: Buffer | mmap) -> bool:
    """Whether the database has all that the sound frames of a log hold: then it may have been begun anew."""
    if len(data) < HEADER + FRAME:
        return True
    magic, _, size, _, *salts = struct.unpack_from(">6I", data)
    count = (len(data) - HEADER) // (size + FRAME) if size else 0
    if not count:
        return False
    frames = np.frombuffer(data, dtype=np.uint8, count=count * (size + FRAME), offset=HEADER)
    sound = _Frames(frames.reshape(count, size + FRAME), ">" if magic & 1 else "<", (salts[0], salts[1])).sound()
    newest = {number: HEADER + frame * (size + FRAME) + FRAME for frame, number in sound}
    return bool(newest) and all(
        data[start : start + size] == database[(number - 1) * size : number * size] for number, start in newest.items()
    )


class _Frames:
    """The frames of a log with a sound header."""

    def __init__(self, raw: NDArray[np.uint8], order: str, salts: tuple[int, int]) -> None:
        self._size = raw.shape[1] - FRAME
        self._sums = _sums((self._size + 8) // 8)
        self._heads = raw[:, :FRAME].copy().view(">u4").astype(np.uint32)
        covered = np.concatenate([raw[:, :8], raw[:, FRAME:]], axis=1)
        self._own = self._sums.of(covered.view(f"{order}u4").astype(np.uint32))
        self._salts = salts

    def walked(self, seed: tuple[int, int]) -> Log:
        """Follow the checksums from that of the header."""
        before, good, committed = seed, 0, 0
        for frame in range(len(self._heads)):
            stored = self._stored(frame)
            if not self._salted(frame, whole=True) or self._sum(frame, before) != stored:
                break
            before, good = stored, frame + 1
            if self._heads[frame, 1]:
                committed = good
        return Log(self._size, len(self._heads), committed, self._fault(good, before), self._torn(good))

    def sound(self) -> list[tuple[int, int]]:
        """Frames of this log that follow the one before, up to the last that commits, and their pages."""
        found = [
            frame
            for frame in range(1, len(self._heads))
            if self._salted(frame, whole=True) and self._sum(frame, self._stored(frame - 1)) == self._stored(frame)
        ]
        last = max((frame for frame in found if self._heads[frame, 1]), default=0)
        return [(frame, int(self._heads[frame, 0])) for frame in found if frame <= last]

    def _torn(self, bad: int) -> bool:
        """Whether the only commit at or behind the first frame that cannot be replayed is the last frame of all."""
        own = [frame for frame in range(bad, len(self._heads)) if self._salted(frame, whole=False)]
        return bool(own) and [frame for frame in own if self._heads[frame, 1]] == own[-1:]

    def _fault(self, bad: int, before: tuple[int, int]) -> str:
        """Whether a commit of this log stands at or behind the first frame that cannot be replayed."""
        for frame in range(bad, len(self._heads)):
            if self._salted(frame, whole=False) and (self._heads[frame, 1] or self._unmarked(frame, before)):
                return f"frame {bad + 1} of {len(self._heads)} is damaged, and frame {frame + 1} commits"
            before = self._stored(frame)
        return ""

    def _salted(self, frame: int, *, whole: bool) -> bool:
        """Whether the frame is of this log. One salt may be damaged; those of an older log differ both."""
        same = [int(self._heads[frame, 2 + place]) == self._salts[place] for place in (0, 1)]
        return all(same) if whole else any(same)

    def _unmarked(self, frame: int, before: tuple[int, int]) -> bool:
        """Whether the frame would be right if it committed: the bit that said so is the one that changed."""
        found, stored = self._sum(frame, before), self._stored(frame)
        factors = [int(one) for one in self._sums.factors[1]]
        order = [1 << bit for bit in range(32)]
        return any(
            all((found[place] + bit * factors[place]) % _MOD == stored[place] for place in (0, 1)) for bit in order
        )

    def _stored(self, frame: int) -> tuple[int, int]:
        return int(self._heads[frame, 4]), int(self._heads[frame, 5])

    def _sum(self, frame: int, before: tuple[int, int]) -> tuple[int, int]:
        return self._sums.continued(before, (int(self._own[frame, 0]), int(self._own[frame, 1])))
