"""A loop in a thread of its own: what is on a desk goes on whatever a test blocks."""

import asyncio
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, TypeVar

from devicehub.clock import Clock

TICK = 0.02

Result = TypeVar("Result")


class Aside:
    """Runs from `start` to `stop`; `advance` is called with the seconds that passed, all the time."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="aside", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._time = asyncio.run_coroutine_threadsafe(self._pass_time(), self._loop)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Until it is done; what it gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def do(self, act: Callable[[], Result]) -> Result:
        """A plain function, there."""

        async def work() -> Result:
            return act()

        return self.run(work())

    def stop(self) -> None:
        """End everything that runs there. Raises what stopped the time, if anything did."""
        stopped = self._time.done()
        self.run(self._end_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if stopped:
            self._time.result()

    async def _end_others(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass_time(self) -> None:
        clock = Clock()
        last = clock.monotonic()
        while True:
            await clock.sleep(TICK)
            now = clock.monotonic()
            self._advance(now - last)
            last = now
