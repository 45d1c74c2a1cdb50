"""docs/tutorial.md and docs/guides/recover-a-journal.md, followed to the letter in an empty folder."""

import asyncio
from pathlib import Path

import pytest

from devicehub.config.workstation import PageConfig
from tests.guides import Block, blocks
from tests.real.hub_process import ROOT
from tests.real.test_consumer_guide import Reader, reader

pytestmark = pytest.mark.real

GUIDES = [ROOT / "docs" / "tutorial.md", ROOT / "docs" / "guides" / "recover-a-journal.md"]


async def follow(one: Reader, block: Block) -> None:
    """As other guides are; what `fails` says why, and the page takes any port, since others run pages too."""
    if block.word == "fails":
        done = await asyncio.to_thread(one.shell, block.text)
        assert done.returncode == 65
        assert block.rest in done.stdout + done.stderr
        return
    await one.follow(block)
    if block.word == "file":
        file = one.folder / block.rest
        file.write_text(file.read_text().replace("[page]\n", "[page]\nport = 0\n"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
async def test_the_guide_can_be_followed_step_by_step(guide: Path, tmp_path: Path) -> None:
    async with reader(tmp_path) as one:
        for block in blocks(guide):
            await follow(one, block)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_block_of_the_guide_is_followed(guide: Path) -> None:
    assert len(blocks(guide)) == guide.read_text().count("```") // 2


def test_the_tutorial_says_the_port_that_the_page_has() -> None:
    assert f"127.0.0.1:{PageConfig().port}/" in GUIDES[0].read_text()
