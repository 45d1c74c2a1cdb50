"""What is pressed on one alarm at once is done one after the other; what somebody has not seen is not passed over, and nothing that was typed is lost."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Route

from tests.page.browsing import Visit, needs_browser, visited
from tests.page.cameras import thermal
from tests.page.test_alarm_view import ONE, opened

pytestmark = [pytest.mark.real, needs_browser]

PRESSED = """keys => {
  const step = document.querySelector(".step input");
  for (const key of keys) {
    if (key === "step") step.click();
    else dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
  }
}"""
"""All of it before the page hears anything of it."""
REVISION = """async () => [...(await import("/static/store.js")).alarms.values()][0].data.revision"""
STANDING = """async () => [...(await import("/static/store.js")).alarms.values()][0].data.alarm"""
CONFIRMED = "Nuisance"
CHANGED = "the alarm has changed meanwhile: look at it, then press again"


async def test_a_tick_a_silence_an_acknowledgement_and_what_it_was_are_all_done_when_they_are_pressed_at_once(
    tmp_path: Path,
) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        await visit.page.get_by_role("textbox", name="Note").fill("paint next door")
        before = int(await visit.page.evaluate(REVISION))
        await visit.page.evaluate(PRESSED, ["step", "s", "a", "a", "4"])
        await visit.sees(f"{ONE} dd", CONFIRMED)
        await visit.sees(f"{ONE} dd", "paint next door")
        await visit.sees(".step time", ":")
        assert await visit.page.locator("[data-key=s]").is_disabled()
        assert await visit.page.evaluate(REVISION) == before + 4, "a key that is pressed twice means one thing"
        assert await visit.page.locator(f"{ONE} [role=status]").all_inner_texts() == ["done", "done", "done"]


async def test_the_banner_takes_both_keys_at_once(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        await visit.page.keyboard.press("Alt+1")
        await visit.page.locator("[data-view=overview] .tile").first.wait_for()
        await visit.page.evaluate(PRESSED, ["s", "a"])
        await visit.page.locator("#banner").wait_for(state="hidden")


async def meanwhile(visit: Visit) -> None:
    """Somebody else silences the alarm, and the page is told."""
    place = urlsplit(visit.address)
    origin = f"{place.scheme}://{place.netloc}"
    order = {
        "target": "hub",
        "verb": "silence",
        "issuer": "op-2",
        "args": {"alarm": await visit.page.evaluate(STANDING)},
    }
    answer = await visit.page.request.post(f"{origin}/api/command", data=order, headers={"origin": origin})
    assert answer.ok, await answer.text()
    await visit.page.locator("[data-key=s]:disabled").wait_for()


async def held(visit: Visit) -> asyncio.Queue[Route]:
    """Commands of the page, on their way for as long as the test wants."""
    came = asyncio.Queue[Route]()
    await visit.page.route("**/api/command", came.put)
    return came


async def test_an_act_on_what_has_changed_unseen_is_refused_in_words_and_what_was_typed_stays(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal()) as visit:
        await opened(visit)
        await visit.page.keyboard.press("a")
        await visit.sees(f"{ONE} dd", "op-1147")
        came = await held(visit)
        await visit.page.get_by_role("textbox", name="Note").fill("paint next door")
        await visit.page.evaluate(PRESSED, ["step", "4"])
        tick = await came.get()
        await meanwhile(visit)
        await tick.continue_()
        await (await came.get()).continue_()
        await visit.sees(f"{ONE} fieldset [role=status]", f"REJECTED: {CHANGED}")
        assert await visit.page.get_by_role("textbox", name="Note").input_value() == "paint next door"
        await visit.page.get_by_role("button", name="4 Nuisance").press("Enter")
        await (await came.get()).continue_()
        await visit.sees(f"{ONE} dd", CONFIRMED)


async def test_the_reason_of_a_shelving_that_was_refused_is_there_when_it_is_asked_for_again(tmp_path: Path) -> None:
    async with visited(tmp_path, thermal(category="device")) as visit:
        await opened(visit)
        came = await held(visit)
        shelve = visit.page.get_by_role("button", name="Shelve 30 min")
        await shelve.press("Enter")
        await visit.page.get_by_role("dialog").get_by_role("textbox").fill("paint next door")
        await visit.page.keyboard.press("Enter")
        asked = await came.get()
        await meanwhile(visit)
        await asked.continue_()
        await visit.sees(f"{ONE} [data-said]", CHANGED)
        await shelve.press("Enter")
        assert await visit.page.get_by_role("dialog").get_by_role("textbox").input_value() == "paint next door"
        await visit.page.keyboard.press("Enter")
        await (await came.get()).continue_()
        await visit.sees(f"{ONE} dd", "op-1147: paint next door")
