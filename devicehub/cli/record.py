"""`devicehub record`: what goes over a device's link, as a transcript."""

import argparse
import asyncio
import importlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config, given_device
from devicehub.cli.opened import opened
from devicehub.cli.output import new_file, note, print_json, say
from devicehub.cli.recording import Recording
from devicehub.cli.unknown_place import way_to
from devicehub.cli.usual import usual_config
from devicehub.clock import Clock
from devicehub.config import DeviceConfig, load_config
from devicehub.config.fitted import fitted
from devicehub.driver import Driver, FileLink
from devicehub.model.instant import instant
from devicehub.model.segment import SEGMENT
from devicehub.record import Line
from devicehub.redact import redacted
from devicehub.registry import load_driver, resealer_of
from devicehub.transport.link import Transport
from devicehub.wire.protocol import DeviceProtocol

PERSONAL = "personal data included"


def run(args: argparse.Namespace) -> int:
    """Record until the time is over, the link is lost (69) or Ctrl-C (130). Never overwrites."""
    if way_to(args.device) is not None and not _configured(args):
        unknown = importlib.import_module("devicehub.cli.record_unknown")  # loads every driver, which takes a while
        return cast(int, unknown.record_unknown(args))
    config = given_config(args)
    device = given_device(config, args.device)
    driver = fitted(load_driver(device.driver, config.hub.device_files), device)
    path: Path = args.out
    tape = Tape(device, driver)
    with new_file(path, mode=0o600) as stream:
        holds = "its serial number, what it scans and what people wrote put out" if args.redact else PERSONAL
        note(f"recording {device.id} to {path}; it will hold what the device says, {holds}")
        tape.stream = None if args.redact else stream
        try:
            asyncio.run(_record(tape, args.seconds))
        finally:
            if not tape.counts:
                path.unlink()  # the device was never open: nothing keeps the name for nothing
            else:
                _finish(tape, stream, path)
                _summary(tape.counts, as_json=args.json)
    return Exit.OK


def _configured(args: argparse.Namespace) -> bool:
    """A device may be called "1-2", as a socket is. Raises `ConfigProblems`."""
    file: Path = args.config or usual_config()
    return (
        SEGMENT.fullmatch(args.device) is not None
        and file.is_file()
        and any(one.id == args.device for one in load_config(file).device)
    )


def _finish(tape: "Tape", stream: TextIO, path: Path) -> None:
    """What was kept in memory because it is to be redacted. Raises `CommandError`, and leaves nothing."""
    if tape.stream is not None:
        return
    result = redacted(tape.lines, tape.protocol, rename=tape.renames, reseal=resealer_of(tape.driver))
    if result.left:
        path.unlink()
        raise CommandError(Exit.BAD_INPUT, f"cannot be put out of {path}, so it is not kept: {', '.join(result.left)}")
    stream.writelines(f"{line}\n" for line in tape.header)
    stream.write(f"# Redacted: {result.values} values; {result.broken} frames more are refused for it.\n")
    stream.writelines(f"{line}\n" for line in result.lines)
    if result.broken:
        note(f"{result.broken} frames do not pass their check any more since something in them was put out")


class Tape:
    """What is recorded of a device: to `stream` at once, or kept in `lines` where there is none."""

    def __init__(self, device: DeviceConfig, driver: Driver) -> None:
        self.device = device
        self.driver = driver
        self.renames = isinstance(driver.link, FileLink)
        self.stream: TextIO | None = None
        self.header: list[str] = []
        self.lines: list[Line] = []
        self.counts: Counter[str] = Counter()

    def protocol(self) -> DeviceProtocol:
        """A fresh one."""
        return self.driver.open(self.device.options)

    def begin(self, at: float) -> None:
        """The link is open, at a UTC second."""
        self.header = list(_header(self.device, at))
        self.counts["#"] = len(self.header)
        if self.stream is not None:
            self.stream.writelines(f"{line}\n" for line in self.header)

    def write(self, line: Line) -> None:
        """One line of the transcript."""
        self.counts[line.sign] += 1
        if self.stream is None:
            self.lines.append(line)
        else:
            self.stream.write(f"{line}\n")


def _header(device: DeviceConfig, at: float) -> Iterator[str]:
    """What is not real says so: a transcript of it is no evidence."""
    pretended = device.port.startswith(("sim:", "replay:")) or bool(device.fault)
    yield f"# Device {device.id}, driver {device.driver},{' simulated,' if pretended else ''} recorded {instant(at)}."
    yield from (f"#: {name} = {json.dumps(value)}" for name, value in device.options.items())


def _summary(counts: Counter[str], *, as_json: bool) -> None:
    words = {"<": "received", ">": "sent", "=": "samples", "!": "faults"}
    figures = {word: counts[sign] for sign, word in words.items()}
    if as_json:
        print_json(figures)
    else:
        say(", ".join(f"{number} {word}" for word, number in figures.items()))


async def _record(tape: Tape, seconds: float | None) -> None:
    clock = Clock()
    async with opened(tape.device, tape.driver, clock) as transport:
        tape.begin(clock.utc())
        recording = Recording(tape.protocol(), tape.write)
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
