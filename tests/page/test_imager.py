"""Live images: where the limit lies, how hot it was in the last minute, and none for a page that nobody sees."""

from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited

pytestmark = [pytest.mark.real, needs_browser]

CAMERA = """
[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"
port = "sim:"

[[limit]]
device = "thermal-1"
channel = "image.max"
high = {limit}
"""
WHITE = """() => {
  const canvas = document.querySelector(".image");
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return pixels.filter((one) => one === 0xffffffff).length;
}"""
SEEN = """state => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
CROSS = 8
"""Pixels of the mark on the hottest one, at most."""


async def test_a_line_is_drawn_where_the_limit_in_force_lies(tmp_path: Path) -> None:
    async with visited(tmp_path, CAMERA.format(limit=22.0)) as visit:
        await visit.sees("#banner", "thermal-1/image-max-high")
        await visit.sees("#banner", "next: Stop.")
        await visit.page.locator(".imager .trend").wait_for()
        assert await visit.page.evaluate(WHITE) > CROSS


async def test_no_line_is_drawn_where_nothing_is_near_the_limit_and_no_image_is_fetched_unseen(tmp_path: Path) -> None:
    async with visited(tmp_path, CAMERA.format(limit=200.0)) as visit:
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        assert await visit.page.evaluate(WHITE) <= CROSS
        await visit.page.evaluate(SEEN, "hidden")
        await visit.sees(".imager.stale .image-note", "no new image")
        await visit.page.evaluate(SEEN, "visible")
        await visit.page.locator(".imager:not(.stale)").wait_for()
