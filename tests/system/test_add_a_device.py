"""docs/add-a-device.md, followed to the letter: driver, simulator and conformance of a file, and not a line of Python."""

import json
from pathlib import Path

import pytest

from tests.guides import blocks
from tests.system.checkout import ROOT, Checkout

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "add-a-device.md"
FILE = "devices/trace/acme_vapour3.toml"


def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "copy")
    for block in blocks(GUIDE):
        checkout.follow(block)
    checked = checkout.run(f"devicehub drivers check {FILE} --json")
    (found,) = json.loads(checked.stdout)
    assert found == {
        "name": "trace.acme_vapour3",
        "title": "Acme Vapour 3",
        "vectors": {"published": 2},
        "untested": False,
        "seconds": 300.0,
        "samples": {"vapour": 600, "inlet": 600, "state": 600},
        "faults": 0,
        "impossible": {},
        "bits_flipped": 80,
        "taken": 0,
    }
    assert not list(checkout.folder.glob("*/trace/acme_vapour3.py"))


def test_what_the_guide_shows_is_what_is_printed(tmp_path: Path) -> None:
    """The lines of the last check stand in the guide as they are printed."""
    checkout = Checkout(tmp_path / "copy")
    for block in blocks(GUIDE):
        if block.kind == "toml" and block.word in {"file", "more"}:
            checkout.follow(block)
    printed = checkout.run(f"devicehub drivers check {FILE}").stdout.splitlines()
    shown = [line.removeprefix("    ") for line in GUIDE.read_text(encoding="utf-8").splitlines()]
    assert len(printed) == 4
    assert [line for line in printed if line not in shown] == []


def test_the_guide_has_every_kind_of_step() -> None:
    kinds = [block.word for block in blocks(GUIDE)]
    assert kinds.count("edit") == kinds.count("with") == 2
    assert {"fails", "mistake", "file", "more", "config", "checkout"} <= set(kinds)
