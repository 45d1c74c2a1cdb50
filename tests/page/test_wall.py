"""The screen on the wall: alarms with their state, living images, and what is not current."""

from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited
from tests.page.cameras import Camera, thermal

pytestmark = [pytest.mark.real, needs_browser]

PAINTED = """() => {
  const canvas = document.querySelector(".wall-images .imager:not(.stale) canvas.image");
  if (!canvas) return false;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size > 20;
}"""
"""A drawn image has more than twenty colours."""


async def test_alarms_images_and_what_is_away_are_seen_from_across_the_room(tmp_path: Path) -> None:
    async with Camera() as camera, visited(tmp_path, thermal(port=camera.port)) as visit:
        await visit.page.evaluate("location.hash = '#/wall'")
        alarm = await visit.sees(".wall-alarms li:has(.mark-high)", "thermal-1/image-max-high")
        assert "new" in alarm.split()
        await visit.page.wait_for_function(PAINTED)
        assert await visit.page.locator(".wall-images strong", has_text="thermal-1").count() == 1
        await visit.page.locator(".wall-lost", has_text="thermal-1").wait_for(state="detached")
        camera.pull()
        await visit.sees(".wall-lost", "Not current: thermal-1")
        await visit.sees(".wall-images .imager.stale .image-note", "LOST")
