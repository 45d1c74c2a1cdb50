"""What the deliverer needs of a broker connection, whatever library or broker is behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

Delivery = Literal["broker-acked", "unverified"]


class Outgoing(Struct, frozen=True):
    """One message with its topic and bytes. An empty `payload` with `retain` deletes the retained message.

    `expiry` is in seconds after it was handed to the broker. `type`, `id` and `subject` repeat what
    the payload says, so that a consumer on MQTT 5 filters without parsing. `response_topic` and `correlation` are
    MQTT 5's: where a request wants its answer, and what the answer repeats; lost on 3.1.1.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry: int | None
    type: str
    id: str
    subject: str
    response_topic: str = ""
    correlation: bytes = b""


class Incoming(NamedTuple):
    """A received message. `retain`: the broker had stored it before we subscribed.

    What `Publisher.subscribe` brings on MQTT 5 says so also when it was published to be stored just now.
    """

    topic: str
    payload: bytes
    retain: bool
    response_topic: str = ""
    correlation: bytes = b""


class Publisher(Protocol):
    """One open connection to a broker. Once lost it stays lost: a new one has to be made.

    `delivery` says what an acknowledgement proves: "broker-acked" when the broker's reason code was
    seen (MQTT 5), "unverified" when the protocol cannot carry a refusal (MQTT 3.1.1).
    """

    @property
    def delivery(self) -> Delivery:
        """What a resolved future proves."""
        ...

    def submit(self, out: Outgoing) -> asyncio.Future[None]:
        """Hand one message over without waiting; messages leave in the order of the calls.

        The future resolves when the broker has acknowledged (QoS 1) or when the message was handed to
        the socket (QoS 0). Otherwise it raises `DeliveryRefusedError` when the broker said no or would
        have to, or `DeliveryError` when it may be taken on another connection: the broker cannot take it now, or,
        at once for every pending message, the connection is lost.
        `submit` itself raises `DeliveryError` once the connection is lost.
        """
        ...

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Receive the messages of `filters`, on this connection, from now on; they wait for `incoming`.

        Raises `DeliveryRefusedError` for a filter that the broker refuses, `DeliveryError` when it does not answer.
        """
        ...

    def incoming(self) -> AsyncIterator[Incoming]:
        """What was received, in order, for one reader; ends with `DeliveryError` when the connection has ended.

        A reader that is slow stops neither the connection nor what is published: what does not fit is dropped,
        counted in `dropped` and logged.
        """
        ...

    @property
    def dropped(self) -> int:
        """How many received messages did not fit."""
        ...

    @property
    def unheard(self) -> int:
        """How many messages, retained ones left out, the broker took while nobody subscribed to them, if it tells."""
        ...

    async def lost(self) -> None:
        """Wait until the connection has ended, then raise `DeliveryError` saying why."""
        ...


Connect = Callable[[], AbstractAsyncContextManager[Publisher]]
"""Opens a connection; entering raises `DeliveryError` with what to do about it."""
