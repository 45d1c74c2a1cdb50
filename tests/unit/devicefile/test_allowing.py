"""What the link of a device file lets through: what the file asks, whole and one at a time, in one packet or in pieces."""

import contextlib
from pathlib import Path

import pytest

from devicehub.devicefile.load import driver, load
from devicehub.driver import Driver
from devicehub.model.errors import ConfigError
from devicehub.tomlfile.problems import ConfigProblems
from devicehub.transport.guard import GuardedTransport
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.packet import Packet, usb_read, usb_write
from tests.unit.devicefile.files import SMALL, write

NOT_ASKED = "refused to send what would do what this device file does not ask"
ASK = bytes.fromhex("020103")
SLOTS = SMALL.replace(
    "[[request]]",
    """\
[[option]]
name = "address"
title = "Address"
default = 1
low = 1
high = 4
[[counter]]
name = "turn"
start = 3
modulus = 4
plus = 16
[[command]]
verb = "set-limit"
title = "Set the limit"
request = "set"
args = [{ name = "limit", title = "Limit", default = 10.0, low = 0.5, high = 50 }]
[[command]]
verb = "tell-limit"
title = "Tell the limit"
request = "tell"
args = [{ name = "limit", title = "Limit", default = 10.0, low = 0.5, high = 50 }]
[[request]]
name = "set"
send = "02 {limit:i16be}"
[[request]]
name = "turn"
send = "05 {address:u8} {turn:u8} {resend:u8}"
[[request]]
name = "tell"
send = "06 '{limit}'"
[[request]]""",
    1,
)
DELIMITED = SMALL.replace(
    'kind = "length"\nadjust = 1\nleast = 3', 'kind = "delimited"\nstart = "c0"\nend = "c0"\nleast = 3', 1
)
DELIMITED = DELIMITED.replace("[[check]]", 'escape = { "db dc" = "c0", "db dd" = "db" }\n[[check]]', 1).replace(
    "03 01 32 36", "c0 03 01 32 36 c0"
)
PIECES = SLOTS.replace(
    'kind = "serial"', 'kind = "ble"\nname = "Probe"\nservice = "5e"\nnotify = ["0a"]\nwrite = "0b"\npiece = 2', 1
)


def made(folder: Path, text: str) -> Driver:
    return driver(load(write(folder, text)), "trace.probe")


def link(of: Driver) -> tuple[GuardedTransport, list[Packet]]:
    written: list[Packet] = []
    return GuardedTransport(MemoryTransport(written.append), of.forbidden, of.allowed), written


def summed(text: str) -> bytes:
    """A request of `SMALL`: its length before it, its sum behind it."""
    body = bytes.fromhex(text)
    frame = bytes([len(body) + 1]) + body
    return frame + bytes([sum(frame) & 0xFF])


@pytest.mark.parametrize(
    "data", [ASK, summed("02 0000"), summed("02 0032"), summed("05 01 10 00"), summed("05 04 13 01")]
)
async def test_a_whole_request_passes(tmp_path: Path, data: bytes) -> None:
    guarded, written = link(made(tmp_path, SLOTS))
    await guarded.write(Packet(data))
    assert written == [Packet(data)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        ASK[:-1],
        ASK + ASK,
        b"\0" + ASK,
        ASK + b"\0",
        bytes.fromhex("020104"),  # another check
        bytes.fromhex("030104"),  # another length
        summed("07"),
        summed("01 00"),
        summed("02 00"),
        summed("02 0033"),  # beyond its limits
        summed("02 ffff"),
        summed("05 00 10 00"),
        summed("05 05 10 00"),
        summed("05 01 0f 00"),
        summed("05 01 14 00"),
        summed("05 01 10 02"),
        summed("02 0001") + summed("02 0001"),
    ],
)
async def test_whatever_else_is_refused_with_a_title_that_says_so(tmp_path: Path, data: bytes) -> None:
    guarded, written = link(made(tmp_path, SLOTS))
    with pytest.raises(ConfigError, match=NOT_ASKED):
        await guarded.write(Packet(data))
    assert written == []


@pytest.mark.parametrize("value", ["0.5", "50", "7", "12.25", "1e1"])
async def test_digits_that_are_put_in_make_a_number_within_its_limits(tmp_path: Path, value: str) -> None:
    guarded, written = link(made(tmp_path, SLOTS))
    for bad in ("51", "-1", "1.2.3", "--", "1;9", "nan"):
        with pytest.raises(ConfigError, match=NOT_ASKED):
            await guarded.write(Packet(summed(b"\x06".hex() + bad.encode().hex())))
    await guarded.write(Packet(summed(b"\x06".hex() + value.encode().hex())))
    assert len(written) == 1


async def test_a_named_danger_is_refused_under_its_own_name(tmp_path: Path) -> None:
    text = SLOTS.replace("[[request]]", '[[forbidden]]\ntitle = "wipe it"\nsend = "09"\n[[request]]', 1)
    guarded, _ = link(made(tmp_path, text))
    with pytest.raises(ConfigError, match="refused to send what would wipe it"):
        await guarded.write(Packet(summed("09")))


@pytest.mark.parametrize("hexed", ["c0 03 02 00 db dd e0 c0"])
async def test_an_escaped_request_passes_once_and_only_as_it_is_escaped(tmp_path: Path, hexed: str) -> None:
    text = DELIMITED.replace(
        "[[request]]", '[[counter]]\nname = "turn"\n[[request]]\nname = "set"\nsend = "02 00 {turn:u8}"\n[[request]]', 1
    ).replace('request_head = "{length:u8}"', 'request_head = "03"')
    data = bytes.fromhex(hexed)
    guarded, written = link(made(tmp_path, text))
    for bad in (b"\xc0" + data, data + data, data[1:], data.replace(b"\xdb\xdd", b"\xdb")):
        with pytest.raises(ConfigError, match=NOT_ASKED):
            await guarded.write(Packet(bad))
    await guarded.write(Packet(data))
    assert written == [Packet(data)]


async def test_over_usb_it_reads_its_endpoint_and_writes_to_the_other(tmp_path: Path) -> None:
    text = SMALL.replace('kind = "serial"', 'kind = "usb"\nusb = ["1209:0001"]\nendpoint_out = 0x02', 1)
    guarded, written = link(made(tmp_path, text))
    good = [usb_write(0x02, ASK), usb_read(0x81, 64)]
    for packet in good:
        await guarded.write(packet)
    for bad in (usb_write(0x01, ASK), usb_read(0x82, 64), usb_read(0x81, 65), Packet(ASK), Packet(b"", "halt:81")):
        with pytest.raises(ConfigError, match=NOT_ASKED):
            await guarded.write(bad)
    assert written == good


async def test_pieces_are_held_back_until_they_are_a_request(tmp_path: Path) -> None:
    guarded, written = link(made(tmp_path, PIECES))
    whole = summed("02 0007")
    pieces = [Packet(whole[at : at + 2], "0b") for at in range(0, len(whole), 2)]
    for packet in pieces[:-1]:
        await guarded.write(packet)
        assert written == []
    await guarded.write(pieces[-1])
    assert written == pieces
    await guarded.write(Packet(ASK[:2], "0b"))
    await guarded.write(Packet(ASK[2:], "0b"))
    assert written[len(pieces) :] == [Packet(ASK[:2], "0b"), Packet(ASK[2:], "0b")]


@pytest.mark.parametrize("hexed", [["0209"], ["0201", "03 02"], ["0409", "0000", "0d"], ["0201", "0301"], ["07"]])
async def test_pieces_that_make_no_request_never_reach_the_device(tmp_path: Path, hexed: list[str]) -> None:
    """Whether they are refused at once, or held for what would follow."""
    guarded, written = link(made(tmp_path, PIECES))
    with contextlib.suppress(ConfigError):
        for piece in hexed:
            await guarded.write(Packet(bytes.fromhex(piece), "0b"))
    assert written == []


async def test_what_pieces_hide_is_named_when_they_are_whole(tmp_path: Path) -> None:
    text = PIECES.replace("[[request]]", '[[forbidden]]\ntitle = "wipe it"\nsend = "09 01 02"\n[[request]]', 1)
    guarded, written = link(made(tmp_path, text))
    whole = summed("09 01 02")
    await guarded.write(Packet(whole[:2], "0b"))
    with pytest.raises(ConfigError, match="wipe it"):
        await guarded.write(Packet(whole[2:4], "0b"))
    assert written == []


async def test_half_a_request_is_not_followed_by_another_characteristic(tmp_path: Path) -> None:
    guarded, written = link(made(tmp_path, PIECES))
    await guarded.write(Packet(ASK[:2], "0b"))
    with pytest.raises(ConfigError, match="half a request"):
        await guarded.write(Packet(ASK[2:], "0c"))
    assert written == []


def test_a_text_is_not_put_into_a_request(tmp_path: Path) -> None:
    text = SLOTS.replace("default = 1\n", 'default = "1"\n', 1)
    with pytest.raises(ConfigProblems, match="only numbers are put into a request"):
        load(write(tmp_path, text))
