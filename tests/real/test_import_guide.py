"""docs/guides/import-files.md, followed to the letter, and what a running hub publishes of the files."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from devicehub.model.message import Kind
from simulators.radiation.n42 import Identifier
from tests.guides import blocks
from tests.real.following import command, follow
from tests.real.hearing import hearing
from tests.real.hub_process import ROOT, started, until
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "import-files.md"


def measured() -> bytes:
    identifier = Identifier(Random(1))
    identifier.do("source", name="Cs-137", rate=80.0)
    identifier.do("measure")
    ((_, data),) = identifier.advance(1.0)
    return data


async def test_the_guide_can_be_followed_and_the_hub_publishes_what_the_files_say(tmp_path: Path) -> None:
    command(tmp_path)
    folders = {name: tmp_path / "exports" / name for name in ("identifier", "xray", "density")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        (tmp_path / "devicehub.toml").write_text(
            f'[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n[mqtt]\nurl = "mqtt://{broker.host}:{broker.port}"\n'
        )
        for block in blocks(GUIDE):
            await asyncio.to_thread(follow, block, tmp_path)
        async with started("run", cwd=tmp_path):
            await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 3)
            (folders["density"] / "monday.csv").write_bytes((tmp_path / "monday.csv").read_bytes())
            (folders["identifier"] / "m.n42").write_bytes(measured())
            await ears.until(lambda: len(ears.of(Kind.RESULT, "density-2")) == 3)
            await ears.first(Kind.RESULT, "identifier-1")
            await ears.first(Kind.ALARM, "identifier-1/nuclide-cs-137")
            await until((folders["density"] / "taken" / "monday.csv").exists)
    results = [one.data for one in ears.of(Kind.RESULT, "density-2")]
    assert [one["outcome"] for one in results] == ["clear", "alarm", "clear"]
    assert "is no time of the form" in results[2]["defects"][0]
    assert ears.of(Kind.RESULT, "identifier-1")[0].data["identified"][0]["name"] == "Cs-137"
    assert ears.of(Kind.READING, "identifier-1/gamma")


def test_every_block_of_the_guide_is_followed() -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    assert {block.word for block in blocks(GUIDE)} == {"shows", "file"}
