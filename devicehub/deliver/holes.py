"""Numbers that will not come by themselves, told as gaps: one a second and stream, not one each.

The deliverer notes and the hub writes in a task of its own, so that telling never holds delivery up. What was noted
and not yet written when the hub is killed is told again when a consumer meets the hole.
"""

import asyncio
from typing import Final

from devicehub.model.gap import GapReason
from devicehub.model.payload import GapData
from devicehub.model.stream import Stream

MOST: Final = 500

_Key = tuple[Stream | None, GapReason]


class Holes:
    """Ranges of numbers by stream and reason; None is for what is not numbered, which is only counted."""

    def __init__(self) -> None:
        self._ranges: dict[_Key, list[tuple[int, int]]] = {}
        self._counts: dict[_Key, int] = {}
        self._noted = asyncio.Event()
        self._closed = False

    def add(self, stream: Stream, first: int, last: int, reason: GapReason) -> None:
        """Numbers from `first` to `last` of a stream."""
        ranges = self._ranges.setdefault((stream, reason), [])
        if ranges and first == ranges[-1][1] + 1:
            first = ranges.pop()[0]
        ranges.append((first, last))
        self._noted.set()

    def count(self, reason: GapReason) -> None:
        """One message that has no number."""
        self._counts[None, reason] = self._counts.get((None, reason), 0) + 1
        self._noted.set()

    async def gaps(self, epoch: str) -> list[GapData]:
        """Waits for holes; one gap for each stream and reason. Empty once closed and all was told."""
        while not (self._ranges or self._counts) and not self._closed:
            self._noted.clear()
            await self._noted.wait()
        told = [self._gap(epoch, *key) for key in list(self._ranges)]
        told += [GapData("hub", reason, count=number) for (_, reason), number in self._counts.items()]
        self._counts.clear()
        return told

    def close(self) -> None:
        """Nothing more will be noted."""
        self._closed = True
        self._noted.set()

    def _gap(self, epoch: str, stream: Stream | None, reason: GapReason) -> GapData:
        """The first ranges of a stream; the rest waits for the next gap."""
        assert stream is not None
        ranges = self._ranges.pop((stream, reason))
        now, later = ranges[:MOST], ranges[MOST:]
        if later:
            self._ranges[stream, reason] = later
        count = sum(last - first + 1 for first, last in now)
        first, last = min(first for first, _ in now), max(last for _, last in now)
        return GapData(stream, reason, count=count, first=first, last=last, epoch=epoch, ranges=tuple(now))
