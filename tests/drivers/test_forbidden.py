"""What would brick, erase or restore a device is declared, refused below everything, and sent by no driver.

The commands are in `dangerous.py`. What no driver asks is refused too, whatever it is. That no conversation of an hour with a
simulator has one of them is part of `test_conformance.py`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from types import MappingProxyType

import pytest

from devicehub.clock import Clock
from devicehub.config import DeviceConfig
from devicehub.devicefile.compiled import Compiled, packets
from devicehub.devicefile.load import load
from devicehub.driver import Driver, FileLink, OperatorLink, VideoLink
from devicehub.links import Links
from devicehub.model.errors import ConfigError
from devicehub.record import parse
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.transport.guard import GuardedTransport
from devicehub.transport.memory import MemoryTransport
from devicehub.transport.world import SimulatedWorld
from devicehub.wire.packet import Packet
from tests.conformance import options_of, transcripts
from tests.drivers.dangerous import DANGEROUS, UNNAMED, WHOLE


def _of_a_file(compiled: Compiled) -> Iterator[Packet]:
    """All that it asks where nothing is put in, and the examples of its vectors."""
    for request in compiled.requests.values():
        yield from request.packets
    for vector in compiled.file.vector:
        if vector.request is not None:
            settings = {one.name: one.default for one in compiled.file.option} | vector.options
            sent = compiled.asking.request(compiled.requests[vector.request].template, settings)
            yield from packets(compiled.file.link, sent)


def requests(driver: Driver) -> Iterator[Packet]:
    """What it sends at the start, again and again, for a command, and ever sent in a transcript."""
    yield from driver.open({}).start(0.0).write
    yield from (Packet(poll.request, poll.port) for poll in driver.polls)
    for command in driver.commands:
        if command.order is not None:
            given = command.arguments({option.name: option.default for option in command.options})
            yield Packet(command.order.request(given), command.order.port)
    if (path := device_files().get(driver.name)) is not None:
        yield from _of_a_file(load(path))
    for path in transcripts(driver.name):
        text = path.read_text()
        yield from driver.open(options_of(text)).start(0.0).write
        yield from (line.packet for line in parse(text) if line.sign == ">" and line.packet is not None)


each_driver = pytest.mark.parametrize("name", driver_names())
WRITING = tuple(name for name in driver_names() if any(packet.data for packet in requests(load_driver(name))))
each_writing = pytest.mark.parametrize("name", WRITING)
SILENT = FileLink | OperatorLink | VideoLink
"""Links that nothing is written to."""
each_writable = pytest.mark.parametrize(
    "name", [name for name in driver_names() if not isinstance(load_driver(name).link, SILENT)]
)
each_dangerous = pytest.mark.parametrize(
    ("name", "packet"),
    [(name, packet) for of in (WHOLE, UNNAMED) for name, packets in of.items() for packet in packets],
)


@each_dangerous
async def test_a_dangerous_command_is_refused_by_the_link_and_never_written(name: str, packet: Packet) -> None:
    written: list[Packet] = []
    link = guarded(load_driver(name), written)
    with pytest.raises(ConfigError, match="refused to send what would"):
        await link.write(packet)
    assert written == []


def guarded(driver: Driver, written: list[Packet]) -> GuardedTransport:
    """Its link, which keeps what gets through."""
    return GuardedTransport(MemoryTransport(written.append), driver.forbidden, driver.allowed)


async def passes(driver: Driver, packet: Packet) -> bool:
    """Whether its link lets a packet through, as the first that is written to it."""
    written: list[Packet] = []
    try:
        await guarded(driver, written).write(packet)
    except ConfigError:
        assert written == []
        return False
    assert written == [packet]
    return True


SHORT = (b"\0", b"?", b"(")
"""Requests of one byte: a wake-up, a question, credits. Chance finds them."""
VARIES: Mapping[str, tuple[tuple[bytes, int, int], ...]] = MappingProxyType(
    {
        "radiation.radiacode": ((b"", 7, 8),),  # the sequence
        "radiation.radiacode_usb": ((b"", 7, 8),),
        "radiation.gq_gmc": ((b"<SPIR", 5, 10), (b"<SETDATETIME", 12, 18)),
        "endoscope.i4season": ((b"\xee\xff\xee\xff\1\0\4", 12, 14),),  # the own port
        "endoscope.ov780": ((b"", 1, 3),),  # numbers
    }
)
"""Where a packet that begins so has bytes that may be others, and no check of them."""


def fixed(name: str, packet: Packet) -> Iterator[int]:
    """The bytes of a packet that may not be others."""
    free = {at for begin, low, high in VARIES.get(name, ()) if packet.data.startswith(begin) for at in range(low, high)}
    yield from (at for at in range(len(packet.data)) if at not in free)


def test_each_driver_says_all_that_its_link_lets_through() -> None:
    drivers = [load_driver(name) for name in driver_names()]
    assert [one.name for one in drivers if one.allowed is None and not isinstance(one.link, SILENT)] == []


@each_driver
async def test_all_that_a_driver_asks_gets_through_its_link(name: str) -> None:
    driver = load_driver(name)
    for packet in requests(driver):
        assert await passes(driver, packet), packet


@each_writing
async def test_a_request_is_not_let_through_twice_in_one_packet_nor_with_anything_at_its_ends(name: str) -> None:
    driver = load_driver(name)
    asked = {packet for packet in requests(driver) if packet.data}
    for packet in asked:
        others = {one.data for one in asked if one.port == packet.port}
        joined = {packet.data + other for other in others} | {other + packet.data for other in others}
        edges = (b"\0", b"\xff", b"\xc0", packet.data[:1], packet.data[-1:])
        padded = {edge + packet.data for edge in edges} | {packet.data + edge for edge in edges}
        cut = {packet.data[:-1], packet.data[1:]}
        for data in (joined | padded | cut) - others:
            assert not await passes(driver, Packet(data, packet.port)), data


@each_writing
async def test_a_request_with_another_byte_is_not_let_through(name: str) -> None:
    driver = load_driver(name)
    asked = {packet for packet in requests(driver) if packet.data}
    for packet in asked:
        for at in fixed(name, packet):
            for flipped in (0x01, 0x08, 0x20, 0x80, 0xFF):
                data = bytearray(packet.data)
                data[at] ^= flipped
                other = Packet(bytes(data), packet.port)
                assert other in asked or not await passes(driver, other), other


@each_writing
async def test_a_request_is_not_let_through_on_another_port(name: str) -> None:
    driver = load_driver(name)
    asked = {packet for packet in requests(driver) if packet.data}
    for packet in asked:
        other = Packet(packet.data, f"{packet.port}0")
        assert not await passes(driver, other), other


@each_writable
async def test_what_nobody_asks_is_not_let_through(name: str) -> None:
    driver, random = load_driver(name), Random(7)
    ports = {packet.port for packet in requests(driver)} | {"", "udp", "out:01", "ctl:41:4f:0000:0000"}
    written: list[Packet] = []
    link = guarded(driver, written)
    for port in sorted(ports):
        for size in (1, 2, 3, 4, 6, 8, 16, 20, 64):
            for _ in range(20):
                packet = Packet(random.randbytes(size), port)
                if packet.data in SHORT:
                    continue
                with pytest.raises(ConfigError, match="refused"):
                    await link.write(packet)
    assert written == []


@each_driver
def test_each_refusal_that_a_driver_declares_has_a_command_that_it_stops(name: str) -> None:
    """So that none is a rule which no packet fits, and a new one comes with its proof."""
    proofs = WHOLE.get(name, ())
    idle = [one.title for one in load_driver(name).forbidden if not any(map(one.names, proofs))]
    assert idle == []


@pytest.mark.real
@pytest.mark.parametrize("name", ["thermal.gy_mcu90640", "thermal.seek_compact"])
async def test_every_link_of_the_hub_refuses_it(name: str, tmp_path: Path) -> None:
    """Also that of `devicehub record` and of a simulated device."""
    async with SimulatedWorld(tmp_path, clock := Clock(seed=1), 1) as world:
        device = DeviceConfig(id="dev", driver=name, port="sim:")
        link = await Links(clock, world).opener(device, load_driver(name))()
        with pytest.raises(ConfigError, match="refused"):
            await link.write(DANGEROUS[name][0])
        await link.close()


@each_driver
def test_nothing_that_a_driver_asks_or_is_told_is_dangerous(name: str) -> None:
    driver = load_driver(name)
    for packet in requests(driver):
        assert not driver.refuses(packet), packet


@each_driver
def test_a_camera_has_no_way_to_be_written_to(name: str) -> None:
    driver = load_driver(name)
    assert not isinstance(driver.link, VideoLink) or not list(requests(driver))
