"""The one-way queue between collecting and processing: bounded, with a count of what did not fit."""

import asyncio
from collections import deque

from msgspec import Struct

from devicehub.model.reading import Dropped, Fault, Input, Reading, Stamp


class _Overflow(Struct):
    """Inputs of one device refused from `since` to `until`."""

    since: Stamp
    until: Stamp
    count: int


class Pipe:
    """Readings and faults are refused when the pipe is full and counted; a change of state always fits."""

    def __init__(self, capacity: int = 20_000) -> None:
        """`capacity`: how many inputs may wait."""
        self._capacity = capacity
        self._waiting: deque[Input] = deque()
        self._arrived = asyncio.Event()
        self._overflow: dict[str, _Overflow] = {}
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, item: Input) -> None:
        """Take an input, or count it as dropped. Never waits."""
        if isinstance(item, Reading | Fault) and len(self._waiting) >= self._capacity:
            overflow = self._overflow.setdefault(item.device, _Overflow(item.at, item.at, 0))
            overflow.count += 1
            overflow.until = item.at
            self.dropped += 1
            return
        if self._overflow and item.device in self._overflow:
            overflow = self._overflow.pop(item.device)
            self._waiting.append(Dropped(item.device, item.at, overflow.since, overflow.count))
        self._waiting.append(item)
        self._arrived.set()

    async def take(self, most: int) -> list[Input]:
        """At least one input and at most `most`, in order; an empty list once closed and drained."""
        while not self._waiting and not self._closed:
            self._arrived.clear()
            await self._arrived.wait()
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def close(self) -> None:
        """Nothing more will come; `take` drains what waits, and what was refused last is told too."""
        for device, overflow in self._overflow.items():
            self._waiting.append(Dropped(device, overflow.until, overflow.since, overflow.count))
        self._overflow.clear()
        self._closed = True
        self._arrived.set()
