"""At a glance: the course of a value on its tile, which is none where nothing comes."""

import asyncio
from pathlib import Path

import pytest

from tests.page.browsing import needs_browser, visited
from tests.page.cameras import thermal

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


COUNTER = """
[[device]]
id = "gamma-3"
driver = "radiation.n42"
folder = "exports"
"""
COUNTED = """<RadInstrumentData><RadMeasurement id="M1"><MeasurementClassCode>Foreground</MeasurementClassCode>
<StartDateTime>2026-11-30T09:14:00Z</StartDateTime><RealTimeDuration>PT10S</RealTimeDuration>
<GrossCounts><LiveTimeDuration>PT{live}S</LiveTimeDuration><CountData>{counts}</CountData></GrossCounts>
</RadMeasurement></RadInstrumentData>"""
COUNTS = ".tile[href='#/devices/gamma-3']:not(.stale) .value"
"""While it is current, which it is for some seconds; what is struck later is struck for its age."""


async def test_a_value_of_uncertain_quality_is_struck_on_its_tile_and_the_word_for_it_stands_beside_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "exports").mkdir()
    async with visited(tmp_path, COUNTER) as visit:
        await visit.sees(".tile[href='#/devices/gamma-3'] .state", "ready")
        (tmp_path / "exports" / "a.n42").write_text(COUNTED.format(live=9, counts=411))
        assert "uncertain" not in await visit.sees(f"{COUNTS}:has(> span)", "411")
        (tmp_path / "exports" / "b.n42").write_text(COUNTED.format(live=12, counts=633))
        assert (await visit.sees(f"{COUNTS}:has(> s)", "633")).split()[-2:] == ["633", "uncertain"]


LABELLED = """
[[device]]
id = "line-1"
driver = "screening.line_sensor"
port = "sim:"

[[device]]
id = "endoscope-1"
driver = "endoscope.useeplus"
port = "sim:"
"""
TOLD_TWICE = """async () => {
  const { history } = await import("/static/store.js");
  history.set("endoscope-1/lens", [[1, 0, "good"], [2, 1, "good"]]);
  const time = document.querySelector("#lights time").textContent;
  while (document.querySelector("#lights time").textContent === time) await new Promise(requestAnimationFrame);
}"""
"""The endoscope has changed its lens, and the tiles were drawn since."""
LENSES = {"main", "side"}
"""The simulated endoscope changes it now and then."""
LINE, LENS = (f".tile[href='#/devices/{one}']:not(.stale) .value:not(:has(s))" for one in ("line-1", "endoscope-1"))


async def test_what_bears_a_label_is_on_its_tile_and_at_its_device_as_what_it_is(tmp_path: Path) -> None:
    async with visited(tmp_path, LABELLED) as visit:
        title, value = (await visit.sees(LINE, "Value")).split()
        assert (title, 10 < float(value) < 30) == ("Value", True)
        assert await visit.sees(LENS, "Lens") in {f"Lens in use {one}" for one in LENSES}
        await visit.page.evaluate(TOLD_TWICE)
        assert await visit.page.locator(LENS, has_text="Lens").locator("canvas").count() == 0, "a name has no course"
        await visit.page.evaluate("location.hash = '#/devices/endoscope-1'")
        lens = visit.page.locator(".channel", has_text="Lens in use")
        assert await lens.locator(".value > span").inner_text() in LENSES


EMISSIVITY = ".tile[href='#/devices/thermal-1']:not(.stale) .value:has-text('Emissivity'):not(:has(s))"
"""The camera tells it once."""
HOTTEST = ".tile[href='#/devices/thermal-1']:not(.stale) .value:has-text('hottest'):not(:has(s))"


async def test_a_value_that_was_told_once_is_as_good_for_who_opens_the_page_later(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await visit.sees(EMISSIVITY, "0.95")
        await visit.sees(HOTTEST, "°C")
        await visit.page.reload()
        await visit.sees(EMISSIVITY, "0.95")


BROKEN = """() => {
  const broken = [];
  const walk = document.createTreeWalker(document.querySelector(".families"), NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) for (const word of node.data.matchAll(/\\S+/g)) {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    if (new Set([...range.getClientRects()].map((one) => Math.round(one.top))).size > 1) broken.push(word[0]);
  }
  return broken;
}"""
"""Words that begin on one line and end on another."""


FORGOTTEN = """async () => (await import("/static/store.js")).topics.delete("reading/thermal-1/emissivity")"""
"""What the camera tells once is as if it had not come yet."""


WIDTHS = (1010, 1280, 400)


async def test_no_word_and_no_number_of_a_tile_goes_over_two_lines(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal() + LABELLED) as visit:
        await visit.sees(EMISSIVITY, "0.95")
        await visit.page.evaluate(FORGOTTEN)
        await visit.sees(".tile .value:has(s)", "unknown")
        await visit.sees(LINE, "Value")
        for width in WIDTHS:
            await visit.page.set_viewport_size({"width": width, "height": 900})
            assert await visit.page.evaluate(BROKEN) == [], width


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


IDENTIFIED = """async () => {
  const { command, setIssuer } = await import("/static/act.js");
  setIssuer("op-1147");
  await command("hub", "identify");
}"""
TRACE = """
[[device]]
id = "trace-1"
driver = "trace.ims_reference"
port = "sim:"
"""


async def test_a_device_that_is_ready_and_finds_nothing_yet_says_so_on_its_tile(tmp_path: Path) -> None:
    async with visited(tmp_path, TRACE) as visit:
        await visit.sees(".tile:not(.stale) .value", "Drift gas temperature")
        lacking = await visit.page.locator(".tile .lacking").all_inner_texts()
        assert sorted(lacking) == ["explosives NONE warming up", "narcotics NONE warming up"]
        await visit.page.locator("#language").select_option("sr-Cyrl")
        await visit.sees(".tile .lacking", "загрева")


EVENTS = "section[aria-labelledby=overview-events] li"


async def test_the_last_events_say_in_the_language_of_the_page_what_came_of_a_command_and_that_once(
    tmp_path: Path,
) -> None:
    async with visited(tmp_path, TRACE) as visit:
        await visit.page.locator("#language").select_option("sq")
        await visit.page.evaluate(IDENTIFIED)
        await visit.sees(f"{EVENTS} strong", "u krye")
        told = await visit.page.locator(EVENTS).all_inner_texts()
        assert [one for one in told if "done" in one or "accepted" in one] == []
        assert len([one for one in told if "hub/identify" in one]) == 1


REPORTED = """
[[device]]
id = "gamma-1"
driver = "radiation.kromek_d5"
port = "sim:"
"""


async def test_the_banner_says_in_words_what_an_alarm_without_a_value_is(tmp_path: Path) -> None:
    async with visited(tmp_path, REPORTED) as visit:
        await visit.sees("#banner", "gamma-1/gamma The device reports")
        await visit.page.locator("#language").select_option("sr-Latn")
        await visit.sees("#banner", "Uređaj javlja")
