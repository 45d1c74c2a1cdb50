"""docs/guides/run-an-exercise.md, followed to the letter."""

import re
import signal
from pathlib import Path

import pytest

from devicehub.cli.exits import Exit
from devicehub.config.resources import shipped
from devicehub.exercise.acts import CABLE, HOUSE
from devicehub.exercise.direction import COMMANDS
from devicehub.exercise.schema import Expect, Step
from tests.guides import Block, blocks
from tests.real.following import command, follow
from tests.real.hub_process import ROOT, started

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "run-an-exercise.md"


def steps() -> list[Block]:
    return [block for block in blocks(GUIDE) if block.word != "runs"]


def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    command(tmp_path)
    for block in steps():
        follow(block, tmp_path)
    page = (tmp_path / "morning.html").read_text()
    assert "VEŽBA" in page
    assert "Noć" in page
    assert "<script" not in page


async def test_a_scenario_says_where_its_page_is_and_goes_on_until_it_is_interrupted(tmp_path: Path) -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    (block,) = [block for block in blocks(GUIDE) if block.word == "runs"]
    program, *words = block.text.split()
    assert program == "devicehub"
    async with started(*words, cwd=tmp_path) as exercise:
        await exercise.says("page: http://127.0.0.1:")
        assert await exercise.ends(signal.SIGINT) == Exit.OK


def test_the_guide_names_every_scenario_verb_and_expectation() -> None:
    text = GUIDE.read_text()
    named = set(re.findall(r"`([a-z_-]+)`", text))
    assert {file.stem for file in shipped("scenarios").glob("*.toml")} <= named
    assert {*HOUSE, *CABLE, *Expect.model_fields} <= named
    keys = {field.alias or name for name, field in Step.model_fields.items()} - {"t", "do", "device", "for"}
    assert {*keys, "model", *(command.verb for command in COMMANDS)} <= named
