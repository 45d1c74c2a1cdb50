"""Each view in each theme: nothing that a screen reader, a keyboard or weak eyes cannot use; images for the guides."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe

from devicehub.config.resources import shipped
from tests.page.browsing import Visit, exercised, needs_browser, visited
from tests.page.cameras import HOT, WARM, thermal

pytestmark = [pytest.mark.real, needs_browser]

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "img"
REFRESH = bool(os.environ.get("DEVICEHUB_REFRESH_IMAGES"))
VIEWS = {
    "overview": ".tile",
    "alarms": "section[aria-labelledby=alarms-standing]",
    "inspections": "section[aria-labelledby=inspection-checked] td",
    "devices/trace-1": "section[aria-labelledby=device-facts] dd",
    "journal": "tbody tr",
    "setup": "section[aria-labelledby=setup-rules] td",
    "wall": ".wall-images .imager",
}
BEGUN = {"inspections": ".desk form button"}
THEMES = ["day", "dark", "night"]
LEAST = 44
"""CSS pixels, for fingers in gloves."""
SMALL = """least => [...document.querySelectorAll("a[href], button, select, input, textarea, summary")]
  .map(one => one.matches("[type=checkbox]") ? one.closest("label") : one)
  .filter(one => one.checkVisibility() && !one.matches(".skip") && one.getBoundingClientRect().height < least)
  .map(one => `${one.tagName} ${one.textContent} ${one.getBoundingClientRect().height}`)"""
CAMERA_AND_TRACE = f"""{thermal(HOT if REFRESH else WARM, priority="medium")}
[[device]]
id = "trace-1"
driver = "trace.ims_reference"
port = "sim:"
mobility = {{ library = "{shipped("substances")}/training.toml" }}

[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"

[[limit]]
device = "gamma-1"
channel = "dose-rate"
high = 0.01
priority = "high"

[[desk]]
id = "desk-1"
devices = ["gamma-1", "thermal-1"]
"""


async def themed(visit: Visit, theme: str) -> None:
    """Press the button of the themes until it is that one: what is drawn by hand is drawn anew by that."""
    while await visit.page.evaluate("document.documentElement.dataset.theme") != theme:
        await visit.page.locator("#theme").click()


async def violations(visit: Visit, theme: str, *, pressed: bool = True) -> list[str]:
    """By every rule, in each theme. `pressed`: else the button of the themes is behind something."""
    if pressed:
        await themed(visit, theme)
    else:
        await visit.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    found = await Axe().run(visit.page)
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


async def inspected(visit: Visit) -> None:
    """The desk was checked before the shift, and an inspection is open there."""
    await visit.page.locator("#issuer").fill("op-1147")
    await visit.page.locator("#issuer").press("Enter")
    await visit.page.get_by_role("button", name="Check before the shift").click()
    await visit.sees(".preflight a")
    await visit.page.locator(".desk form button").first.click()


async def examined(visit: Visit) -> None:
    """The doctor was asked and hardware looked for, and the broker has brought a message back."""
    for panel in ("examination", "hardware", "broker"):
        await visit.page.locator(f"section[aria-labelledby=setup-{panel}] button").first.press("Enter")
    await visit.sees("section[aria-labelledby=setup-examination] [role=status]", "checks: ")
    await visit.sees("section[aria-labelledby=setup-hardware] p", "page.setup is not true")
    await visit.sees("section[aria-labelledby=setup-broker] [role=status]", "came back in")


async def watched(visit: Visit) -> None:
    """What passes over the link is shown."""
    await visit.page.locator("section[aria-labelledby=device-raw] button").press("Enter")
    await visit.sees(".raw-made code")


async def compared(visit: Visit) -> None:
    """An image is kept."""
    await visit.sees(".imager:not(.stale) .image-caption", "hottest")
    await visit.page.get_by_role("button", name="Compare").press("Enter")
    await visit.sees(".kept figcaption", "Kept at")


async def raised(visit: Visit) -> None:
    """The alarm of the camera is shown, with the image on which it came."""
    await visit.page.locator("section[aria-labelledby=alarms-standing] a", has_text="thermal-1").press("Enter")
    await visit.page.locator(".exposure canvas").wait_for()


BEFORE = {
    "overview": compared,
    "alarms": raised,
    "inspections": inspected,
    "devices/trace-1": watched,
    "setup": examined,
}


async def test_each_view_in_each_theme_is_for_everybody(tmp_path: Path) -> None:
    async with visited(tmp_path, CAMERA_AND_TRACE) as visit:
        await visit.sees("#banner", "gamma-1/dose-rate-high")
        told: dict[str, list[str]] = {}
        for view, shown in VIEWS.items():
            await visit.page.evaluate("view => { location.hash = `#/${view}`; }", view)
            await visit.sees(BEGUN.get(view, shown))
            if view in BEFORE:
                await BEFORE[view](visit)
            await visit.sees(shown)
            if small := await visit.page.evaluate(SMALL, LEAST):
                told[f"{view} targets"] = small
            for theme in THEMES:
                if found := await violations(visit, theme):
                    told[f"{view} {theme}"] = found
            await themed(visit, "day")
            if REFRESH:
                shot = IMAGES / f"page-{view.partition('/')[0]}.png"
                await visit.page.screenshot(path=shot, full_page=view != "journal")
        assert told == {}


async def test_the_view_of_an_exercise_is_for_everybody(tmp_path: Path) -> None:
    async with exercised(tmp_path, "vehicle-hidden-compartment", "--auto", "--stay") as (trainee, instructor):
        await instructor.sees("section[aria-labelledby=training-course] td", "met")
        await trainee.page.evaluate("location.hash = '#/training'")
        await trainee.sees("section[aria-labelledby=training-said] li")
        told: dict[str, list[str]] = {}
        for who, visit in {"instructor": instructor, "trainee": trainee}.items():
            for theme in THEMES:
                if found := await violations(visit, theme):
                    told[f"{who} {theme}"] = found
        await themed(instructor, "day")
        if REFRESH:
            await instructor.page.screenshot(path=IMAGES / "page-training.png")
        assert told == {}


WRITTEN = """async () => {
  const { moment, number } = await import("/static/words.js");
  return `${number(1008.25)} ${moment("2026-11-30T12:00:00Z")}`;
}"""
"""A number and a date, which no Chromium knows how to write in Albanian."""
SPOKEN = {
    "sq": ("Përmbledhja", "qendra u nis"),
    "sr-Latn": ("Pregled", "čvorište pokrenuto"),
    "sr-Cyrl": ("Преглед", "чвориште покренуто"),
}


async def test_the_page_speaks_the_language_that_is_chosen(tmp_path: Path) -> None:
    async with visited(tmp_path, "") as visit:
        await visit.page.evaluate("location.hash = '#/journal'")
        for language, (word, event) in SPOKEN.items():
            await visit.page.locator("#language").select_option(language)
            await visit.sees("nav a", word)
            await visit.page.reload()
            await visit.sees("nav a", word)
            await visit.sees("tbody td", event)
            assert await visit.page.evaluate("document.documentElement.lang") == language
            assert re.fullmatch(r"1[\s.]008,25 30\. ?(11\.|nën) ?2026.*", await visit.page.evaluate(WRITTEN)), language
        await visit.page.evaluate("location.hash = '#/setup'")
        await visit.sees("section[aria-labelledby=setup-hub] dt:not([lang])", "Отисак конфигурације")
