"""The MQTT publisher against a real Mosquitto."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.publish.mqtt import Incoming, connect, subscribe
from devicehub.publish.port import Outgoing, Publisher
from devicehub.publish.settings import BrokerSettings, Version
from tests.real.mosquitto import Mosquitto, free_port, mosquitto

pytestmark = pytest.mark.real

VERSIONS = [Version.V5, Version.V311]


def settings(broker: Mosquitto, version: Version = Version.AUTO) -> BrokerSettings:
    return BrokerSettings(host=broker.host, port=broker.port, version=version)


def message(
    topic: str, payload: bytes = b"{}", *, qos: int = 1, retain: bool = False, expiry: int | None = None
) -> Outgoing:
    return Outgoing(topic, payload, qos, retain, expiry, "io.devicehub.reading", "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4", "d/c")


async def retained(broker: Mosquitto, topics: str) -> list[Incoming]:
    """What a late subscriber gets: everything up to a marker published after the subscription."""
    async with subscribe(settings(broker), [topics, "marker"]) as incoming, connect(settings(broker)) as publisher:
        await publisher.submit(message("marker"))
        received: list[Incoming] = []
        async for one in incoming:
            if one.topic == "marker":
                return received
            received.append(one)
    raise AssertionError("the subscription ended")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", [0, 1])
async def test_messages_arrive_once_each_and_in_order(tmp_path: Path, version: Version, qos: int) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        subscribe(settings(broker, version), ["t/#"]) as incoming,
        connect(settings(broker, version)) as publisher,
    ):
        sent = [message(f"t/{number % 7}", str(number).encode(), qos=qos) for number in range(500)]
        await asyncio.gather(*[publisher.submit(one) for one in sent])
        received = [await anext(incoming) for _ in sent]
    assert [(one.topic, one.payload) for one in received] == [(one.topic, one.payload) for one in sent]
    assert not any(one.retain for one in received)


async def test_mqtt_5_is_preferred_and_proves_delivery(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, connect(settings(broker)) as publisher:
        assert publisher.delivery == "broker-acked"


async def test_mqtt_3_1_1_is_labelled_unverified(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, connect(settings(broker, Version.V311)) as publisher:
        assert publisher.delivery == "unverified"


async def test_a_broker_that_hangs_up_on_mqtt_5_is_asked_for_3_1_1() -> None:
    """Level byte of CONNECT: MQTT 3.1.1, 3.1.2.2; CONNACK 20 02 00 00: accepted."""
    levels: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(2)
        levels.append((await reader.readexactly(head[1]))[6])
        if levels[-1] == 4:
            writer.write(b"\x20\x02\x00\x00")
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(BrokerSettings(host="127.0.0.1", port=port)) as publisher:
            assert publisher.delivery == "unverified"
    assert levels == [5, 4]


async def test_a_retained_message_is_kept_and_an_empty_one_deletes_it(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        async with connect(settings(broker)) as publisher:
            await publisher.submit(message("r/1", b"one", retain=True))
            await publisher.submit(message("r/2", b"two", retain=True))
            await publisher.submit(message("r/1", b"", retain=True))
        assert await retained(broker, "r/#") == [Incoming("r/2", b"two", retain=True)]


async def test_user_properties_content_type_and_expiry_reach_a_subscriber_on_mqtt_5(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        connect(settings(broker)) as publisher,
        aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as reader,
    ):
        await publisher.submit(message("p", retain=True, expiry=300))
        await reader.subscribe("p", qos=1)
        received = await anext(aiter(reader.messages))
    assert received.properties is not None
    properties = received.properties.json()  # type: ignore[no-untyped-call]  # paho
    assert properties["UserProperty"] == [
        ("type", "io.devicehub.reading"),
        ("id", "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4"),
        ("subject", "d/c"),
    ]
    assert properties["ContentType"] == "application/cloudevents+json"
    assert properties["PayloadFormatIndicator"] == 1
    assert 290 <= properties["MessageExpiryInterval"] <= 300


async def test_a_publish_that_the_access_list_forbids_is_refused_by_name_and_the_others_go_on(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, acl="topic write ok/#\n") as broker, connect(settings(broker)) as publisher:
        allowed, denied, after = (publisher.submit(message(topic)) for topic in ("ok/1", "no/1", "ok/2"))
        await allowed
        with pytest.raises(DeliveryRefusedError, match=r"no/1: the broker refused it: Not authorized"):
            await denied
        await after


async def test_mqtt_3_1_1_cannot_tell_a_refusal_from_a_delivery(tmp_path: Path) -> None:
    acl = "topic write ok/#\n"
    async with mosquitto(tmp_path, acl=acl) as broker, connect(settings(broker, Version.V311)) as publisher:
        await publisher.submit(message("no/1"))


async def test_a_message_larger_than_the_broker_takes_is_refused_and_the_connection_lives(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, extra=["max_packet_size 2000"]) as broker, connect(settings(broker)) as publisher:
        with pytest.raises(DeliveryRefusedError, match=r"big: .* maximum packet size of 2000"):
            await publisher.submit(message("big", bytes(2000)))
        room = 2000 - packet_overhead("fits")
        await publisher.submit(message("fits", bytes(room)))
        with pytest.raises(DeliveryRefusedError):
            await publisher.submit(message("fits", bytes(room + 1)))
        await publisher.submit(message("small"))


def packet_overhead(topic: str) -> int:
    """Bytes of a QoS 1 PUBLISH of `message` beside its payload, counted by hand from the specification."""
    users = {"type": "io.devicehub.reading", "id": "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4", "subject": "d/c"}
    properties = 2 + 3 + len("application/cloudevents+json") + sum(5 + len(k) + len(v) for k, v in users.items())
    return 1 + 2 + 2 + len(topic) + 2 + 1 + properties


async def test_more_messages_than_the_receive_maximum_all_arrive(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, extra=["max_inflight_messages 3"]) as broker, connect(settings(broker)) as publisher:
        await asyncio.gather(*[publisher.submit(message("t", str(n).encode())) for n in range(200)])


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
    with pytest.raises(DeliveryError):
        await publisher.lost()
    return asyncio.get_running_loop().time() - started


async def test_a_frozen_broker_is_noticed_within_eight_seconds_even_when_idle(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, connect(settings(broker)) as publisher:
        assert await frozen_for(publisher, broker) < 8


async def test_a_frozen_broker_is_noticed_under_a_stream_of_qos_0_messages(tmp_path: Path) -> None:
    async def stream(publisher: Publisher) -> None:
        while True:
            await publisher.submit(message("t", qos=0))
            await Clock().sleep(0.1)  # the pace of the stream

    async with mosquitto(tmp_path) as broker, connect(settings(broker)) as publisher:
        task = asyncio.create_task(stream(publisher))
        assert await frozen_for(publisher, broker) < 8
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
            async with asyncio.timeout(5):
                assert (await anext(incoming)).payload == b'{"state":"lost"}'
        async with connect(settings(broker, version), will) as publisher:
            await publisher.submit(message("status", b'{"state":"offline"}', retain=True))
        assert [one.payload for one in await retained(broker, "status")] == [b'{"state":"offline"}']


async def test_a_granted_subscription_survives_nothing_but_says_so(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, subscribe(settings(broker), ["t/#"]) as incoming:
        await broker.kill()
        with pytest.raises(DeliveryError, match="the connection to the broker ended"):
            await anext(incoming)


async def test_a_wrong_password_is_told_as_such(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, passwords={"hub": "right"}) as broker:
        good = BrokerSettings(host=broker.host, port=broker.port, username="hub", password="right")
        async with connect(good) as publisher:
            await publisher.submit(message("t"))
        for version in VERSIONS:
            bad = BrokerSettings(host=broker.host, port=broker.port, username="hub", password="no", version=version)
            with pytest.raises(
                DeliveryRefusedError, match=r"refused the connection \(.*\): check user name and password"
            ):
                await connect(bad).__aenter__()


async def test_a_closed_port_is_told_as_such() -> None:
    port = free_port()
    with pytest.raises(DeliveryError, match=rf"nothing listens on 127\.0\.0\.1:{port}: start the broker"):
        await connect(BrokerSettings(host="127.0.0.1", port=port)).__aenter__()


async def test_a_name_that_does_not_exist_is_told_as_such() -> None:
    with pytest.raises(DeliveryError, match=r"broker\.invalid.*(cannot be resolved|cannot be reached)"):
        await connect(BrokerSettings(host="broker.invalid")).__aenter__()
