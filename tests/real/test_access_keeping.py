"""What the persistence settings of the recipes keep, and what Mosquitto loses with and without them."""

import asyncio
from pathlib import Path
from types import MappingProxyType

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryRefusedError
from devicehub.model.message import Kind
from devicehub.publish.mqtt import connect, subscribe
from devicehub.publish.settings import BrokerSettings
from tests.patience import PATIENCE
from tests.real.access_world import REAL, RECIPES, Secured, certificates, installed, secured, topic
from tests.real.mosquitto import Mosquitto, free_port
from tests.real.mqtt_ends import message

pytestmark = pytest.mark.real

EVENT = topic(Kind.EVENT, "lane1")
# The recipe without what it says about keeping: Mosquitto's own settings.
BARE = MappingProxyType({"autosave_interval 10\n": "#\n", "max_queued_messages 1000000": "#"})


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls") / "made", "lane1")


def consumer(station: Secured) -> aiomqtt.Client:
    """A consumer whose session the broker keeps for an hour."""
    settings = station.as_("consumer")
    hour = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho
    hour.SessionExpiryInterval = 3600
    return aiomqtt.Client(
        settings.host,
        settings.port,
        identifier="archive",
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=hour,
        tls_context=settings.tls,
    )


async def acknowledged(station: Secured, count: int) -> None:
    """Publish so many while the consumer is away, each acknowledged by the broker."""
    async with consumer(station) as client:
        await client.subscribe(f"{REAL}/+/event/#", qos=1)
    async with connect(station.as_("lane1")) as publisher:
        for future in [publisher.submit(message(EVENT, b"event %d" % number)) for number in range(count)]:
            await future


async def kept(station: Secured) -> list[bytes]:
    """What the consumer gets when it is back, up to a marker."""
    async with consumer(station) as client:
        await client.subscribe(f"{REAL}/+/event/#", qos=1)
        async with connect(station.as_("lane1")) as publisher:
            await publisher.submit(message(EVENT, b"marker"))
        found: list[bytes] = []
        async for one in client.messages:
            assert isinstance(one.payload, bytes)
            if one.payload == b"marker":
                return found
            found.append(one.payload)
    raise AssertionError("the subscription ended")


async def test_what_was_acknowledged_waits_for_an_absent_consumer_beyond_mosquittos_own_limit(
    tmp_path: Path, tls: Path
) -> None:
    async with secured("station", tmp_path, tls) as station:
        await acknowledged(station, 3000)
        assert len(await kept(station)) == 3000


async def test_with_mosquittos_own_limit_what_was_acknowledged_is_dropped(tmp_path: Path, tls: Path) -> None:
    async with secured("station", tmp_path, tls, dict(BARE)) as station:
        await acknowledged(station, 3000)
        found = len(await kept(station))
    print(f"Mosquitto's own limit: {found} of 3000 acknowledged messages kept")
    assert found < 3000


async def test_an_orderly_stop_keeps_sessions_queues_and_retained_messages(tmp_path: Path, tls: Path) -> None:
    async with secured("station", tmp_path, tls) as station:
        async with connect(station.as_("lane1")) as publisher:
            await publisher.submit(message(topic(Kind.ALARM, "lane1"), b"stands", retain=True))
        await acknowledged(station, 500)
        await station.broker.restart()
        assert len(await kept(station)) == 500
        async with subscribe(station.as_("soc"), [f"{REAL}/+/alarm/#"]) as incoming:
            assert (await anext(incoming)).payload == b"stands"


async def test_what_was_written_survives_a_kill(tmp_path: Path, tls: Path) -> None:
    async with secured("station", tmp_path, tls) as station:
        await acknowledged(station, 500)
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(written, tmp_path):
                await Clock().sleep(0.1)
        await station.broker.kill()
        await station.broker.start()
        assert len(await kept(station)) == 500


def written(folder: Path) -> bool:
    file = folder / "lib" / "mosquitto.db"
    return file.exists() and b"event 499" in file.read_bytes()


async def test_what_was_acknowledged_since_the_last_write_is_lost_with_a_kill(tmp_path: Path, tls: Path) -> None:
    """What the recipe says about it, and why an acknowledgement is no receipt."""
    async with secured("station", tmp_path, tls) as station:
        await acknowledged(station, 500)
        await station.broker.kill()
        await station.broker.start()
        found = len(await kept(station))
    print(f"killed before the write: {found} of 500 acknowledged messages kept")
    assert found < 500


async def test_the_broker_of_one_workstation_keeps_and_bounds_as_the_stations_does(tmp_path: Path, tls: Path) -> None:
    """`loopback.conf` runs as it is, and its part about keeping is that of the others."""

    def keeping(recipe: str) -> str:
        text = (RECIPES / f"{recipe}.conf").read_text(encoding="utf-8")
        return text[text.index("# --- Keeping") :].partition("\n# A bridge")[0].rstrip()

    assert keeping("loopback") == keeping("station") == keeping("centre")
    port = free_port()
    config = installed("loopback", tmp_path, {"listener 1883 127.0.0.1": f"listener {port} 127.0.0.1"})
    broker = Mosquitto(config, port)
    await broker.start()
    try:
        settings = BrokerSettings(host=broker.host, port=port)
        async with subscribe(settings, ["#"]) as incoming, connect(settings) as publisher:
            await publisher.submit(message(EVENT))
            assert (await anext(incoming)).topic == EVENT
            with pytest.raises(DeliveryRefusedError, match="maximum packet size of 1048576"):
                await publisher.submit(message(EVENT, bytes(1048576)))
    finally:
        await broker.stop()
