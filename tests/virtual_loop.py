"""An event loop whose time jumps to the next timer when nothing is ready.

An hour of hub life takes as long as its work. Executor jobs run at once, inside `submit`: time
stands still meanwhile, and the order of everything is the same in every run.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that never waits for a timer: it asks the loop to move its clock instead."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.loop.now += timeout
        return ready


class _InlineExecutor(ThreadPoolExecutor):
    """Runs every job in the calling thread. A `ThreadPoolExecutor` by type only: the loop insists on one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - an executor hands over whatever its job raised
            future.set_exception(error)
        return future


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """See the module's docstring."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)
        self.set_default_executor(_InlineExecutor(max_workers=1))

    def time(self) -> float:
        return self.now
