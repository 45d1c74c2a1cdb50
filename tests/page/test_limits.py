"""A limit at the page: seen with who set it and why, changed as a new version, and never without a reason."""

from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited

pytestmark = [pytest.mark.real, needs_browser]

STATION = """
[alarm]
rules = "rules.toml"
control = true

[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"
"""
RULES = """[rules]
version = 1
author = "M. Muster"
reason = "limits of the acceptance test"

[[limit]]
device = "gamma-1"
channel = "dose-rate"
high = 1000.0  # never here

[[response]]
points = ["gamma-1"]
en = ["Step back three metres."]
sr_cyrl = ["Одступите три метра."]
"""


async def test_a_limit_is_changed_as_a_new_version_and_its_alarm_has_the_steps_of_the_rules(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(RULES)
    async with visited(tmp_path, STATION) as visit:
        rules = "section[aria-labelledby=setup-rules]"
        await visit.page.evaluate("location.hash = '#/setup'")
        await visit.sees(f"{rules} dd", "limits of the acceptance test")
        await visit.page.locator("#issuer").fill("op-1147")
        await visit.page.locator("#issuer").press("Enter")
        await visit.page.locator(f"{rules} td button").click()
        await visit.page.locator(f"{rules} form input[type=number]").fill("0.01")
        await visit.page.get_by_label("Why").fill("background is far below")
        await visit.sees(f"{rules} form p", "1,000 → 0.01")
        await visit.page.keyboard.press("Enter")
        await visit.sees(f"{rules} dd", "background is far below")
        await visit.sees(f"{rules} dd", "op-1147")
        assert "high = 0.01  # never here" in (tmp_path / "rules.toml").read_text()
        await visit.sees("#banner", "gamma-1/dose-rate-high")
        await visit.page.keyboard.press("Alt+2")
        await visit.sees(".step", "Step back three metres.")
        await visit.page.locator("#language").select_option("sr-Latn")
        await visit.sees(".step", "Одступите три метра.")
