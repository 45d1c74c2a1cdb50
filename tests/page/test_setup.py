"""A station set up at the page: a device is added under a name, opened at once, and on record."""

import re
from pathlib import Path

import pytest

from tests.page.browsing import HUB, needs_browser, visited
from tests.page.test_every_view import THEMES, violations

pytestmark = [pytest.mark.real, needs_browser]

ALLOWED = "setup = true\n"
PANEL = "section[aria-labelledby=setup-hardware]"


async def test_a_device_is_added_to_the_configuration_and_opened_at_once(tmp_path: Path) -> None:
    async with visited(tmp_path, ALLOWED) as visit:
        await visit.page.evaluate("location.hash = '#/setup'")
        await visit.page.locator(f"{PANEL} button").press("Enter")
        await visit.page.locator(f"{PANEL} form").wait_for()
        assert {theme: found for theme in THEMES if (found := await violations(visit, theme))} == {}
        await visit.page.locator(f"{PANEL} [name=driver]").fill("radiation.no_such")
        await visit.page.locator(f"{PANEL} [name=place]").fill("sim:")
        await visit.page.keyboard.press("Enter")
        await visit.sees(f"{PANEL} [role=status]", "Say first who works here.")
        await visit.page.keyboard.type("op-1147")
        await visit.page.keyboard.press("Enter")
        await visit.page.locator(f"{PANEL} [name=place]").press("Enter")
        await visit.sees(f"{PANEL} [role=status]", "unknown driver 'radiation.no_such'")
        visit.complaints.clear()
        await visit.page.locator(f"{PANEL} [name=driver]").fill("radiation.atom_fast")
        await visit.page.keyboard.press("Enter")
        await visit.sees(f"{PANEL} [role=status]", "atom-fast-1 is in the configuration and is opened now.")
        await visit.sees("section[aria-labelledby=setup-devices] tr", "radiation.atom_fast")
        added = (tmp_path / "hub.toml").read_text().removeprefix(HUB + ALLOWED)
        assert added.strip().splitlines() == [
            "[[device]]",
            'id = "atom-fast-1"',
            'driver = "radiation.atom_fast"',
            'port = "sim:"',
        ]
        await visit.page.evaluate("location.hash = '#/journal'")
        await visit.sees("tbody tr", "by op-1147")


async def test_sizes_and_instants_are_told_as_people_write_them(tmp_path: Path) -> None:
    async with visited(tmp_path, "") as visit:
        await visit.page.evaluate("location.hash = '#/setup'")
        await visit.page.locator("dt:text-is('Free on the disk')").wait_for()
        (free,) = await visit.page.locator("dt:text-is('Free on the disk') + dd").all_inner_texts()
        assert re.fullmatch(r"[\d,.]+\s[GM]B", free)
        (since,) = await visit.page.locator("dt:text-is('Started') + dd").all_inner_texts()
        assert re.fullmatch(r"\w{3} \d\d?, \d{4}, \d\d:\d\d:\d\d", since)
