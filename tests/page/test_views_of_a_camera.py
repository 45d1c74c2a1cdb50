"""A camera at the page: an endoscope frozen, kept and live; a thermal image by each palette, its scale held, its limit."""

import asyncio
from pathlib import Path

import pytest

from tests.page.browsing import Visit, needs_browser, visited
from tests.page.cameras import thermal

pytestmark = [pytest.mark.real, needs_browser]

ENDOSCOPE = """
[[device]]
id = "endoscope-1"
driver = "endoscope.uvc_endoscope"
port = "sim:"
"""
IMAGE = ".imager .screens > .image-frame .image"
SHOWN = """canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].join()"""
EXTREMES = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
  return { grey: [...seen].every((one) => new Set(one.split(",")).size === 1), ends: ["0,0,0", "255,255,255", "0,0,4", "252,255,164"].filter((one) => seen.has(one)) };
}"""
"""Whether all is grey, and which ends of palettes occur."""


async def changed(visit: Visit, before: str) -> None:
    """Wait until the image is another one."""
    async with asyncio.timeout(30):
        while await visit.page.locator(IMAGE).evaluate(SHOWN) == before:
            await visit.page.wait_for_timeout(20)


async def test_an_endoscope_is_shown_frozen_and_kept_as_evidence(tmp_path: Path) -> None:
    async with visited(tmp_path, ENDOSCOPE) as visit:
        await visit.page.evaluate("location.hash = '#/devices/endoscope-1'")
        assert "1280\N{MULTIPLICATION SIGN}720" in await visit.sees(".imager:not(.stale) .image-caption", "1280")
        assert "hottest" not in await visit.page.locator(".image-caption").inner_text(), (
            "its pixels are no temperatures"
        )
        await changed(visit, await visit.page.locator(IMAGE).evaluate(SHOWN))
        freeze = visit.page.get_by_role("button", name="Freeze")
        await freeze.press("Enter")
        await visit.sees(".imager.stale .image-note", "frozen")
        still = await visit.page.locator(IMAGE).evaluate(SHOWN)
        await visit.page.wait_for_timeout(1000)
        assert await visit.page.locator(IMAGE).evaluate(SHOWN) == still
        await freeze.press("Enter")
        await visit.page.locator(".imager:not(.stale)").wait_for()
        await changed(visit, still)
        await visit.page.get_by_role("button", name="Snapshot").press("Enter")
        await visit.page.locator(".imager #issuer").fill("op-1147")
        await visit.page.locator(".imager #issuer").press("Enter")
        await visit.page.get_by_role("button", name="Snapshot").press("Enter")
        await visit.sees(".imager .buttons [role=status]", "kept as evidence")
        await visit.sees("section[aria-labelledby=device-events] li", "image kept")
        folder = tmp_path / "state" / "evidence-exercise"
        assert {kept.read_bytes()[:3] for kept in folder.glob("*/*")} == {b"\xff\xd8\xff"}


async def test_each_palette_draws_the_image_in_its_own_colours_and_is_chosen_for_good(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        picker = visit.page.get_by_label("Palette")
        found = {}
        for name in ("inferno", "iron", "white-hot", "black-hot"):
            await picker.select_option(name)
            found[name] = await visit.page.locator(IMAGE).evaluate(EXTREMES)
        assert found == {
            "inferno": {"grey": False, "ends": ["0,0,4", "252,255,164"]},
            "iron": {"grey": False, "ends": ["0,0,0", "255,255,255"]},
            "white-hot": {"grey": True, "ends": ["0,0,0", "255,255,255"]},
            "black-hot": {"grey": True, "ends": ["0,0,0", "255,255,255"]},
        }
        await visit.page.reload()
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        assert await picker.input_value() == "black-hot"


async def test_a_scale_that_is_held_stays_while_the_image_goes_on(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        ends, hottest = visit.page.locator(".image-caption > span").first, visit.page.locator(".image-caption strong")
        lock = visit.page.get_by_role("button", name="Lock scale")
        await lock.press("Enter")
        held, before = await ends.inner_text(), await hottest.inner_text()
        async with asyncio.timeout(30):
            while await hottest.inner_text() == before:
                assert await ends.inner_text() == held
                await visit.page.wait_for_timeout(20)
        await lock.press("Enter")
        async with asyncio.timeout(30):
            while await ends.inner_text() == held:
                await visit.page.wait_for_timeout(20)
