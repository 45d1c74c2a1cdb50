"""A whole hub that tries other rules raises the same alarms as one that does not."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from devicehub.core.trial import RuleSet
from devicehub.model.alarm import AlarmCategory, Condition, Limit
from devicehub.model.stream import Stream
from tests.system.house import Furniture, house, journalled
from tests.virtual_loop import VirtualTimeLoop

DEVICE = "trace-aci-pids3"
HIGH = Limit("voc-high", DEVICE, "voc", Condition.HIGH, 1.0, hysteresis=0.2, category=AlarmCategory.DEVICE)
TRIED = RuleSet(
    limits=[
        msgspec.structs.replace(HIGH, limit=0.02, hysteresis=0.0),
        Limit("voc-rise", DEVICE, "voc", Condition.RISE, 0.001, window_s=2.5),
    ],
    digest="sha256:" + "1" * 64,
    version=2,
)
_DRAWN = {"id", "position", "recordedtime", "causationid", "correlationid"}


def lived(state: Path, shadow: RuleSet | None) -> list[dict[str, object]]:
    """What a hub journalled in two minutes, which begin at the same instant each time."""
    state.mkdir()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_lived(state, shadow))


async def _lived(state: Path, shadow: RuleSet | None) -> list[dict[str, object]]:
    async with house(state, ["trace.aci_pids3"], Furniture(limits=[HIGH], shadow=shadow)) as here:
        await here.clock.sleep(120)
    return journalled(here.broker)


def digest(bodies: Sequence[Mapping[str, object]]) -> str:
    """Over everything but the shadow's events, what is drawn by chance, and the numbers that its events moved."""
    sha = hashlib.sha256()
    for body in bodies:
        if str(body["type"]).startswith("io.devicehub.shadow."):
            continue
        data = body["data"]
        kept = {name: value for name, value in body.items() if name not in _DRAWN}
        if body["stream"] == Stream.EVENTS:
            del kept["sequence"]
        if isinstance(data, dict):
            kept["data"] = {name: value for name, value in data.items() if name not in {"alarm", "event"}}
        sha.update(msgspec.json.encode(kept))
    return sha.hexdigest()


def test_a_hub_that_tries_other_rules_publishes_the_same_beside_what_they_find(memory: Path) -> None:
    alone, both = lived(memory / "alone", None), lived(memory / "both", TRIED)
    tried = [body for body in both if str(body["type"]).startswith("io.devicehub.shadow.")]
    assert {body["type"] for body in tried} == {"io.devicehub.shadow.raised", "io.devicehub.shadow.returned"}
    assert {body["stream"] for body in tried} == {"events"}
    assert any(body["type"] == "io.devicehub.alarm.raised" for body in alone), "there is something to disturb"
    assert digest(both) == digest(alone)
