"""A head that promises the longest frame there might be, in the middle of a device's talk: how soon each is heard again.

That of each driver is of its own framing. Of one whose frames are packets, or end where the next begins, it is a packet
that was begun. A head comes at many moments of a conversation, with slow cameras and quicker ones.
"""

import asyncio
import contextlib
import struct
from collections.abc import Mapping
from itertools import accumulate
from math import inf
from random import Random
from types import MappingProxyType
from typing import Final

import pytest

from devicehub.clock import Clock
from devicehub.devicefile.load import load
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.schema import FrameTable
from devicehub.driver import FileLink, OperatorLink
from devicehub.model.reading import Scan
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.patience import REST_WITHIN
from drivers.radiation.radiacode import LIMIT
from drivers.trace.aci_pids3 import encode
from tests.conformance import recorded_packets
from tests.drivers.simulated_hour import Hour, port_of, session_of
from tests.drivers.test_back_in_step import STREAMS
from tests.virtual_loop import VirtualTimeLoop

WIRED: Final = [name for name in driver_names() if not isinstance(load_driver(name).link, FileLink | OperatorLink)]
UNHARMED: Final = [
    "scanner.elyctis_idbox",
    "scanner.honeywell",
    "scanner.rte_mrz",
    "scanner.thingmagic",
    "scanner.zebra_ssi",
    "scanner.zebra_ssi_ble",
]
"""What they read has its length with it. A line or report that garbage runs into is lost with it; SW/CT and UHFReader18 readers,
which are asked without a pause, are asked less often."""
HEADS: Final = 12
FEW: Final = 3
TICK: Final = 0.1
SETTLED: Final = 60.0
"""Seconds after which the start of a conversation is over."""
HAND_WRITTEN: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "radiation.radiacode": struct.pack("<I", LIMIT),
        "radiation.radiacode_usb": struct.pack("<I", LIMIT),
        "screening.line_sensor": b"$" + b"0" * 120,
        "thermal.flir_boson_control": b"\x8e" + bytes(250),
        "trace.aci_pids3": encode("pids.meas ?")[:-9] + b"0" * 200,
    }
)
"""Of drivers in Python whose frames are longer than a packet: the beginning of the longest, beside those of `STREAMS`."""


def _longest(frame: FrameTable) -> bytes | None:
    """The beginning of the longest frame that a device file's framing knows; None where a packet is one."""
    if frame.kind == "length":
        told = min((frame.most - frame.adjust) & frame.mask, (1 << 8 * frame.width) - 1)
        return parse_bytes(frame.sync).ljust(frame.at, b"\0")[: frame.at] + told.to_bytes(frame.width, frame.endian)
    return parse_bytes(frame.start) + b"0" * (frame.most - 1) if frame.kind == "delimited" else None


def false_head(name: str) -> Packet:
    """What promises most, where the device speaks."""
    if name in STREAMS and STREAMS[name].worst:
        return Packet(STREAMS[name].worst, STREAMS[name].port)
    recorded = recorded_packets(name)
    ports = [packet.port for packet in recorded]
    head = HAND_WRITTEN.get(name)
    if head is None and (path := device_files().get(name)) is not None:
        head = _longest(load(path).file.frame)
    if head is not None:
        return Packet(head, max(ports, key=ports.count))
    longest = max(recorded, key=lambda packet: len(packet.data))
    return Packet(longest.data[: max(len(longest.data) // 2, 1)], longest.port)


async def _heard(name: str, rate: float, heads: list[float], seconds: float) -> Hour:
    """What a simulated device says, with a false head at each of these seconds."""
    hour, loop = Hour(), asyncio.get_running_loop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            transport = await port_of(name, Clock(seed=7), rate, TICK).open()
            for time in heads:
                loop.call_at(time, transport.push, [false_head(name)])
            await session_of(name, transport, hour)
    return hour


def heard(name: str, rate: float, heads: list[float], seconds: float) -> Hour:
    """As `_heard`, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_heard(name, rate, heads, seconds))


def moments(least: float, most: float, heads: int = HEADS) -> list[float]:
    """When heads come: each so many seconds behind the one before."""
    random = Random(5)
    return list(accumulate((random.uniform(least, most) for _ in range(heads)), initial=SETTLED))[1:]


@pytest.mark.parametrize("name", WIRED)
@pytest.mark.parametrize(("rate", "number"), [(0.7, HEADS), (6.0, FEW)])
def test_behind_a_head_that_promises_the_longest_frame_a_device_is_heard_again(
    name: str, rate: float, number: int
) -> None:
    """Each head comes once the one before has to be over."""
    bound = load_driver(name).back_in_step
    heads = moments(bound + 1, bound + 10, number)
    hour = heard(name, rate, heads, heads[-1] + bound + 1)
    waited = [next((at for at in hour.times if at > head), inf) - head for head in heads]
    assert max(waited) <= bound, waited


def scans(hour: Hour) -> list[tuple[float, bytes]]:
    """What was read, and when."""
    both = zip(hour.times, hour.samples, strict=True)
    return [(at, sample.data) for at, sample in both if isinstance(sample, Scan)]


@pytest.mark.parametrize("name", UNHARMED)
def test_a_code_or_document_behind_a_false_head_is_neither_lost_nor_late(name: str) -> None:
    """It belongs to the inspection in which it was read, not to the next one. A head comes just before every second."""
    seconds = 400.0
    undisturbed = scans(heard(name, 1.0, [], seconds))
    heads = [at - 2 * TICK for at, _ in undisturbed if SETTLED < at < seconds - 10][::2]
    disturbed = scans(heard(name, 1.0, heads, seconds))
    assert len(heads) >= HEADS
    assert [data for _, data in disturbed] == [data for _, data in undisturbed]
    late = [after - before for (before, _), (after, _) in zip(undisturbed, disturbed, strict=True)]
    assert 0 < max(late) <= REST_WITHIN + TICK
