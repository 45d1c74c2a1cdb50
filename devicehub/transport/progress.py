"""How far what the devices said is on stable storage: the one thing a transport may know of what lies behind it.

A transport that gives something up for good once it was handed over (a file that is moved away) asks here first. The
journal's side moves the mark; nothing that a device said travels this way.
"""

import asyncio
from collections.abc import Iterable
from math import inf

from devicehub.model.reading import Dropped


class Progress:
    """One mark for all devices, in monotonic seconds, and what was refused of each. Use from one event loop."""

    def __init__(self) -> None:
        self._upto = -inf
        self._refused: dict[str, float] = {}
        self._moved = asyncio.Event()

    def advance(self, upto: float, dropped: Iterable[Dropped]) -> None:
        """Everything said before `upto` is durable now, but for what was `dropped`."""
        for one in dropped:
            self._refused[one.device] = one.at.mono
        self._upto = max(self._upto, upto)
        self._moved.set()
        self._moved = asyncio.Event()

    async def settled(self, device: str, since: float, until: float) -> bool:
        """Wait until the fate of all that a device said from `since` to `until` is known; whether it is durable."""
        while self._upto <= until:
            await self._moved.wait()
        return self._refused.get(device, -inf) < since
