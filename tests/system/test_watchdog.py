"""The watchdog is fed while the alarm path works, whatever else is broken, and not ten seconds longer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from pathlib import Path

import pytest

from devicehub.alarm.conditions import State
from devicehub.collect.supervisor import Post
from devicehub.core.alarms import AlarmPoints
from devicehub.observe.watching import Watch
from tests.real.journals import full_disk
from tests.system.bad_devices import driver
from tests.system.house import Furniture, House, house
from tests.unit.links import Socket

WITHIN = 10.0


@dataclass
class Listener:
    """A service manager that writes down when it was told what."""

    now: Callable[[], float]
    told: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])

    def hear(self, *words: str) -> None:
        self.told += [(self.now(), word) for word in words]

    def fed(self) -> list[float]:
        return [at for at, word in self.told if word == "WATCHDOG=1"]


@asynccontextmanager
async def watched(state: Path, furniture: Furniture | None = None) -> AsyncIterator[tuple[House, Listener, Watch]]:
    async with house(state, ("trace.aci_pids3",), furniture) as running:
        manager = Listener(running.clock.monotonic)
        watch = Watch(running.hub.figures, running.clock, manager.hear)
        task = asyncio.create_task(watch.run())
        try:
            yield running, manager, watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_ready_is_told_with_the_first_value_that_came_out_and_the_watchdog_is_fed_from_then_on(
    state: Path,
) -> None:
    async with watched(state) as (running, manager, watch):
        assert watch.answers()["/livez"]().code == 503
        await running.clock.sleep(60)
        assert [word for _, word in manager.told].count("READY=1") == 1
        assert manager.told[0][1] == "READY=1"
        assert len(manager.fed()) >= 55


def state_of(running: House) -> State:
    """What the engine of all limits remembers."""
    return running.hub._station._core.alarms.engine._state


async def judges_nothing(running: House) -> None:
    """Every limit is out of reach, as in memory that was damaged."""
    state = state_of(running)
    state.ceiling[:] = [inf] * len(state.ceiling)
    state.bounds[:] = inf


async def waits_for_ever(running: House) -> None:
    """Who writes events down waits for a turn that never comes."""
    await running.hub._sinks.turns[1].acquire()


def ends(work: str) -> Callable[[House], Awaitable[None]]:
    """One of the tasks of the hub is no more."""

    async def breaks(_: House) -> None:
        (task,) = (one for one in asyncio.all_tasks() if getattr(one.get_coro(), "__qualname__", "") == work)
        task.cancel()

    return breaks


@pytest.mark.parametrize(
    "breaks",
    [judges_nothing, waits_for_ever, ends("Process.run"), ends("Process.tick")],
    ids=["judge", "wait", "run", "tick"],
)
async def test_a_broken_alarm_path_is_not_fed_ten_seconds_longer(
    state: Path, breaks: Callable[[House], Awaitable[None]]
) -> None:
    async with watched(state) as (running, manager, watch):
        await running.clock.sleep(30)
        assert watch.answers()["/livez"]().code == 200
        broken = running.clock.monotonic()
        await breaks(running)
        await running.clock.sleep(60)
        assert max(manager.fed()) - broken <= WITHIN
        assert watch.answers()["/livez"]().code == 503
        await running.kill()  # nothing of it can be drained


@pytest.mark.parametrize("made_of", ["on_limit", "on_device"])
async def test_code_that_makes_no_alarm_of_what_was_judged_is_not_fed_ten_seconds_longer(
    state: Path, monkeypatch: pytest.MonkeyPatch, made_of: str
) -> None:
    """Of an edge of a limit, or of an alarm that a device reports."""
    async with watched(state) as (running, manager, watch):
        await running.clock.sleep(30)
        broken = running.clock.monotonic()
        monkeypatch.setattr(AlarmPoints, made_of, lambda *_: [])
        await running.clock.sleep(60)
        assert max(manager.fed()) - broken <= WITHIN
        assert watch.answers()["/livez"]().code == 503


async def test_a_core_that_raises_ends_the_hub_and_is_not_fed_ten_seconds_longer(state: Path) -> None:
    """As a process it ends with an error then, and the service manager starts it again."""

    async def raises() -> None:
        async with watched(state) as (running, manager, watch):
            await running.clock.sleep(30)
            broken = running.clock.monotonic()
            state_of(running).floor, state_of(running).ceiling = [], []
            await running.clock.sleep(60)
            assert running.task.done()
            assert max(manager.fed()) - broken <= WITHIN
            assert watch.answers()["/livez"]().code == 503

    with pytest.raises(ExceptionGroup) as raised:
        await raises()
    assert raised.group_contains((IndexError, ValueError))


async def test_events_that_do_not_go_out_are_told_by_ready_until_they_do_and_stop_no_watchdog(state: Path) -> None:
    """Alarms are raised, stored, shown and sounded then, and reach nobody over MQTT, while status and health do."""
    async with watched(state) as (running, manager, watch):
        await running.clock.sleep(30)
        assert watch.answers()["/readyz"]().code == 200
        stage, broken = running.hub._delivery._stage, running.clock.monotonic()
        whole, stage._window = stage._window, 0
        await running.clock.sleep(60)
        answer = watch.answers()["/readyz"]()
        assert (answer.code, answer.text.count("FAIL")) == (503, 1)
        assert "FAIL delivery: events wait although there is a connection" in answer.text
        assert max(manager.fed()) - broken > 58
        stage._window = whole
        stage.wake()
        await running.clock.sleep(5)
        assert watch.answers()["/readyz"]().code == 200


async def test_nothing_else_that_is_broken_stops_it(state: Path) -> None:
    """A full disk for ten minutes, a broker that is away, a device that is gone, a clock that was set."""
    socket = Socket()
    bad = Furniture(posts=[Post("dev", socket.open, lambda: driver().open({}))], drivers={"dev": driver()})
    async with watched(state, bad) as (running, manager, watch):
        await running.clock.sleep(5)
        with full_disk():
            socket.trouble = None
            running.hub.wake()
            await running.clock.sleep(600)
            assert watch.answers()["/livez"]().code == 200
            assert "FAIL journal" in watch.answers()["/readyz"]().text
        running.broker.outage()
        running.ports["trace-aci-pids3"].unplug()
        await running.clock.sleep(120)
        assert "FAIL broker" in watch.answers()["/readyz"]().text
        running.broker.restore()
        fed = manager.fed()
        assert max(later - sooner for sooner, later in pairwise(fed)) < 2
        assert "devicehub_alarm_path_alive 1" in watch.answers()["/metrics"]().text
