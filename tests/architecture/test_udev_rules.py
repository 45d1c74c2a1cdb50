"""The udev rules are those of the drivers that ship."""

import runpy
from pathlib import Path

PACKAGING = Path(__file__).parents[2] / "packaging"


def test_the_rules_are_what_the_drivers_give() -> None:
    made = runpy.run_path(str(PACKAGING / "rules.py"))["rules"]()
    assert (PACKAGING / "60-devicehub.rules").read_text(encoding="utf-8") == made
    assert made.count("SUBSYSTEM==") >= 8
