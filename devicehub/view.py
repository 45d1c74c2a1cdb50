"""What a page shows: the newest message of each topic, the newest image of each camera, and whatever comes.

A watcher that takes nothing holds nobody up: of it each topic's newest message is kept and a bounded number of events,
and what it missed is counted.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from devicehub.model.message import Kind
from devicehub.model.reading import Image, Reading, Stamp
from devicehub.publish.port import Outgoing

EVENTS: Final = 500
_NEWEST_COUNTS: Final = frozenset({Kind.READING, Kind.FRAME, Kind.STATE, Kind.HEALTH})
_PREFIX: Final = 4


class News(Struct, frozen=True):
    """What a watcher has not seen yet, and how many events it missed since."""

    messages: list[Outgoing]
    missed: int


class Shown(Struct, frozen=True):
    """An image, when it came, and how many images of its device came before."""

    image: Image
    at: Stamp
    count: int


class Watcher:
    """One who looks."""

    def __init__(self) -> None:
        self._newest: dict[str, Outgoing] = {}
        self._events: deque[Outgoing] = deque()
        self._missed = 0
        self._came = asyncio.Event()

    def post(self, out: Outgoing) -> None:
        """Something is new."""
        if out.retain or _kind(out) in _NEWEST_COUNTS:
            self._newest.pop(out.topic, None)
            self._newest[out.topic] = out
        else:
            if len(self._events) >= EVENTS:
                self._events.popleft()
                self._missed += 1
            self._events.append(out)
        self._came.set()

    async def news(self) -> News:
        """Waits until there is something new, and gives it: events in order, then the newest of each topic."""
        await self._came.wait()
        self._came.clear()
        found = News([*self._events, *self._newest.values()], self._missed)
        self._events.clear()
        self._newest.clear()
        self._missed = 0
        return found


class View:
    """See the module's docstring. Used from one event loop."""

    def __init__(self) -> None:
        self._latest: dict[str, Outgoing] = {}
        self._readings: dict[str, Outgoing] = {}
        self._watchers: set[Watcher] = set()
        self._shown: dict[str, Shown] = {}
        self._lookers: dict[str, set[asyncio.Event]] = {}

    def post(self, out: Outgoing) -> None:
        """A message that was published, or is about to be."""
        if out.retain:
            if out.payload:
                self._latest[out.topic] = out
            else:
                self._latest.pop(out.topic, None)
        elif _kind(out) == Kind.READING:
            self._readings[out.topic] = out
        for watcher in self._watchers:
            watcher.post(out)

    def extend(self, outs: Iterable[Outgoing]) -> None:
        """Several of them, in order."""
        for out in outs:
            self.post(out)

    def look(self, reading: Reading) -> None:
        """A reading: of a camera's the newest is kept."""
        if not isinstance(reading.sample, Image):
            return
        before = self._shown.get(reading.device)
        self._shown[reading.device] = Shown(reading.sample, reading.at, 1 if before is None else before.count + 1)
        for looker in self._lookers.get(reading.device, ()):
            looker.set()

    def readings(self) -> list[Outgoing]:
        """The newest of each channel, however old: without it, who begins to look knows the quality of no value."""
        return list(self._readings.values())

    @contextmanager
    def watched(self) -> Iterator[tuple[list[Outgoing], Watcher]]:
        """What is retained now, and one who is told of all that comes from here on."""
        watcher = Watcher()
        self._watchers.add(watcher)
        try:
            yield list(self._latest.values()), watcher
        finally:
            self._watchers.discard(watcher)

    @contextmanager
    def looked(self, device: str) -> Iterator[asyncio.Event]:
        """Set whenever the device has a new image; whoever waits for it clears it."""
        came = asyncio.Event()
        lookers = self._lookers.setdefault(device, set())
        lookers.add(came)
        if device in self._shown:
            came.set()
        try:
            yield came
        finally:
            lookers.discard(came)

    def image(self, device: str) -> Shown | None:
        """The newest image of a device."""
        return self._shown.get(device)


def _kind(out: Outgoing) -> str:
    """The topic's part behind the node."""
    return out.topic.split("/", _PREFIX + 1)[_PREFIX]
