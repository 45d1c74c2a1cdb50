"""docs/guides/run-an-exercise.md, followed to the letter."""

import re
from pathlib import Path

import pytest

from devicehub.config.resources import shipped
from devicehub.exercise.acts import CABLE, HOUSE
from devicehub.exercise.direction import COMMANDS
from devicehub.exercise.schema import Expect, Step
from tests.guides import Block, blocks
from tests.real.following import command, follow
from tests.real.hub_process import ROOT

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "run-an-exercise.md"


def steps() -> list[Block]:
    return [block for block in blocks(GUIDE) if block.kind != "text"]


def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    command(tmp_path)
    for block in steps():
        follow(block, tmp_path)
    page = (tmp_path / "morning.html").read_text()
    assert "VEŽBA" in page
    assert "Noć" in page
    assert "<script" not in page


def test_every_block_of_the_guide_is_followed_but_the_one_that_has_no_end() -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    assert [block.text for block in blocks(GUIDE) if block.kind == "text"] == [
        "devicehub simulate vehicle-hidden-compartment\n"
    ]


def test_the_guide_names_every_scenario_verb_and_expectation() -> None:
    text = GUIDE.read_text()
    named = set(re.findall(r"`([a-z_-]+)`", text))
    assert {file.stem for file in shipped("scenarios").glob("*.toml")} <= named
    assert {*HOUSE, *CABLE, *Expect.model_fields} <= named
    keys = {field.alias or name for name, field in Step.model_fields.items()} - {"t", "do", "device", "for"}
    assert {*keys, "model", *(command.verb for command in COMMANDS)} <= named
