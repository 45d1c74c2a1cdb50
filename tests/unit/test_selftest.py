"""The self-test at a broker in this process: what it tells of one that brings nothing back and of one that forgets."""

import asyncio
import logging

import pytest

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryError
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics
from tests.unit.selftests import PERIOD, Station

TOPICS = Topics("s", "n", exercise=True)
VERSION = Outgoing("$SYS/broker/version", b"mosquitto version 2.0.11", 0, True, None, "", "", "")  # noqa: FBT003 - fields


def station_at(broker: MemoryBroker, *, durable: bool = False, own_broker: bool = False) -> Station:
    return Station(broker.connect, TOPICS, durable=durable, own_broker=own_broker)


def keeps_back(topic: str) -> bool:
    return topic.startswith(TOPICS.prefix)


async def passes(seconds: float) -> None:
    """Virtual time goes by."""
    await Clock().sleep(seconds)


async def test_a_broker_that_brings_the_status_back_is_nothing_to_tell() -> None:
    broker = MemoryBroker(delay=lambda _: 0.25)
    station = station_at(broker)
    async with station.connected():
        await passes(60)
    assert station.remarks == []
    assert station.changes == []
    assert station.gauges.echo == 0.25


async def test_a_broker_that_keeps_it_back_is_told_within_six_seconds_and_once() -> None:
    broker = MemoryBroker(withhold=keeps_back)
    station = station_at(broker)
    async with station.connected() as publisher:
        await passes(4.9)
        assert station.remarks == []
        await passes(1.1)
        assert station.words == ["self-test-failed"]
        assert station.changes == [True]
        for _ in range(10):
            station.say(publisher, "health")
            await passes(PERIOD)
    assert station.words == ["self-test-failed"]
    assert station.gauges.echo is None
    assert f"{TOPICS.prefix}/status" in station.remarks[0][1]


async def test_once_it_is_allowed_the_next_heartbeat_clears_it() -> None:
    broker = MemoryBroker(withhold=keeps_back)
    station = station_at(broker)
    async with station.connected() as publisher:
        await passes(10)
        broker.withhold = lambda _: False
        station.say(publisher, "health")
        await passes(0.1)
    assert station.words == ["self-test-failed", "self-test-passed"]
    assert station.changes == [True, False]


async def test_a_right_that_is_taken_away_later_is_noticed_by_the_next_heartbeats() -> None:
    broker = MemoryBroker()
    station = station_at(broker)
    async with station.connected() as publisher:
        await passes(30)
        broker.withhold = keeps_back
        station.say(publisher, "health")
        await passes(PERIOD + 5.5)
    assert station.words == ["self-test-failed"]


async def test_a_single_health_message_that_is_lost_is_no_verdict() -> None:
    broker = MemoryBroker()
    station = station_at(broker)
    async with station.connected() as publisher:
        await passes(30)
        broker.withhold = keeps_back
        station.say(publisher, "health")
        await passes(PERIOD)
        broker.withhold = lambda _: False
        station.say(publisher, "health")
        await passes(60)
    assert station.remarks == []


async def test_a_lost_connection_is_no_silence() -> None:
    broker = MemoryBroker(delay=lambda _: 3.0)
    station = station_at(broker)
    async with station.connected():
        await passes(1)
        broker.outage()
        await passes(60)
    assert station.remarks == []


async def test_a_broker_that_forgot_is_told_once_for_the_whole_run() -> None:
    broker = MemoryBroker()
    station = station_at(broker)
    async with station.connected():
        await passes(1)
    for _ in range(3):
        broker.forget()
        async with station.connected():
            await passes(1)
    assert station.words == ["broker-forgets"]
    assert "no durable consumer is registered" in station.remarks[0][1]


async def test_a_broker_that_remembers_is_nothing_to_tell() -> None:
    broker = MemoryBroker()
    station = station_at(broker)
    for _ in range(3):
        async with station.connected():
            await passes(1)
    assert station.remarks == []


@pytest.mark.parametrize(("durable", "level"), [(False, logging.WARNING), (True, logging.INFO)])
async def test_a_broker_that_is_known_to_forget_is_said_once_and_louder_where_nobody_asks_again(
    caplog: pytest.LogCaptureFixture, *, durable: bool, level: int
) -> None:
    caplog.set_level(logging.INFO, "devicehub.deliver.selftest")
    broker = MemoryBroker()
    station = station_at(broker, durable=durable)
    broker.take(VERSION)
    for _ in range(2):
        async with station.connected():
            await passes(1)
    (record,) = [one for one in caplog.records if "known to forget" in one.getMessage()]
    assert record.levelno == level
    assert "mosquitto version 2.0.11" in record.getMessage()
    assert station.remarks == []


async def test_what_a_broker_of_ours_forgets_stands_in_its_banner_and_nobody_is_told_to_set_it_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "devicehub.deliver.selftest")
    broker = MemoryBroker()
    station = station_at(broker, own_broker=True)
    broker.take(VERSION)
    async with station.connected():
        await passes(1)
    assert caplog.records == []


async def test_rubbish_in_the_own_topic_proves_nothing_and_breaks_nothing() -> None:
    broker = MemoryBroker(withhold=keeps_back)
    station = station_at(broker)
    async with station.connected():
        await passes(1)
        broker.withhold = lambda _: False
        broker.take(Outgoing(f"{TOPICS.prefix}/status", b"\xff{", 1, True, None, "", "", ""))  # noqa: FBT003 - fields
        await passes(6)
    assert station.words == ["self-test-failed"]


async def test_a_broker_that_is_tried_brings_back_what_is_said_then() -> None:
    station = station_at(MemoryBroker(delay=lambda _: 0.25))
    async with station.connected() as publisher:
        await passes(1)
        tried = asyncio.create_task(station.test.echo())
        await passes(0)
        assert (station.changes, tried.done()) == ([False], False)
        station.say(publisher)
        assert await tried == 0.25


async def test_a_broker_that_is_tried_and_keeps_it_back_is_told_of_after_five_seconds() -> None:
    station = station_at(MemoryBroker(withhold=keeps_back))
    async with station.connected() as publisher:
        tried = asyncio.create_task(station.test.echo())
        await passes(0)
        station.say(publisher)
        with pytest.raises(DeliveryError, match="does not bring back"):
            await tried


async def test_no_broker_is_tried_without_a_connection() -> None:
    station = station_at(MemoryBroker())
    with pytest.raises(DeliveryError, match="no connection"):
        await station.test.echo()
    async with station.connected():
        await passes(1)
    station.test.close()
    await passes(1)
    with pytest.raises(DeliveryError, match="no connection"):
        await station.test.echo()
