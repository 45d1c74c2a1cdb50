"""A broker that forbids a branch, and one that forgets: said once, counted, and made good."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from devicehub.model.alarm import Condition, Limit
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing
from tests.system.house import decoded, journalled, numbers
from tests.system.test_restart import LIMIT, Bench, done

HEALTH = "devicehub-sim/v1/bcp-test/ws-1/health"


def forbid_readings(out: Outgoing) -> str:
    return "Not authorized" if "/reading/" in out.topic else ""


def gaps(broker: MemoryBroker) -> list[Mapping[str, object]]:
    """What the broker refused for good."""
    bodies = [body["data"] for body in journalled(broker) if body["type"] == "io.devicehub.gap"]
    told = [cast("Mapping[str, object]", body) for body in bodies]
    return [gap for gap in told if gap["reason"] == "refused"]


async def test_readings_that_are_forbidden_are_one_line_and_one_gap_a_second(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(state)
    bench.broker.refuse = forbid_readings
    async with bench.run() as (running, device):
        for _ in range(200):
            device.say(b"50\n")
            await running.clock.sleep(0.1)
        await running.clock.sleep(10)
        health = cast("Mapping[str, object]", decoded(bench.broker.retained[HEALTH])["data"])
        assert health["refused"] == 200
    told = gaps(bench.broker)
    assert sum(cast("int", gap["count"]) for gap in told) == 200
    assert 20 <= len(told) <= 22
    missing = {
        number
        for gap in told
        for first, last in cast("list[tuple[int, int]]", gap["ranges"])
        for number in range(first, last + 1)
    }
    came = set(numbers(journalled(bench.broker)))
    assert missing.isdisjoint(came)
    assert missing | came == set(range(1, max(came) + 1)), "they name what is missing"
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


async def test_the_readings_of_the_last_moment_that_are_refused_are_told_by_the_next_run(state: Path) -> None:
    bench = Bench(state)
    bench.broker.refuse, bench.broker.delay = forbid_readings, lambda out: float("/reading/" in out.topic)
    async with bench.run() as (running, device):
        for _ in range(3):
            device.say(b"50\n")
            await running.clock.sleep(0.2)
        running.stop.set()
        await running.task
    async with bench.run():
        pass
    assert sum(cast("int", gap["count"]) for gap in gaps(bench.broker)) == 3


async def test_an_alarm_stands_at_a_broker_that_was_started_again_without_its_memory(state: Path) -> None:
    bench = Bench(state)
    other = Limit("value-low", "dev", "value", Condition.LOW, 1.0)
    async with bench.run(LIMIT, other) as (running, device):
        device.say(b"50\n")
        await running.clock.sleep(1)
        (alarm,) = bench.standing()
        bench.broker.outage()
        bench.broker.forget()
        await running.clock.sleep(1)
        bench.broker.restore()
        await running.clock.sleep(3)
        assert bench.standing() == [alarm]
        await done(running, "ack")
        await done(running, "confirm", disposition="test")
        bench.broker.outage()
        bench.broker.forget()
        device.say(b"5\n")
        await running.clock.sleep(1)
        bench.broker.restore()
        await running.clock.sleep(3)
        assert bench.standing() == []
    words = ("alarm.raised", "alarm.acked", "alarm.confirmed", "alarm.cleared")
    assert set(bench.edges()) == {(word, alarm) for word in words}


async def test_faults_and_changes_of_state_are_no_readings(state: Path) -> None:
    bench = Bench(state)
    async with bench.run() as (running, device):
        for _ in range(40):
            device.say(b"50\nrubbish\nmore rubbish\n")
            await running.clock.sleep(1)
        health = cast("Mapping[str, object]", decoded(bench.broker.retained[HEALTH])["data"])
        assert health["readings_per_s"] == pytest.approx(1.0, abs=0.11)


async def test_a_broker_that_lets_nobody_hear_commands_is_told_by_name_and_receipts_are_heard(state: Path) -> None:
    bench = Bench(state)
    bench.broker.forbid = lambda one: "/cmd/" in one
    async with bench.run() as (running, _):
        async with bench.broker.connect() as client:
            receipt = f"{HEALTH.removesuffix('health')}receipt/archive"
            body = b'{"epoch": "x", "received": {"events": 0}}'
            await client.submit(Outgoing(receipt, body, 1, retain=True, expiry=None, type="", id="", subject=""))
        await running.clock.sleep(1)
    told = {body["type"]: cast("Mapping[str, object]", body["data"]) for body in journalled(bench.broker)}
    filter_ = f"{HEALTH.removesuffix('health')}cmd/+/+"
    assert f"refuses a subscription to {filter_}" in str(told["io.devicehub.hub.deaf"]["why"])
    assert told["io.devicehub.hub.consumer-registered"]["why"] == "archive"
