"""What scraping `/metrics` costs a hub at work: ten devices, as `idle.py` has them, and far more scrapes than usual.

`python benchmarks/scrape.py`: needs Mosquitto. The processor time of the hub is measured with and without scrapes in
turn; what a scrape costs is the difference. The goal is for one scrape a second, which is more often than anybody asks.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import urllib.request
from pathlib import Path

from idle import configuration, hub, lines, processor

from devicehub.clock import Clock
from devicehub.publish.broker import EmbeddedBroker

GOAL = 1.0
RATE = 50.0
ROUNDS = 4


async def measure(seconds: float) -> dict[str, float]:
    """Percent of a core for one scrape a second, and what the hub takes without any."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with EmbeddedBroker(folder / "broker", clock=Clock()) as broker, lines(folder) as ports:
            config = folder / "devicehub.toml"
            config.write_text(configuration(folder, broker.port, ports) + "\n[metrics]\nenabled = true\nport = 0\n")
            async with hub(config) as process:
                address = await _address(folder / "state" / "metrics-address")
                await Clock().sleep(3)
                return await _compared(process.pid, f"{address}/metrics", seconds)


async def _compared(pid: int, url: str, seconds: float) -> dict[str, float]:
    quiet = busy = scrapes = size = 0.0
    for _ in range(ROUNDS):
        before = processor(pid)
        await Clock().sleep(seconds)
        between = processor(pid)
        quiet += between - before
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            due = loop.time() + 1 / RATE
            size = len(await asyncio.to_thread(_read, url))
            scrapes += 1
            await Clock().sleep(due - loop.time())
        busy += processor(pid) - between
    each = max(busy - quiet, 0.0) / scrapes
    return {
        "scrape_ms": each * 1000,
        "percent_of_a_core_at_1_per_s": each * 100,
        "hub_percent": 100 * quiet / (seconds * ROUNDS),
        "scrapes": scrapes,
        "bytes": size,
    }


async def _address(path: Path) -> str:
    """What the hub writes as soon as it can be asked."""
    while not (text := await asyncio.to_thread(_text, path)):
        await Clock().sleep(0.05)
    return text


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: bytes = answer.read()
    return found


def main() -> None:
    """Measure, print, and end with 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description="What scraping costs.")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.seconds))
    cost = found["percent_of_a_core_at_1_per_s"]
    print(
        json.dumps(found)
        if arguments.json
        else f"one scrape a second: {cost:.3f} % of a core (goal < {GOAL:g} %); {found}"
    )
    sys.exit(cost >= GOAL)


if __name__ == "__main__":
    main()
