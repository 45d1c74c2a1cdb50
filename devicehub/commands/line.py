"""The commands of one device, between those who give them and the session that carries them out."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from devicehub.driver import Options
from devicehub.model.command import CommandState
from devicehub.model.errors import DeviceHubError
from devicehub.wire.protocol import Call, Ended

MOST: Final = 8


class LineError(DeviceHubError):
    """A command cannot be given to the device now: it is absent, or too many wait for it."""


class Line:
    """A bounded queue of commands, and what became of each. Use from one event loop.

    A link that is lost fails what was given to it and is not ended; nothing waits for the next link.
    """

    def __init__(self) -> None:
        self._wake: Callable[[], None] | None = None
        self._waiting: deque[Call] = deque()
        self._pending: dict[int, asyncio.Future[Ended]] = {}
        self._number = 0

    @property
    def obstacle(self) -> str:
        """Why no command can be given now; empty if one can."""
        if self._wake is None:
            return "the device is not connected"
        if len(self._pending) >= MOST:
            return f"too many commands: {MOST} wait for this device"
        return ""

    def give(self, verb: str, args: Options, expires: float, issuer: str = "") -> asyncio.Future[Ended]:
        """A command to be begun before monotonic second `expires`. Raises `LineError`."""
        if self.obstacle or self._wake is None:
            raise LineError(self.obstacle)
        self._number += 1
        done: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._pending[self._number] = done
        self._waiting.append(Call(self._number, verb, args, expires, issuer))
        self._wake()
        return done

    def open(self, wake: Callable[[], None]) -> None:
        """A link is open. `wake` is called when a command waits."""
        self._wake = wake

    def take(self) -> Call | None:
        """The next command that waits."""
        return self._waiting.popleft() if self._waiting else None

    def ended(self, results: Sequence[Ended]) -> None:
        """What became of commands that were taken. One that nobody waits for any more is passed over."""
        for result in results:
            done = self._pending.pop(result.number, None)
            if done is not None and not done.done():
                done.set_result(result)

    def close(self) -> None:
        """The link ended."""
        self._wake = None
        self._waiting.clear()
        lost = "the link was lost: whether the device did it is not known"
        self.ended([Ended(number, CommandState.FAILED, lost) for number in list(self._pending)])
