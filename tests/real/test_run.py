"""`devicehub run` as a process on a real broker, with devices on pseudo-terminals: what outages and crashes leave."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from devicehub.model.message import Kind
from tests.real.hearing import Ears, Heard, hearing, understood
from tests.real.hub_process import HubProcess, journal_facts, started
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import retained, settings
from tests.real.workstation import ALARM, PREFIX, workstation

pytestmark = pytest.mark.real

QUICK = 5.0


@asynccontextmanager
async def back(broker: Mosquitto, hub: HubProcess, ears: Ears) -> AsyncIterator[None]:
    """The broker is there again; the hub stands still until somebody listens, so that nothing can pass unheard."""
    hub.freeze()
    await broker.start()
    async with hearing(settings(broker), ears, qos=0):
        hub.thaw()
        yield


def edges(ears: Ears, kind: str) -> list[Heard]:
    """What was said of the limit, a repetition left out; the detector has alarms of its own."""
    said = {one.body["id"]: one for one in ears.of(Kind.EVENT, kind) if one.body["subject"] == ALARM}
    return list(said.values())


def gap_reasons(ears: Ears) -> set[Any]:
    """Without the half line that a detector was saying when the hub opened its port."""
    return {gap.data["reason"] for gap in ears.of(Kind.GAP)} - {"faults"}


async def test_what_happens_while_the_broker_is_not_yet_there_is_delivered_in_order_once_it_is(tmp_path: Path) -> None:
    ears = Ears()
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        await broker.stop()
        async with started("run", cwd=tmp_path) as hub:
            await hub.says("broker is away")
            kept = await station.stored_more(6)
            assert journal_facts(station.journal).get("acked-number.events", 0) == 0
            async with back(broker, hub, ears):
                await ears.until(lambda: kept in ears.sequences())
                assert await hub.ends(signal.SIGTERM) == 0
                await ears.until(lambda: ears.of(Kind.EVENT, "hub-stopped"))
        facts = journal_facts(station.journal)
    assert len(ears.gapless()) == facts["number.events"]
    assert (facts["acked-number.events"], facts["running"]) == (facts["number.events"], 0)
    assert gap_reasons(ears) == set()


async def test_a_broker_that_dies_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    ears = Ears()
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        async with started("run", cwd=tmp_path) as hub:
            async with hearing(settings(broker), ears, qos=0):
                await ears.until(lambda: len(ears.of(Kind.READING)) > 3)
                await broker.kill()
                await hub.says("broker is away")
            kept = await station.stored_more(6)
            async with back(broker, hub, ears):
                await ears.until(lambda: kept + 3 in ears.sequences())
                assert await hub.ends(signal.SIGTERM) == 0
                await ears.until(lambda: ears.of(Kind.EVENT, "hub-stopped"))
        assert len(ears.gapless()) == journal_facts(station.journal)["number.events"]
    assert [event.data["what"] for event in ears.of(Kind.EVENT) if event.body["source"] and "hub" in event.place] == [
        "started",
        "broker-forgets",
        "stopped",
    ]


async def test_a_hub_that_is_killed_loses_no_event_and_no_alarm(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        async with hearing(settings(broker)) as ears:
            station.vapour(160.0)
            async with started("run", cwd=tmp_path) as hub:
                await ears.until(lambda: edges(ears, "alarm-raised"))
                await station.stored_more(4)
                assert await hub.ends(signal.SIGKILL) == -signal.SIGKILL
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "lost")
            written = station.stored()
            async with started("run", cwd=tmp_path) as hub:
                await ears.until(lambda: gap_reasons(ears) == {"unclean-shutdown"})
                bounds = ears.of(Kind.GAP)[-1].data
                assert bounds["since"] < bounds["until"], "from the last stored event to the new start"
                await station.stored_more(6)
                standing = understood((await retained(broker, f"{PREFIX}/alarm/{ALARM}"))[0], 0.0)
                station.vapour(0.0)
                await ears.until(lambda: ears.of(Kind.ALARM, ALARM)[-1].data["state"] == "latched")
                assert len(await retained(broker, f"{PREFIX}/alarm/{ALARM}")) == 1
                assert await hub.ends(signal.SIGTERM) == 0
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
        assert journal_facts(station.journal)["running"] == 0
    assert len(ears.gapless()) > written
    life = [standing, *edges(ears, "alarm-raised"), *edges(ears, "alarm-returned")]
    assert len({one.data["alarm"] for one in life}) == 1, "an alarm that stands is not announced anew"
    assert [one.data["state"] for one in life] == ["unack-active", "unack-active", "latched"]
    assert len({one.body["boot"] for one in ears.of(Kind.READING)}) == 2


async def test_a_second_hub_on_the_same_state_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path) as hub:
            await ears.first(Kind.EVENT, "device-ready")
            async with started("run", cwd=tmp_path) as second:
                assert await second.ends() == 75
            assert len(second.errors) == 1
            assert f"is in use by another hub (process {hub.pid})" in second.errors[0]
            await ears.until(lambda: len(ears.of(Kind.READING)) > 5)
            assert await hub.ends(signal.SIGTERM) == 0
        assert journal_facts(station.journal)["running"] == 0
    assert {status.data["state"] for status in ears.of(Kind.STATUS)} == {"online", "offline"}
    ears.gapless()


async def test_without_a_broker_the_hub_ends_at_once_and_keeps_what_it_has(tmp_path: Path) -> None:
    ears = Ears()
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        await broker.stop()
        async with started("run", cwd=tmp_path) as hub:
            await hub.says("broker is away")
            await station.stored_more(4)
            before = asyncio.get_running_loop().time()
            assert await hub.ends(signal.SIGTERM) == 0
            assert asyncio.get_running_loop().time() - before < QUICK
        facts = journal_facts(station.journal)
        assert (facts["acked-number.events"], facts["running"]) == (0, 0)
        await broker.start()
        async with hearing(settings(broker), ears), started("run", cwd=tmp_path) as hub:
            await ears.until(lambda: facts["number.events"] in ears.sequences())
            assert await hub.ends(signal.SIGTERM) == 0
    ears.gapless()
    assert gap_reasons(ears) == {"restart"}


async def test_mqtt_3_1_1_carries_everything_and_says_that_nothing_is_proved(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker, "3.1.1") as station:
        station.vapour(160.0)
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path) as hub:
            await ears.first(Kind.ALARM, ALARM)
            assert await hub.ends(signal.SIGTERM) == 0
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
    assert {one.data["delivery"] for one in ears.of(Kind.STATUS)} == {"unverified"}
    assert "as MQTT" not in "".join(hub.errors)
    ears.gapless()
