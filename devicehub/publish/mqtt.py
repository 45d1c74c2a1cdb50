"""The publisher over MQTT, and a subscriber for watching and commands.

MQTT 5 first, 3.1.1 where the broker does not know 5. On 3.1.1 a broker cannot say no to a message,
so `delivery` is "unverified" there. Clean start and session expiry 0: the journal is the session.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType

import aiomqtt
from aiomqtt import ProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.publish.client import Client
from devicehub.publish.port import Delivery, Incoming, Outgoing, Publisher
from devicehub.publish.reasons import connecting, unknown_version
from devicehub.publish.settings import BrokerSettings, Version

__all__ = ["Incoming", "MqttPublisher", "connect", "subscribe"]

_REFUSED = 0x80
_VERSIONS = MappingProxyType(
    {
        Version.AUTO: (ProtocolVersion.V5, ProtocolVersion.V311),
        Version.V5: (ProtocolVersion.V5,),
        Version.V311: (ProtocolVersion.V311,),
    }
)


class MqttPublisher:
    """One connection to a broker; see `Publisher`. Made by `connect`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.delivery: Delivery = "broker-acked" if client.modern else "unverified"

    def submit(self, out: Outgoing) -> asyncio.Future[None]:
        """See `Publisher.submit`."""
        return self._client.submit(out)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """See `Publisher.subscribe`."""
        await _subscribe(self._client, filters, qos=1, as_published=True)

    def incoming(self) -> AsyncIterator[Incoming]:
        """See `Publisher.incoming`."""
        return self._client.inbox.messages()

    @property
    def dropped(self) -> int:
        """See `Publisher.dropped`."""
        return self._client.inbox.dropped

    @property
    def unheard(self) -> int:
        """See `Publisher.unheard`."""
        return self._client.unheard

    async def lost(self) -> None:
        """See `Publisher.lost`."""
        await asyncio.shield(self._client.lost)


@asynccontextmanager
async def connect(settings: BrokerSettings, will: Outgoing | None = None) -> AsyncIterator[Publisher]:
    """A connection to the broker.

    Left without an exception it says DISCONNECT and the broker forgets `will`. Left with one, a
    cancellation included, the socket is just closed, and the broker publishes `will`. Raises
    `DeliveryError` or `DeliveryRefusedError` saying what to do when it cannot be opened.
    """
    async with _connected(settings, will) as client:
        yield MqttPublisher(client)


@asynccontextmanager
async def subscribe(
    settings: BrokerSettings, filters: Sequence[str], *, qos: int = 1
) -> AsyncIterator[AsyncIterator[Incoming]]:
    """Messages of `filters`, from the moment this is entered. The iterator ends with `DeliveryError`.

    Raises `DeliveryRefusedError` for a filter that the broker refuses. Mosquitto grants a filter that
    its access list forbids and then stays silent, so that a granted filter proves nothing.
    """
    async with _connected(settings, None) as client:
        await _subscribe(client, filters, qos=qos, as_published=False)
        yield client.inbox.messages()


async def _subscribe(client: Client, filters: Sequence[str], *, qos: int, as_published: bool) -> None:
    requests: list[tuple[str, int]] | list[tuple[str, SubscribeOptions]] = [(one, qos) for one in filters]
    if client.modern:
        requests = [(one, SubscribeOptions(qos=qos, retainAsPublished=as_published)) for one in filters]
    try:
        codes = await client.subscribe(requests)
    except aiomqtt.MqttError as error:
        known = client.lost.exception() if client.lost.done() else None
        raise DeliveryError(str(known or f"the broker did not answer the subscription: {error}")) from error
    answers = zip(filters, list[int | ReasonCode](codes), strict=True)
    refused = [one for one, code in answers if (code if isinstance(code, int) else code.value) >= _REFUSED]
    if refused:
        raise DeliveryRefusedError(f"the broker refuses a subscription to {', '.join(refused)}: check its access list")


@asynccontextmanager
async def _connected(settings: BrokerSettings, will: Outgoing | None) -> AsyncIterator[Client]:
    client = await _open(settings, will)
    orderly = False
    try:
        yield client
        orderly = True
    finally:
        if orderly:
            await client.close()
        else:
            client.abort("the connection was dropped")


async def _open(settings: BrokerSettings, will: Outgoing | None) -> Client:
    *others, last = _VERSIONS[settings.version]
    for version in others:
        try:
            return await _tried(settings, version, will)
        except aiomqtt.MqttError as error:
            if not unknown_version(error):
                raise connecting(settings, error) from error
    try:
        return await _tried(settings, last, will)
    except aiomqtt.MqttError as error:
        raise connecting(settings, error) from error


async def _tried(settings: BrokerSettings, version: ProtocolVersion, will: Outgoing | None) -> Client:
    client = Client(settings, version, will)
    try:
        await client.open()
    except UnicodeError as error:
        raise DeliveryError(f"{settings.host!r} is no host name: correct the address") from error
    return client
