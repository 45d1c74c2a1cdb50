"""A head that promises the longest frame there might be, in the middle of a device's talk: how soon each is heard again.

That of each driver is of its own framing. Of one whose frames are packets, or end where the next begins, it is a packet
that was begun. A head comes at many moments of a conversation, with slow cameras and quicker ones.
"""

import asyncio
import contextlib
import struct
from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Final

import pytest

from devicehub.clock import Clock
from devicehub.devicefile.load import load
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.schema import FrameTable
from devicehub.driver import FileLink, OperatorLink
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.packet import Packet
from drivers.radiation.radiacode import LIMIT
from drivers.trace.aci_pids3 import encode
from tests.conformance import recorded_packets
from tests.drivers.simulated_hour import Hour, port_of, session_of
from tests.drivers.test_back_in_step import STREAMS
from tests.virtual_loop import VirtualTimeLoop

WIRED: Final = [name for name in driver_names() if not isinstance(load_driver(name).link, FileLink | OperatorLink)]
HEADS: Final = 12
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


async def _waited(name: str, rate: float) -> list[float]:
    """Seconds from each false head to the next sample; each head comes once the one before has to be over."""
    hour, random, clock = Hour(), Random(5), Clock(seed=7)
    driver, head, loop = load_driver(name), false_head(name), asyncio.get_running_loop()
    at, times = SETTLED, list[float]()
    for _ in range(HEADS):
        at += driver.back_in_step + random.uniform(1, 10)
        times.append(at)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(at + driver.back_in_step + 1):
            transport = await port_of(name, clock, rate, 0.1).open()
            for time in times:
                loop.call_at(time, transport.push, [head])
            await session_of(name, transport, hour)
    return [next((heard for heard in hour.times if heard > time), float("inf")) - time for time in times]


@pytest.mark.parametrize("name", WIRED)
@pytest.mark.parametrize("rate", [0.7, 6.0])
def test_behind_a_head_that_promises_the_longest_frame_a_device_is_heard_again(name: str, rate: float) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        waited = runner.run(_waited(name, rate))
    assert max(waited) <= load_driver(name).back_in_step, waited
