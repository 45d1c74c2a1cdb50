"""The broker in this process, in virtual time."""

import asyncio

import pytest
from msgspec import structs

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Incoming, Outgoing


def out(
    topic: str, payload: bytes = b"{}", *, qos: int = 1, retain: bool = False, expiry: int | None = None
) -> Outgoing:
    return Outgoing(topic, payload, qos, retain, expiry, "io.devicehub.reading", "id", "d/c")


async def test_messages_are_logged_in_order_with_their_time() -> None:
    broker = MemoryBroker(delay=lambda one: 3.0 if one.topic == "slow" else 0.5)
    async with broker.connect() as publisher:
        first = publisher.submit(out("slow"))
        second = publisher.submit(out("quick"))
        assert not broker.log
        await second
        assert first.done()
    assert [(at, one.topic) for at, one in broker.log] == [(3.0, "slow"), (3.0, "quick")]


async def test_qos_0_is_over_once_handed_over() -> None:
    broker = MemoryBroker(delay=lambda _: 10.0)
    async with broker.connect() as publisher:
        assert publisher.submit(out("t", qos=0)).done()
    assert len(broker.log) == 1


async def test_retained_messages_are_kept_replaced_and_deleted_by_an_empty_one() -> None:
    broker = MemoryBroker()
    async with broker.connect() as publisher:
        for one in (
            out("a", b"1", retain=True),
            out("a", b"2", retain=True),
            out("b", b"3", retain=True),
            out("c", b"4"),
        ):
            await publisher.submit(one)
        assert {topic: one.payload for topic, one in broker.retained.items()} == {"a": b"2", "b": b"3"}
        await publisher.submit(out("a", b"", retain=True))
        await publisher.submit(out("b", b""))
    assert set(broker.retained) == {"b"}


async def test_an_expired_retained_message_is_gone() -> None:
    broker = MemoryBroker()
    async with broker.connect() as publisher:
        await publisher.submit(out("a", retain=True, expiry=60))
        await Clock().sleep(59)
        assert "a" in broker.retained
        await Clock().sleep(1)
        assert "a" not in broker.retained


async def test_an_outage_fails_what_is_pending_and_refuses_connections_until_it_ends() -> None:
    broker = MemoryBroker(delay=lambda _: 1.0)
    async with broker.connect() as publisher:
        pending = [publisher.submit(out(str(number))) for number in range(3)]
        broker.outage(taken=1)
        with pytest.raises(DeliveryError):
            publisher.submit(out("t"))
        results = await asyncio.gather(*pending, return_exceptions=True)
        assert [type(one) for one in results] == [DeliveryError] * 3
        with pytest.raises(DeliveryError, match="is down"):
            await publisher.lost()
    with pytest.raises(DeliveryError):
        await broker.connect().__aenter__()
    broker.restore()
    async with broker.connect() as publisher:
        await publisher.submit(out("after"))
    assert [one.topic for _, one in broker.log] == ["0", "after"]


async def test_a_refused_message_is_named_and_the_others_go_on() -> None:
    broker = MemoryBroker(refuse=lambda one: "Not authorized" if one.topic == "no" else "")
    async with broker.connect() as publisher:
        denied, allowed = publisher.submit(out("no")), publisher.submit(out("yes"))
        publisher.submit(out("no", qos=0))
        with pytest.raises(DeliveryRefusedError, match="no: the broker refused it: Not authorized"):
            await denied
        await allowed
    assert [one.topic for _, one in broker.log] == ["yes"]


async def test_the_will_is_published_on_an_outage_or_a_break_and_not_when_left_in_order() -> None:
    will = out("status", b"lost", retain=True)
    broker = MemoryBroker()
    async with broker.connect(will):
        pass
    assert not broker.log
    with pytest.raises(ZeroDivisionError):
        async with broker.connect(will):
            raise ZeroDivisionError
    async with broker.connect(will):
        broker.outage()
    assert [one.payload for _, one in broker.log] == [b"lost", b"lost"]


async def test_a_caller_that_gave_up_does_not_stop_the_others() -> None:
    broker = MemoryBroker(delay=lambda _: 1.0)
    async with broker.connect() as publisher:
        given_up, other = publisher.submit(out("a")), publisher.submit(out("b"))
        given_up.cancel()
        await other
    assert [one.topic for _, one in broker.log] == ["a", "b"]


async def test_a_long_run_keeps_only_the_newest() -> None:
    broker = MemoryBroker(keep=2, delivery="unverified")
    async with broker.connect() as publisher:
        assert publisher.delivery == "unverified"
        for number in range(5):
            await publisher.submit(out(str(number)))
    assert [one.topic for _, one in broker.log] == ["3", "4"]


async def test_subscribers_get_what_they_asked_for_with_what_was_kept_first() -> None:
    broker = MemoryBroker()
    async with broker.connect() as sender, broker.connect() as receiver:
        await sender.submit(out("a/1", b"kept", retain=True))
        await sender.submit(out("b/1", b"other", retain=True))
        await receiver.subscribe(["a/+", "c/#"])
        await sender.submit(out("a/2", b"now"))
        await sender.submit(out("b/2", b"not asked for"))
        await sender.submit(out("c/x/y", b"deep"))
        messages = receiver.incoming()
        received = [await anext(messages) for _ in range(3)]
    assert received == [
        Incoming("a/1", b"kept", retain=True),
        Incoming("a/2", b"now", retain=False),
        Incoming("c/x/y", b"deep", retain=False),
    ]


async def test_a_request_brings_its_response_topic_and_correlation_data() -> None:
    broker = MemoryBroker()
    async with broker.connect() as sender, broker.connect() as receiver:
        await receiver.subscribe(["cmd/#"])
        await sender.submit(structs.replace(out("cmd/hub/identify"), response_topic="res/me", correlation=b"\x00\xff"))
        received = await anext(receiver.incoming())
    assert (received.response_topic, received.correlation) == ("res/me", b"\x00\xff")


async def test_a_lost_connection_ends_what_it_receives() -> None:
    broker = MemoryBroker()
    async with broker.connect() as receiver:
        await receiver.subscribe(["#"])
        broker.outage()
        with pytest.raises(DeliveryError, match="is down"):
            await anext(receiver.incoming())
        with pytest.raises(DeliveryError, match="is down"):
            await receiver.subscribe(["more"])
