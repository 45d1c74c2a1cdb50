"""Speaks to the broker as the hub would, beside a hub that may be running, and leaves nothing there."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace

import msgspec
from msgspec import Struct

from devicehub.clock import Clock
from devicehub.doctor.facts import Broker
from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Outgoing, Publisher
from devicehub.publish.settings import BrokerSettings
from devicehub.publish.topics import Topics

PATIENCE = 2.0
VERSION = "$SYS/broker/version"
_SUFFIX = "-doctor"


class _Status(Struct, frozen=True):
    delivery: str = ""


class _Told(Struct, frozen=True):
    data: _Status = _Status()


async def probe(address: str, settings: BrokerSettings, topics: Topics, clock: Clock) -> Broker:
    """What a connection shows. It has a client identifier of its own, so that it throws no running hub out.

    What is published goes where answers to commands go, below a name that nobody has asked under, and is not kept.
    """
    beside = replace(settings, identifier=f"{settings.identifier}{_SUFFIX}")
    try:
        async with connect(beside) as publisher:
            return await _spoken(address, publisher, topics, clock)
    except DeliveryError as error:
        return Broker(address, failure=str(error))


async def _spoken(address: str, publisher: Publisher, topics: Topics, clock: Clock) -> Broker:
    began = clock.monotonic()
    refused = ""
    try:
        await publisher.submit(_harmless(f"{topics.prefix}/res/doctor", clock.ulid()))
    except DeliveryRefusedError as error:
        refused = str(error)
    took = clock.monotonic() - began
    word, version = await _heard(publisher, topics)
    return Broker(address, refused=refused, round_trip=took, word=word, version=version)


def _harmless(topic: str, name: str) -> Outgoing:
    return Outgoing(topic, b"{}", qos=1, retain=False, expiry=1, type="", id=name, subject="")


async def _heard(publisher: Publisher, topics: Topics) -> tuple[str, str]:
    """The hub's own word on its delivery and the broker's version, as far as this client may read them."""
    word = version = ""
    with suppress(TimeoutError, DeliveryRefusedError):
        async with asyncio.timeout(PATIENCE):
            await publisher.subscribe((topics.status, VERSION))
            async for message in publisher.incoming():
                if message.topic == VERSION:
                    version = re.sub(r"[^ -~]", "", message.payload.decode("ascii", "replace"))
                else:
                    word = _word(message.payload)
                if word and version:
                    break
    return word, version


def _word(payload: bytes) -> str:
    try:
        return msgspec.json.decode(payload, type=_Told).data.delivery
    except msgspec.MsgspecError:
        return ""
