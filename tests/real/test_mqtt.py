"""The MQTT publisher against a real Mosquitto."""

import asyncio
from dataclasses import replace
from pathlib import Path

import aiomqtt
import pytest
from msgspec import structs

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.publish.mqtt import Incoming, connect, subscribe
from devicehub.publish.settings import BrokerSettings, Version
from tests.patience import PATIENCE
from tests.real.mosquitto import free_port, mosquitto
from tests.real.mqtt_ends import VERSIONS, message, retained, settings
from tests.real.scripted_broker import scripted_broker

pytestmark = pytest.mark.real


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


async def test_a_subscription_that_is_refused_names_every_filter_that_was() -> None:
    async with scripted_broker(lambda _: 0) as broker:
        broker.grant = lambda one: 0x87 if one.startswith("no") else 1
        async with connect(BrokerSettings(host="127.0.0.1", port=broker.port, version=Version.V5)) as publisher:
            await publisher.subscribe(["yes/#"])
            with pytest.raises(
                DeliveryRefusedError, match="refuses a subscription to no/1, no/2: check its access list"
            ):
                await publisher.subscribe(["no/1", "yes/#", "no/2"])


def packet_overhead(topic: str) -> int:
    """Bytes of a QoS 1 PUBLISH of `message` beside its payload, counted by hand from the specification."""
    users = {"type": "io.devicehub.reading", "id": "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4", "subject": "d/c"}
    properties = 2 + 3 + len("application/cloudevents+json") + sum(5 + len(k) + len(v) for k, v in users.items())
    return 1 + 2 + 2 + len(topic) + 2 + 1 + properties


async def test_more_messages_than_the_receive_maximum_all_arrive(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, extra=["max_inflight_messages 3"]) as broker, connect(settings(broker)) as publisher:
        await asyncio.gather(*[publisher.submit(message("t", str(n).encode())) for n in range(200)])


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


async def test_an_address_that_is_no_host_name_is_told_as_such() -> None:
    with pytest.raises(DeliveryError, match="is no host name: correct the address"):
        await connect(BrokerSettings(host="a" * 70 + ".example")).__aenter__()


@pytest.mark.parametrize("code", [0x91, 0x97])
async def test_what_a_broker_cannot_take_now_is_not_refused_for_good(code: int) -> None:
    """CONNACK 20 03 00 00 00: accepted, no properties; PUBACK 40 03, packet identifier, reason (MQTT 5.0, 3.4)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(2)
        await reader.readexactly(head[1])
        writer.write(bytes.fromhex("2003000000"))
        head = await reader.readexactly(2)
        body = await reader.readexactly(head[1])
        identifier = body[2 + body[1] :][:2]
        writer.write(b"\x40\x03" + identifier + bytes([code]))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(BrokerSettings(host="127.0.0.1", port=port, version=Version.V5)) as publisher:
            with pytest.raises(DeliveryError, match=r"^t: the broker does not take it now") as caught:
                await asyncio.wait_for(publisher.submit(message("t")), PATIENCE)
            assert not isinstance(caught.value, DeliveryRefusedError)


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_connection_publishes_and_receives(tmp_path: Path, version: Version) -> None:
    request = structs.replace(message("cmd/hub/identify"), response_topic="res/hub/identify", correlation=b"\x00\xfe")
    async with (
        mosquitto(tmp_path) as broker,
        connect(settings(broker, version)) as hub,
        connect(settings(broker, version)) as requester,
    ):
        await requester.submit(message("cmd/hub/old", retain=True))
        await hub.subscribe(["cmd/+/+", "receipt/+"])
        await requester.submit(request)
        await hub.submit(message("receipt/me", b"own"))
        messages = hub.incoming()
        received = [await anext(messages) for _ in range(3)]
    assert [(one.topic, one.retain) for one in received] == [
        ("cmd/hub/old", True),
        ("cmd/hub/identify", False),
        ("receipt/me", False),
    ]
    told = ("res/hub/identify", b"\x00\xfe") if version is Version.V5 else ("", b"")
    assert (received[1].response_topic, received[1].correlation) == told


async def test_a_reader_that_never_reads_stops_nothing_that_is_published(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, connect(replace(settings(broker), incoming=10)) as hub:
        await hub.subscribe(["flood/#"])
        await asyncio.gather(*[hub.submit(message(f"flood/{number}")) for number in range(1000)])
        await hub.submit(message("after"))
        async with asyncio.timeout(PATIENCE):
            while hub.dropped < 990:
                await Clock().sleep(0.01)
        assert (await anext(hub.incoming())).topic == "flood/0"


async def test_a_subscription_without_a_broker_is_an_error_that_says_so(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, connect(settings(broker)) as hub:
        await broker.stop()
        with pytest.raises(DeliveryError):
            await hub.subscribe(["cmd/#"])
