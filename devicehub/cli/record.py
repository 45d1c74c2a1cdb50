"""`devicehub record`: what goes over a device's link, as a transcript."""

import argparse
import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import TextIO

from devicehub.cli.exits import Exit
from devicehub.cli.given import given_config, given_device
from devicehub.cli.opened import opened
from devicehub.cli.output import new_file, note, print_json, say
from devicehub.cli.recording import Recording
from devicehub.clock import Clock
from devicehub.config import DeviceConfig
from devicehub.config.fitted import fitted
from devicehub.driver import Driver
from devicehub.model.instant import instant
from devicehub.record import Line
from devicehub.registry import load_driver
from devicehub.transport.link import Transport


def run(args: argparse.Namespace) -> int:
    """Record until the time is over, the link is lost (69) or Ctrl-C (130). Never overwrites."""
    config = given_config(args)
    device = given_device(config, args.device)
    driver = fitted(load_driver(device.driver, config.hub.device_files), device)
    path: Path = args.out
    counts: Counter[str] = Counter()
    with new_file(path, mode=0o600) as stream:
        note(f"recording {device.id} to {path}; it will hold what the device says, personal data included")
        try:
            asyncio.run(_record(device, driver, stream, counts, args.seconds))
        finally:
            if not stream.tell():
                path.unlink()  # the device was never open: nothing keeps the name for nothing
            else:
                _summary(counts, as_json=args.json)
    return Exit.OK


def _summary(counts: Counter[str], *, as_json: bool) -> None:
    words = {"<": "received", ">": "sent", "=": "samples", "!": "faults"}
    figures = {word: counts[sign] for sign, word in words.items()}
    if as_json:
        print_json(figures)
    else:
        say(", ".join(f"{number} {word}" for word, number in figures.items()))


async def _record(
    device: DeviceConfig, driver: Driver, stream: TextIO, counts: Counter[str], seconds: float | None
) -> None:
    clock = Clock()

    def write(line: Line) -> None:
        stream.write(f"{line}\n")
        counts[line.sign] += 1

    async with opened(device, driver, clock) as transport:
        stream.write(f"# Device {device.id}, driver {device.driver}, recorded {instant(clock.utc())}.\n")
        stream.writelines(f"#: {name} = {json.dumps(value)}\n" for name, value in device.options.items())
        recording = Recording(driver.open(device.options), write)
        try:
            async with asyncio.timeout(seconds):
                await _converse(recording, transport, clock)
        except TimeoutError:
            return
        finally:
            recording.end()


async def _converse(recording: Recording, transport: Transport, clock: Clock) -> None:
    began = clock.monotonic()
    writes = recording.start()
    while True:
        for packet in writes:
            await transport.write(packet)
        wake_at = recording.wake_at
        until = None if wake_at is None else began + wake_at
        if until is not None and until <= clock.monotonic():
            writes = recording.timers(clock.monotonic() - began)
            continue
        waiting = asyncio.timeout_at(until)
        try:
            async with waiting:
                packet = await transport.read()
        except TimeoutError:
            if not waiting.expired():
                raise
            writes = recording.timers(max(clock.monotonic() - began, wake_at or 0.0))
        else:
            writes = recording.packet(clock.monotonic() - began, packet)
