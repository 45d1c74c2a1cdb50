"""Frames a second, from bytes to samples: every driver, and device files beside hand-written code and `construct`.

Run: python benchmarks/decode.py. By hand: `struct`, numpy and C-speed checks behind the framers and the protocol that a
driver in Python has. `construct` is left out where it is not installed; it is given the content of a frame, checks and
maps nothing. Ratios travel between machines, frames a second do not.
"""

import binascii
import struct
import time
import timeit
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from random import Random
from typing import Any

import numpy as np

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Axis, DeviceAlarm, Layout, Measurement, Sample, Scan, Spectrum
from devicehub.model.units import Unit
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.checksum import crc
from devicehub.wire.framer import DelimiterFramer, Frame, SyncFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Decode, DeviceProtocol, FramedProtocol
from tests.conformance import recorded_packets

ROUNDS = 60
RUN = 0.004
_RADIOMETRICS = struct.Struct("<HBBBIIIfffIIhfIIhfBB")
_STATUS = struct.Struct("<HBBBBBbBBBbbBBB")
_MCRF4XX = crc(width=16, poly=0x1021, init=0xFFFF, reflected=True)
_POWER = ("unknown", "battery", "USB", "Qi", "Ethernet", "AA backup")


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


def unslip(data: bytes) -> bytes:
    """One frame of Kromek, checked."""
    frame = data.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
    told = int.from_bytes(frame[-2:], "little")
    if told and told != binascii.crc_hqx(frame[:-2], 0xFFFF):
        raise ProtocolError(Reason.CHECKSUM)
    return frame[:-2]


def radiometrics(data: bytes) -> list[Sample]:
    """By hand."""
    frame = unslip(data)
    values = _RADIOMETRICS.unpack_from(frame)
    counts = np.frombuffer(frame, "<u2", 4096, _RADIOMETRICS.size)
    return [
        Measurement("neutron-counts", values[11]),
        Measurement("gamma-counts", values[15]),
        Spectrum("spectrum", counts.tobytes(), Layout.U16LE, Axis(Unit.ONE, step=1.0), live_time=values[14] / 1000),
    ]


def status(data: bytes) -> list[Sample]:
    """By hand."""
    values = _STATUS.unpack(unslip(data))
    return [
        Measurement("power", values[5], label=_POWER[values[5]]),
        Measurement("temperature", values[6]),
        Measurement("battery", values[9]),
    ]


def tags(data: bytes) -> list[Sample]:
    """By hand."""
    return list(_tags(data))


def _size(head: bytes) -> int:
    return head[0] + 1


def _checked(frame: bytes) -> None:
    if int.from_bytes(frame[-2:], "little") != _MCRF4XX(frame[:-2]):
        raise ProtocolError(Reason.CHECKSUM)


def _tags(data: bytes) -> Iterator[Sample]:
    at = 5
    for _ in range(data[4]):
        size = data[at]
        yield Scan("tag", "epc-gen2", data[at + 1 : at + 1 + size])
        at += 1 + size


def frames() -> Iterator[tuple[str, str, bytes, Callable[[bytes], list[Sample]]]]:
    """What is decoded: its name, its driver, the bytes, and the code by hand."""
    compiled = load(device_files()["radiation.kromek_d5"])
    spectrum = np.random.default_rng(1).poisson(3.0, 4096).astype("<u2")
    body = compiled.codec.encode("radiometrics", {"spectrum": spectrum, "gamma_counts": 9, "gamma_live": 1.0}, {})
    yield "Kromek radiometrics", "radiation.kromek_d5", compiled.framing.reply(body), radiometrics
    body = compiled.codec.encode("status", {"power": "battery", "battery": 87, "dose_status": 0}, {})
    yield "Kromek status", "radiation.kromek_d5", compiled.framing.reply(body), status
    compiled = load(device_files()["scanner.uhfreader18"])
    random = Random(1)
    found = [{"epc": random.randbytes(12)} for _ in range(8)]
    body = compiled.codec.encode("tags", {"count": 8, "tags": [{"size": 12, **tag} for tag in found]}, {})
    yield "UHFReader18, 8 tags", "scanner.uhfreader18", compiled.framing.reply(body), tags


def by_hand(driver: str, decode: Decode) -> Callable[[bytes], list[Sample]]:
    """Through the framers and the protocol of any driver."""
    kromek = driver == "radiation.kromek_d5"
    framer = _Slip() if kromek else SyncFramer(b"", 1, _size, _checked)
    protocol = FramedProtocol(framer, decode)
    protocol.start(0.0)
    return lambda data: list(protocol.on_packet(0.0, Packet(data)).samples)


class _Slip:
    """Nothing between two delimiters is no frame."""

    def __init__(self) -> None:
        self._inner = DelimiterFramer(b"\xc0", limit=17_000)

    def feed(self, data: bytes) -> Iterator[Frame]:
        return (frame for frame in self._inner.feed(data) if frame)


def by_file(driver: str) -> Callable[[bytes], list[Sample]]:
    """Through framer, checks, fields and mapping of a device file."""
    protocol = load_driver(driver).open({})
    assert isinstance(protocol, Conversation)
    protocol.start(0.0)
    return lambda data: list(protocol.on_packet(0.0, Packet(data)).samples)


def by_construct() -> dict[str, tuple[Callable[[bytes], object], Callable[[bytes], bytes]]]:
    """What `construct` makes of the content of a frame, where it is installed, and how the content is got."""
    if find_spec("construct") is None:
        return {}
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
        "Kromek radiometrics": (report.parse, unslip),
        "Kromek status": (state.parse, unslip),
        "UHFReader18, 8 tags": (listed.parse, lambda data: data[:-2]),
    }


def alike(one: list[Sample], other: list[Sample]) -> bool:
    """The same values; changes of state aside, which a device file tells once."""
    kept = [sample for sample in one if isinstance(sample, Measurement | Spectrum | Scan)]
    return kept == [sample for sample in other if not isinstance(sample, DeviceAlarm)]


def beside() -> None:
    """Device files beside code by hand and `construct`."""
    parsers = by_construct()
    print(f"{'':24} {'by hand':>12} {'device file':>12} {'ratio':>6} {'construct':>12} {'ratio':>6}   frames/s")
    for name, driver, data, decode in frames():
        hand_written, from_file = by_hand(driver, decode), by_file(driver)
        assert alike(from_file(data), hand_written(data)), name
        works: list[Callable[[], object]] = [partial(hand_written, data), partial(from_file, data)]
        if name in parsers:
            parse, content = parsers[name]
            works.append(partial(parse, content(data.strip(b"\xc0"))))
        hand, file, *slow = seconds(*works)
        line = f"{name:24} {1 / hand:12,.0f} {1 / file:12,.0f} {file / hand:6.1f}"
        print(line + "".join(f" {1 / one:12,.0f} {one / hand:6.1f}" for one in slow))


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
    beside()
    every_driver()


if __name__ == "__main__":
    main()
