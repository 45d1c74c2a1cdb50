"""One alarm whole: the image on which it came, what to do ticked off, put aside with a reason, and what is not offered."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.async_api import Locator, expect

from tests.page.browsing import Visit, needs_browser, visited
from tests.page.cameras import HOT, Camera, thermal
from tests.page.test_every_view import THEMES, violations

pytestmark = [pytest.mark.real, needs_browser]

ONE = "section[aria-labelledby=alarm-one]"
COLOURS = """canvas => new Set(new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
LIMITED = """() => {
  const canvas = document.querySelector("section[aria-labelledby=alarm-one] canvas.trend");
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const red = (at) => data[at + 3] > 40 && data[at] > 2 * data[at + 1];
  const across = (row) => Array.from({ length: width }, (_, column) => red(4 * (row * width + column))).filter(Boolean).length > 0.7 * width;
  const inked = Array.from({ length: data.length / 4 }, (_, place) => 4 * place).some((at) => data[at + 3] > 200 && data[at] < 60 && !red(at));
  return inked && Array.from({ length: height }, (_, row) => row).some(across);
}"""
"""Whether the course of the hottest pixel is drawn, and across it a line in the colour of alarms: the limit."""
DRAWN = 20
"""Colours of a drawn image, at least."""
CARRIED = "() => document.activeElement.closest('dialog') !== null"


async def opened(visit: Visit) -> None:
    """The view of the alarm that stands, by somebody who has a name."""
    await visit.sees("#banner", "thermal-1/image-max-high")
    await visit.page.keyboard.press("Alt+2")
    await visit.page.locator("#issuer").fill("op-1147")
    await visit.page.locator("#issuer").press("Enter")


async def drawn(visit: Visit) -> int:
    """How many colours the image of the alarm has, once it is drawn."""
    canvas = visit.page.locator(".exposure canvas")
    await canvas.wait_for()
    while (found := int(await canvas.evaluate(COLOURS))) < DRAWN:
        await visit.page.wait_for_timeout(50)
    return found


async def taken(visit: Visit, link: Locator) -> Path:
    """What a link gives, as a file."""
    async with visit.page.expect_download() as download:
        await link.click()
    return Path(await (await download.value).path())


def is_kept(folder: Path, found: Path) -> bool:
    """Whether those bytes are among the evidence."""
    return found.read_bytes() in [path.read_bytes() for path in (folder / "state" / "evidence-exercise").glob("*/*")]


async def test_the_image_on_which_an_alarm_came_is_shown_with_its_time_to_whoever_comes_later_too(
    tmp_path: Path,
) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        assert await drawn(visit) >= DRAWN
        (raised,) = await visit.page.locator(f"{ONE} dt:text-is('Raised') + dd").all_inner_texts()
        assert f"Image on which it was raised, {raised}" in await visit.sees(".exposure figcaption")
        assert is_kept(tmp_path, await taken(visit, visit.page.locator(".exposure a")))
        await visit.page.wait_for_function(LIMITED)
        await visit.page.reload()
        assert await drawn(visit) >= DRAWN
        await visit.page.keyboard.press("a")
        await visit.sees(f"{ONE} dd", "op-1147")
        assert await drawn(visit) >= DRAWN, "it stays while the alarm goes on"


BUSY = "async () => { (await import('/static/store.js')).events.length = 0; }"
"""So much happened since that none of the events before are among those that the page holds."""


async def test_steps_are_ticked_off_with_their_time_and_the_banner_says_the_next(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        await visit.sees("#banner", "next: Stop. Keep people away.")
        first = visit.page.locator(".step").first
        await first.locator("input").focus()
        await visit.page.keyboard.press("Space")
        assert await visit.sees(".step time", ":")
        await visit.sees("#banner", "next: Isolate the item")
        await visit.page.evaluate(BUSY)
        await visit.page.keyboard.press("Alt+1")
        await visit.page.keyboard.press("Alt+2")
        await visit.page.locator(".step").first.wait_for()
        assert await first.locator("input").is_checked(), "it is known when the view is opened again"
        time = await first.locator("time").inner_text()
        await visit.page.reload()
        await visit.page.locator(".step input:checked").wait_for()
        assert await first.locator("time").inner_text() == time
        await visit.sees("#banner", "next: Isolate the item")
        await visit.page.get_by_role("textbox", name="Note").fill("paint")
        await first.locator("input").press("Space")
        await visit.sees("#banner", "next: Stop. Keep people away.")
        assert await first.locator("time").inner_text() == ""
        assert await visit.page.get_by_role("textbox", name="Note").input_value() == "paint"


COMMENTED = """async (why) => {
  const { command } = await import("/static/act.js");
  const { alarms } = await import("/static/store.js");
  return (await command("hub", "comment", { alarm: [...alarms.values()][0].data.alarm, why })).state;
}"""
"""What anybody may say of an alarm over MQTT."""


async def test_a_comment_is_shown_and_no_tick_takes_its_place(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        assert await visit.page.evaluate(COMMENTED, "the owner was called") == "done"
        await visit.page.locator(".step input").first.press("Space")
        await visit.sees(".step time", ":")
        shown = visit.page.locator(f"{ONE} dt:text-is('Comment') + dd")
        assert await shown.all_inner_texts() == ["op-1147: the owner was called"]


NOBODY = "() => localStorage.removeItem('devicehub.issuer')"


async def test_a_tick_that_the_hub_did_not_take_is_none(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        await visit.page.evaluate(NOBODY)
        await visit.page.locator(".step input").first.press("Space")
        await visit.sees(f"{ONE} fieldset [role=status]", "Say first who works here.")
        assert not await visit.page.locator(".step input").first.is_checked()


PAST = "section[aria-labelledby=alarm-past]"


async def test_of_an_alarm_that_is_over_all_is_still_there_after_a_reload(tmp_path: Path) -> None:
    async with Camera() as camera, visited(tmp_path, thermal(HOT, port=camera.port)) as visit:
        await visit.sees(".tile:not(.stale)", "thermal-1")
        camera.simulator.do("hotspot", x=16.0, y=12.0, dk=20.0)
        await opened(visit)
        await visit.page.locator("[aria-labelledby=alarms-standing] li a").press("Enter")
        await visit.page.locator(".step input").first.press("Space")
        await visit.sees(".step time", ":")
        await visit.page.keyboard.press("a")
        await visit.sees(f"{ONE} dd", "op-1147")
        await visit.page.get_by_role("textbox", name="Note").fill("a kettle")
        await visit.page.get_by_role("button", name="4 Nuisance").press("Enter")
        await visit.sees(f"{ONE} dd", "a kettle")
        camera.simulator.do("clear")
        await visit.sees(f"{PAST} dd", "a kettle")
        await visit.page.reload()
        for words in ("Nuisance", "a kettle", "op-1147"):
            await visit.sees(f"{PAST} dd", words)
        await visit.sees(f"{PAST} li:has-text('Stop. Keep people away.') time", ":")
        await visit.sees(f"{PAST} li", "alarm raised")
        await expect(visit.page.locator(f"{PAST} li", has_text="alarm raised")).to_have_count(1, timeout=30_000)
        assert await drawn(visit) >= DRAWN
        events = await taken(visit, visit.page.locator(f"{PAST} a", has_text="ZIP"))
        with ZipFile(events) as file:
            assert b"step 1 done: Stop. Keep people away." in file.read("events.jsonl")


async def test_an_alarm_that_nobody_knows_is_not_said_to_be_over(tmp_path: Path) -> None:
    async with visited(tmp_path, "") as visit:
        await visit.page.evaluate("location.hash = '#/alarms/01JZZZZZZZZZZZZZZZZZZZZZZZ'")
        await visit.sees("section[aria-labelledby=alarm-none]", "This alarm is not on record here")
        assert await visit.page.locator(PAST).count() == 0


async def test_keys_do_what_they_do_after_a_step_was_ticked_off_by_one(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        await visit.page.locator(".step input").first.focus()
        await visit.page.keyboard.press("Space")
        await visit.sees(".step time", ":")
        await visit.page.keyboard.press("a")
        await visit.sees(f"{ONE} dd", "op-1147", seconds=10.0)
        await visit.page.locator(".step input").first.focus()
        await visit.page.keyboard.press("4")
        await visit.sees(f"{ONE} dd", "Nuisance", seconds=10.0)


async def test_a_detection_is_not_offered_to_be_shelved_and_it_is_said_why(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        await visit.sees(f"{ONE} .buttons", "A detection is not shelved")
        assert await visit.page.get_by_role("button", name="Shelve").count() == 0


async def test_another_alarm_is_shelved_by_keyboard_with_a_reason_and_comes_back(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal(category="device")) as visit:
        await opened(visit)
        await visit.page.get_by_role("button", name="Shelve 30 min").press("Enter")
        dialog = visit.page.get_by_role("dialog", name="Shelve 30 min")
        await dialog.wait_for()
        assert {theme: found for theme in THEMES if (found := await violations(visit, theme, pressed=False))} == {}
        assert await visit.page.evaluate(CARRIED), "the keyboard stands in it"
        await visit.page.keyboard.press("Escape")
        await dialog.wait_for(state="detached")
        await visit.sees("#banner", "thermal-1/image-max-high")
        await visit.page.get_by_role("button", name="Shelve 30 min").press("Enter")
        await visit.page.keyboard.press("Enter")
        await dialog.wait_for()
        await visit.page.keyboard.type("paint next door, as said")
        assert await visit.page.locator("#banner").is_visible(), "a letter in it is no key of the page"
        await visit.page.keyboard.press("Enter")
        await visit.page.locator("#banner").wait_for(state="hidden")
        await visit.sees(f"{ONE} dd", "op-1147: paint next door, as said")
        await visit.page.get_by_role("button", name="End shelving").press("Enter")
        await visit.sees("#banner", "thermal-1/image-max-high")
