"""A recording as a link: what was said, when it was said, and then the end."""

import asyncio
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.model.errors import ConfigError, LinkLostError, LinkMissingError
from devicehub.record import parse
from devicehub.transport.replay import ReplayTransport
from devicehub.wire.packet import Packet

TEXT = "0.0 > 05\n0.5 < 01\n0.5 = value 1 good\n0.5 < @x 02\n3.0 < 03\n"


async def test_packets_come_at_their_times_and_then_the_link_is_lost() -> None:
    transport, clock = ReplayTransport(parse(TEXT), Clock()), Clock()
    heard = [(await transport.read(), clock.monotonic()) for _ in range(3)]
    assert heard == [(Packet(b"\x01"), 0.5), (Packet(b"\x02", "x"), 0.5), (Packet(b"\x03"), 3.0)]
    for _ in range(2):
        with pytest.raises(LinkLostError, match="end of the recording"):
            await transport.read()


async def test_a_recording_plays_as_fast_as_asked_from_when_it_was_opened() -> None:
    clock = Clock()
    await clock.sleep(100.0)
    transport = ReplayTransport(parse(TEXT), clock, speed=2.0)
    for _ in range(3):
        await transport.read()
    assert clock.monotonic() == 101.5


async def test_a_reader_that_gives_up_loses_no_packet() -> None:
    transport = ReplayTransport(parse(TEXT), Clock())
    out: list[Packet] = []
    while len(out) < 3:
        try:
            async with asyncio.timeout(0.2):
                out.append(await transport.read())
        except TimeoutError:
            continue
    assert [packet.data for packet in out] == [b"\x01", b"\x02", b"\x03"]


async def test_a_recording_does_not_listen_and_can_be_closed_under_a_reader() -> None:
    transport = ReplayTransport(parse(TEXT), Clock())
    await transport.write(Packet(b"anything"))
    reader = asyncio.ensure_future(transport.read())
    await Clock().sleep(0.1)
    await transport.close()
    await transport.close()
    with pytest.raises(LinkLostError, match="closed"):
        await reader
    with pytest.raises(LinkLostError):
        await transport.write(Packet(b"anything"))


async def test_a_recording_is_opened_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "sweep.txt"
    path.write_text(TEXT)
    transport = await ReplayTransport.open(path, Clock())
    assert transport.identity.path == f"replay:{path}"
    assert (await transport.read()).data == b"\x01"


async def test_a_recording_that_is_not_there_or_no_text_is_missing(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("nothing", "binary"):
        with pytest.raises(LinkMissingError, match=name):
            await ReplayTransport.open(tmp_path / name, Clock())


async def test_a_recording_with_a_bad_line_says_which(tmp_path: Path) -> None:
    path = tmp_path / "sweep.txt"
    path.write_text("0.0 < 01\nnonsense\n")
    with pytest.raises(ConfigError, match=r"sweep\.txt:2"):
        await ReplayTransport.open(path, Clock())
