"""What is simulated says so in every view, and what is real in none."""

from pathlib import Path

import pytest

from tests.page.browsing import Visit, needs_browser, visited
from tests.page.cameras import Camera, thermal

pytestmark = [pytest.mark.real, needs_browser]

VIEWS = ("overview", "alarms", "inspections", "devices", "journal", "training", "setup", "wall")
RENEWED = """async () => {
  const { listen } = await import("/static/store.js");
  await new Promise((resolve) => { const stop = listen(() => resolve(stop())); });
}"""
"""The hub has told more, and the frame of the page was drawn anew by it."""


async def striped(visit: Visit) -> dict[str, str]:
    """What the stripe says in each view, once the hub was heard; nothing where there is none."""
    await visit.sees("#lights .node", "bcp-north")
    await visit.sees(".tile:not(.stale)", "thermal-1")
    found = {}
    for view in VIEWS:
        await visit.page.evaluate("view => { location.hash = `#/${view}`; }", view)
        await visit.page.locator(f"body[data-view={view}] #main > *").first.wait_for()
        await visit.page.evaluate(RENEWED)
        stripe = visit.page.locator("#exercise")
        found[view] = await stripe.inner_text() if await stripe.is_visible() else ""
    return found


async def test_every_view_of_a_simulated_station_bears_the_stripe(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        assert await striped(visit) == dict.fromkeys(VIEWS, "EXERCISE")


async def test_no_view_of_a_real_station_bears_it(tmp_path: Path) -> None:
    async with Camera() as camera, visited(tmp_path, thermal(port=camera.port), exercise=False) as visit:
        assert await striped(visit) == dict.fromkeys(VIEWS, "")
