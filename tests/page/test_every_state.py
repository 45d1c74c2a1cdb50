"""What a view looks like but seldom is for everybody too: asked, refused, open, lost, over, without its hub; and each view in each language."""

import signal
from pathlib import Path

import pytest

from tests.page.browsing import Visit, needs_browser, visited
from tests.page.cameras import HOT, Camera, thermal
from tests.page.scenes import BEGUN, CAMERA_AND_TRACE, VIEWS, inspected
from tests.page.test_alarm_view import NOBODY, ONE, PAST, opened
from tests.page.test_every_view import SPOKEN, THEMES, violations
from tests.page.test_limits import RULES, STATION

pytestmark = [pytest.mark.real, needs_browser]

WIDTHS = {1400: 900, 1024: 768, 390: 844}
CUT = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  const cut = [...document.querySelectorAll("[placeholder]")].filter((one) => {
    const style = getComputedStyle(one);
    pen.font = style.font;
    return one.checkVisibility() && pen.measureText(one.placeholder).width > one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  }).map((one) => `cut: ${one.placeholder}`);
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? [...cut, `${scrollWidth} wide`] : cut;
}"""
"""Hints that are not whole, and whether the page is wider than its window."""


async def told_in(visit: Visit, state: str, *, pressed: bool = True) -> dict[str, list[str]]:
    """What is wrong with a state, by it and theme."""
    found = {f"{state} {theme}": await violations(visit, theme, pressed=pressed) for theme in THEMES}
    return {place: wrong for place, wrong in found.items() if wrong}


async def test_each_view_is_whole_and_for_everybody_in_each_language_on_a_desk_a_tablet_and_a_phone(
    tmp_path: Path,
) -> None:
    async with visited(tmp_path, CAMERA_AND_TRACE) as visit:
        await visit.page.evaluate("location.hash = '#/inspections'")
        await visit.sees(".desk form button")
        await inspected(visit)
        told: dict[str, list[str]] = {}
        for language, (word, _) in SPOKEN.items():
            await visit.page.locator("#language").select_option(language)
            await visit.sees("nav a", word)
            for view, shown in {**VIEWS, "training": "section"}.items():
                await visit.page.evaluate("view => { location.hash = `#/${view}`; }", view)
                await visit.sees(f"[data-view={view.partition('/')[0]}] {shown}")
                for width, height in WIDTHS.items():
                    await visit.page.set_viewport_size({"width": width, "height": height})
                    if cut := await visit.page.evaluate(CUT):
                        told[f"{language} {view} {width}"] = cut
                if wrong := await violations(visit, "dark"):
                    told[f"{language} {view}"] = wrong
        assert told == {}


async def test_an_alarm_that_is_asked_about_acknowledged_refused_and_over_is_for_everybody(tmp_path: Path) -> None:
    async with Camera() as camera, visited(tmp_path, thermal(HOT, port=camera.port)) as visit:
        await visit.sees(".tile:not(.stale)", "thermal-1")
        camera.simulator.do("hotspot", x=16.0, y=12.0, dk=20.0)
        await opened(visit)
        await visit.page.evaluate(NOBODY)
        await visit.page.keyboard.press("Alt+1")
        await visit.page.locator("[data-view=overview] .tile").wait_for()
        await visit.page.keyboard.press("a")
        await visit.sees("#banner", "Say first who works here.")
        told = await told_in(visit, "who")
        await visit.page.locator("#banner #issuer").fill("op-1147")
        await visit.page.locator("#banner #issuer").press("Enter")
        await visit.page.keyboard.press("Alt+2")
        await visit.page.locator("[aria-labelledby=alarms-standing] li a").press("Enter")
        await visit.page.locator(".step input").first.press("Space")
        await visit.sees(".step time", ":")
        await visit.page.get_by_role("button", name="4 Nuisance").press("Enter")
        await visit.sees(f"{ONE} fieldset [role=status]", "REJECTED: acknowledge it first")
        told |= await told_in(visit, "refused")
        await visit.page.keyboard.press("a")
        await visit.sees(f"{ONE} dd", "op-1147")
        told |= await told_in(visit, "acknowledged")
        await visit.page.get_by_role("button", name="4 Nuisance").press("Enter")
        await visit.sees(f"{ONE} dd", "Nuisance")
        camera.simulator.do("clear")
        await visit.sees(f"{PAST} dd", "Nuisance")
        told |= await told_in(visit, "over")
        await visit.page.keyboard.press("Alt+5")
        await visit.page.locator("tbody summary").first.press("Enter")
        await visit.page.locator("tbody details[open] pre").wait_for()
        told |= await told_in(visit, "an event")
        await visit.page.keyboard.press("Alt+1")
        camera.pull()
        await visit.sees(".imager.stale .image-note", "LOST")
        await visit.sees(".tile.stale", "LOST")
        told |= await told_in(visit, "lost")
        assert told == {}


async def test_a_limit_that_is_being_changed_is_for_everybody(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(RULES)
    async with visited(tmp_path, STATION) as visit:
        await visit.page.evaluate("location.hash = '#/setup'")
        await visit.page.locator("section[aria-labelledby=setup-rules] td button").click()
        await visit.sees("section[aria-labelledby=setup-rules] form p", "1,000 → 1,000")
        assert await told_in(visit, "limit") == {}


async def test_each_view_without_its_hub_is_for_everybody(tmp_path: Path) -> None:
    async with visited(tmp_path, CAMERA_AND_TRACE) as visit:
        await visit.sees("#banner", "gamma-1/dose-rate-high")
        for view, shown in reversed(VIEWS.items()):
            await visit.page.evaluate("view => { location.hash = `#/${view}`; }", view)
            await visit.sees(f"[data-view={view.partition('/')[0]}] {BEGUN.get(view, shown)}")
            if view == "inspections":
                await inspected(visit)
                await visit.page.locator(".preflight summary").press("Enter")
                told = await told_in(visit, "checked")
        assert await visit.hub.ends(signal.SIGTERM) == 0
        await visit.sees("#foot", "nothing here is current")
        for view in VIEWS:
            await visit.page.evaluate("view => { location.hash = `#/${view}`; }", view)
            await visit.page.locator(f"[data-view={view.partition('/')[0]}] main > *").first.wait_for()
            told |= await told_in(visit, f"{view} alone")
        visit.complaints.clear()
        assert told == {}
