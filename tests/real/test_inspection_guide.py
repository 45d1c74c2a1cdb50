"""docs/guides/run-an-inspection.md, followed to the letter at a workstation whose detectors are ready."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from devicehub.model.inspection import InspectionOutcome
from devicehub.model.message import Kind
from devicehub.model.payload import InspectionData
from tests.guides import Block, blocks
from tests.real.following import command, follow
from tests.real.hearing import hearing
from tests.real.hub_process import ROOT, started
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.workstation import workstation

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "run-an-inspection.md"


def steps() -> list[Block]:
    return [block for block in blocks(GUIDE) if block.kind != "json"]


async def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    command(tmp_path)
    async with (
        mosquitto(tmp_path) as broker,
        workstation(tmp_path, broker),
        hearing(settings(broker)) as ears,
        started("run", cwd=tmp_path),
    ):
        await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 3)
        for block in steps():
            await asyncio.to_thread(follow, block, tmp_path)
        ended = await ears.first(Kind.EVENT, "inspection-ended")
        assert (ended.data["reference"], ended.data["note"]) == ("CASE-17", "bag and coat, nothing found")
        assert ended.data["closed_by"] == "op-1147"


def test_every_block_of_the_guide_is_followed_or_held_against_the_contract() -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    assert {block.word for block in steps()} == {"shows", "fails", "file"}
    (example,) = [block for block in blocks(GUIDE) if block.kind == "json"]
    data = msgspec.json.decode(example.text, type=InspectionData)
    assert set(json.loads(example.text)) <= set(InspectionData.__struct_fields__)
    assert data.outcome is InspectionOutcome.DOUBTFUL


def test_the_guide_explains_every_outcome() -> None:
    text = GUIDE.read_text()
    assert [outcome for outcome in InspectionOutcome if f"| `{outcome}` |" not in text] == []
