"""Frames a second, from bytes to samples: every driver, and device files beside hand-written code and `construct`.

Run: python benchmarks/decode.py [--write], which puts both tables into `benchmarks/RESULTS.md`. By hand: `struct`,
numpy and C-speed checks behind the framers and the protocol that a driver in Python has. `construct`, of
requirements/test.txt, is given the content of a frame, checks and maps nothing. A frame of a driver is a packet of the
device of which samples come: an answer, a line, the last piece of a picture; acknowledgements and the pieces before it
count in time and bytes.
Ends with 1 where a device file takes more than `GOAL` times as long as code by hand, and where a driver makes no sample
of what is recorded; a ratio above the goal is measured once more, since others' work may have raised it. Ratios travel
between machines, frames a second do not.
"""

import argparse
import asyncio
import sys
import time
import timeit
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from typing import Any

from by_hand import Case, cases, unslip
from written import put, table

from devicehub.devicefile.compiled import compile_file
from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.devicefile.schema import ConversationTable
from devicehub.driver import Driver, Options
from devicehub.model.reading import Measurement, Sample, Scan, Spectrum
from devicehub.record import Line, parse
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, FramedProtocol, Poll
from tests.conformance import options_of, transcripts
from tests.drivers.simulated_hour import heard
from tests.virtual_loop import VirtualTimeLoop

ROUNDS = 60
RUN = 0.004
GOAL = 3.0
SIMULATED = 130.0
Rows = list[Sequence[str]]
Recording = tuple[Options, list[tuple[float, Packet | None]]]
"""A driver's options, and what the device says when, in seconds since the link was opened; None: the end of it."""


def seconds(*works: Callable[[], object]) -> list[float]:
    """Processor time of one call of each, the least of many short runs in turn: others' work counts little."""
    timers = [timeit.Timer(work, timer=time.thread_time) for work in works]
    numbers = [_number(timer) for timer in timers]
    runs = [
        [timer.timeit(number) / number for timer, number in zip(timers, numbers, strict=True)] for _ in range(ROUNDS)
    ]
    return [min(times) for times in zip(*runs, strict=True)]


def _number(timer: timeit.Timer) -> int:
    number = 1
    while timer.timeit(number) < RUN:
        number *= 2
    return number


def by_hand(case: Case) -> Callable[[], list[Sample]]:
    """Through the framers and the protocol of any driver."""
    polls = (Poll(b"<GETCPM>>", 1.0),) if case.asked else ()
    return _fed(FramedProtocol(case.framer(), case.decode, polls), case)


def by_file(case: Case) -> Callable[[], list[Sample]]:
    """Through framer, checks, fields and mapping of a device file."""
    if not case.asked:
        return _fed(load_driver(case.driver).open({}), case)
    compiled = load(device_files()[case.driver])
    request = compiled.requests[case.asked].table.model_copy(update={"when": None})
    alone = {"request": (request,), "memory": (), "conversation": ConversationTable()}
    return _fed(Conversation(compile_file(compiled.file.model_copy(update=alone)), {}), case)


def _fed(protocol: DeviceProtocol, case: Case) -> Callable[[], list[Sample]]:
    """The frame again and again; one that is asked for, a second later each time, with its request."""
    data, seconds = Packet(case.data, case.port), count(100.0)
    protocol.start(0.0)
    if not case.asked:
        return lambda: list(protocol.on_packet(0.0, data).samples)
    protocol.on_packet(0.0, data)

    def asked() -> list[Sample]:
        now = next(seconds)
        protocol.on_timer(now)
        return list(protocol.on_packet(now, data).samples)

    return asked


def by_construct() -> dict[str, tuple[Callable[[bytes], object], Callable[[bytes], bytes]]]:
    """What `construct` makes of the content of a frame, and how the content is got."""
    if find_spec("construct") is None:
        sys.exit("construct is not installed: pip install --require-hashes -r requirements/test.txt")
    lib: Any = import_module("construct")
    head = ["length" / lib.Int16ul, "mode" / lib.Byte, "component" / lib.Byte, "report" / lib.Byte]
    words = [f"w{number}" / kind for number, kind in enumerate(
        [*[lib.Int32ul] * 3, *[lib.Float32l] * 3, *[lib.Int32ul] * 2, lib.Int16sl, lib.Float32l,
         *[lib.Int32ul] * 2, lib.Int16sl, lib.Float32l, lib.Byte, lib.Byte])]  # fmt: skip
    report = lib.Struct(*head, *words, "spectrum" / lib.Array(4096, lib.Int16ul))
    state = lib.Struct(*head, *[f"b{number}" / lib.Byte for number in range(11)])
    tag = lib.Struct("size" / lib.Byte, "epc" / lib.Bytes(lib.this.size))
    listed = lib.Struct(*[f"h{number}" / lib.Byte for number in range(4)], "tags" / lib.PrefixedArray(lib.Byte, tag))
    return {
        "Kromek D5 radiometrics": (report.parse, unslip),
        "Kromek D5 status": (state.parse, unslip),
        "UHFReader18, 8 tags": (listed.parse, lambda data: data[:-2]),
    }


def alike(one: list[Sample], other: list[Sample]) -> bool:
    """The same values; changes of state aside, which a device file tells once."""
    kept = [sample for sample in one if isinstance(sample, Measurement | Spectrum | Scan)]
    return kept == [sample for sample in other if isinstance(sample, Measurement | Spectrum | Scan)]


def beside() -> tuple[Rows, list[str]]:
    """Device files beside code by hand and `construct`; those that missed the goal, twice in a row."""
    parsers, missed, rows = by_construct(), list[str](), list[Sequence[str]]()
    for case in cases():
        hand_written, from_file = by_hand(case), by_file(case)
        assert alike(from_file(), hand_written()), (case.title, from_file(), hand_written())
        works: list[Callable[[], object]] = [hand_written, from_file]
        if case.title in parsers:
            parse, content = parsers[case.title]
            works.append(partial(parse, content(case.data.strip(b"\xc0"))))
        hand, file, *slow = seconds(*works)
        if file / hand > GOAL:
            hand, file, *slow = seconds(*works)
        if file / hand > GOAL:
            missed.append(case.title)
        others = [text for one in slow for text in (f"{1 / one:,.0f}", f"{one / hand:.1f}")] or ["", ""]
        rows.append((case.title, f"{1 / hand:,.0f}", f"{1 / file:,.0f}", f"{file / hand:.1f}", *others))
    return rows, missed


def recordings(name: str) -> list[Recording]:
    """What the device says: the driver's transcripts, or for a device file without one its simulated device."""
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in transcripts(name)]
    if texts:
        return [(options_of(text), _said(parse(text, source))) for source, text in texts]
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return [({}, _said(runner.run(heard(name, SIMULATED))))]


def _said(lines: list[Line]) -> list[tuple[float, Packet | None]]:
    return [*((line.at, line.packet) for line in lines if line.sign == "<"), (lines[-1].at, None)]


def played(driver: Driver, recorded: list[Recording]) -> tuple[int, int]:
    """How many frames and samples a driver makes of recordings: each a link of its own, with its times and timers."""
    frames = samples = 0
    for chosen, packets in recorded:
        protocol = driver.open(chosen)
        step = protocol.start(0.0)
        samples += len(step.samples)
        for at, packet in packets:
            while step.wake_at is not None and step.wake_at <= at:
                step = protocol.on_timer(step.wake_at)
                samples += len(step.samples)
            if packet is not None:
                step = protocol.on_packet(at, packet)
                samples += len(step.samples)
                frames += bool(step.samples)
    return frames, samples


def every_driver() -> tuple[Rows, list[str]]:
    """All that is recorded of each driver, from a fresh link on each time; those that make no frame of it."""
    silent, rows = list[str](), list[Sequence[str]]()
    for name in driver_names():
        driver, recorded = load_driver(name), recordings(name)
        size = sum(len(packet.data) for _, packets in recorded for _, packet in packets if packet)
        frames, samples = played(driver, recorded)
        if not frames:
            silent.append(name)
        (took,) = seconds(partial(played, driver, recorded))
        rates = (f"{frames / took:,.0f}", f"{samples / took:,.0f}", f"{size / took / 1e6:.1f}")
        rows.append((f"`{name}`", f"{frames}", f"{size / max(frames, 1):,.0f}", *rates))
    return rows, silent


BESIDE = ("frames/s", "by hand", "device file", "times as long", "`construct`", "times as long")
EVERY = ("driver", "frames", "bytes a frame", "frames/s", "samples/s", "MB/s")
WRITTEN = """## Decoding

Made by `python benchmarks/decode.py --write`: processor time from bytes to samples, the least of many short runs. First
one kind of frame again and again: a device file beside code by hand behind the same framers and protocol, and beside
`construct`, which parses the content and checks and maps nothing."""
EACH = """Every driver through all that is recorded of it, with its start, its times and its timers. A frame is a packet
of which samples come; acknowledgements and the pieces before it count in time and bytes."""


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    writing = parser.parse_args().write
    compared, missed = beside()
    print(table(BESIDE, compared), flush=True)
    every, silent = every_driver()
    print("", table(EVERY, every), sep="\n")
    if missed:
        print(f"more than {GOAL:g} times code by hand: {', '.join(missed)}", file=sys.stderr)
    if silent:
        print(f"no sample: {', '.join(silent)}", file=sys.stderr)
    if writing:
        put("decoding", "\n\n".join((WRITTEN, table(BESIDE, compared), EACH, table(EVERY, every))))
    sys.exit(bool(missed or silent))


if __name__ == "__main__":
    main()
