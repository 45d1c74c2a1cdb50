"""docs/guides/write-a-driver.md, followed to the letter in a copy of the checkout."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.guides import blocks
from tests.patience import PATIENCE
from tests.system.checkout import ROOT, Checkout

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "write-a-driver.md"


def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "copy")
    for block in blocks(GUIDE):
        checkout.follow(block)
    driver = (checkout.folder / "drivers/trace/acme_sniffer2.py").read_text()
    assert "Maker" not in driver
    assert 'name="inlet"' in driver


def test_the_guide_has_every_kind_of_step() -> None:
    kinds = [block.word for block in blocks(GUIDE)]
    assert kinds.count("edit") == kinds.count("with") > 4
    assert {"fails", "file", "config"} <= set(kinds)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "copy")
    assert checkout.run("devicehub drivers new trace.acme_sniffer2").returncode == 0
    again = checkout.run("devicehub drivers new trace.acme_sniffer2")
    assert (again.returncode, again.stdout) == (73, "")
    assert "exists; it is left alone" in again.stderr
    assert again.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("tracer.acme_x", "did you mean 'trace'?"), ("trace.Acme", "FAMILY.MAKER_MODEL"), ("acme", "FAMILY.MAKER_MODEL")],
)
def test_a_name_that_cannot_be_is_a_usage_error(tmp_path: Path, name: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devicehub", "drivers", "new", name, "--into", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert words in done.stderr
