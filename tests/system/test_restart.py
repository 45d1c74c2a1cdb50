"""A hub that was killed and started again: an alarm that stood still stands, once, and still ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from devicehub.collect.supervisor import Post
from devicehub.model.alarm import Condition, Limit
from devicehub.publish.memory import MemoryBroker
from tests.system.bad_devices import driver
from tests.system.house import Furniture, House, decoded, gapless, house, journalled
from tests.system.requester import requester, said
from tests.unit.links import Socket

LIMIT = Limit("value-high", "dev", "value", Condition.HIGH, 10.0)
POINT = "/alarm/dev/value-high"


class Bench:
    """A device that says what a test wants, in one house after the other, before the same broker."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.broker = MemoryBroker()
        self.runs = 0

    @asynccontextmanager
    async def run(self, *limits: Limit, killed: bool = False) -> AsyncIterator[tuple[House, Socket]]:
        """One run of the hub, killed at the end or stopped."""
        self.runs += 1
        socket = Socket()
        socket.trouble = None
        post = Post("dev", socket.open, lambda: driver().open({}))
        furniture = Furniture(limits=limits, posts=[post], drivers={"dev": driver()})
        async with house(self.state, (), furniture, broker=self.broker, boot=f"boot-{self.runs}") as running:
            await running.clock.sleep(1)
            yield running, socket
            await running.clock.sleep(1)
            if killed:
                await running.kill()

    def edges(self) -> list[tuple[str, str]]:
        """Alarm events, each once, with the alarm's id."""
        bodies = {str(body["id"]): body for body in journalled(self.broker)}
        return [
            (str(body["type"]).removeprefix("io.devicehub."), str(cast("dict[str, object]", body["data"])["alarm"]))
            for body in bodies.values()
            if str(body["type"]).startswith("io.devicehub.alarm.")
            and "revision" in cast("dict[str, object]", body["data"])
        ]

    def standing(self) -> list[str]:
        """Ids of the retained alarms, as a subscriber that comes now sees them."""
        return [
            str(cast("dict[str, object]", decoded(out)["data"])["alarm"])
            for topic, out in self.broker.retained.items()
            if topic.endswith(POINT)
        ]


async def done(running: House, verb: str, **args: object) -> None:
    """A person's act on the alarm, carried out."""
    wanted = {"device": "dev", "point": "value-high", **args}
    async with requester(running) as client:
        answers = await client.ask(f"hub/{verb}", id=f"{verb}-once", args=wanted)
    assert said(answers) == ["accepted", "done"]


async def test_a_standing_alarm_is_not_raised_again_and_ends_when_it_is_closed(state: Path) -> None:
    bench = Bench(state)
    async with bench.run(LIMIT, killed=True) as (_, device):
        device.say(b"50\n")
    (alarm,) = bench.standing()
    async with bench.run(LIMIT, killed=True) as (_, device):
        device.say(b"60\n")
    assert bench.standing() == [alarm]
    async with bench.run(LIMIT, killed=True) as (_, device):
        device.say(b"3\n")
    assert bench.standing() == [alarm], "a detection stays although its condition has ended"
    async with bench.run(LIMIT, killed=True) as (running, _):
        await done(running, "ack")
    assert bench.standing() == [alarm]
    async with bench.run(LIMIT) as (running, _):
        await done(running, "confirm", disposition="test")
    assert bench.standing() == []
    assert [word for word, _ in bench.edges()] == [
        "alarm.raised",
        "alarm.returned",
        "alarm.acked",
        "alarm.confirmed",
        "alarm.cleared",
    ]
    assert {name for _, name in bench.edges()} == {alarm}


async def test_an_alarm_that_nobody_heard_of_before_the_kill_is_told_afterwards_once(state: Path) -> None:
    bench = Bench(state)
    async with bench.run(LIMIT, killed=True) as (running, device):
        running.broker.outage()
        device.say(b"50\n")
    assert bench.standing() == []
    bench.broker.restore()
    async with bench.run(LIMIT) as (_, device):
        device.say(b"60\n")
    (alarm,) = bench.standing()
    assert set(bench.edges()) == {("alarm.raised", alarm)}


async def test_an_alarm_that_ended_before_the_kill_stays_ended(state: Path) -> None:
    bench = Bench(state)
    async with bench.run(LIMIT, killed=True) as (running, device):
        device.say(b"50\n")
        await running.clock.sleep(1)
        await done(running, "ack")
        await done(running, "confirm", disposition="test")
        running.broker.outage()
        device.say(b"3\n")
    assert len(bench.standing()) == 1, "the broker did not hear of the end"
    bench.broker.restore()
    async with bench.run(LIMIT):
        pass
    assert bench.standing() == []


async def test_an_alarm_whose_limit_is_gone_from_the_configuration_stays_until_it_is_closed(state: Path) -> None:
    bench = Bench(state)
    async with bench.run(LIMIT, killed=True) as (_, device):
        device.say(b"50\n")
    (alarm,) = bench.standing()
    async with bench.run() as (running, _):
        await running.clock.sleep(1)
        assert bench.standing() == [alarm]
        assert bench.edges()[-1] == ("alarm.returned", alarm)
        await done(running, "ack")
        await done(running, "confirm", disposition="test")
    assert bench.standing() == []
    assert bench.edges()[-1] == ("alarm.cleared", alarm)


async def test_after_a_kill_the_unknown_interval_is_a_gap_and_the_numbers_go_on(state: Path) -> None:
    bench = Bench(state)
    async with bench.run(killed=True) as (_, device):
        device.say(b"1\n")
    async with bench.run() as (_, device):
        device.say(b"2\n")
    bodies = [body for body in journalled(bench.broker) if body["stream"] == "events"]
    bodies.sort(key=lambda body: str(body["sequence"]))
    assert gapless(bodies)
    assert [body["boot"] for body in bodies if body["type"] == "io.devicehub.gap"] == ["boot-2"]


async def test_after_an_orderly_end_the_gap_is_that_of_a_restart(state: Path) -> None:
    bench = Bench(state)
    for _ in range(2):
        async with bench.run():
            pass
    gaps = [body["data"] for body in journalled(bench.broker) if body["type"] == "io.devicehub.gap"]
    assert [cast("dict[str, object]", gap)["reason"] for gap in gaps] == ["restart"]
