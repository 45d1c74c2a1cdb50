"""The check of a desk before a shift at the page: asked for, what is to be shown, how it came out, the page to print."""

from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited

pytestmark = [pytest.mark.real, needs_browser]

DESK = """
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"

[[desk]]
id = "desk-1"
devices = ["gamma-1"]

[[preflight]]
device = "gamma-1"
calibration_due = 2020-01-31
sample = { name = "check source", channel = "dose-rate", low = 900.0, within_s = 4.0 }
"""


async def test_a_desk_is_checked_and_the_page_of_it_printed(tmp_path: Path) -> None:
    async with visited(tmp_path, DESK) as visit:
        await visit.page.evaluate("location.hash = '#/inspections'")
        await visit.page.locator("#issuer").fill("op-1147")
        await visit.page.locator("#issuer").press("Enter")
        await visit.page.get_by_role("button", name="Check before the shift").click()
        await visit.sees(".preflight strong", "Show within 4 s: check source, to gamma-1")
        await visit.sees(".preflight strong", "FAILED")
        await visit.sees(".preflight li", "gamma-1 calibration: FAILED (overdue)")
        await visit.sees(".preflight li", "gamma-1 known sample check source: FAILED (it was not found in time)")
        await visit.page.locator(".preflight summary").click()
        await visit.sees(".preflight li", "gamma-1 self-test: UNKNOWN (its driver cannot tell)")
        await visit.page.reload()
        await visit.sees(".preflight strong", "FAILED")
        printed = visit.page.locator(".preflight a")
        await visit.page.goto(await printed.evaluate("one => one.href"))
        assert "bcp-north/lane-1, desk-1" in await visit.sees("h1")
        await visit.sees("td", "overdue, due 2020-01-31")
        assert visit.complaints == []
