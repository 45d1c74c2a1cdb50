"""Live images: where the limit lies, how hot it was in the last minute, and none for a page that nobody sees."""

import asyncio
from pathlib import Path

import pytest

from tests.page.browsing import exercised, needs_browser, visited
from tests.real.mosquitto import mosquitto

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
MARKED = """() => {
  const canvas = document.querySelector(".marks");
  return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.filter((one, place) => place % 4 === 3 && one > 0).length;
}"""
SHOWN = """canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].join()"""
REGIONS = """
[[region]]
device = "thermal-1"
name = "panel"
rectangle = [4, 4, 20, 12]

[[region]]
device = "thermal-1"
name = "hinge"
polygon = [[26, 2], [31, 2], [28, 12]]
"""
SEEN = """state => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
CROSS = 400
"""Points of the screen that the mark on the hottest pixel takes, at most."""


DRAWN = """async () => {
  const { marks } = await import("/static/marks.js");
  const canvas = document.createElement("canvas");
  document.body.append(canvas);
  const pixels = Uint8Array.from({ length: 100 }, (_, index) => (index % 10 < 5 ? 0 : 255));
  const box = (x, y, limit) => {
    marks(canvas, { clientWidth: 200, clientHeight: 200 }, { width: 10, height: 10, low: 0, high: 100, x, y, pixels }, { regions: [], spots: [], limit });
    const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const inked = Array.from({ length: data.length / 4 }, (_, place) => place).filter((place) => data[4 * place + 3]);
    const [columns, rows] = [inked.map((place) => place % width), inked.map((place) => Math.floor(place / width))];
    return inked.length ? [Math.min(...columns), Math.min(...rows), Math.max(...columns) + 1, Math.max(...rows) + 1] : null;
  };
  const nowhere = 0xffff;
  return { nothing: box(nowhere, nowhere, undefined), limit: box(nowhere, nowhere, 50), beyond: box(nowhere, nowhere, 101), hottest: box(7, 2, undefined) };
}"""
"""What is drawn over ten by ten pixels of 20 points each, whose right half is hot: left, top, right and bottom."""


async def test_the_limit_runs_between_hot_and_cold_and_the_cross_stands_around_the_hottest_pixel(
    tmp_path: Path,
) -> None:
    async with visited(tmp_path, "") as visit:
        drawn = await visit.page.evaluate(DRAWN)
        assert (drawn["nothing"], drawn["beyond"]) == (None, None)
        assert drawn["limit"] == pytest.approx([100, 0, 100, 200], abs=2)
        left, top, right, bottom = drawn["hottest"]
        assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((150, 50), abs=1)
        assert (right - left, bottom - top) == pytest.approx((40, 40), abs=2)


async def test_a_line_is_drawn_where_the_limit_in_force_lies(tmp_path: Path) -> None:
    async with visited(tmp_path, CAMERA.format(limit=22.0)) as visit:
        await visit.sees("#banner", "thermal-1/image-max-high")
        await visit.sees("#banner", "next: Stop.")
        await visit.page.locator(".imager .trend").wait_for()
        assert await visit.page.evaluate(MARKED) > CROSS


async def test_no_line_is_drawn_where_nothing_is_near_the_limit_and_no_image_is_fetched_unseen(tmp_path: Path) -> None:
    async with visited(tmp_path, CAMERA.format(limit=200.0)) as visit:
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        assert 0 < await visit.page.evaluate(MARKED) <= CROSS
        await visit.page.evaluate(SEEN, "hidden")
        await visit.sees(".imager.stale .image-note", "no new image")
        await visit.page.evaluate(SEEN, "visible")
        await visit.page.locator(".imager:not(.stale)").wait_for()


async def test_regions_of_the_configuration_are_drawn_and_named(tmp_path: Path) -> None:
    async with visited(tmp_path, CAMERA.format(limit=200.0) + REGIONS) as visit:
        await visit.sees(".image-caption", "Regions: panel, hinge")
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        assert await visit.page.evaluate(MARKED) > 4 * CROSS


async def test_an_image_is_kept_beside_the_live_one_and_looks_like_no_live_one(tmp_path: Path) -> None:
    async with visited(tmp_path, CAMERA.format(limit=200.0)) as visit:
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        live, kept = visit.page.locator(".imager .image").first, visit.page.locator(".kept .image")
        button = visit.page.get_by_role("button", name="Compare")
        await button.press("Enter")
        assert (await visit.sees(".kept figcaption", "Kept at")).endswith("not live")
        frame = await kept.evaluate(SHOWN)
        async with asyncio.timeout(30):
            while await live.evaluate(SHOWN) == frame:
                pass
        assert await kept.evaluate(SHOWN) != await live.evaluate(SHOWN)
        await visit.page.get_by_label("Live image shines through").press("End")
        async with asyncio.timeout(30):
            while await kept.evaluate(SHOWN) == frame:
                pass
        await button.press("Enter")
        await visit.page.locator(".kept").wait_for(state="hidden")


async def test_an_image_that_the_hub_does_not_trust_is_not_drawn_as_if_it_were_current(tmp_path: Path) -> None:
    """The camera repeats its last image, at its own rate."""
    async with exercised(tmp_path, "frozen-sensor", "--auto", "--stay") as (trainee, _):
        await trainee.sees(".imager:not(.stale) .image-caption strong", "hottest")
        await trainee.sees(".imager.stale .image-note", "bad: stale")
        await trainee.sees(".image-caption strong.struck", "hottest")


UNSURE = """
[[device]]
id = "boson-1"
driver = "thermal.flir_boson"
port = "sim:"
"""
STRUCK = ".imager:not(.stale) .image-caption strong.struck"


async def test_how_hot_an_image_of_uncertain_quality_is_is_struck_at_the_image_as_on_the_tile(tmp_path: Path) -> None:
    """The camera was never calibrated: it can be looked at, and says no temperature that may be believed."""
    async with visited(tmp_path, UNSURE) as visit:
        await visit.sees(STRUCK, "hottest")
        await visit.sees(".imager:not(.stale) .image-caption .doubt", "uncertain: incomplete")
        await visit.page.evaluate("location.hash = '#/devices/boson-1'")
        await visit.sees(STRUCK, "hottest")


async def test_a_broker_that_is_away_is_not_ok(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        visited(tmp_path, f'{CAMERA.format(limit=200.0)}[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"\n') as visit,
    ):
        await visit.sees("#lights .light.good", "Broker ok")
        await broker.stop()
        await visit.sees("#lights .light.bad", "Broker NOT OK", seconds=10.0)
