"""One device at the page: what passes over its link, off until it is asked for and no document in it; its verification."""

from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited

pytestmark = [pytest.mark.real, needs_browser]

DEVICES = """
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"

[[device]]
id = "scanner-1"
driver = "scanner.zebra_ssi"
port = "sim:"
"""
PANEL = "section[aria-labelledby=device-raw]"


async def test_bytes_and_what_was_made_of_them_are_shown_while_they_are_asked_for(tmp_path: Path) -> None:
    async with visited(tmp_path, DEVICES) as visit:
        await visit.page.evaluate("location.hash = '#/devices/gamma-1'")
        button = visit.page.locator(f"{PANEL} button")
        await button.wait_for()
        assert await visit.page.locator(f"{PANEL} li").count() == 0
        await button.press("Enter")
        await visit.sees(f"{PANEL} .raw-in code")
        await visit.sees(f"{PANEL} .raw-made code", "dose-rate")
        await visit.sees(f"{PANEL} [role=status]", "Nothing of it is kept.")
        await button.press("Enter")
        await visit.sees(f"{PANEL} [role=status]", "Stopped.")


async def test_a_device_says_until_when_it_is_verified_and_that_this_is_over(tmp_path: Path) -> None:
    due = '[[preflight]]\ndevice = "gamma-1"\ncalibration_due = 2020-02-29\n'
    async with visited(tmp_path, DEVICES + due) as visit:
        await visit.page.evaluate("location.hash = '#/devices/gamma-1'")
        await visit.sees("section[aria-labelledby=device-facts] dd", "Feb 29, 2020 \N{MIDDLE DOT} OVERDUE")


async def test_of_a_scanner_no_byte_is_shown_unless_its_text_may_be_published(tmp_path: Path) -> None:
    async with visited(tmp_path, DEVICES) as visit:
        await visit.page.evaluate("location.hash = '#/devices/scanner-1'")
        await visit.page.locator(f"{PANEL} button").press("Enter")
        await visit.sees(f"{PANEL} [role=status]", "only the number of bytes is shown")
        await visit.sees(f"{PANEL} .raw-in span", "bytes")
        assert "".join(await visit.page.locator(f"{PANEL} .raw-in code").all_inner_texts()) == ""


async def test_a_scanner_whose_text_is_published_is_shown_too(tmp_path: Path) -> None:
    async with visited(tmp_path, f'[scan]\npublish = "text"\n{DEVICES}') as visit:
        await visit.page.evaluate("location.hash = '#/devices/scanner-1'")
        await visit.page.locator(f"{PANEL} button").press("Enter")
        await visit.sees(f"{PANEL} .raw-in code")
