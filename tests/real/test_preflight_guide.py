"""docs/guides/check-a-desk.md, followed to the letter at a workstation whose detectors are ready; and what it prints."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from devicehub.exercise.schema import LANGUAGES
from devicehub.exercise.tongue import tongue
from devicehub.model.message import Kind
from devicehub.model.payload import PreflightData
from devicehub.model.preflight import CheckKind, CheckReason, CheckVerdict, PreflightOutcome
from devicehub.preflight_page import html, lines
from tests.guides import Block, blocks
from tests.patience import PATIENCE
from tests.real.following import command, follow
from tests.real.hearing import hearing
from tests.real.hub_process import ROOT, started
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.workstation import Workstation, workstation

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "check-a-desk.md"
FIGURE = re.compile(r"\d+(\.\d+)? ppm, at least")


def example() -> PreflightData:
    (found,) = [block for block in blocks(GUIDE) if block.kind == "json"]
    return msgspec.json.decode(found.text, type=PreflightData)


def devicehub(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "devicehub", *words],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


async def prepared(block: Block, station: Workstation) -> str:
    """Show the sample, then do what the block says; what was printed."""
    station.vapour(95.0)
    words = block.text.split()[1:]
    done = await asyncio.to_thread(devicehub, station.folder, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    command(tmp_path)
    async with (
        mosquitto(tmp_path) as broker,
        workstation(tmp_path, broker) as station,
        hearing(settings(broker)) as ears,
        started("run", cwd=tmp_path),
    ):
        await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 3)
        await ears.until(lambda: len(ears.of(Kind.STATE)) >= 3)
        printed = ""
        for block in blocks(GUIDE):
            if block.word == "prepare":
                printed = await prepared(block, station)
            elif block.word == "prints":
                assert FIGURE.sub("N", printed) == FIGURE.sub("N", block.text)
            elif block.kind != "json":
                await asyncio.to_thread(follow, block, tmp_path)
        await ears.until(lambda: len(ears.of(Kind.EVENT, "preflight-ended")) == 2)
        passed, failed = (one.data for one in ears.of(Kind.EVENT, "preflight-ended"))
        assert (passed["outcome"], passed["by"], failed["outcome"]) == ("passed", "op-1147", "failed")
        (overdue,) = [one for one in failed["checks"] if one["verdict"] == "failed"]
        assert (overdue["device"], overdue["reason"], overdue["due"]) == ("vapour-2", "overdue", "2020-01-31")
        again = await asyncio.to_thread(devicehub, tmp_path, "preflight", "desk-1", "--pages", "before-shift")
        assert again.returncode == 73, "no page is overwritten"
        refused = await asyncio.to_thread(devicehub, tmp_path, "preflight", "desk-9")
        assert (refused.returncode, "no desk 'desk-9'" in refused.stderr) == (1, True)
        told = await asyncio.to_thread(devicehub, tmp_path, "preflight", "--no-samples", "--json")
        events = [json.loads(line) for line in told.stdout.splitlines()]
        assert [one["desk"] for one in events if "outcome" in one] == ["desk-1", "desk-2"]
    page = (tmp_path / "before-shift" / "preflight-desk-1.html").read_text(encoding="utf-8")
    assert "EXERCISE" in page
    assert "vapour-1" in page


def test_every_block_of_the_guide_is_followed_or_held_against_the_contract() -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    assert {block.word for block in blocks(GUIDE)} == {"file", "shows", "fails", "prepare", "prints", "example"}
    assert example().outcome is PreflightOutcome.FAILED


def test_the_guide_explains_every_outcome_and_every_check() -> None:
    text = GUIDE.read_text()
    assert [one for one in (*PreflightOutcome, *CheckKind) if f"| `{one}` |" not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_the_same_in_each_language_and_nothing_comes_from_elsewhere(language: str) -> None:
    words = tongue(next(one for one in LANGUAGES if one == language))
    text = html(example(), "bcp-south/lane1", words, exercise=False)
    assert re.search(r"(src|href|url)\s*[=(]", text) is None
    assert text.count("<tr") == 1 + len(example().checks)
    assert text.count("class=open") == 4
    assert len([*lines(example(), words)]) == 1 + len(example().checks)
    for kind in (*CheckKind, *CheckVerdict, *PreflightOutcome, *filter(None, CheckReason)):
        family = {CheckKind: "check", CheckVerdict: "verdict", PreflightOutcome: "outcome", CheckReason: "reason"}
        assert words.t(f"preflight.{family[type(kind)]}.{kind}")


def test_what_a_device_says_cannot_write_into_the_page() -> None:
    (first, *_) = example().checks
    hostile = msgspec.structs.replace(example(), checks=(msgspec.structs.replace(first, detail="<script>\x1b[2J"),))
    assert "<script>" not in html(hostile, "s/n", tongue("en"), exercise=False)
    assert "\x1b" not in "".join(lines(hostile, tongue("en")))
