"""Commands from a client to a whole hub and its simulated devices: every state, every refusal, answered and recorded."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from devicehub.model.alarm import Condition, Limit
from devicehub.publish.memory import MemoryBroker
from devicehub.registry import load_driver
from tests.system.house import Furniture, House, decoded, house
from tests.system.requester import PREFIX, Requester, records, requester, said

THERMAL, SCANNER, TRACE = "thermal.gy_mcu90640", "scanner.zebra_ssi", "trace.ims_reference"
CAMERA, READER, DETECTOR = "thermal-gy-mcu90640", "scanner-zebra-ssi", "trace-ims-reference"


def controlled(*names: str) -> Furniture:
    """Devices that the configuration lets commands change."""
    return Furniture(drivers={device: replace(load_driver(name), control=True) for device, name in _named(names)})


def _named(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name.replace(".", "-").replace("_", "-"), name) for name in names]


@asynccontextmanager
async def station(
    state: Path, *devices: str, furniture: Furniture | None = None, broker: MemoryBroker | None = None, boot: str = "b"
) -> AsyncIterator[tuple[House, Requester]]:
    """A hub whose devices have had time to come up, and somebody who commands."""
    async with house(state, devices, furniture, broker=broker, boot=boot) as running, requester(running) as client:
        await running.clock.sleep(5)
        yield running, client


async def test_a_device_does_what_it_is_told_and_says_so(state: Path) -> None:
    async with station(state, THERMAL, furniture=controlled(THERMAL)) as (_, client):
        states = await client.ask(f"{CAMERA}/set-emissivity", args={"emissivity": 0.9})
        assert said(states) == ["accepted", "done"]
        assert states[-1]["result"] == {"emissivity": 0.9}
        (_, done) = await client.ask(f"{CAMERA}/read-emissivity")
        assert done["result"] == {"emissivity": 0.9}


async def test_a_command_that_changes_something_needs_the_configuration_s_leave(state: Path) -> None:
    async with station(state, THERMAL, SCANNER) as (running, client):
        (refused,) = await client.ask(f"{CAMERA}/set-emissivity", answers=1, args={"emissivity": 0.9})
        assert (refused["state"], "control = true" in str(refused["why"])) == ("rejected", True)
        assert said(await client.ask(f"{CAMERA}/read-emissivity")) == ["accepted", "done"]
        assert said(await client.ask(f"{READER}/identify")) == ["accepted", "done"]
        assert running.ports[READER].simulator.beeps == 1  # type: ignore[attr-defined]  # the scanner's


async def test_no_command_interrupts_what_a_scanner_or_a_detector_is_busy_with(state: Path) -> None:
    furniture = controlled(SCANNER, TRACE)
    async with station(state, SCANNER, TRACE, furniture=furniture) as (running, client):
        running.ports[READER].simulator.do("hold", code="PK4711")
        several = [client.ask(f"{READER}/{verb}") for verb in ("identify", "start-session", "stop-session", "identify")]
        assert [said(states) for states in await asyncio.gather(*several)] == [["accepted", "done"]] * 4
        assert any(out.topic == f"{PREFIX}/scan/{READER}" for _, out in running.broker.log)
        (_, refused) = await client.ask(f"{DETECTOR}/abort-sample")
        assert (refused["state"], refused["why"]) == ("rejected", "the device says that it is not ready")


async def test_a_device_that_does_not_answer_is_a_timeout_and_one_that_goes_away_a_failure(state: Path) -> None:
    async with station(state, THERMAL, SCANNER) as (running, client):
        running.ports[READER].simulator.do("dead")
        (_, silent) = await client.ask(f"{READER}/identify", seconds=30)
        assert (silent["state"], silent["why"]) == ("timeout", "the scanner did not answer")
        running.ports[CAMERA].simulator.do("fault", kind="silent")
        lost = await client.send(f"{CAMERA}/read-emissivity", client.payload())
        await client.states(lost, 1)
        await running.clock.sleep(0.1)
        running.ports[CAMERA].unplug()
        (_, failed) = await client.states(lost)
        assert (failed["state"], "link was lost" in str(failed["why"])) == ("failed", True)
        (absent,) = await client.ask(f"{CAMERA}/read-emissivity", answers=1)
        assert (absent["state"], absent["why"]) == ("rejected", "the device is not connected")


@pytest.mark.parametrize(
    ("address", "changes", "why"),
    [
        ("hub/launch", {}, "the hub has no command 'launch'"),
        ("nobody/identify", {}, "no device 'nobody' is configured"),
        (f"{CAMERA}/launch", {}, "driver thermal.gy_mcu90640 has no command 'launch'; it has read-emissivity"),
        (f"{CAMERA}/read-emissivity", {"args": {"x": 1}}, "command read-emissivity has no argument 'x'"),
        ("hub/snapshot", {}, "argument 'device' is missing"),
        ("hub/snapshot", {"args": {"device": 7}}, "option 'device' must be str, not 7"),
        ("hub/identify", {"seconds": -1}, "its deadline has passed: it is 2026-"),
        ("hub/identify", {"seconds": 3700}, "its deadline is more than 1 h away"),
        ("hub/identify", {"issuer": ""}, "issuer must be 1 to 64 printable characters"),
        ("hub/identify", {"deadline": "tomorrow"}, "deadline must be a time in UTC"),
        ("hub/identify", {"why": "x"}, "'why': a command has id, issuer, deadline, args, reason and nothing else"),
    ],
    ids=lambda one: re.sub("[^a-z]+", "-", str(one).lower())[:30],
)
async def test_a_refused_command_is_answered_with_the_reason_and_recorded(
    state: Path, address: str, changes: dict[str, object], why: str
) -> None:
    async with station(state, THERMAL) as (running, client):
        (refused,) = await client.ask(address, answers=1, **changes)
        assert refused["state"] == "rejected"
        assert str(refused["why"]).startswith(why)
        await running.clock.sleep(1)
    (record,) = records(running.broker)
    assert (record["command"], record["state"], record["why"]) == (refused["command"], "rejected", refused["why"])


async def test_a_retained_command_is_refused_now_and_when_it_is_found_at_the_broker(state: Path) -> None:
    broker = MemoryBroker()
    async with station(state, broker=broker) as (_, client):
        kept = await client.send("hub/identify", client.payload(seconds=3000), retain=True)
        assert said(await client.states(kept, 1)) == ["rejected"]
    async with station(state, broker=broker, boot="b2") as (_, client):
        pass
    found = [record for record in records(broker) if record["command"] == kept]
    assert [record["state"] for record in found] == ["rejected"] * 2
    assert all(str(record["why"]).startswith("it was retained") for record in found)


async def test_what_is_no_command_at_all_is_recorded_too(state: Path) -> None:
    async with station(state) as (running, client):
        for payload in (b"", b"\xff\x00", b"[]", b'{"id":1}', b"{" * 50, b'{"a":"' + b"x" * 9000 + b'"}'):
            await client.send_bytes("hub/identify", payload)
        await client.send_bytes("Hub/identify", b"{}")
        await running.clock.sleep(1)
        topics = [out.topic for _, out in running.broker.log if "/res/" in out.topic]
    assert [record["state"] for record in records(running.broker)] == ["rejected"] * 7
    assert topics == [f"{PREFIX}/res/hub/identify"] * 6, "the address that is not legal gets no answer"


async def test_the_same_command_is_done_once_and_answered_twice(state: Path) -> None:
    async with station(state, SCANNER) as (running, client):
        body = client.payload()
        await client.send(f"{READER}/identify", body)
        await client.states(str(body["id"]))
        await client.send(f"{READER}/identify", body)
        states = await client.states(str(body["id"]), 3)
        assert said(states) == ["accepted", "done", "done"]
        assert running.ports[READER].simulator.beeps == 1  # type: ignore[attr-defined]  # the scanner's
        await client.send("hub/identify", body)
        (*_, other) = await client.states(str(body["id"]), 4)
        assert (other["state"], "another command had this id" in str(other["why"])) == ("rejected", True)


@pytest.mark.parametrize("killed", [True, False])
async def test_a_command_that_was_done_before_a_restart_is_not_done_again(state: Path, *, killed: bool) -> None:
    broker = MemoryBroker()
    async with station(state, SCANNER, broker=broker) as (running, client):
        body = client.payload(seconds=3000)
        await client.send(f"{READER}/identify", body)
        await client.states(str(body["id"]))
        if killed:
            await running.kill()
    async with station(state, SCANNER, broker=broker, boot="b2") as (running, client):
        await client.send(f"{READER}/identify", body)
        await running.clock.sleep(5)
        states = await client.states(str(body["id"]), 1)
        assert [data["state"] for data in states if data.get("why") == "given before"] == ["done"]
        assert running.ports[READER].simulator.beeps == 0  # type: ignore[attr-defined]  # the scanner's


async def test_a_command_that_died_with_the_hub_is_told_to_have_failed(state: Path) -> None:
    broker = MemoryBroker()
    async with station(state, SCANNER, broker=broker) as (running, client):
        running.ports[READER].simulator.do("dead")
        body = client.payload(seconds=3000)
        await client.send(f"{READER}/identify", body)
        await client.states(str(body["id"]), 1)
        await running.kill()
    async with station(state, SCANNER, broker=broker, boot="b2"):
        pass
    last = [record for record in records(broker) if record["command"] == body["id"]][-1]
    assert (last["state"], "the hub ended meanwhile" in str(last["why"])) == ("failed", True)


async def test_the_answer_goes_where_it_is_wanted_if_that_is_below_the_hub_s_own_answers(state: Path) -> None:
    async with station(state) as (running, client):
        mine = f"{PREFIX}/res/op-1147/desk-2"
        first = await client.send("hub/identify", client.payload(), response_topic=mine, correlation=b"\x00\x01")
        await client.states(first)
        second = await client.send("hub/identify", client.payload(), response_topic=f"{PREFIX}/status")
        (_, ignored) = await client.states(second)
        answers = [out for _, out in running.broker.log if "/res/" in out.topic]
    assert [(out.topic, out.correlation) for out in answers[:2]] == [(mine, b"\x00\x01")] * 2
    assert [out.topic for out in answers[2:]] == [f"{PREFIX}/res/hub/identify"] * 2
    assert "its response topic is not below" in str(ignored["why"])
    assert [decoded(out)["correlationid"] for out in answers] == [first, first, second, second]


async def test_too_many_for_one_device_are_refused_and_a_flood_is_counted(state: Path) -> None:
    async with station(state, SCANNER) as (running, client):
        running.ports[READER].simulator.do("dead")
        sent = [await client.send(f"{READER}/identify", client.payload(seconds=60)) for _ in range(10)]
        await running.clock.sleep(1)
        first = [(await client.states(one, 1))[0] for one in sent]
        assert said(first) == ["accepted"] * 8 + ["rejected"] * 2
        assert str(first[-1]["why"]).startswith("too many commands")
        for _ in range(500):
            await client.send_bytes("hub/identify", b"no command")
        await running.clock.sleep(90)
        dropped = [decoded(out)["data"] for _, out in running.broker.log if out.topic.endswith("/hub-commands-dropped")]
    assert dropped
    assert len(records(running.broker)) < 200


async def test_an_alarm_is_acknowledged_by_whoever_says_so(state: Path) -> None:
    limit = Limit("warm", CAMERA, "ambient", Condition.HIGH, 5.0)
    async with station(state, THERMAL, furniture=Furniture(limits=[limit])) as (running, client):
        (_, done) = await client.ask("hub/ack", args={"device": CAMERA, "point": "warm"}, reason="seen it")
        assert done["state"] == "done", done
        (_, again) = await client.ask("hub/ack", args={"device": CAMERA, "point": "warm"})
        assert again["state"] == "rejected", (done, again)
        assert "already" in str(again["why"])
        acked = [decoded(out) for _, out in running.broker.log if out.topic.endswith("/alarm-acked")]
    assert len(acked) == 1


async def test_a_snapshot_is_evidence_once_it_is_done(state: Path) -> None:
    async with station(state, THERMAL, SCANNER) as (running, client):
        (_, done) = await client.ask("hub/snapshot", args={"device": CAMERA})
        result = done["result"]
        assert isinstance(result, dict)
        assert (state / "evidence-exercise" / str(result["dataref"])).stat().st_size == result["size"]
        (_, refused) = await client.ask("hub/snapshot", args={"device": READER})
        assert (refused["state"], refused["why"]) == ("rejected", f"{READER} gives no images")
        captures = [decoded(out)["data"] for _, out in running.broker.log if out.topic.endswith(f"/capture/{CAMERA}")]
    assert [(data["digest"], data["trigger"]) for data in captures if isinstance(data, dict)] == [
        (result["digest"], "command")
    ]


async def test_a_device_shows_itself_and_is_described_again_with_its_commands(state: Path) -> None:
    async with station(state, SCANNER) as (running, client):
        before = sum(out.topic.endswith(f"/describe/{READER}") for _, out in running.broker.log)
        (_, done) = await client.ask("hub/identify", args={"device": READER})
        await running.clock.sleep(1)
        told = [decoded(out)["data"] for _, out in running.broker.log if out.topic.endswith(f"/describe/{READER}")]
    assert done["result"] == {"published": 3.0, "shown": True}
    assert len(told) == before + 1
    data = told[-1]
    assert isinstance(data, dict)
    assert [(one["verb"], one.get("control", False), one.get("allowed", True)) for one in data["commands"]] == [
        ("identify", False, True),
        ("start-session", True, False),
        ("stop-session", True, False),
    ]


async def test_stored_events_are_sent_again_on_request(state: Path) -> None:
    async with station(state, THERMAL) as (running, client):
        (_, done) = await client.ask("hub/replay", args={"stream": "events", "after": 0})
        await running.clock.sleep(5)
        started = [out for _, out in running.broker.log if out.topic.endswith("/hub-started")]
    assert done["state"] == "done"
    assert len(started) == 2
    assert b'"historical":true' in started[1].payload


async def test_a_reload_without_a_file_fails_and_says_why(state: Path) -> None:
    async with station(state) as (_, client):
        (_, failed) = await client.ask("hub/reload")
    assert (failed["state"], "no file configures this hub" in str(failed["why"])) == ("failed", True)
