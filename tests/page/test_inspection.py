"""An inspection at the page: opened, what was checked, closed, and found again."""

from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited

pytestmark = [pytest.mark.real, needs_browser]

DESK = """
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"

[[limit]]
device = "gamma-1"
channel = "dose-rate"
high = 0.01

[[desk]]
id = "desk-1"
devices = ["gamma-1"]
"""


async def test_an_inspection_is_opened_and_closed_and_its_end_is_on_record(tmp_path: Path) -> None:
    async with visited(tmp_path, DESK) as visit:
        await visit.sees("#banner", "gamma-1/dose-rate-high")
        await visit.page.evaluate("location.hash = '#/inspections'")
        await visit.sees(".desk", "No inspection is open")
        await visit.page.locator("#issuer").fill("op-1147")
        await visit.page.locator("#issuer").press("Enter")
        await visit.page.get_by_placeholder("Own reference").fill("CASE-17")
        await visit.page.get_by_placeholder("Own reference").press("Enter")
        await visit.sees("section[aria-labelledby=inspection-one] h2", "CASE-17")
        await visit.sees("section[aria-labelledby=inspection-checked] td", "gamma-1")
        alarm = await visit.sees("section[aria-labelledby=inspection-alarms] tr", "gamma-1/dose-rate-high")
        assert "from before" in alarm
        await visit.page.locator(".desk form:not([hidden])").get_by_placeholder("Note").fill("bag and coat")
        await visit.page.keyboard.press("Enter")
        await visit.sees("section[aria-labelledby=inspections-ended] strong", "ALARM")
        await visit.sees(".desk", "No inspection is open")
        await visit.page.reload()
        await visit.page.locator("section[aria-labelledby=inspections-ended] a").first.click()
        for told in ("op-1147", "bag and coat", "closed"):
            await visit.sees("section[aria-labelledby=inspection-one] dd", told)
