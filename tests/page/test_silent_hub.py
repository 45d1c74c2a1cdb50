"""A hub that stands still and closes nothing: what it said last is not taken for what is so now."""

from pathlib import Path

import pytest

from tests.page.browsing import Visit, needs_browser, visited
from tests.page.cameras import thermal

pytestmark = [pytest.mark.real, needs_browser]

STATION = f"""{thermal(200.0)}
[[device]]
id = "scanner-1"
driver = "scanner.zebra_ssi"
port = "sim:"

[lane]
requires = ["thermal"]
"""
LOST = 8.0
"""Seconds: three without a word, one until the bar is drawn anew, and a browser beside other tests."""
SCANNER = ".tile[href='#/devices/scanner-1']"


async def trusts(visit: Visit) -> None:
    """All is shown as it is now."""
    await visit.sees("#lights .lane-no-alarm", "no alarm")
    for name in ("Page", "Broker", "Journal"):
        await visit.sees("#lights .light.good", f"{name} ok")
    await visit.sees(f"{SCANNER}:not(.stale) .state", "ready")
    await visit.sees(".imager:not(.stale) .image-caption", "hottest")
    await visit.sees("section[aria-labelledby=overview-alarms] li", "No alarm")
    await visit.sees("#foot", "readings/s")


async def test_a_hub_that_stands_still_is_not_believed_and_is_again_when_it_goes_on(tmp_path: Path) -> None:
    async with visited(tmp_path, STATION) as visit:
        await visit.page.evaluate("location.hash = '#/wall'")
        await visit.sees(".wall-images .imager:not(.stale)")
        await visit.page.evaluate("location.hash = '#/overview'")
        await trusts(visit)
        visit.hub.freeze()
        await visit.sees("#lights .lane-unknown", "unknown", seconds=LOST)
        for name in ("Page", "Broker", "Journal", "Clock", "Sound"):
            await visit.sees("#lights .light.bad", f"{name} NOT OK", seconds=LOST)
        await visit.sees(f"{SCANNER}.stale .state", "unknown", seconds=LOST)
        await visit.sees(".imager.stale .image-note", "unknown", seconds=LOST)
        await visit.sees("section[aria-labelledby=overview-alarms] li", "unknown", seconds=LOST)
        await visit.sees("#foot", "nothing here is current", seconds=LOST)
        await visit.page.evaluate("location.hash = '#/wall'")
        await visit.sees(".wall-lost", "nothing here is current", seconds=LOST)
        await visit.page.evaluate("location.hash = '#/overview'")
        visit.hub.thaw()
        await trusts(visit)
