"""What the hub costs at rest: ten devices at about 1 Hz, on a real broker, for half a minute.

Run: python benchmarks/idle.py [--seconds 30] [--where apart|inside|both] [--json]

`apart`: ten simulated detectors on pseudo-terminals, run by this process; the hub is as busy as with
real ones. `inside`: the hub simulates the same ten itself, as a training station does. Processor time
and memory are the hub's own, from /proc; the broker is another process.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import cast

from devicehub.clock import Clock
from devicehub.driver import SerialLink
from devicehub.publish.broker import EmbeddedBroker
from devicehub.publish.mqtt import subscribe
from devicehub.publish.settings import BrokerSettings
from devicehub.registry import load_driver, load_simulator
from devicehub.simulator import SerialSimulator, SimulatorFactory
from devicehub.transport.pty import SimulatedLine

# The vapour detectors check their lamps for eight seconds before their first reading, the other one talks at once.
DRIVERS = ("trace.ims_reference", *["trace.aci_pids3"] * 9)
SETTLING = 8.0
GOALS = {"cpu_percent": 2.0, "pss_mb": 80.0}


@dataclass(frozen=True)
class Figures:
    """What was measured. `cpu_percent` of one core; memory in MB of 10^6 bytes; rates per second."""

    where: str
    cpu_percent: float
    pss_mb: float
    rss_mb: float
    start_to_first_reading_s: float
    readings_per_s: float
    messages_per_s: float


async def measure(where: str, seconds: float) -> Figures:
    """One run of the hub."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="devicehub-idle-")))
        broker = await stack.enter_async_context(EmbeddedBroker(folder / "broker"))
        ports = ["sim:"] * len(DRIVERS) if where == "inside" else await stack.enter_async_context(lines(folder))
        config = folder / "devicehub.toml"
        config.write_text(configuration(folder, broker.port, ports), encoding="utf-8")
        settings = BrokerSettings(host=broker.host, port=broker.port)
        tally = await stack.enter_async_context(tallied(settings))
        begun = time.perf_counter()
        process = await stack.enter_async_context(hub(config))
        async with asyncio.timeout(30):
            await tally.first.wait()
        first = time.perf_counter() - begun
        await asyncio.sleep(SETTLING)
        before, readings, everything = processor(process.pid), tally.readings, tally.everything
        await asyncio.sleep(seconds)
        used = processor(process.pid) - before
        readings, everything = tally.readings - readings, tally.everything - everything
        pss, rss = memory(process.pid)
    return Figures(where, 100 * used / seconds, pss, rss, first, readings / seconds, everything / seconds)


def configuration(folder: Path, port: int, ports: list[str]) -> str:
    """Ten devices; simulated ones are an exercise."""
    exercise = "true" if ports[0] == "sim:" else "false"
    head = f"""
        [hub]
        site = "bench"
        node = "idle"
        exercise = {exercise}
        state = "{folder / "state"}"
        [mqtt]
        url = "mqtt://127.0.0.1:{port}"
    """
    devices = (
        f'[[device]]\nid = "device-{number}"\ndriver = "{driver}"\nport = "{one}"\n'
        for number, (driver, one) in enumerate(zip(DRIVERS, ports, strict=True))
    )
    limits = (
        f'[[limit]]\ndevice = "device-{number}"\nchannel = "voc"\nhigh = 10000\n'
        for number, driver in enumerate(DRIVERS)
        if driver == "trace.aci_pids3"
    )
    return head + "\n".join([*devices, *limits])


@asynccontextmanager
async def lines(folder: Path) -> AsyncIterator[list[str]]:
    """The paths of ten simulated detectors on pseudo-terminals."""
    async with AsyncExitStack() as stack:
        paths = []
        for number, name in enumerate(DRIVERS):
            path = folder / f"tty{number}"
            link, make = load_driver(name).link, load_simulator(name)
            assert isinstance(link, SerialLink)
            line = SimulatedLine(partial(_powered, make, number), Clock(), link=path, baud=link.baud)
            line.plug()
            stack.push_async_callback(line.close)
            paths.append(str(path))
        yield paths


def _powered(make: SimulatorFactory, seed: int) -> SerialSimulator:
    return cast(SerialSimulator, make(Random(seed)))


@asynccontextmanager
async def hub(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The hub as a process of its own; it must end politely."""
    command = [sys.executable, "-m", "devicehub", "run", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        _, said = await process.communicate()
        if process.returncode:
            raise SystemExit(f"the hub ended with code {process.returncode}: {said.decode()[-2000:]}")


@dataclass
class Tally:
    """How many messages came."""

    first: asyncio.Event = field(default_factory=asyncio.Event)
    readings: int = 0
    everything: int = 0


@asynccontextmanager
async def tallied(settings: BrokerSettings) -> AsyncIterator[Tally]:
    """Counts what is published, meanwhile."""
    tally = Tally()
    async with subscribe(settings, ["devicehub/#", "devicehub-sim/#"]) as messages:

        async def work() -> None:
            async for message in messages:
                tally.everything += 1
                if "/reading/" in message.topic:
                    tally.readings += 1
                    tally.first.set()

        task = asyncio.create_task(work())
        try:
            yield tally
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def processor(pid: int) -> float:
    """Seconds of processor time, all threads, user and kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> tuple[float, float]:
    """Proportional and resident set in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith("kB")}
    return sizes["Pss"] * 1024 / 1e6, sizes["Rss"] * 1024 / 1e6


def show(figures: Figures) -> None:
    """As text, with the goals."""
    print(f"{figures.where}: {len(DRIVERS)} devices, {figures.readings_per_s:.1f} readings/s")
    print(f"  processor            {figures.cpu_percent:6.2f} % of a core  (goal < {GOALS['cpu_percent']:g} %)")
    print(f"  memory, PSS          {figures.pss_mb:6.1f} MB          (goal < {GOALS['pss_mb']:g} MB)")
    print(f"  memory, RSS          {figures.rss_mb:6.1f} MB")
    print(f"  start to 1st reading {figures.start_to_first_reading_s:6.2f} s")
    print(f"  all messages         {figures.messages_per_s:6.1f} /s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What the hub costs at rest.")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--where", choices=("apart", "inside", "both"), default="both")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for where in ("apart", "inside") if arguments.where == "both" else (arguments.where,):
        figures = asyncio.run(measure(where, arguments.seconds))
        print(json.dumps(asdict(figures))) if arguments.json else show(figures)


if __name__ == "__main__":
    main()
