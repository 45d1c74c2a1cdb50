"""The lane's word as a subscriber sees it: retained, told anew after a kill, and gone to bad with what it rests on."""

from pathlib import Path
from typing import cast

from devicehub.publish.memory import MemoryBroker
from tests.system.house import Furniture, House, decoded, house, journalled, named

DRIVER = "radiation.atom_fast"
GAMMA = named(DRIVER)
Body = dict[str, object]


def words(broker: MemoryBroker) -> list[tuple[object, object]]:
    """State and the one before, of each event in the journal."""
    bodies = [body for body in journalled(broker) if body["type"] == "io.devicehub.lane.changed"]
    found = [cast("Body", body["data"]) for body in bodies]
    return [(data.get("before"), data["state"]) for data in found]


def retained(running: House) -> Body:
    """As somebody who subscribes now sees it."""
    (out,) = [out for topic, out in running.broker.retained.items() if topic.endswith("/ws-1/lane")]
    return cast("Body", decoded(out)["data"])


async def test_the_word_follows_the_device_outlives_no_kill_and_is_not_left_good_at_the_end(state: Path) -> None:
    broker, furniture = MemoryBroker(), Furniture(required=("gamma",))
    async with house(state, [DRIVER], furniture, broker=broker, boot="boot-1") as running:
        await running.clock.sleep(30)
        assert words(broker) == [(None, "blind"), ("blind", "no-alarm")]
        assert retained(running)["required"] == [{"name": "gamma", "level": "full", "device": GAMMA}]
        running.ports[GAMMA].unplug()
        await running.clock.sleep(30)
        assert words(broker)[2:] == [("no-alarm", "blind")]
        running.ports[GAMMA].plug()
        await running.clock.sleep(60)
        assert retained(running)["state"] == "no-alarm"
        await running.kill()
    before = len(words(broker))
    async with house(state, [DRIVER], furniture, broker=broker, boot="boot-2") as running:
        await running.clock.sleep(30)
        assert words(broker)[before:] == [(None, "blind"), ("blind", "no-alarm")]
    assert words(broker)[-1] == ("no-alarm", "blind")
    assert retained(running)["state"] == "blind"
