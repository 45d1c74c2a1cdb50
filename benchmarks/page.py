"""What the local page costs: its weight, its first paint, the frames that it draws, and the processor of the hub.

    python benchmarks/page.py [--loads 9] [--seconds 20] [--write]

A hub of its own with a thermal camera of 256x192 pixels at 25 Hz and a gas detector, both simulated inside it, and
Chromium, which draws without a graphics processor. Weight is what the browser counts on the wire for a load without
a cache, headers included. Clients are what a browser with the device's view opens: the news, and images as they come.
`--write` puts the part into `benchmarks/RESULTS.md`. Ends with 1 where the median of the first paints is over the goal.
"""

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import written
from idle import memory, processor
from playwright.async_api import Browser, Page, async_playwright
from websockets.asyncio.client import connect

CAMERA = "thermal-1"
CONFIG = f"""
[hub]
site = "bench"
node = "page"
exercise = true
state = "state"

[page]
enabled = true
port = 0

[[device]]
id = "{CAMERA}"
driver = "thermal.infiray_p2pro"
port = "sim:"

[[device]]
id = "vapour-1"
driver = "trace.aci_pids3"
port = "sim:"

[[limit]]
device = "{CAMERA}"
channel = "temperature.max"
high = 200.0
"""
SETTLING = 5.0
PAINT_GOAL = 300.0
COUNTED = """
const told = (name, value) => { document.documentElement.dataset[name] ??= String(value); };
window.drawn = { painted: 0, numbers: [] };
const put = CanvasRenderingContext2D.prototype.putImageData;
CanvasRenderingContext2D.prototype.putImageData = function (image, ...rest) {
  if (image.height > 1) {
    const [number, { numbers }] = [Number(this.canvas.dataset.frame), window.drawn];
    window.drawn.painted += 1;
    if (number !== numbers.at(-1)) numbers.push(number);
    if (numbers.length > 10) told("drawing", true);
  }
  return put.call(this, image, ...rest);
};
const seen = new MutationObserver(() => {
  if (!document.querySelector(".tile:not(.stale)")) return;
  told("value", performance.now());
  seen.disconnect();
});
seen.observe(document, { childList: true, subtree: true });
new PerformanceObserver((list) => {
  for (const one of list.getEntriesByName("first-contentful-paint")) told("paint", one.startTime);
}).observe({ type: "paint", buffered: true });
"""


@dataclass(frozen=True)
class Load:
    """One load without a cache: bytes on the wire, requests, ms to the first paint and to the first current value."""

    size: float
    requests: int
    paint_ms: float
    value_ms: float


@dataclass(frozen=True)
class Cost:
    """`cpu`: of one core, in per cent. `frames`: images that the clients got a second, each."""

    cpu: float
    pss_mb: float
    frames: float


@dataclass(frozen=True)
class Rate:
    """Images a second: made by the camera, shown, each counted once by its number; and paintings, repeated ones too."""

    made: float
    shown: float
    painted: float


@asynccontextmanager
async def hub(folder: Path) -> AsyncIterator[tuple[int, str]]:
    """A hub with a page: its process and its address."""
    config = folder / "hub.toml"
    config.write_text(CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "devicehub", "run", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    said = b""
    try:
        async with asyncio.timeout(30):
            while not (line := await process.stderr.readline()).startswith(b"page: "):
                said += line
                if not line:
                    raise SystemExit(f"the hub said no address: {said.decode()[-2000:]}")
        reading = asyncio.create_task(process.stderr.read())
        yield process.pid, line.decode().partition("page: ")[2].strip()
        process.terminate()
        await reading
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def opened(browser: Browser, address: str) -> AsyncIterator[Page]:
    """A page in a context of its own, so without a cache; it counts what it draws."""
    context = await browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = await context.new_page()
        await page.add_init_script(COUNTED)
        await page.goto(address)
        yield page
    finally:
        await context.close()


async def load(browser: Browser, address: str) -> Load:
    """Open the page once. The redirect that takes the token out of the address is part of it."""
    context = await browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = await context.new_page()
        await page.add_init_script(COUNTED)
        wire = await context.new_cdp_session(page)
        sizes: list[float] = []
        wire.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
        await wire.send("Network.enable")
        await page.goto(address)
        value, paint = await told_by(page, "value"), await told_by(page, "paint")
        return Load(sum(sizes), len(sizes), paint, value)
    finally:
        await context.close()


async def told_by(page: Page, name: str) -> float:
    """What the page has told of itself: its policy lets nobody evaluate text in it."""
    place = page.locator(f"html[data-{name}]")
    await place.wait_for(state="attached")
    return float(await place.get_attribute(f"data-{name}") or "nan")


async def frames(browser: Browser, address: str, seconds: float) -> Rate:
    """What becomes of the camera's images of 256x192 in its view."""
    async with opened(browser, address) as page:
        await page.evaluate("device => { location.hash = `#/devices/${device}`; }", CAMERA)
        await page.locator("html[data-drawing]").wait_for(state="attached")
        await asyncio.sleep(SETTLING)
        before, begun = await page.evaluate("window.drawn"), time.perf_counter()
        await asyncio.sleep(seconds)
        after, lasted = await page.evaluate("window.drawn"), time.perf_counter() - begun
        had, has, painted = before["numbers"], after["numbers"], after["painted"] - before["painted"]
        return Rate((has[-1] - had[-1]) / lasted, len(set(has[len(had) :])) / lasted, painted / lasted)


async def cost(pid: int, address: str, clients: int, seconds: float) -> Cost:
    """The hub with so many clients that take all they get."""
    came = [0] * clients
    async with AsyncExitStack() as stack:
        for number in range(clients):
            for path in ("/ws/news", f"/ws/images/{CAMERA}?rate=25"):
                await stack.enter_async_context(_client(address, path, came, number))
        await asyncio.sleep(SETTLING)
        before, had, begun = processor(pid), sum(came), time.perf_counter()
        await asyncio.sleep(seconds)
        lasted = time.perf_counter() - begun
        used, got = processor(pid) - before, sum(came) - had
        return Cost(100 * used / lasted, memory(pid)[0], got / lasted / max(clients, 1))


@asynccontextmanager
async def _client(address: str, path: str, came: list[int], number: int) -> AsyncIterator[None]:
    place = urlsplit(address)
    cookie = {"Cookie": f"devicehub={place.query.partition('=')[2]}"}
    url, origin = f"ws://{place.netloc}{path}", f"http://{place.netloc}"
    async with connect(url, additional_headers=cookie, origin=origin, compression=None, max_size=None) as socket:  # type: ignore[arg-type]  # a NewType of str

        async def take() -> None:
            async for message in socket:
                came[number] += isinstance(message, bytes)

        task = asyncio.create_task(take())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def measured(loads: int, seconds: float) -> tuple[str, float]:
    """All of it, as the part of the page; the median of the first paints, ms."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        raise SystemExit("no chromium on this machine")
    busy = os.getloadavg()[0]
    with TemporaryDirectory(prefix="devicehub-page-") as folder:
        async with hub(Path(folder)) as (pid, address):
            costs = {count: await cost(pid, address, count, seconds) for count in (0, 1, 4)}
            async with (
                async_playwright() as playwright,
                await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"]) as browser,
            ):
                await load(browser, address)
                found = [await load(browser, address) for _ in range(loads)]
                rate = await frames(browser, address, seconds)
    return f"{told(found, rate, costs)} {disturbed(busy)}", median(one.paint_ms for one in found)


def disturbed(load: float) -> str:
    """What else ran. First paint and frames are worth something on an idle machine only; processor time always is."""
    cores = os.cpu_count() or 1
    said = f"Load of the machine before it began: {load:.1f} on {cores} cores."
    return said if load < cores / 4 else f"{said} **Times and rates above are those of a machine that did other work.**"


def told(loads: Sequence[Load], rate: Rate, costs: dict[int, Cost]) -> str:
    """The part of the page."""
    paints, values = sorted(one.paint_ms for one in loads), sorted(one.value_ms for one in loads)
    first = written.table(
        ("first load, no cache", "median", "worst", "goal"),
        [
            ("weight on the wire, kB", f"{median(one.size for one in loads) / 1e3:.1f}", "", ""),
            ("requests", str(loads[-1].requests), "", ""),
            ("first paint, ms", f"{median(paints):.0f}", f"{paints[-1]:.0f}", f"< {PAINT_GOAL:.0f}"),
            ("first current value, ms", f"{median(values):.0f}", f"{values[-1]:.0f}", ""),
        ],
    )
    idle = costs[0].cpu
    second = written.table(
        ("clients", "images a second, each", "hub, % of a core", "of which for the page", "hub, PSS MB"),
        [
            (str(n), f"{one.frames:.1f}" if n else "-", f"{one.cpu:.1f}", f"{one.cpu - idle:.1f}", f"{one.pss_mb:.0f}")
            for n, one in costs.items()
        ],
    )
    drawn = (
        f"In the view of the camera, which makes {rate.made:.1f} images of 256x192 a second, Chromium shows "
        f"{rate.shown:.1f} of them, each counted once by its number, and paints {rate.painted:.1f} times."
    )
    return f"""## The page

Made by `python benchmarks/page.py --write`. {len(loads)} loads, each in a browser without a cache; a camera of
256x192 pixels at 25 Hz, simulated inside the hub: what the hub costs without clients is that. No compression, on
loopback.

{first}

{second}

{drawn}"""


def main() -> None:
    """Measure, print, and write if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    text, paint = asyncio.run(measured(arguments.loads, arguments.seconds))
    print(text)
    if arguments.write:
        written.put("the page", text)
    if paint > PAINT_GOAL:
        sys.exit(f"the first paint takes {paint:.0f} ms, more than {PAINT_GOAL:.0f}")


if __name__ == "__main__":
    main()
