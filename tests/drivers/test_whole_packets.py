"""Drivers of which a packet is a picture, a file or an entry, whole: garbage between them costs itself alone."""

import asyncio
import re
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.driver import FileLink, OperatorLink, VideoLink
from devicehub.model.device import ChannelKind
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from tests.drivers.hostile import MULTIPLE
from tests.drivers.simulated_hour import heard
from tests.virtual_loop import VirtualTimeLoop

WHOLE = frozenset(
    name
    for name in driver_names()
    if isinstance(load_driver(name).link, VideoLink | FileLink | OperatorLink) and name not in device_files()
)
"""A packet is a picture, a file or an entry, whole: nothing of one may be kept for another."""
EXAMPLES = 100 * MULTIPLE
MAIN = frozenset({ChannelKind.IMAGE, ChannelKind.SPECTRUM})
SPOILED = re.compile(r"^(?=[^:]+\.\w+$)")


def said(name: str) -> list[tuple[float, Packet]]:
    """What its simulated device says within a minute."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        found = runner.run(heard(name, 60))
    return [(line.at, line.packet) for line in found if line.packet is not None]


def shows(step: Step) -> bool:
    """An image came of it."""
    return any(getattr(sample, "channel", "") == "image" for sample in step.samples)


@cache
def files() -> tuple[bytes, bytes]:
    """Two radiometric files as a camera writes them."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        found = runner.run(heard("thermal.flir_rjpeg", 200))
    first, second, *_ = [line.packet.data for line in found if line.packet is not None]
    return first, second


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_damaged_flir_file_costs_itself_alone(data: st.DataObject) -> None:
    """Within the bytes of the next file: nothing of one is kept for another."""
    protocol, (first, second) = load_driver("thermal.flir_rjpeg").open({}), files()
    protocol.start(0.0)
    assert shows(protocol.on_packet(1.0, Packet(first, "a.jpg")))
    at, new = data.draw(st.integers(0, len(first))), data.draw(st.binary(max_size=40))
    for name, spoiled in (("b.jpg", first[:at]), ("c.jpg", first[:at] + new + first[at:]), ("d.jpg", new)):
        protocol.on_packet(2.0, Packet(spoiled, name))
    assert shows(protocol.on_packet(2.0, Packet(second, "e.jpg")))


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_where_a_packet_is_whole_garbage_costs_itself_alone(name: str) -> None:
    """The next picture, file or entry tells its main channel, as it would have done."""
    driver, sent = load_driver(name), said(name)
    main = {channel.name for channel in driver.channels if channel.kind in MAIN} or {driver.channels[0].name}
    counted = [at for at, told_main in enumerate(tells(name, sent, main)) if told_main]
    assert len(counted) > 1

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.sampled_from(counted[:-1]), st.data())
    def holds(at: int, data: st.DataObject) -> None:
        spoiled = [(sent[at][0], data.draw(spoiling(packet))) for _, packet in sent[max(at - 1, 0) : at + 1]]
        following = sent[at + 1 : counted[counted.index(at) + 1] + 1]
        told = tells(name, [*sent[: at + 1], *spoiled, *following], main)
        assert told[-1], spoiled

    holds()


def tells(name: str, sent: Sequence[tuple[float, Packet]], main: set[str]) -> list[bool]:
    """Of each packet whether it brought a sample of these channels."""
    protocol = load_driver(name).open({})
    step, out = protocol.start(0.0), list[bool]()
    for at, packet in sent:
        while step.wake_at is not None and step.wake_at <= at:
            step = protocol.on_timer(step.wake_at)
        step = protocol.on_packet(at, packet)
        out.append(any(getattr(sample, "channel", "") in main for sample in step.samples))
    return out


def spoiling(packet: Packet) -> st.SearchStrategy[Packet]:
    """On the same port, cut, changed, or noise; a file under a name of its own, as another one."""
    noise = st.binary(max_size=80)
    cut = st.floats(0, 0.99).map(lambda share: packet.data[: int(len(packet.data) * share)])
    changed = st.builds(
        lambda at, new: packet.data[: at % len(packet.data)] + new + packet.data[at % len(packet.data) + len(new) :],
        st.integers(0, 1 << 20),
        noise,
    )
    return (noise | cut | changed).map(lambda data: Packet(data, SPOILED.sub("spoiled-", packet.port, 1)))
