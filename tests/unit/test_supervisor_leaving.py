"""A device that nobody is to keep open any more: said once, and what stands behind its link is given up."""

import asyncio

import pytest

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post, Supervisor
from devicehub.model.reading import Change, Input
from tests.unit.links import Socket, declared, lines


async def left(*, open_before: bool, trouble: Exception | None = None) -> tuple[list[tuple[str, str]], int, Socket]:
    """What was told of a device, and how often what stands behind it was given up."""
    socket, offered, retired = Socket(), list[Input](), 0

    async def retire() -> None:
        nonlocal retired
        retired += 1
        if trouble is not None:
            raise trouble

    clock = Clock(utc=lambda: 0.0, seed=1)
    supervisor = Supervisor(Post("dev", socket.open, lines, retire=retire), declared, offered.append, clock)
    if open_before:
        socket.trouble, socket.first_words = None, b"1\n"
    task = asyncio.create_task(supervisor.run())
    await clock.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await supervisor.leave("moved away")
    return [(str(one.state), one.why) for one in offered if isinstance(one, Change)], retired, socket


async def test_an_open_device_is_closed_and_away() -> None:
    told, retired, socket = await left(open_before=True)
    assert told == [("busy", "connected"), ("ready", ""), ("offline", "moved away")]
    assert (socket.closed, retired) == (1, 1)


async def test_a_device_that_was_never_there_says_why_it_is_not_now() -> None:
    told, retired, _ = await left(open_before=False)
    assert told[-1] == ("offline", "moved away")
    assert retired == 1


async def test_a_bug_in_what_stands_behind_it_stays_its_own(caplog: pytest.LogCaptureFixture) -> None:
    told, _, _ = await left(open_before=True, trouble=ZeroDivisionError("a bug of the simulator"))
    assert told[-1] == ("offline", "moved away")
    assert "ZeroDivisionError: a bug of the simulator" in caplog.text
