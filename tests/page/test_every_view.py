"""Each view in each theme: nothing that a screen reader, a keyboard or weak eyes cannot use; images for the guides."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.page.browsing import Visit, exercised, needs_browser, visited
from tests.page.scenes import BEFORE, BEGUN, CAMERA_AND_TRACE, REFRESH, VIEWS
from tests.pictures import EXERCISE, looked_at, picture, stale
from tests.pictures import VIEWS as PICTURED

pytestmark = [pytest.mark.real, needs_browser]

WANTED = PICTURED if REFRESH == "all" else stale() if REFRESH else ()
"""Views of which a picture is taken."""
THEMES = ["day", "dark", "night"]
LEAST = 44
"""CSS pixels, for fingers in gloves."""
SMALL = """least => [...document.querySelectorAll("a[href], button, select, input, textarea, summary")]
  .map(one => one.matches("[type=checkbox]") ? one.closest("label") : one)
  .filter(one => one.checkVisibility() && !one.matches(".skip") && one.getBoundingClientRect().height < least)
  .map(one => `${one.tagName} ${one.textContent} ${one.getBoundingClientRect().height}`)"""


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
            if (name := view.partition("/")[0]) in WANTED:
                await visit.page.screenshot(path=picture(name), full_page=view != "journal")
                looked_at(name)
        assert told == {}


async def test_the_view_of_an_exercise_is_for_everybody(tmp_path: Path) -> None:
    async with exercised(tmp_path, EXERCISE, "--auto", "--stay") as (trainee, instructor):
        await instructor.sees("section[aria-labelledby=training-course] td", "met")
        await trainee.page.evaluate("location.hash = '#/training'")
        await trainee.sees("section[aria-labelledby=training-said] li")
        told: dict[str, list[str]] = {}
        for who, visit in {"instructor": instructor, "trainee": trainee}.items():
            for theme in THEMES:
                if found := await violations(visit, theme):
                    told[f"{who} {theme}"] = found
        await themed(instructor, "day")
        if "training" in WANTED:
            await instructor.page.screenshot(path=picture("training"))
            looked_at("training")
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
