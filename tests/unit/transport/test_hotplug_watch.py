"""The watch over plugged devices mends itself, in virtual time."""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.transport.hotplug import AFTER_A_BUG, HotPlug, Uevent, tell_arrivals
from tests.real.fake_sysfs import FakeSysfs


class BrokenSource:
    """Uevents whose reading has a bug."""

    def __init__(self) -> None:
        self.ready = os.eventfd(1)
        self.drained = 0

    def fileno(self) -> int:
        return self.ready

    def drain(self) -> list[Uevent]:
        self.drained += 1
        raise ZeroDivisionError("a bug")


async def test_a_watch_that_breaks_is_reported_with_its_traceback_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, told, broken = Clock(), list[float](), BrokenSource()
    sysfs = FakeSysfs(tmp_path)
    watches = iter([HotPlug(clock, broken, root=sysfs.root), HotPlug(clock, root=sysfs.root)])
    task = asyncio.create_task(tell_arrivals(lambda: next(watches), lambda _: told.append(clock.monotonic()), clock))
    try:
        await clock.sleep(AFTER_A_BUG / 2)
        assert broken.drained == 1
        (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
        assert record.exc_info is not None
        assert record.exc_info[0] is ZeroDivisionError
        await clock.sleep(AFTER_A_BUG)
        told.clear()
        sysfs.plug()
        await clock.sleep(2.0)
        assert told
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        os.close(broken.ready)


async def test_the_watch_ends_with_its_owner(tmp_path: Path) -> None:
    clock = Clock()
    before = asyncio.all_tasks()
    task = asyncio.create_task(
        tell_arrivals(lambda: HotPlug(clock, root=FakeSysfs(tmp_path).root), lambda _: None, clock)
    )
    await clock.sleep(5.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await clock.sleep(0)
    assert asyncio.all_tasks() == before
