"""Within how much behind garbage each driver in Python is heard again, in bytes of its device's, or in packets.

What device files' framers promise stands in `tests/unit/devicefile/test_resync.py`. Here no time passes from the garbage
on, so that no time-out helps. A driver that has to ask for every sample is bound by time instead (`ASKED`).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.checksum import crc16_ccitt_false
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step
from drivers.endoscope._wifi import MAX_FRAME
from drivers.endoscope.depstech import BEGIN
from drivers.scanner._terminal_io import DATA_TX
from drivers.thermal.flir_one import HEADER, LARGEST, MAGIC, SMALLEST
from drivers.trace._ims_reference_wire import LARGEST_PAYLOAD, SYNC, VERSION, Kind
from tests.drivers.hostile import MULTIPLE
from tests.drivers.simulated_hour import heard
from tests.drivers.test_whole_packets import WHOLE
from tests.virtual_loop import VirtualTimeLoop


@dataclass(frozen=True)
class Stream:
    """What a driver hears on `port`: samples of `channels`, again and again.

    `worst`: the beginning of the longest frame that there might be. `bound`: bytes, from those of the longest packet and of
    the longest frame, which is all from one sample to the next; `why`: what they are.
    """

    port: str
    channels: frozenset[str]
    seconds: float
    worst: bytes
    bound: Callable[[int, int], int]
    why: str


_LONGEST = SYNC + bytes([VERSION, Kind.SCAN, 9, 0, 0, 0]) + LARGEST_PAYLOAD.to_bytes(2, "little")
LONGEST = _LONGEST + crc16_ccitt_false(_LONGEST).to_bytes(2, "little")
STREAMS = {
    "scanner.zebra_ssi": Stream(
        "", frozenset({"barcode"}), 200, b"\xff\xf3\x00\x00", lambda _, frame: 257 + 2 * frame,
        "what a length of one byte may promise, the code that it runs into and the next one",
    ),
    "scanner.zebra_ssi_ble": Stream(
        DATA_TX, frozenset({"barcode"}), 200, b"\x03\x01\xff\xf3\x00\x00", lambda packet, frame: 259 + 257 + 2 * frame + packet,
        "what the length of Terminal I/O may promise and then that of SSI, the code that it runs into, and the next one",
    ),
    "endoscope.depstech": Stream(
        "tcp", frozenset({"image"}), 9, BEGIN + bytes(4) + MAX_FRAME.to_bytes(4, "little") + bytes(24),
        lambda _, frame: 2 * frame, "the picture that it runs into and the next one",
    ),
    "endoscope.i4season": Stream(
        "udp", frozenset({"image"}), 8, b"", lambda packet, frame: 3 * frame + packet,
        "the picture that it runs into, one that it takes the number of, the next one, and the piece behind that",
    ),
    "endoscope.jhcmd": Stream(
        "udp", frozenset({"image"}), 8, b"", lambda packet, frame: 3 * frame + packet,
        "the picture that it runs into, one that it takes the number of, the next one, and the piece behind that",
    ),
    "endoscope.ov780": Stream(
        "udp", frozenset({"image"}), 90, b"", lambda _, frame: 2 * frame, "the picture that it runs into and the next one",
    ),
    "screening.line_sensor": Stream(
        "", frozenset({"value"}), 20, b"", lambda _, frame: 2 * frame, "the line that it runs into and the next one",
    ),
    "thermal.gy_mcu90640": Stream(
        "", frozenset({"image"}), 20, bytes.fromhex("5a5a0206"), lambda _, frame: 1544 + 2 * frame,
        "the frame that four bytes may promise, the one that it runs into and the next one",
    ),
    "trace.ims_reference": Stream(
        "", frozenset({"drift-temperature"}), 600, LONGEST, lambda _, frame: len(LONGEST) + LARGEST_PAYLOAD + 2 + 2 * frame,
        "the longest frame that a header may promise, what it runs into, and what comes until the temperature is told again",
    ),
    "endoscope.useeplus": Stream(
        "in:81", frozenset({"image"}), 8, b"\xaa\xbb\x0b\xfb\x03\x63\0\0\0\0\0\0\xff\xd8", lambda packet, frame: 2 * frame + packet,
        "the picture that it runs into, the next one, and the packet behind it that says that it is whole",
    ),
    "thermal.thermal_master_p1": Stream(
        "in:81", frozenset({"temperature"}), 7, b"\x0c\x8c" + bytes(10), lambda _, frame: 2 * frame,
        "the frame that it runs into and the next one",
    ),
    "thermal.thermal_master_p3": Stream(
        "in:81", frozenset({"temperature"}), 7, b"\x0c\x8d" + bytes(10), lambda _, frame: 2 * frame,
        "the frame that it runs into and the next one",
    ),
    "thermal.flir_one": Stream(
        "in:85", frozenset({"thermal", "visible"}), 9, HEADER.pack(MAGIC, LARGEST, SMALLEST, 0, 0),
        lambda _, frame: 2 * frame, "the frame that it runs into and the next one",
    ),
}  # fmt: skip

ASKED = frozenset(
    {
        "radiation.radiacode",
        "radiation.radiacode_usb",
        "thermal.flir_boson_control",
        "thermal.infiray_p2pro_control",
        "thermal.seek_compact",
        "thermal.seek_compact_pro",
        "trace.aci_pids3",
    }
)
"""Every sample is an answer. One that is damaged is over with the time-out of its request, so that the bound is one of time:
`Driver.back_in_step`, in `test_conformance.py` and `test_spoiled_lines.py`."""
EXAMPLES = 100 * MULTIPLE


def test_every_driver_has_a_bound() -> None:
    """In bytes, or in packets, or where it is asked for every answer in seconds; device files by their framing."""
    kinds = [set(STREAMS), set(ASKED), set(WHOLE), set(device_files())]
    assert sorted(chain.from_iterable(kinds)) == sorted(driver_names())


@cache
def lines(name: str) -> tuple[tuple[float, Packet], ...]:
    """What its simulated device says while nothing goes wrong."""
    seconds = STREAMS[name].seconds if name in STREAMS else 60
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        found = runner.run(heard(name, seconds))
    return tuple((line.at, line.packet) for line in found if line.packet is not None)


def told(step: Step, stream: Stream) -> set[str]:
    """The channels that a step has samples of."""
    return {str(getattr(sample, "channel", "")) for sample in step.samples} & stream.channels


def replayed(name: str, count: int) -> tuple[DeviceProtocol, list[Step]]:
    """A protocol that has heard as many packets, each at its time."""
    protocol = load_driver(name).open({})
    step, out = protocol.start(0.0), list[Step]()
    for at, packet in lines(name)[:count]:
        while step.wake_at is not None and step.wake_at <= at:
            step = protocol.on_timer(step.wake_at)
        step = protocol.on_packet(at, packet)
        out.append(step)
    return protocol, out


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_device_that_is_asked_says_nothing_by_itself(name: str) -> None:
    """Nothing is measured that was not asked for before."""
    protocol = load_driver(name).open({})
    step = protocol.start(0.0)
    asked, told = len(step.write), 0
    for at, packet in lines(name):
        while step.wake_at is not None and step.wake_at <= at:
            step = protocol.on_timer(step.wake_at)
            asked += len(step.write)
        step = protocol.on_packet(at, packet)
        told += any(hasattr(sample, "channel") for sample in step.samples)
        assert told <= asked
        asked += len(step.write)
    assert told > 10


@cache
def frames(name: str) -> tuple[int, ...]:
    """Behind which packets all its channels had been heard once more."""
    stream, missing, out = STREAMS[name], set[str](), list[int]()
    for number, step in enumerate(replayed(name, len(lines(name)))[1], 1):
        missing -= told(step, stream)
        if not missing:
            out.append(number)
            missing = set(stream.channels)
    return tuple(out[1:])


def size(name: str, begin: int, end: int) -> int:
    """Bytes on its port of the packets from one number to another."""
    port = STREAMS[name].port
    return sum(len(packet.data) for _, packet in lines(name)[begin:end] if packet.port == port)


def limit(name: str) -> int:
    """The bound of a driver."""
    port = STREAMS[name].port
    longest = max(len(packet.data) for _, packet in lines(name) if packet.port == port)
    return STREAMS[name].bound(longest, max(size(name, *ends) for ends in pairwise(frames(name)[1:])))


def cost(name: str, at: int, garbage: Sequence[bytes]) -> int:
    """Bytes on its port that come between garbage, behind so many packets, and a sample of each channel."""
    stream, (protocol, steps) = STREAMS[name], replayed(name, at)
    assert set[str]().union(*(told(step, stream) for step in steps)) == stream.channels
    missing, now = set(stream.channels), lines(name)[at - 1][0]
    for data in garbage:
        protocol.on_packet(now, Packet(data, stream.port))
    for number, (_, packet) in enumerate(lines(name)[at:], at + 1):
        missing -= told(protocol.on_packet(now, packet), stream)
        if not missing:
            return size(name, at, number)
    raise AssertionError(f"not heard again within {size(name, at, len(lines(name)))} bytes")


def damaged(name: str) -> st.SearchStrategy[bytes]:
    """Noise; a packet of its own that is cut, or of which bytes are changed; what promises the longest frame, and noise."""
    sent = st.sampled_from([packet.data for _, packet in lines(name) if packet.port == STREAMS[name].port])
    noise = st.binary(min_size=1, max_size=80)
    cut = st.builds(lambda data, share: data[: max(1, round(len(data) * share))], sent, st.floats(0, 0.99))
    changed = st.builds(
        lambda data, at, new: data[: at % len(data)] + new + data[at % len(data) :],
        sent,
        st.integers(0, 1 << 20),
        noise,
    )
    return noise | cut | changed | noise.map(lambda data: STREAMS[name].worst + data)


@pytest.mark.parametrize("name", STREAMS)
def test_behind_garbage_a_driver_is_heard_again_within_its_bytes(name: str) -> None:
    """`why` of each says what the bytes are."""
    bound, ends = limit(name), frames(name)
    early = range(ends[2] + 1, ends[4] + 1)
    assert size(name, early[-1], len(lines(name))) > bound

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(at=st.sampled_from(early), garbage=st.lists(damaged(name), min_size=1, max_size=4))
    @example(at=early[0], garbage=[STREAMS[name].worst])
    @example(at=early[-1], garbage=[STREAMS[name].worst])
    def holds(at: int, garbage: list[bytes]) -> None:
        assert cost(name, at, garbage) <= bound

    holds()
