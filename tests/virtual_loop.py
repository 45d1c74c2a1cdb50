"""An event loop whose time jumps to the next timer when nothing is ready.

An hour of hub life takes as long as its work. Executor jobs count as work: while a thread is
busy, time stands still.
"""

import asyncio
import selectors
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that never waits for a timer: it asks the loop to move its clock instead."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self.loop.jobs:
            return super().select(timeout if self.loop.jobs == 0 else 0.05)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.loop.now += timeout
        return ready


class _CountingExecutor(ThreadPoolExecutor):
    def __init__(self, loop: "VirtualTimeLoop") -> None:
        super().__init__(max_workers=4)
        self._loop = loop

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self._loop.jobs += 1
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._done))
        return future

    def _done(self) -> None:
        self._loop.jobs -= 1


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """See the module's docstring. `jobs` counts work in other threads."""

    def __init__(self) -> None:
        self.now = 0.0
        self.jobs = 0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)
        self.set_default_executor(_CountingExecutor(self))

    def time(self) -> float:
        return self.now
