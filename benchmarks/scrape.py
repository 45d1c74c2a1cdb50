"""What scraping `/metrics` costs a hub at work, by far more scrapes than usual.

    python benchmarks/scrape.py [--seconds 10] [--json] [--write]

Two stations: ten devices as `idle.py` has them, and a hundred sensors that say ten lines a second each. Needs
Mosquitto. The processor time of the hub is measured with and without scrapes in turn; what a scrape costs is the
difference. The goal is for one scrape a second, which is more often than anybody asks.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import tty
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path

from idle import configuration, hub, lines, processor
from written import put, table

from devicehub.clock import Clock
from devicehub.publish.broker import EmbeddedBroker
from devicehub.wire.checksum import xor8

GOAL = 1.0
RATE = 50.0
ROUNDS = 4
SENSORS, LINES = 100, 10
METRICS = "\n[metrics]\nenabled = true\nport = 0\n"
Figures = dict[str, float]
Station = Callable[[Path, int], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def resting(folder: Path, broker: int) -> AsyncIterator[str]:
    """The configuration of ten devices, which are there meanwhile."""
    async with lines(folder) as ports:
        yield configuration(folder, broker, ports)


@asynccontextmanager
async def loaded(folder: Path, broker: int) -> AsyncIterator[str]:
    """The same of a hundred sensors that talk by themselves, with a limit on each."""
    with ExitStack() as stack:
        ends = [os.openpty() for _ in range(SENSORS)]
        for end in (end for pair in ends for end in pair):
            stack.callback(os.close, end)
        for ours, theirs in ends:
            tty.setraw(theirs)
            os.set_blocking(ours, False)
        async with _talking([ours for ours, _ in ends]):
            yield _sensors(folder, broker, [os.ttyname(theirs) for _, theirs in ends])


@asynccontextmanager
async def _talking(ends: list[int]) -> AsyncIterator[None]:
    """What is written into these ends meanwhile."""
    task = asyncio.create_task(_talk(ends))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _sensors(folder: Path, broker: int, ports: list[str]) -> str:
    head = f'[hub]\nsite = "bench"\nnode = "loaded"\nstate = "{folder / "state"}"\n'
    tables = [
        f'[[device]]\nid = "d{number}"\ndriver = "screening.line_sensor"\nport = "{port}"\n'
        f'[[limit]]\ndevice = "d{number}"\nchannel = "value"\nhigh = 1000\n'
        for number, port in enumerate(ports)
    ]
    return f'{head}[mqtt]\nurl = "mqtt://127.0.0.1:{broker}"\n{"".join(tables)}'


async def _talk(ends: list[int]) -> None:
    """Ten lines a second into each, for ever; one that nobody reads yet misses some."""
    loop, count = asyncio.get_running_loop(), 0
    due = loop.time()
    while True:
        due, count = due + 1 / LINES, count + 1
        for number, end in enumerate(ends):
            body = f"D{number:04d},{count:08d},{10**15 + count},+{count % 100:07.2f}".encode()
            try:
                os.write(end, b"$%s*%02X\r\n" % (body, xor8(body)))
            except BlockingIOError:
                continue
        await asyncio.sleep(due - loop.time())


async def measure(station: Station, seconds: float) -> Figures:
    """Percent of a core for one scrape a second, and what the hub takes without any."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with EmbeddedBroker(folder / "broker", clock=Clock()) as broker, station(folder, broker.port) as text:
            config = folder / "devicehub.toml"
            config.write_text(text + METRICS)
            async with hub(config) as process:
                address = await _address(folder / "state" / "metrics-address")
                await asyncio.sleep(3)
                return await _compared(process.pid, f"{address}/metrics", seconds)


async def _compared(pid: int, url: str, seconds: float) -> Figures:
    quiet = busy = scrapes = 0.0
    text, begun = await asyncio.to_thread(_read, url), asyncio.get_running_loop().time()
    said = _readings(text)
    for _ in range(ROUNDS):
        before = processor(pid)
        await asyncio.sleep(seconds)
        between = processor(pid)
        quiet += between - before
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            due = loop.time() + 1 / RATE
            text = await asyncio.to_thread(_read, url)
            scrapes += 1
            await asyncio.sleep(due - loop.time())
        busy += processor(pid) - between
    each = max(busy - quiet, 0.0) / scrapes
    return {
        "scrape_ms": each * 1000,
        "percent_of_a_core_at_1_per_s": each * 100,
        "hub_percent": 100 * quiet / (seconds * ROUNDS),
        "readings_per_s": (_readings(text) - said) / (asyncio.get_running_loop().time() - begun),
        "scrapes": scrapes,
        "bytes": len(text),
    }


def _readings(text: str) -> float:
    """What all devices together have said so far, as the hub itself tells."""
    return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith("devicehub_readings_total{"))


async def _address(path: Path) -> str:
    """What the hub writes as soon as it can be asked."""
    while not (text := await asyncio.to_thread(_text, path)):
        await Clock().sleep(0.05)
    return text


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: bytes = answer.read()
    return found.decode()


def page(found: dict[str, Figures]) -> str:
    """The part of the page."""
    titles = (
        "",
        "readings a second",
        "the hub without, % of a core",
        "kB",
        "a scrape, ms",
        "one a second, % of a core",
    )
    rows = [
        (
            name,
            f"{one['readings_per_s']:.0f}",
            f"{one['hub_percent']:.1f}",
            f"{one['bytes'] / 1000:.1f}",
            f"{one['scrape_ms']:.2f}",
            f"{one['percent_of_a_core_at_1_per_s']:.2f}",
        )
        for name, one in found.items()
    ]
    load = os.getloadavg()[0]
    return f"""## Scraping

Made by `python benchmarks/scrape.py --write`. Processor time of the hub with {RATE:g} scrapes of `/metrics` a second
less that without, in turn, {found["loaded"]["scrapes"]:.0f} scrapes under load. Goal: less than {GOAL:g} % of a core
at one scrape a second.

{table(titles, rows)}

Load of the machine at the end: {load:.1f} on {os.cpu_count()} cores."""


def main() -> None:
    """Measure, print, and end with 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description="What scraping costs.")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    stations = {"at rest": resting, "loaded": loaded}
    found = {name: asyncio.run(measure(station, arguments.seconds)) for name, station in stations.items()}
    if arguments.write:
        put("scraping", page(found))
    print(json.dumps(found) if arguments.json else page(found))
    sys.exit(any(one["percent_of_a_core_at_1_per_s"] >= GOAL for one in found.values()))


if __name__ == "__main__":
    main()
