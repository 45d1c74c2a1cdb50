"""What a transport may know of what lies behind it: a mark that only goes forward, and what was refused."""

import asyncio

from devicehub.clock import Clock
from devicehub.model.reading import Dropped, Stamp
from devicehub.transport.progress import Progress


def dropped(device: str, since: float, at: float) -> Dropped:
    return Dropped(device, Stamp(0.0, at), Stamp(0.0, since), 1)


async def waiting(progress: Progress, device: str, since: float, until: float) -> "asyncio.Task[bool]":
    """A transport that has asked."""
    asked = asyncio.create_task(progress.settled(device, since, until))
    await Clock().sleep(0)
    return asked


async def test_what_was_said_before_the_mark_is_durable_and_at_the_mark_is_not_yet() -> None:
    progress = Progress()
    asked = await waiting(progress, "a", 1.0, 2.0)
    for upto in (1.5, 2.0):
        progress.advance(upto, ())
        await Clock().sleep(0)
        assert not asked.done()
    progress.advance(2.5, ())
    assert await asked
    progress.advance(0.0, ())
    assert await progress.settled("a", 1.0, 2.0), "it never goes back"


async def test_what_was_refused_of_the_device_meanwhile_is_not_durable_and_that_of_others_does_not_matter() -> None:
    progress = Progress()
    progress.advance(9.0, [dropped("a", 4.0, 5.0), dropped("b", 6.0, 7.0)])
    assert await progress.settled("a", 5.5, 6.0)
    assert not await progress.settled("a", 5.0, 6.0)
    assert not await progress.settled("a", 3.0, 4.0), "rather once too often than never"
    assert await progress.settled("c", 3.0, 4.0)
