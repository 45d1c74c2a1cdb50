"""Red night: whatever is shown is red, so that eyes which are used to the dark stay so."""

import base64
from pathlib import Path

import pytest

from tests.page.browsing import Visit, needs_browser, visited
from tests.page.cameras import thermal

pytestmark = [pytest.mark.real, needs_browser]

OTHERS = """async shot => {
  const bytes = Uint8Array.from(atob(shot), (one) => one.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const data = pen.getImageData(0, 0, image.width, image.height).data;
  let found = 0;
  for (let at = 0; at < data.length; at += 4) if (Math.max(data[at + 1], data[at + 2]) > 0.75 * data[at] + 25) found += 1;
  return found / (data.length / 4);
}"""
"""Which part of a picture is not red."""
MOST = 0.001


async def others(visit: Visit) -> float:
    shot = base64.b64encode(await visit.page.screenshot()).decode()
    return float(await visit.page.evaluate(OTHERS, shot))


async def test_a_red_night_shows_nothing_but_red_from_the_first_paint_on(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        assert await others(visit) > MOST
        for _ in range(2):
            await visit.page.locator("#theme").click()
        assert await visit.page.evaluate("document.documentElement.dataset.theme") == "night"
        assert await others(visit) <= MOST
        await visit.sees("#banner", "thermal-1/image-max-high")
        await visit.page.keyboard.press("Alt+2")
        await visit.page.locator(".exposure canvas").wait_for()
        assert await others(visit) <= MOST
        await visit.page.reload(wait_until="commit")
        await visit.page.locator("h1").wait_for()
        assert await others(visit) <= MOST
