"""A process that was told to end does end, whatever hangs in it: a thread inside a driver's system call, say."""

import asyncio
import faulthandler
from collections.abc import Callable, Coroutine

LEFT = 10.0


def run_to_the_end(
    work: Coroutine[None, None, None], loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> None:
    """Run `work` in an event loop of its own, which `loop_factory` makes.

    Once it is done everything of value is safe. Python then waits for all threads, without limit; after
    `LEFT` seconds the process shows on standard error where they are, and ends with code 1.
    """
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_watched(work))


async def _watched(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    finally:
        faulthandler.dump_traceback_later(LEFT, exit=True)
