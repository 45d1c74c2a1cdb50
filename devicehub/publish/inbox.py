"""What a connection received and nobody has read yet: bounded in number and bytes, so that a slow reader stops nothing.

What does not fit is dropped and counted; the log says so once, until the reader has caught up.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from devicehub.model.errors import DeliveryError
from devicehub.publish.port import Incoming

_log = logging.getLogger(__name__)

BUDGET: Final = 16 * 1024 * 1024


class Inbox:
    """For one connection and one reader. `dropped` counts what did not fit."""

    def __init__(self, most: int, budget: int = BUDGET) -> None:
        """`most` messages wait, of `budget` bytes together; passed by at most one message."""
        self._most = most
        self._budget = budget
        self._waiting: deque[Incoming] = deque()
        self._size = 0
        self._full = False
        self._ended: DeliveryError | None = None
        self._arrived = asyncio.Event()
        self.dropped = 0

    def put(self, message: Incoming) -> None:
        """Take a message, or count it as dropped. Never waits."""
        if len(self._waiting) >= self._most or self._size >= self._budget:
            self.dropped += 1
            if not self._full:
                _log.warning("received messages are dropped: %d wait to be read", len(self._waiting))
            self._full = True
            return
        self._waiting.append(message)
        self._size += len(message.payload)
        self._arrived.set()

    def end(self, why: str) -> None:
        """Nothing more will come. What waits can still be read."""
        self._ended = self._ended or DeliveryError(why)
        self._arrived.set()

    async def messages(self) -> AsyncIterator[Incoming]:
        """What was received, in order. Raises `DeliveryError` once the connection has ended and all was read."""
        while True:
            while not self._waiting:
                if self._ended is not None:
                    raise DeliveryError(str(self._ended))
                self._arrived.clear()
                await self._arrived.wait()
            message = self._waiting.popleft()
            self._size -= len(message.payload)
            if self._full and not self._waiting:
                self._full = False
                _log.warning("received messages are read again: %d were dropped so far", self.dropped)
            yield message
