"""docs/guides/handle-an-alarm.md, followed to the letter at a workstation where two alarms stand."""

import asyncio
import re
from pathlib import Path

import pytest

from devicehub.cli.parser_alarms import DISPOSITIONS
from devicehub.model.message import Kind
from tests.guides import blocks
from tests.real.following import command, follow
from tests.real.hearing import hearing
from tests.real.hub_process import ROOT, started
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.workstation import ALARM, workstation

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "handle-an-alarm.md"
BACKGROUND = (
    '[[limit]]\ndevice = "vapour-1"\nchannel = "voc"\nhigh = 10.0\nname = "background"\ncategory = "device"\n'
    'priority = "low"\n'
)


async def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    command(tmp_path)
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        with (tmp_path / "devicehub.toml").open("a") as stream:
            stream.write(BACKGROUND)
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path):
            await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 3)
            station.vapour(60.0)
            for place in (ALARM, "vapour-1/background"):
                await ears.first(Kind.ALARM, place)
            for block in blocks(GUIDE):
                await asyncio.to_thread(follow, block, tmp_path)
            assert [one.data["what"] for one in ears.of(Kind.EVENT, "hub-reloaded")] == ["reloaded"]


def test_every_block_of_the_guide_is_followed() -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    assert {block.word for block in blocks(GUIDE)} == {"shows", "fails", "file"}


def test_the_guide_explains_every_disposition() -> None:
    assert tuple(re.findall(r"^\| `([a-z][a-z.-]+)` \|", GUIDE.read_text(), re.MULTILINE)) == DISPOSITIONS
