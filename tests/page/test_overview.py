"""At a glance: the course of a value on its tile, which is none where nothing comes."""

import asyncio
from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited

pytestmark = [pytest.mark.real, needs_browser]

GAMMA = """
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"

[[device]]
id = "gamma-2"
driver = "radiation.atom_fast"
port = "sim:"
"""
INKED = """canvas => {
  const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const columns = new Set();
  for (let at = 3; at < data.length; at += 4) if (data[at]) columns.add(((at - 3) / 4) % width);
  return columns.size / width;
}"""
"""Which part of its width a curve takes."""
SPARK = ".tile[href='#/devices/gamma-1'] canvas.spark"


async def test_the_course_of_a_value_is_drawn_on_its_tile_over_all_of_its_width(tmp_path: Path) -> None:
    async with visited(tmp_path, GAMMA) as visit:
        spark = visit.page.locator(SPARK).first
        await spark.wait_for()
        async with asyncio.timeout(30):
            while await spark.evaluate(INKED) < 0.9:
                await visit.page.wait_for_timeout(50)
        for theme in ("dark", "night", "day"):
            await visit.page.locator("#theme").click()
            assert await visit.page.evaluate("document.documentElement.dataset.theme") == theme
            async with asyncio.timeout(30):
                while await spark.evaluate(INKED) < 0.9:
                    await visit.page.wait_for_timeout(50)
        await visit.page.evaluate("location.hash = '#/devices/gamma-1'")
        await visit.sees("section[aria-labelledby=device-channels] .channel .value", "µSv/h")
        trend = visit.page.locator(".channel canvas.trend").first
        assert await trend.evaluate(INKED) > 0
