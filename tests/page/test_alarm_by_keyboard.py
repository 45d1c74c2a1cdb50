"""An officer at the page: an alarm from its raising to its end, without a mouse; and what is not current never looks so."""

import signal
from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited

pytestmark = [pytest.mark.real, needs_browser]

HOT = """
[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"
port = "sim:"

[[limit]]
device = "thermal-1"
channel = "image.max"
high = 33.0
"""


async def test_an_alarm_is_raised_acknowledged_confirmed_and_over_by_keyboard_alone(tmp_path: Path) -> None:
    async with visited(tmp_path, HOT) as visit:
        await visit.sees("#banner", "thermal-1/image-max-high")
        await visit.page.keyboard.press("a")
        await visit.sees("section[aria-labelledby=alarm-one]", "thermal-1/image-max-high")
        await visit.page.keyboard.press("a")
        await visit.sees("[data-said]", "Say first who works here.")
        await visit.page.keyboard.type("op-1147")
        await visit.page.keyboard.press("Enter")
        await visit.page.keyboard.press("a")
        await visit.sees("section[aria-labelledby=alarm-one] dd", "op-1147")
        await visit.page.keyboard.press("4")
        await visit.sees("section[aria-labelledby=alarm-past]", "Nuisance")


async def test_a_hub_that_is_gone_is_said_at_once_and_nothing_looks_current(tmp_path: Path) -> None:
    async with visited(tmp_path, HOT) as visit:
        await visit.sees(".tile:not(.stale)", "thermal-1")
        assert await visit.hub.ends(signal.SIGTERM) == 0
        await visit.sees(".tile.stale", "unknown", seconds=3.0)
        await visit.sees(".imager.stale .image-note", "unknown", seconds=3.0)
        await visit.sees("#foot", "nothing here is current", seconds=3.0)
        visit.complaints.clear()
