"""The MQTT publisher when the broker dies, freezes or is left: fast, complete, and nothing left behind."""

import asyncio
import contextlib
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryError
from devicehub.publish.mqtt import connect, subscribe
from devicehub.publish.port import Publisher
from devicehub.publish.settings import BrokerSettings, Version
from tests.patience import PATIENCE
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import VERSIONS, message, retained, settings
from tests.real.scripted_broker import scripted_broker

pytestmark = pytest.mark.real


def descriptors() -> set[Path]:
    return set(Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_killed_broker_fails_the_whole_window_at_once(tmp_path: Path, version: Version) -> None:
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto(tmp_path))
        publisher = await stack.enter_async_context(connect(settings(broker, version)))
        broker.freeze()
        pending = [publisher.submit(message("t", bytes(100))) for _ in range(50)]
        started = asyncio.get_running_loop().time()
        await broker.kill()
        with pytest.raises(DeliveryError, match="the connection to the broker ended"):
            await publisher.lost()
        results = await asyncio.gather(*pending, return_exceptions=True)
        assert asyncio.get_running_loop().time() - started < 0.5
        assert all(isinstance(one, DeliveryError) for one in results)
        with pytest.raises(DeliveryError):
            publisher.submit(message("t"))


async def frozen_for(publisher: Publisher, broker: Mosquitto) -> float:
    started = asyncio.get_running_loop().time()
    broker.freeze()
    with pytest.raises(DeliveryError, match="the broker does not answer"):
        await publisher.lost()
    return asyncio.get_running_loop().time() - started


async def test_a_frozen_broker_is_noticed_within_eight_seconds_even_when_idle(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, connect(settings(broker)) as publisher:
        assert await frozen_for(publisher, broker) < 8


async def stream(publisher: Publisher, qos: int) -> None:
    while True:
        await publisher.submit(message("t", qos=qos))
        await Clock().sleep(0.1)  # the pace of the stream


async def test_a_frozen_broker_is_noticed_under_a_stream_of_qos_0_messages(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, connect(settings(broker)) as publisher:
        task = asyncio.create_task(stream(publisher, 0))
        assert await frozen_for(publisher, broker) < 8
        with pytest.raises(DeliveryError):
            await task


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_broker_that_never_acknowledges_a_message_is_left_though_it_takes_others(qos: int) -> None:
    async with scripted_broker(lambda _: 0) as broker:
        broker.silent = lambda one: one.topic == "lost"
        short = BrokerSettings(
            host="127.0.0.1", port=broker.port, version=Version.V5, keepalive=2, acknowledge_timeout=0.5
        )
        async with connect(short) as publisher:
            task = asyncio.create_task(stream(publisher, qos))
            with pytest.raises(DeliveryError, match="left a message unacknowledged for"):
                await asyncio.wait_for(publisher.submit(message("lost")), PATIENCE)
            with pytest.raises(DeliveryError):
                await task


async def test_a_frozen_broker_fails_what_is_pending_and_what_connects(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, connect(settings(broker)) as publisher:
        broker.freeze()
        pending = publisher.submit(message("t"))
        quick = BrokerSettings(host=broker.host, port=broker.port, connect_timeout=0.5)
        with pytest.raises(DeliveryError, match=r"took the connection but did not answer in 0\.5 s"):
            await connect(quick).__aenter__()
        with pytest.raises(DeliveryError):
            await pending


async def test_a_connection_given_up_while_the_broker_hangs_ends_at_once_and_leaves_no_socket(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        before = descriptors()
        broker.freeze()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connect(settings(broker)).__aenter__(), 0.3)
        assert descriptors() <= before


async def test_a_hundred_connections_leave_nothing_behind(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        async with connect(settings(broker)) as publisher:
            await publisher.submit(message("t"))
        files, tasks = descriptors(), len(asyncio.all_tasks())
        for number in range(100):
            with contextlib.suppress(ZeroDivisionError):
                async with connect(settings(broker)) as publisher:
                    publisher.submit(message("t"))
                    if number % 2:
                        raise ZeroDivisionError
        assert descriptors() <= files
        assert len(asyncio.all_tasks()) <= tasks + 1


async def test_a_connection_that_only_idles_is_kept(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        short = BrokerSettings(host=broker.host, port=broker.port, keepalive=2)
        async with connect(short) as publisher:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(publisher.lost(), 5)
            await publisher.submit(message("t"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_will_is_published_when_the_publisher_breaks_and_kept_back_when_it_leaves(
    tmp_path: Path, version: Version
) -> None:
    async with mosquitto(tmp_path) as broker:
        will = message("status", b'{"state":"lost"}', retain=True)
        async with subscribe(settings(broker), ["status"]) as incoming:
            with pytest.raises(ZeroDivisionError):
                async with connect(settings(broker, version), will):
                    raise ZeroDivisionError
            async with asyncio.timeout(PATIENCE):
                assert (await anext(incoming)).payload == b'{"state":"lost"}'
        async with connect(settings(broker, version), will) as publisher:
            await publisher.submit(message("status", b'{"state":"offline"}', retain=True))
        assert [one.payload for one in await retained(broker, "status")] == [b'{"state":"offline"}']


async def test_a_subscription_ends_with_an_error_when_the_broker_dies(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, subscribe(settings(broker), ["t/#"]) as incoming:
        await broker.kill()
        with pytest.raises(DeliveryError, match="the connection to the broker ended"):
            await anext(incoming)


async def test_a_connection_taken_over_right_behind_its_connack_is_lost_and_told_as_such() -> None:
    """CONNACK 20 03 00 00 00: accepted, no properties; DISCONNECT E0 01 8E: session taken over."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(2)
        await reader.readexactly(head[1])
        writer.write(bytes.fromhex("2003000000 e0018e"))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        same = BrokerSettings(
            host="127.0.0.1", port=server.sockets[0].getsockname()[1], version=Version.V5, identifier="hub-1"
        )
        async with connect(same) as publisher:
            with pytest.raises(DeliveryError, match="another client uses the identifier hub-1"):
                await asyncio.wait_for(publisher.lost(), PATIENCE)
            with pytest.raises(DeliveryError, match="another client uses the identifier hub-1"):
                publisher.submit(message("t"))
