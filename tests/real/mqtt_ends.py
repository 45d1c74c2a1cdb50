"""What the tests of the MQTT client share: settings of a test broker, messages, a late subscriber."""

from devicehub.publish.mqtt import Incoming, connect, subscribe
from devicehub.publish.port import Outgoing
from devicehub.publish.settings import BrokerSettings, Version
from tests.real.mosquitto import Mosquitto

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
