"""A hub with a page, and a browser that looks at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.programs import needed
from tests.real.hub_process import HubProcess, started

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60_000.0

needs_browser = pytest.mark.needs(*CHROMIUM)

HUB = """
[hub]
site = "bcp-north"
node = "lane-1"
exercise = true
state = "state"

[page]
enabled = true
port = 0
"""


@dataclass
class Visit:
    """A page that is open, what it logged, and the hub behind it."""

    page: Page
    hub: HubProcess
    address: str
    complaints: list[str] = field(default_factory=list)

    async def sees(self, selector: str, words: str = "", seconds: float = 60.0) -> str:
        """The text of the first element that has these words, once there is one."""
        found = self.page.locator(selector, has_text=words).first
        await found.wait_for(timeout=seconds * 1000)
        return await found.inner_text()


def _complaint(said: ConsoleMessage) -> str:
    return f"{said.text} {said.location['url']}"


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium, as it is installed on the machine."""
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=needed(*CHROMIUM), args=["--no-sandbox"])
        try:
            yield one
        finally:
            await one.close()


async def _visit(one: Browser, hub: HubProcess, said: str, size: tuple[int, int]) -> Visit:
    """A page in a browser profile of its own, at the address behind that word."""
    address = (await hub.says(said, 60)).partition(said)[2]
    page = await (await one.new_context(viewport={"width": size[0], "height": size[1]})).new_page()
    page.set_default_timeout(PATIENCE)
    visit = Visit(page, hub, address)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("console", lambda told: visit.complaints.append(_complaint(told)) if told.type == "error" else None)
    await page.goto(address)
    return visit


@asynccontextmanager
async def exercised(folder: Path, *words: str) -> AsyncIterator[tuple[Visit, Visit]]:
    """`devicehub simulate WORDS` with trainee and instructor, each at the page with a browser of his own."""
    async with started("simulate", *words, cwd=folder) as hub, browser() as one:
        trainee = await _visit(one, hub, "page: ", (1400, 900))
        instructor = await _visit(one, hub, "instructor: ", (1400, 1000))
        yield trainee, instructor
        assert (trainee.complaints, instructor.complaints) == ([], [])


@asynccontextmanager
async def visited(
    folder: Path, config: str, *, width: int = 1400, height: int = 900, exercise: bool = True
) -> AsyncIterator[Visit]:
    """A hub with that configuration, of an exercise or real, and a browser at its page. Nothing may be logged as an error by the page."""
    file = folder / "hub.toml"
    file.write_text(HUB.replace("exercise = true", f"exercise = {exercise}".lower()) + config)
    async with started("run", "--config", str(file), cwd=folder) as hub, browser() as one:
        visit = await _visit(one, hub, "page: ", (width, height))
        yield visit
        assert visit.complaints == [], visit.complaints


@asynccontextmanager
async def demonstrated(folder: Path) -> AsyncIterator[Visit]:
    """`devicehub demo` and a browser at its page."""
    async with started("demo", cwd=folder) as hub, browser() as one:
        visit = await _visit(one, hub, "page: ", (1400, 900))
        yield visit
        assert visit.complaints == [], visit.complaints
