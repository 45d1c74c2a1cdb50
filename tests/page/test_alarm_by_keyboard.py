"""An officer at the page: an alarm from its raising to its end, without a mouse; and what is not current never looks so."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.page.browsing import Visit, demonstrated, exercised, needs_browser, visited
from tests.page.cameras import HOT, Camera, thermal

pytestmark = [pytest.mark.real, needs_browser]

CYRILLIC_A = """dispatchEvent(new KeyboardEvent("keydown", { key: "\u0444", code: "KeyA", cancelable: true }))"""
"""The key that is A on a Latin keyboard, on a Cyrillic one that has another letter there."""
PAINTED = """performance.getEntriesByName("first-contentful-paint").map((one) => one.startTime)[0] ?? 0"""
HELD = "place => document.querySelector(place) === document.activeElement"
"""In one step: whoever is looked for first and asked afterwards may have been renewed meanwhile."""
MIDDLE = """place => {
  const { x, y, width, height } = document.querySelector(place).getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""
RENEWED = """async () => {
  const { listen } = await import("/static/store.js");
  await new Promise(resolve => { const stop = listen(kinds => kinds.has("frame") && resolve(stop())); });
  const time = document.querySelector("#lights time").textContent;
  while (document.querySelector("#lights time").textContent === time) await new Promise(requestAnimationFrame);
}"""
"""The hub has told more, and the page's own second has passed: whatever is drawn anew was drawn anew."""
TWICE = f"""{thermal()}
[[limit]]
device = "thermal-1"
channel = "image.min"
low = 32.0
"""


async def named(visit: Visit) -> None:
    """The first act asks who acts; nothing can be done before."""
    async with asyncio.timeout(30):
        while not await visit.page.locator("#banner #issuer").is_visible():
            await visit.page.keyboard.press("a")
    await visit.sees("#banner", "Say first who works here.")
    await visit.page.keyboard.type("op-1147")
    await visit.page.keyboard.press("Enter")


async def test_an_alarm_is_raised_acknowledged_confirmed_and_over_by_keyboard_alone(tmp_path: Path) -> None:
    async with Camera() as camera, visited(tmp_path, thermal(HOT, port=camera.port)) as visit:
        await visit.sees(".tile:not(.stale)", "thermal-1")
        camera.simulator.do("hotspot", x=16.0, y=12.0, dk=20.0)
        await visit.sees("#banner", "thermal-1/image-max-high")
        await named(visit)
        await visit.page.keyboard.press("s")
        await visit.page.locator("#banner button:disabled", has_text="Silence 2 min").wait_for()
        await visit.page.evaluate(CYRILLIC_A)
        await visit.page.locator("#banner").wait_for(state="hidden")
        await visit.page.keyboard.press("Alt+2")
        await visit.sees("section[aria-labelledby=alarm-one] dd", "op-1147")
        assert await visit.page.locator(".chain [aria-current]").all_inner_texts() == ["Raised", "Acknowledged"]
        await visit.page.keyboard.press("4")
        await visit.sees("section[aria-labelledby=alarm-one] dd", "Nuisance")
        camera.simulator.do("clear")
        await visit.sees("section[aria-labelledby=alarm-past]", "Nuisance")


async def focused(visit: Visit, selector: str) -> None:
    """Go there by the tabulator, from wherever the keyboard is."""
    async with asyncio.timeout(30):
        while not await visit.page.evaluate("one => document.activeElement.matches(one)", selector):
            await visit.page.keyboard.press("Tab")


async def test_in_the_demonstration_an_alarm_goes_from_first_paint_to_cleared_by_keyboard_alone(tmp_path: Path) -> None:
    async with demonstrated(tmp_path) as visit:
        assert await visit.page.evaluate(PAINTED) > 0
        await visit.sees("#banner", "gamma-1/dose-rate-high")
        await named(visit)
        await focused(visit, "#banner a")
        await visit.page.keyboard.press("Enter")
        await visit.sees("section[aria-labelledby=alarm-one] h2", "gamma-1/dose-rate-high")
        stages = visit.page.locator(".chain [aria-current]")
        assert (await stages.all_inner_texts())[0] == "Raised"
        await visit.page.keyboard.press("a")
        await visit.sees(".chain [aria-current]", "Acknowledged")
        await visit.page.keyboard.press("2")
        await visit.sees("section[aria-labelledby=alarm-one] dd, section[aria-labelledby=alarm-past] li", "known cause")
        await visit.sees("section[aria-labelledby=alarm-past] li", "over", seconds=120.0)
        await visit.page.keyboard.press("Alt+1")
        await visit.sees("section[aria-labelledby=overview-events] li", "alarm over")


async def test_a_scenario_is_answered_by_keyboard_alone_and_its_alarm_is_cleared(tmp_path: Path) -> None:
    async with exercised(tmp_path, "green-border-night", "--stay", "--speed", "2") as (trainee, instructor):
        await trainee.sees("#banner", "thermal-1/image-max-high")
        await named(trainee)
        await trainee.page.keyboard.press("a")
        await trainee.page.locator("#banner").wait_for(state="hidden")
        await trainee.page.keyboard.press("Alt+2")
        await trainee.sees("section[aria-labelledby=alarm-one] dd", "op-1147")
        await trainee.page.keyboard.press("1")
        await trainee.sees("section[aria-labelledby=alarm-past]", "Confirmed threat")
        await instructor.page.keyboard.press("Alt+6")
        await instructor.sees("section[aria-labelledby=training-course] tbody tr:nth-child(2)", "met")


async def test_a_key_pressed_twice_does_not_acknowledge_the_alarm_that_comes_up_next(tmp_path: Path) -> None:
    async with visited(tmp_path, TWICE) as visit:
        await visit.sees("#banner", "+1 more")
        await named(visit)
        first = await visit.page.locator("#banner a").first.inner_text()
        second = next(one for one in ("image-max-high", "image-min-low") if one not in first)
        await visit.page.keyboard.press("a")
        await visit.sees("#banner", second)
        await visit.page.keyboard.press("a")
        await visit.sees("#banner", "read it, then press again")
        async with asyncio.timeout(30):
            while await visit.page.locator("#banner").is_visible():
                await visit.page.keyboard.press("a")


async def test_the_keyboard_keeps_its_place_while_all_around_is_renewed(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await visit.sees(".tile:not(.stale)", "thermal-1")
        for place in ("nav a[data-name=journal]", ".tile", "#banner button"):
            await visit.page.locator(place).first.focus()
            before = await visit.page.locator("#lights time").inner_text()
            await visit.page.locator("#lights time", has_text=before).wait_for(state="detached")
            assert await visit.page.evaluate(HELD, place)
        await visit.page.locator(".skip").focus()
        await visit.page.keyboard.press("Enter")
        assert await visit.page.locator("main").evaluate("one => one === document.activeElement")


PRESSED = [
    ("overview", ".tile", "#/devices/thermal-1"),
    ("overview", "section[aria-labelledby=overview-alarms] li a", "#/alarms/"),
    ("alarms", "section[aria-labelledby=alarms-standing] li a", "#/alarms/"),
    ("devices", "section[aria-labelledby=devices-all] li a", "#/devices/thermal-1"),
]
"""A view, what is pressed in it, and where that leads."""


async def test_what_a_finger_is_down_on_stays_until_it_is_lifted(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await visit.sees("#banner", "thermal-1/image-max-high")
        for view, pressed, leads in PRESSED:
            await visit.page.evaluate("view => { location.hash = `#/${view}`; }", view)
            await visit.page.locator(f"[data-view={view}] {pressed}").first.wait_for()
            await visit.page.mouse.move(*await visit.page.evaluate(MIDDLE, pressed))
            await visit.page.mouse.down()
            await visit.page.evaluate(RENEWED)
            await visit.page.mouse.up()
            await visit.page.wait_for_function("start => location.hash.startsWith(start)", arg=leads, timeout=5000)


async def test_a_hub_that_is_gone_is_said_at_once_and_nothing_looks_current(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await visit.sees(".tile:not(.stale)", "thermal-1")
        assert await visit.hub.ends(signal.SIGTERM) == 0
        await visit.sees(".tile.stale", "unknown", seconds=3.0)
        await visit.sees(".imager.stale .image-note", "unknown", seconds=3.0)
        await visit.sees("#foot", "nothing here is current", seconds=3.0)
        for name in ("Page", "Broker", "Journal", "Clock", "Sound"):
            await visit.sees("#lights .light.bad", f"{name} NOT OK", seconds=3.0)
        visit.complaints.clear()


async def test_of_a_device_whose_hub_is_gone_no_state_is_shown(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await visit.page.evaluate("location.hash = '#/devices/thermal-1'")
        await visit.sees("#main dl", "ready")
        await visit.sees("#main dl", "full")
        assert await visit.hub.ends(signal.SIGTERM) == 0
        await visit.sees("#main dl", "unknown", seconds=3.0)
        facts = await visit.page.locator("#main dl").first.inner_text()
        assert ("ready" in facts, "full" in facts) == (False, False)
        visit.complaints.clear()


async def test_a_camera_whose_plug_is_pulled_is_lost_within_two_seconds(tmp_path: Path) -> None:
    async with Camera() as camera, visited(tmp_path, thermal(port=camera.port)) as visit:
        await visit.sees(".imager:not(.stale) .image-caption", "hottest")
        camera.pull()
        async with asyncio.timeout(2.0):
            await visit.sees(".imager.stale .image-note", "LOST")
            await visit.sees(".tile.stale", "LOST")
