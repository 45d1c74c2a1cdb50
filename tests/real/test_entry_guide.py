"""docs/guides/enter-a-finding.md, followed to the letter, and what is published when somebody does."""

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

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "enter-a-finding.md"


async def test_the_guide_can_be_followed_and_entries_are_results_readings_and_alarms(tmp_path: Path) -> None:
    command(tmp_path)
    first, *others = blocks(GUIDE)
    follow(first, tmp_path)
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        (tmp_path / "devicehub.toml").write_text(
            f'[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n[mqtt]\nurl = "mqtt://{broker.host}:{broker.port}"\n'
        )
        async with started("run", cwd=tmp_path):
            await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 2)
            for block in others:
                await asyncio.to_thread(follow, block, tmp_path)
        results = [one.data for one in ears.of(Kind.RESULT, "density-1")]
        assert [(one["outcome"], one["sample_id"]) for one in results] == [
            ("clear", "trunk 14"),
            ("alarm", "left rear wheel"),
        ]
        assert results[1]["identified"] == [{"name": "dense filling"}]
        assert (results[1]["operator"], results[1]["note"]) == ("op-1147", "second wheel is 11")
        assert [one.data["value"] for one in ears.of(Kind.READING, "density-1/reading")] == [12.5, 64.2]
        assert ears.of(Kind.ALARM, "density-1/reading-high")
        assert ears.of(Kind.ALARM, "dog-1/found")[-1].data["state"] == "latched"
        record = next(one for one in ears.of(Kind.EVENT) if one.place.startswith("command") and "args" in one.data)
        assert (record.data["issuer"], record.data["args"]["reading"]) == ("op-1147", "12.5")


def test_every_block_of_the_guide_is_followed() -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    assert {block.word for block in blocks(GUIDE)} == {"shows", "fails", "file"}
