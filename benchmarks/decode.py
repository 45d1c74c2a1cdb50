"""Frames a second, from bytes to samples: every driver, and device files beside hand-written code and `construct`.

Run: python benchmarks/decode.py. By hand: `struct`, numpy and C-speed checks behind the framers and the protocol that a
driver in Python has. `construct`, of requirements/test.txt, is given the content of a frame, checks and maps nothing.
Ends with 1 where a device file takes more than `GOAL` times as long as code by hand; a ratio above it is measured once
more, since others' work may have raised it. Ratios travel between machines, frames a second do not.
"""

import sys
import time
import timeit
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from typing import Any

from by_hand import Case, cases, unslip

from devicehub.devicefile.compiled import compile_file
from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.devicefile.schema import ConversationTable
from devicehub.model.reading import Measurement, Sample, Scan, Spectrum
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, FramedProtocol, Poll
from tests.conformance import recorded_packets

ROUNDS = 60
RUN = 0.004
GOAL = 3.0


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


def beside() -> list[str]:
    """Device files beside code by hand and `construct`; those that missed the goal, twice in a row."""
    parsers, missed = by_construct(), list[str]()
    print(f"{'':26} {'by hand':>12} {'device file':>12} {'ratio':>6} {'construct':>12} {'ratio':>6}   frames/s")
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
        line = f"{case.title:26} {1 / hand:12,.0f} {1 / file:12,.0f} {file / hand:6.1f}"
        print(line + "".join(f" {1 / one:12,.0f} {one / hand:6.1f}" for one in slow))
    return missed


def _given(protocol: DeviceProtocol, packets: list[Packet]) -> None:
    for packet in packets:
        protocol.on_packet(0.0, packet)


def every_driver() -> None:
    """All that is recorded of each driver, as its protocol takes it."""
    print(f"\n{'driver':28} {'packets':>8} {'bytes':>8} {'packets/s':>12} {'MB/s':>8}")
    for name in driver_names():
        packets = recorded_packets(name)
        size = sum(len(packet.data) for packet in packets)
        protocol = load_driver(name).open({})
        protocol.start(0.0)

        (took,) = seconds(partial(_given, protocol, packets))
        print(f"{name:28} {len(packets):8} {size:8} {len(packets) / took:12,.0f} {size / took / 1e6:8.1f}")


def main() -> None:
    missed = beside()
    every_driver()
    if missed:
        sys.exit(f"more than {GOAL:g} times code by hand: {', '.join(missed)}")


if __name__ == "__main__":
    main()
