"""A disk that takes nothing: events wait, and what the devices can and cannot do is still told, in order."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from devicehub.collect.supervisor import Post
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing
from tests.real.journals import full_disk
from tests.system.bad_devices import driver
from tests.system.house import Furniture, decoded, house, journalled
from tests.unit.links import Socket

STALE = driver().stale_after
ROOT = "devicehub-sim/v1/bcp-test/ws-1"


def furniture(socket: Socket) -> Furniture:
    return Furniture(posts=[Post("dev", socket.open, lambda: driver().open({}))], drivers={"dev": driver()})


def data(broker: MemoryBroker, topic: str) -> Mapping[str, object]:
    """The retained message of a topic."""
    return cast("Mapping[str, object]", decoded(broker.retained[f"{ROOT}/{topic}"])["data"])


def level(broker: MemoryBroker) -> object:
    (item,) = cast("list[Mapping[str, object]]", data(broker, "capability/dev")["capabilities"])
    return item["level"]


async def test_a_silent_device_is_told_while_the_disk_is_full_and_stays_told_when_it_is_not(state: Path) -> None:
    """The step that made it ready waits for the disk, and a tick finds it silent meanwhile."""
    socket = Socket()
    async with house(state, (), furniture(socket)) as running:
        await running.clock.sleep(1)
        with full_disk():
            socket.trouble = None
            running.hub.wake()
            await running.clock.sleep(1)
            socket.say(b"50\n")
            await running.clock.sleep(1)
            assert level(running.broker) == "full"
            await running.clock.sleep(STALE + 2)
            assert level(running.broker) == "none"
        await running.clock.sleep(0.999)
        assert level(running.broker) == "none"
        await running.clock.sleep(60)
        assert level(running.broker) == "none"
    words = [body["type"] for body in journalled(running.broker)]
    assert words.index("io.devicehub.device.ready") < words.index("io.devicehub.reading"), "and the events came too"


async def test_what_is_refused_while_the_disk_is_full_holds_no_delivery_up(state: Path) -> None:
    """The broker answers no when the disk takes no gap any more; what is on the board goes out all the same."""
    slow = {"delay": 0.0}

    def refuse(out: Outgoing) -> str:
        return "Not authorized" if "/reading/" in out.topic else ""

    socket = Socket()
    broker = MemoryBroker(delay=lambda _: slow["delay"], refuse=refuse)
    async with house(state, (), furniture(socket), broker=broker) as running:
        socket.trouble = None
        running.hub.wake()
        await running.clock.sleep(1)
        slow["delay"] = 2.0
        for _ in range(50):
            socket.say(b"50\n")
        await running.clock.sleep(1)
        with full_disk():
            await running.clock.sleep(STALE + 10)
            assert level(running.broker) == "none"
        slow["delay"] = 0.0
        await running.clock.sleep(5)
    bodies = [body for body in journalled(running.broker) if body["type"] == "io.devicehub.gap"]
    gaps = [cast("Mapping[str, object]", body["data"]) for body in bodies]
    assert sum(cast("int", gap["count"]) for gap in gaps if gap["reason"] == "refused") == 50


async def test_the_hub_says_that_it_takes_no_events_and_that_it_does_again(state: Path) -> None:
    socket = Socket()
    async with house(state, (), furniture(socket)) as running:
        await running.clock.sleep(1)
        assert "accepting" not in data(running.broker, "status")
        with full_disk():
            socket.trouble = None
            running.hub.wake()
            await running.clock.sleep(1)
            socket.say(b"50\n")
            await running.clock.sleep(3)
            assert data(running.broker, "status")["accepting"] is False
        await running.clock.sleep(3)
        assert "accepting" not in data(running.broker, "status")
