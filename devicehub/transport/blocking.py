"""Calls that may hang for ever, kept away from everybody else: a dead share, a driver stuck in the kernel.

A thread that hangs cannot be ended. Therefore each device has a `Blocking` of its own with at most one
thread, a daemon, so that it costs the hub one thread however often it is tried again, takes no thread
that others need, and does not keep the process from ending.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from threading import Thread
from types import TracebackType
from typing import Generic, TypeVar

from devicehub.model.errors import LinkBusyError

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Blocking:
    """One device's blocking calls, one at a time. Belongs to the loop that it is used in."""

    def __init__(self, name: str) -> None:
        """`name`: of the device, for threads and messages."""
        self._name = name
        self._idle = asyncio.Event()
        self._idle.set()
        self._worker: Thread | None = None

    async def run(self, work: Callable[..., T], *args: object, undo: Callable[[T], None] | None = None) -> T:
        """`work(*args)` in a thread. If the caller was cancelled meanwhile, what came of it goes to `undo`.

        Raises what `work` raises, and `LinkBusyError` while an earlier call has not returned.
        """
        self._check()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._start(partial(work, *args), partial(self._answered, answer, undo))
        try:
            return await answer
        except asyncio.CancelledError:
            if not answer.cancelled() and answer.exception() is None:
                self._undo(undo, answer.result())  # it came at the same moment
            raise

    def employ(self, worker: Thread) -> None:
        """Start a thread that works for the device as long as its link is open; a daemon. Raises as `run` does."""
        self._check()
        self._worker = worker
        worker.start()

    async def idle(self) -> None:
        """Wait until no thread works any more."""
        while not self._idle.is_set():  # again, since an undo follows at once
            await self._idle.wait()

    def _check(self) -> None:
        if not self._idle.is_set() or (self._worker is not None and self._worker.is_alive()):
            raise LinkBusyError(f"{self._name}: an earlier attempt still hangs in the system")

    def _start(self, work: Callable[[], T], on_end: Callable[[Future[T]], None]) -> None:
        self._idle.clear()
        loop = asyncio.get_running_loop()
        Thread(target=_work, args=(work, on_end, loop), name=f"device {self._name}", daemon=True).start()

    def _answered(self, answer: asyncio.Future[T], undo: Callable[[T], None] | None, outcome: Future[T]) -> None:
        self._idle.set()
        error = outcome.exception()
        if answer.cancelled():
            if error is None:
                self._undo(undo, outcome.result())
        elif error is None:
            answer.set_result(outcome.result())
        else:
            answer.set_exception(error)

    def _undo(self, undo: Callable[[T], None] | None, result: T) -> None:
        if undo is not None:
            self._start(partial(undo, result), self._undone)

    def _undone(self, outcome: Future[None]) -> None:
        self._idle.set()
        if (error := outcome.exception()) is not None:
            _log.error(
                "device %s: what was opened in vain could not be given back",
                self._name,
                exc_info=error,
                extra={"device": self._name},
            )


class _Caught(Generic[T]):
    """Puts an error that leaves the context into a future, for whoever waits for that."""

    def __init__(self, outcome: Future[T]) -> None:
        self._outcome = outcome

    def __enter__(self) -> None:
        return

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        if error is not None:
            self._outcome.set_exception(error)
        return True


def _work(work: Callable[[], T], on_end: Callable[[Future[T]], None], loop: asyncio.AbstractEventLoop) -> None:
    """Runs in the thread."""
    outcome: Future[T] = Future()
    with _Caught(outcome):
        outcome.set_result(work())
    with suppress(RuntimeError):  # the loop was closed meanwhile: nobody listens, and the process is about to end
        loop.call_soon_threadsafe(on_end, outcome)
