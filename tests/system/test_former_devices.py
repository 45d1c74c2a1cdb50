"""What a broker retains of a device ends with the device: removed from the configuration, away, or not yet heard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devicehub.collect.supervisor import Post
from devicehub.publish.memory import MemoryBroker
from tests.system.bad_devices import driver
from tests.system.house import Furniture, House, decoded, house
from tests.unit.links import Socket


@asynccontextmanager
async def run(state: Path, broker: MemoryBroker, *devices: str) -> AsyncIterator[tuple[House, dict[str, Socket]]]:
    """One run of a hub with devices that say what a test wants."""
    sockets = {device: Socket() for device in devices}
    for socket in sockets.values():
        socket.trouble = None
    posts = [Post(device, socket.open, lambda: driver().open({})) for device, socket in sockets.items()]
    furniture = Furniture(posts=posts, drivers={device: driver() for device in devices})
    async with house(state, (), furniture, broker=broker) as running:
        await running.clock.sleep(1)
        yield running, sockets
        await running.clock.sleep(2)


def retained(broker: MemoryBroker, device: str) -> dict[str, object]:
    """What a subscriber that comes now hears of a device, by kind."""
    return {
        topic.split("/")[4]: decoded(out)["data"]
        for topic, out in broker.retained.items()
        if topic.split("/")[5:6] == [device]
    }


async def test_nothing_is_retained_of_a_device_that_is_no_longer_configured(state: Path) -> None:
    broker = MemoryBroker()
    async with run(state, broker, "old", "kept") as (_, sockets):
        for socket in sockets.values():
            socket.say(b"7\n")
    assert set(retained(broker, "old")) == {"describe", "device", "capability", "state"}
    async with run(state, broker, "kept") as (_, sockets):
        sockets["kept"].say(b"8\n")
    assert retained(broker, "old") == {}
    assert retained(broker, "kept")["state"] == {"value": 8.0}


async def test_a_deletion_that_the_broker_did_not_hear_of_is_made_up_for_by_the_next_run(state: Path) -> None:
    broker = MemoryBroker()
    async with run(state, broker, "old") as (_, sockets):
        sockets["old"].say(b"7\n")
    broker.outage()
    async with run(state, broker, "new"):
        pass
    assert retained(broker, "old")
    broker.restore()
    async with run(state, broker, "new"):
        pass
    assert retained(broker, "old") == {}


async def test_a_device_that_comes_back_into_the_configuration_is_told_again(state: Path) -> None:
    broker = MemoryBroker()
    for devices in (("dev",), ("other",), ("dev",)):
        async with run(state, broker, *devices) as (_, sockets):
            sockets[devices[0]].say(b"7\n")
    assert set(retained(broker, "dev")) == {"describe", "device", "capability", "state"}


async def test_the_last_number_of_a_device_does_not_outlive_its_link_nor_the_run(state: Path) -> None:
    broker = MemoryBroker()
    async with run(state, broker, "dev") as (running, sockets):
        sockets["dev"].say(b"7\n")
        await running.clock.sleep(2)
        assert retained(broker, "dev")["state"] == {"value": 7.0}
        sockets["dev"].yank()
        sockets["dev"].trouble = OSError("never again")
        await running.clock.sleep(0.5)
        assert retained(broker, "dev")["state"] == {"value": None}
        sockets["dev"].trouble = None
        await running.clock.sleep(120)
        sockets["dev"].say(b"8\n")
        await running.clock.sleep(2)
        assert retained(broker, "dev")["state"] == {"value": 8.0}
    async with run(state, broker, "dev"):
        assert "state" not in retained(broker, "dev")
