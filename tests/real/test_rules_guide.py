"""docs/guides/change-the-rules.md, followed to the letter at a workstation that has no rules yet."""

import asyncio
from pathlib import Path

import pytest

from devicehub.model.message import Kind
from tests.guides import blocks
from tests.real.following import command, follow
from tests.real.hearing import hearing
from tests.real.hub_process import ROOT, started
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.workstation import workstation

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "change-the-rules.md"


async def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    command(tmp_path)
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        text = (tmp_path / "devicehub.toml").read_text()
        (tmp_path / "devicehub.toml").write_text(text.partition("[[limit]]")[0])
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path):
            await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 3)
            station.vapour(22.0)
            for block in blocks(GUIDE):
                await asyncio.to_thread(follow, block, tmp_path)
            told = [one.data for one in ears.of(Kind.EVENT, "alarm-rules")]
            assert [one.get("version") for one in told] == [None, 1, 2, 3]
            assert [one.get("previous") for one in told] == [None, *(one["digest"] for one in told[:-1])]
            assert ears.of(Kind.INFO)[-1].data["rules"]["version"] == 3
            raised = ears.of(Kind.EVENT, "alarm-raised")[0].data
            assert raised["rules_digest"] == told[1]["digest"]


def test_every_block_of_the_guide_is_followed() -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    assert {block.word for block in blocks(GUIDE)} == {"shows", "fails", "file"}
