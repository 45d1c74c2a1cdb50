"""Swabs at a whole hub: the reference detector is simulated, its plasmagrams are judged, and every run is told of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from devicehub.config.substances import shipped_library
from devicehub.core.mobility import MobilityRules
from devicehub.model.alarm import Priority
from devicehub.publish.memory import MemoryBroker
from tests.system.house import Furniture, House, decoded, house
from tests.system.requester import Requester, requester, said

TRACE, DETECTOR = "trace.ims_reference", "trace-ims-reference"
WARM, RUN = 75.0, 8.0
Data = dict[str, object]


@asynccontextmanager
async def checkpoint(
    state: Path, broker: MemoryBroker | None = None, boot: str = "b"
) -> AsyncIterator[tuple[House, Requester]]:
    """A hub with a detector that has warmed up and showed its first blank, and an operator."""
    rules = MobilityRules(shipped_library(), priority=Priority.CRITICAL)
    furniture = Furniture(demo=False, mobility={DETECTOR: rules})
    async with house(state, [TRACE], furniture, broker=broker, boot=boot) as running, requester(running) as client:
        await running.clock.sleep(WARM)
        yield running, client


async def swab(running: House, substance: str = "", mass_ng: float = 20.0, seconds: float = RUN) -> Data:
    """Put in a swab and wait for the run; the hub's verdict on it, if it has come."""
    known = len(results(running, "hub"))
    load: dict[str, float | str] = {"substance": substance, "mass_ng": mass_ng} if substance else {}
    running.ports[DETECTOR].simulator.do("sample", **load)
    await running.clock.sleep(seconds)
    fresh = results(running, "hub")[known:]
    return fresh[0] if fresh else {}


def results(running: House, source: str) -> list[Data]:
    """The results of one source, in the order of their arrival, each once."""
    bodies = {str(body["id"]): body for body in _bodies(running, f"/result/{DETECTOR}")}
    data = [cast(Data, body["data"]) for body in bodies.values()]
    return [one for one in data if one.get("source", "device") == source]


def events(running: House, word: str) -> list[Data]:
    bodies = {str(body["id"]): body for body in _bodies(running, f"/event/{word.replace('.', '-')}")}
    return [cast(Data, body["data"]) for body in bodies.values()]


def _bodies(running: House, ending: str) -> list[Data]:
    return [decoded(out) for _, out in running.broker.log if out.topic.endswith(ending) and out.payload]


def retained(running: House, ending: str) -> Data | None:
    out = next((out for topic, out in running.broker.retained.items() if topic.endswith(ending)), None)
    return cast(Data, decoded(out)["data"]) if out is not None and out.payload else None


def able(running: House) -> dict[str, tuple[str, str]]:
    data = retained(running, f"/capability/{DETECTOR}") or {}
    items = cast("list[dict[str, str]]", data["capabilities"])
    return {item["name"]: (item["level"], item.get("cause", "")) for item in items}


async def test_a_clean_swab_is_told_of_as_clear_by_both_and_raises_nothing(state: Path) -> None:
    async with checkpoint(state) as (running, _):
        assert able(running) == dict.fromkeys(("explosives", "narcotics"), ("full", ""))
        verdict = await swab(running)
        (own,) = results(running, "device")
        assert (verdict["outcome"], own["outcome"], verdict["sample_id"]) == ("clear", "clear", own["sample_id"])
        assert verdict["library_digest"] == shipped_library().digest
        assert (verdict["scans"], verdict["sent"]) == (20, 20)
        assert events(running, "alarm.raised") == []


async def test_a_positive_swab_is_a_detection_that_stays_until_somebody_has_closed_it(state: Path) -> None:
    place = f"/alarm/{DETECTOR}/detected-tnt"
    args = {"device": DETECTOR, "point": "detected-tnt"}
    async with checkpoint(state) as (running, client):
        assert await swab(running, "TNT", seconds=3.0) == {}
        going_on = retained(running, place)
        assert going_on is not None
        assert (going_on["state"], going_on["priority"]) == ("unack-active", "critical"), "before the run is over"
        await running.clock.sleep(RUN)
        (verdict,) = results(running, "hub")
        peak = cast("list[Data]", verdict["peaks"])[0]
        assert (verdict["outcome"], peak["substance"], peak["finding"]) == ("alarm", "TNT", "alarm")
        standing = retained(running, place)
        assert standing is not None
        assert (standing["state"], standing["category"], standing["condition"]) == ("latched", "threat", "detection")
        assert standing["rules_digest"] == shipped_library().digest
        own = retained(running, f"/alarm/{DETECTOR}/explosives")
        assert own is not None
        assert own["condition"] == "device", "the device's own alarm is another one"

        refused = await client.ask("hub/shelve", args={**args, "seconds": 60}, reason="in the way")
        assert "highly-managed" in str(refused[-1]["why"])
        assert said(await client.ask("hub/ack", args=args)) == ["accepted", "done"]
        assert retained(running, place) is not None, "acknowledged alone is not closed"
        confirm = args | {"disposition": "confirmed-threat"}
        assert said(await client.ask("hub/confirm", args=confirm)) == ["accepted", "done"]
        await running.clock.sleep(1)
        assert retained(running, place) is None
        await swab(running)
        assert retained(running, place) is None


async def test_what_is_left_in_the_instrument_is_carry_over_and_not_clear(state: Path) -> None:
    async with checkpoint(state) as (running, _):
        running.ports[DETECTOR].simulator.do("contaminate", substance="TNT", mass_ng=0.3)
        await running.clock.sleep(11)
        assert able(running)["explosives"] == ("degraded", "contaminated")
        verdict = await swab(running)
        assert (verdict["outcome"], verdict["cause"]) == ("inconclusive", "carry-over")
        assert not [one for one in events(running, "alarm.raised") if one["condition"] == "detection"]


@pytest.mark.parametrize("substance", ["", "TNT"])
async def test_without_a_calibrant_no_run_is_clear_and_nothing_can_be_detected(state: Path, substance: str) -> None:
    async with checkpoint(state) as (running, _):
        running.ports[DETECTOR].simulator.do("fault", kind="calibrant")
        verdict = await swab(running, substance)
        assert (verdict["outcome"], verdict["cause"]) == ("inconclusive", "uncalibrated")
        assert able(running) == dict.fromkeys(("explosives", "narcotics"), ("none", "uncalibrated"))
        await swab(running)
        assert [one["outcome"] for one in results(running, "hub")] == ["inconclusive"] * 2


async def test_a_detector_that_is_pulled_out_while_it_samples_has_an_aborted_run(state: Path) -> None:
    async with checkpoint(state) as (running, _):
        assert await swab(running, seconds=2.0) == {}
        running.ports[DETECTOR].unplug()
        await running.clock.sleep(2)
        (verdict,) = results(running, "hub")
        assert (verdict["outcome"], verdict["cause"]) == ("aborted", "not-connected")
        assert able(running)["explosives"][0] == "none"


async def test_a_hub_that_is_killed_during_a_positive_run_keeps_the_detection(state: Path) -> None:
    broker = MemoryBroker()
    async with checkpoint(state, broker) as (running, _):
        await swab(running, "TNT", seconds=3.0)
        await running.kill()
    async with checkpoint(state, broker, boot="b2") as (running, _):
        standing = retained(running, f"/alarm/{DETECTOR}/detected-tnt")
        assert standing is not None
        assert (standing["state"], standing.get("activations", 1)) == ("latched", 1)
    raised = [one for one in events(running, "alarm.raised") if one["condition"] == "detection"]
    assert len(raised) == 1, "it is not announced again"
