"""What would brick, erase or restore a device is declared, refused below everything, and sent by no driver.

The commands are those that the public sources of the protocols call dangerous. That no conversation of an hour with a
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
from devicehub.devicefile.notation import parse_template
from devicehub.driver import Driver, FileLink, OperatorLink, VideoLink
from devicehub.links import Links
from devicehub.model.errors import ConfigError
from devicehub.record import parse
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.transport.guard import GuardedTransport
from devicehub.transport.memory import MemoryTransport
from devicehub.transport.world import SimulatedWorld
from devicehub.wire.packet import Packet, control_write
from drivers.trace.aci_pids3 import encode
from tests.conformance import options_of, transcripts

DANGEROUS: Mapping[str, tuple[Packet, ...]] = MappingProxyType(
    {
        "thermal.seek_compact": tuple(control_write(0x41, number, 0, 0, b"\0\0") for number in (79, 80, 81, 82, 87)),
        "thermal.seek_compact_pro": tuple(control_write(0x41, number, 0, 0) for number in (79, 80, 81, 82, 87)),
        "thermal.gy_mcu90640": (Packet(bytes.fromhex("a565010b")),),
        "thermal.flir_boson_control": tuple(
            Packet(bytes.fromhex(f"8e0000000001{function:08x}ffffffff0000ae"))
            for function in (0x00050018, 0x0005001B, 0x00050012, 0x00050014, 0x000E000D, 0x00050099)
        ),
        "thermal.thermal_master_p3": (
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("012f41000000000000000000000000003c3a")),
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("050801000000000000000000000000000000")),
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("018201000000000000000000000000000000")),
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes(8)),
            Packet(bytes(8), "out:01"),
        ),
        "thermal.infiray_p2pro_control": (
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes.fromhex("0508000000000000")),
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("01c2000000000100")),
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes.fromhex("0182000000000100")),
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("0fc1000000000008")),
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes.fromhex("0a01000000000000")),
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("14c5000500000000")),  # the gain
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("09c4000000000001")),  # the palette
            control_write(0x41, 0x45, 0x78, 0x1D08, b"\x03"),  # which one
            control_write(0x41, 0x45, 0x78, 0x1D08, bytes(8)),
            control_write(0x41, 0x45, 0x78, 0x1D08, bytes(7) + b"\x02\n"),
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes.fromhex("0584060000000031")),
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("0584060000000030")),
            control_write(0x41, 0x45, 0x78, 0x9D08, bytes(64)),
            control_write(0x41, 0x45, 0x78, 0x1D64, bytes(8)),
            control_write(0x41, 0x20, 0, 0, bytes(18)),
            control_write(0x01, 0x0B, 1, 1),
            Packet(b"", "in:81:512"),
        ),
        "thermal.flir_one": (Packet(bytes.fromhex("cc0100000100000041000000f8b3f700"), "out:02"),),
        "endoscope.jhcmd": (Packet(b"JHCMD\xd0\x03", "udp:20000"), Packet(b"JHCMD\x10\x01", "udp:20000")),
        "endoscope.i4season": tuple(
            Packet(bytes.fromhex(f"eeffeeff0100{kind:02x}0001000000"), "udp:10005") for kind in (2, 10, 12, 13, 14)
        ),
        "thermal.thermal_master_p1": (
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("012f41000000000000000000000000003c3a")),
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("050801000000000000000000000000000000")),
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("018201000000000000000000000000000000")),
            Packet(bytes(8), "out:01"),
        ),
        "endoscope.ov780": (Packet(b"\0\0\0v" + b"0010000600001d010f21FrameSize1", "udp:50000"),),
        "endoscope.depstech": (Packet(b"\x01", "tcp"),),
        "scanner.zebra_ssi": (
            Packet(bytes.fromhex("04c80400ff30")),  # defaults
            Packet(bytes.fromhex("04120400ffe6")),  # custom defaults
            Packet(bytes.fromhex("07c60408ffee01fe39")),  # a parameter, for good
            Packet(bytes.fromhex("04800400ff78")),  # remote management
        ),
        "scanner.zebra_ssi_ble": tuple(
            Packet(bytes.fromhex(data), "00000001-0000-1000-8000-008025000000")
            for data in ("080004c80400ff30", "080004120400ffe6", "0b0007c60408ffee01fe39", "080004800400ff78")
        ),
        "trace.aci_pids3": tuple(
            Packet(encode(text))
            for text in (
                "pids.savedata",
                "pid.calib 1;2;0;100",
                "pids.relay.state 011",
                "device.username X",
                "pids.reboot",
            )
        ),
        "radiation.radiacode_usb": (
            Packet(bytes.fromhex("0c00000027080080"), "out:01"),
            Packet(bytes.fromhex("0c0000002508008004050000 00000000"), "out:01"),  # the time base
        ),
        "radiation.radiacode": (
            Packet(bytes.fromhex("0c00000027080080")),
            Packet(bytes.fromhex("0c0000002b080080")),
            Packet(bytes.fromhex("0c0000002508008004050000 00000000")),  # the time base
        ),
    }
)
KROMEK = (
    "07 02 00*8", "07 07 00*4", "07 08 00*8", "07 09 00*4", "07 0b 00*4", "07 0c 01", "07 11 00", "07 12 00*4",
    "07 47", "08 51 00*8", "08 69 00*4", "07 7c 'X' 00*15",
)  # fmt: skip
"""The set form of what a detector is asked: 0x80 of the report is clear."""

REQUESTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "radiation.kromek_d5": KROMEK,
        "radiation.kromek_d3s": KROMEK,
        "radiation.gq_gmc": ("'POWEROFF'", "'FACTORYRESET'", "'ECFG'", "'WCFG' 00 00 00", "'ALARM0'", "'SPEAKER0'"),
        "radiation.radex_one": ("02 08 0e 00 00*4 0a 00*5",),
        "scanner.honeywell": ("4d 0d 'DEFALT!'", "4d 0d 'SCNLED0.'", "4d 0d 'DECHDR1,SCNAIM0.'"),
        "scanner.newland": ("'@SCNMOD0'",),
        "scanner.uhfreader18": ("03", "04", "05", "06", "22 00 00", "24 00", "25 03", "28 05", "2f 1e"),
        "scanner.sw_ct": (
            "03 01 02 06 00*4 00 11 22 33 44 55 66 77 88 99 aa bb", "21 00*8", "22", "24 05 1a", "27 00*8", "28",
            "2f 00*4", "3f 00*2", "85 01", "86 01",
        ),
        "scanner.thingmagic": (
            "23 03 e8 00", "24 03 e8 00*6 03 00 ee", "25 03 e8 00*4", "26 03 e8 00*6", "27 00", "2d 00", "2e 00",
            "01 00*8", "06 00 00 25 80", "07 08 95 9a 53", "09", "0a 00", "0d 00*4", "0f 00*4", "92 0b b8", "c3 00",
        ),
    }
)  # fmt: skip
"""Those of device files, as they stand behind `request_head`."""


def _framed(name: str, request: str) -> Packet:
    asking, template = load(device_files()[name]).asking, parse_template(request)
    return Packet(asking.request(template, dict.fromkeys(asking.slots(template), 0)))


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


def _ssi(opcode: int, data: bytes, status: int) -> bytes:
    """A packet of SSI; the sum is not looked at where something else is wrong with it."""
    return bytes([4 + len(data), opcode, 4, status]) + data + b"\0\0"


UNNAMED: Mapping[str, tuple[Packet, ...]] = MappingProxyType(
    {
        "scanner.uhfreader18": (
            *(_framed("scanner.uhfreader18", one) for one in ("07", "08", "0a", "0e", "10", "52", "55")),
            Packet(_framed("scanner.uhfreader18", "01").data + _framed("scanner.uhfreader18", "05").data),
        ),
        "scanner.thingmagic": (_framed("scanner.thingmagic", "04 00"), _framed("scanner.thingmagic", "93 00")),
        "scanner.newland": (_framed("scanner.newland", "'#FACDEF'"), _framed("scanner.newland", "'#C11MIN1'")),
        "scanner.honeywell": (Packet(b"\x16M\rREVINF^!\x16M\rDEFALT!"), Packet(b"\x16M\r232BAD9.")),
        "scanner.zebra_ssi": (
            *(Packet(_ssi(0xC6, b"\xff\xee\x01", status)) for status in (0x00, 0x18, 0x28, 0xF8)),
            Packet(b"\0" + bytes.fromhex("04c80400ff30")),  # behind the byte that wakes it
        ),
        "radiation.gq_gmc": (
            *(_framed("radiation.gq_gmc", one) for one in ("'REBOOT'", "'CFGUPDATE'", "'KEY0'", "'HEARTBEAT1'")),
            Packet(b"<GETCPM>><POWEROFF>>"),
        ),
        "radiation.kromek_d5": (Packet(b"\xc0\xc0" + _framed("radiation.kromek_d5", "07 08 00*8").data[1:]),),
        "thermal.gy_mcu90640": tuple(
            Packet(bytes.fromhex(one)) for one in ("a51501bb", "a52500ca", "a53501db", "a55501fba565010b")
        ),
        "thermal.seek_compact": (
            control_write(0x40, 79, 0, 0),
            control_write(0x42, 87, 0, 0),
            control_write(0x41, 55, 0, 0),
        ),
        "trace.aci_pids3": tuple(
            Packet(one)
            for one in (encode("pids.stop"), encode("device ?") + encode("pids.reboot"), encode("pids.current 1"))
        ),
        "thermal.flir_boson_control": (
            Packet(bytes.fromhex("8e000000009e8100050018ffffffff0000ae")),  # the sequence is escaped
        ),
        "endoscope.useeplus": (Packet(b"\xff\x55\xff\x55\xee\x11", "out:02"), Packet(b"\xbb\xaa\x06\0\0", "out:01")),
        "scanner.elyctis_idbox": (Packet(b"\x52\0\0"),),
    }
)
"""What no source calls dangerous, or calls so, hidden in another packet: refused because nobody asks it."""


WHOLE: Mapping[str, tuple[Packet, ...]] = MappingProxyType(
    {**DANGEROUS, **{name: tuple(_framed(name, one) for one in given) for name, given in REQUESTS.items()}}
)
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
