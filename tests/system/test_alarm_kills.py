"""A shift of alarms and acts, killed after each of its steps and started again: nothing is different.

What is compared, step by step: every event of an alarm in order, every retained alarm with all its fields, the answer to each act.
Ids are replaced by the order of their coming, and instants by seconds since the beginning. So an alarm that is announced once
more, or is forgotten, or has become another one, is a difference.
"""

import asyncio
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle, repeat
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post
from devicehub.model.alarm import AlarmCategory, Condition, Limit
from devicehub.publish.memory import MemoryBroker
from tests.system import house as houses
from tests.system.bad_devices import driver
from tests.system.house import EPOCH, Furniture, House, decoded, house, journalled
from tests.system.requester import requester, said
from tests.unit.links import Socket
from tests.virtual_loop import VirtualTimeLoop

DAY = 86_400.0
INSTANTS = frozenset({"at", "until", "raised", "returned", "cleared"})
SPACING = 40.0  # no point comes three times a minute: that it chatters is a figure, which begins anew with a run
WARM = Limit("warm", "dev", "value", Condition.HIGH, 10.0, category=AlarmCategory.DEVICE, realarm_s=300.0)
HELD = Limit("held", "dev", "value", Condition.HIGH_HIGH, 20.0, category=AlarmCategory.DEVICE, latch=True)
FOUND = Limit("found", "dev", "value", Condition.HIGH_HIGH, 20.0)


@dataclass(frozen=True)
class Step:
    """A value of the device, or an act of a person at a point, or neither: time passes."""

    value: int | None = None
    verb: str = ""
    args: Mapping[str, object] = field(default_factory=dict)


def act(verb: str, point: str, **more: object) -> Step:
    return Step(None, verb, {"device": "dev", "point": point, "why": "because", **more})


SHIFT = (
    Step(15),  # warm comes
    act("ack", "warm"),
    Step(25),  # held and found come
    act("comment", "found"),
    act("ack", "found"),
    act("silence", "held", seconds=60.0),
    Step(5),  # warm ends; held and found are latched
    Step(25),  # all come: two of them once more
    act("ack", "held"),
    Step(5),
    act("reset", "held"),
    act("ack", "found"),
    act("confirm", "found", disposition="nuisance"),
    act("ack", "warm"),
    act("shelve", "warm", seconds=110.0),
    Step(15),  # it comes on its shelf
    Step(),
    Step(),  # its shelving has expired
    act("shelve", "warm", one_shot=True),
    Step(5),  # it ends, and its shelving with it
    act("ack", "warm"),
    act("shelve", "warm", seconds=3600.0),
    act("unshelve", "warm"),
    act("disable", "warm"),
    act("enable", "warm"),
    act("out-of-service", "warm"),
    Step(15),
    act("in-service", "warm"),
    act("suppress", "held"),
    Step(25),  # found comes: another alarm than the one that was confirmed
    act("unsuppress", "held"),
    *[Step()] * 6,  # warm is announced again
    Step(5),
)

VALUES = [number for number, step in enumerate(SHIFT) if step.value is not None]
Told = list[object]
Spoil = Callable[[Path, Path], None]


class Shift:
    """One run of the shift. `kills`: the steps that the hub is killed after."""

    def __init__(self, state: Path, kills: Collection[int] = ()) -> None:
        self.state = state
        self.kills = kills
        self.broker = MemoryBroker()
        self.deaf = False
        self.spoil: Spoil | None = None
        self.jumps: Iterable[float] = repeat(0.0)
        self.wall = 0.0
        self.began = 0.0
        self.runs = 0
        self.told: Told = []
        self._heard = 0
        self._ids: dict[str, str] = {}
        self._stack = AsyncExitStack()

    def clock(self, seed: int, loop: asyncio.AbstractEventLoop) -> Clock:
        return Clock(utc=lambda: EPOCH + loop.time() + self.wall, seed=seed)

    async def live(self, steps: int = len(SHIFT)) -> Told:
        """The first `steps` of the shift, and what was told after each."""
        running, socket = await self._start()
        self.began = running.clock.monotonic()
        for number, (step, jump) in enumerate(zip(SHIFT[:steps], self.jumps, strict=False)):
            await running.clock.sleep(self.began + SPACING * (number + 1) - running.clock.monotonic())
            self.wall += jump
            before = self._copied("before")
            answer = await self._done(running, socket, number)
            if number in self.kills:
                await running.kill()
                await self._stack.aclose()
                if self.spoil is not None:
                    self.spoil(self.state, before)
                self.broker.restore()
                running, socket = await self._start()
            await running.clock.sleep(10)
            self.told.append([number, step.value, step.verb, answer, *self._news()])
        await self._stack.aclose()
        return self.told

    async def _start(self) -> tuple[House, Socket]:
        self.runs += 1
        socket = Socket()
        socket.trouble = None
        post = Post("dev", socket.open, lambda: driver().open({}))
        furniture = Furniture(limits=(WARM, HELD, FOUND), posts=[post], drivers={"dev": driver()})
        entered = house(self.state, (), furniture, seed=self.runs, broker=self.broker, boot=f"boot-{self.runs}")
        running = await self._stack.enter_async_context(entered)
        await running.clock.sleep(1)
        return running, socket

    async def _done(self, running: House, socket: Socket, number: int) -> object:
        step = SHIFT[number]
        if step.value is not None:
            if self.deaf and number in self.kills:
                self.broker.outage()
            socket.say(b"%d\n" % step.value)
            await running.clock.sleep(0.1)
        elif step.verb:
            async with requester(running) as client:
                return said(await client.ask(f"hub/{step.verb}", id=f"act-{number}", args=step.args))
        return None

    def _copied(self, name: str) -> Path:
        copy = self.state.with_name(f"{self.state.name}-{name}")
        if self.spoil is not None:
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(self.state, copy)
        return copy

    def _news(self) -> list[object]:
        """The events of alarms since the step before, and the retained alarms."""
        events = [
            {"type": body["type"], "subject": body["subject"], "data": body["data"]}
            for body in journalled(self.broker)
            if str(body["type"]).startswith("io.devicehub.alarm.") and "revision" in str(body["data"])
        ]
        fresh, self._heard = events[self._heard :], len(events)
        retained = {
            topic: decoded(out)["data"]
            for topic, out in sorted(self.broker.retained.items())
            if topic.split("/")[4] == "alarm" and out.payload
        }
        return [self._common(fresh), self._common(retained)]

    def _common(self, value: object, name: str = "") -> object:
        """A value in terms that two runs can have in common."""
        if isinstance(value, dict):
            return {key: self._common(inner, str(key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._common(inner, name) for inner in value]
        if isinstance(value, str) and name in {"alarm", "event", "previous"}:
            return self._ids.setdefault(value, f"id-{len(self._ids)}")
        if isinstance(value, str) and name in INSTANTS:
            return round(datetime.fromisoformat(value).timestamp() - EPOCH - self.began)
        if isinstance(value, float) and name in {"mono_s", "left_s", "duration_s"}:
            return round(value - self.began * (name == "mono_s"))
        return value


def untimed(value: object) -> object:
    """What was told without the wall clock's word."""
    if isinstance(value, dict):
        return {key: untimed(inner) for key, inner in value.items() if key not in INSTANTS}
    return list(map(untimed, value)) if isinstance(value, list) else value


def first_difference(told: Told, others: Told) -> object:
    """The first step that is not the same, or None."""
    return next(((one, other) for one, other in zip(told, others, strict=False) if one != other), None)


@pytest.fixture(scope="module")
def untouched(memory: Path) -> Told:
    """What is told in a shift without kills."""
    state = memory / "untouched"
    state.mkdir()
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(Shift(state).live())
    finally:
        loop.close()


def test_the_shift_has_all_that_can_happen_to_a_point(untouched: Told) -> None:
    words = str(untouched)
    happened = (
        "raised returned cleared acked confirmed reset shelved unshelved suppressed unsuppressed out-of-service in-service "
        "disabled enabled silenced unsilenced commented realarmed"
    )
    assert [word for word in happened.split() if f"io.devicehub.alarm.{word}'" not in words] == []
    assert "'activations': 2" in words
    assert "refused" not in words


async def test_killed_after_every_step_nothing_is_different(state: Path, untouched: Told) -> None:
    shift = Shift(state, range(len(SHIFT)))
    assert first_difference(await shift.live(), untouched) is None
    assert shift.runs == len(SHIFT) + 1
    print(f"\n{len(SHIFT)} steps, killed after each")


async def test_killed_after_every_value_before_anybody_heard_of_it_nothing_is_different(
    state: Path, untouched: Told
) -> None:
    shift = Shift(state, VALUES)
    shift.deaf = True
    assert first_difference(await shift.live(), untouched) is None


@pytest.mark.parametrize("jumps", [(DAY,), (-DAY,), (DAY, -DAY)], ids=["forward", "back", "to-and-fro"])
async def test_a_wall_clock_that_jumps_by_a_day_before_every_step_changes_nothing(
    state: Path, untouched: Told, jumps: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = Shift(state)
    shift.jumps = cycle(jumps)
    monkeypatch.setattr(houses, "virtual_clock", shift.clock)
    told = await shift.live()
    assert first_difference([untimed(one) for one in told], [untimed(one) for one in untouched]) is None
    assert told != untouched


def as_before(state: Path, before: Path) -> None:
    """A disk that promised and did not write."""
    shutil.rmtree(state)
    shutil.copytree(before, state)


def emptied(state: Path, before: Path) -> None:
    shutil.rmtree(state)
    state.mkdir()


def copied(state: Path, before: Path) -> None:
    """Nothing is lost: what is found with the others is not the copying's fault."""
    shutil.rmtree(before)
    shutil.copytree(state, before)
    as_before(state, before)


@pytest.mark.parametrize(
    ("spoil", "after", "noticed"),
    [(as_before, 0, True), (as_before, 4, True), (as_before, 5, True), (emptied, 4, True), (copied, 4, False)],
    ids=["raised", "acked", "silenced", "emptied", "copied"],
)
async def test_sabotage_a_state_that_did_not_survive_is_noticed(
    state: Path, untouched: Told, spoil: Spoil, after: int, *, noticed: bool
) -> None:
    shift = Shift(state, [after])
    shift.spoil = spoil
    assert (first_difference(await shift.live(after + 3), untouched) is not None) is noticed
