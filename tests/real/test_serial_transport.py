"""The shipped serial transport on real pseudo-terminals."""

import asyncio
import hashlib
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.driver import SerialLink
from devicehub.model.errors import (
    ConfigError,
    LinkBusyError,
    LinkLostError,
    LinkMissingError,
    LinkPermissionError,
)
from devicehub.transport.blocking import Blocking
from devicehub.transport.serial import SerialTransport
from devicehub.wire.packet import Packet
from tests.patience import PATIENCE
from tests.real.serial_ends import Line, descriptors, read_exactly

pytestmark = pytest.mark.real
LINK = SerialLink(baud=115200)

# A device that is another process: it opens a pty, links it, says one frame and a half and waits to be killed.
_DEVICE = """
import os, sys, tty
master, slave = os.openpty()
tty.setraw(slave)
os.symlink(os.ttyname(slave), sys.argv[1] + ".new")
os.replace(sys.argv[1] + ".new", sys.argv[1])
print("up", flush=True)
sys.stdin.readline()
os.write(master, b"whole frame\\nhalf a fr")
while True:
    os.write(master, os.read(master, 4096).upper())
"""


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


async def test_data_go_both_ways(line: Line) -> None:
    transport = await SerialTransport.open(LINK, line.path, clock=Clock())
    os.write(line.master, bytes(range(256)))
    assert await read_exactly(transport, 256) == bytes(range(256))
    await transport.write(Packet(b"\x00\x11\x13\xff"))
    assert os.read(line.master, 100) == b"\x00\x11\x13\xff"
    await transport.close()


async def test_the_first_opener_keeps_the_port(line: Line) -> None:
    transport = await SerialTransport.open(LINK, line.path, clock=Clock())
    with pytest.raises(LinkBusyError, match="in use"):
        await SerialTransport.open(LINK, line.path, clock=Clock())
    os.write(line.master, b"still here")
    assert await read_exactly(transport, 10) == b"still here"
    await transport.close()
    await (await SerialTransport.open(LINK, line.path, clock=Clock())).close()


async def test_a_port_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LinkMissingError):
        await SerialTransport.open(LINK, str(tmp_path / "ttyACM7"), clock=Clock())


async def test_a_link_to_a_terminal_that_is_gone_is_missing(tmp_path: Path) -> None:
    line = Line()
    stale = tmp_path / "wand"
    stale.symlink_to(line.path)
    line.close()
    with pytest.raises(LinkMissingError):
        await SerialTransport.open(LINK, str(stale), clock=Clock())


async def test_without_permission_the_error_says_what_to_do(line: Line) -> None:
    group = line.forbid()
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(LinkPermissionError, match="udev rule") as caught:
            await SerialTransport.open(LINK, line.path, clock=Clock())
    finally:
        os.seteuid(user)
    assert f"usermod -aG {group}" in str(caught.value) or group == "root"


@pytest.mark.parametrize("port", ["spy://dev/null", "socket://127.0.0.1", "socket://:9", "rfc2217://h:port"])
async def test_a_url_that_cannot_work_is_a_mistake_in_the_configuration(port: str) -> None:
    with pytest.raises(ConfigError, match="expected a device path"):
        await SerialTransport.open(LINK, port, clock=Clock())


async def test_a_plain_file_is_not_a_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="not a serial port"):
        await SerialTransport.open(LINK, str(tmp_path / "file"), clock=Clock())


async def test_a_hang_up_ends_the_link_for_reader_and_writer(line: Line) -> None:
    transport = await SerialTransport.open(LINK, line.path, clock=Clock())
    reading = asyncio.ensure_future(transport.read())
    await asyncio.wait([reading], timeout=0.05)
    line.hang_up()
    with pytest.raises(LinkLostError):
        await asyncio.wait_for(reading, PATIENCE)
    with pytest.raises(LinkLostError):
        await transport.write(Packet(b"anyone?"))
    with pytest.raises(LinkLostError):
        await transport.read()
    await transport.close()


async def test_a_device_killed_in_mid_frame_can_be_opened_again_when_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "wand"
    for _ in range(2):
        device = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _DEVICE,
            str(path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert device.stdin is not None
        assert device.stdout is not None
        assert await device.stdout.readline() == b"up\n"
        transport = await SerialTransport.open(LINK, str(path), clock=Clock())
        device.stdin.write(b"go\n")
        assert await read_exactly(transport, 21) == b"whole frame\nhalf a fr"
        await transport.write(Packet(b"echo"))
        assert await read_exactly(transport, 4) == b"ECHO"
        device.send_signal(signal.SIGKILL)
        with pytest.raises(LinkLostError):
            await asyncio.wait_for(transport.read(), PATIENCE)
        await transport.close()
        await device.communicate()
        with pytest.raises(LinkMissingError):
            await SerialTransport.open(LINK, str(path), clock=Clock())


async def test_a_cancelled_read_loses_nothing(line: Line) -> None:
    transport = await SerialTransport.open(LINK, line.path, clock=Clock())
    got = bytearray()
    sent = b"".join(b"%06d" % number for number in range(300))
    for at in range(0, len(sent), 6):
        reading = asyncio.ensure_future(transport.read())
        await asyncio.wait([reading], timeout=0 if at % 12 else 0.001)
        os.write(line.master, sent[at : at + 6])
        reading.cancel()
        for result in await asyncio.gather(reading, return_exceptions=True):
            got += result.data if isinstance(result, Packet) else b""
    got += await read_exactly(transport, len(sent) - len(got))
    assert bytes(got) == sent
    await transport.close()


def _pour(master: int, block: bytes, times: int) -> None:
    for _ in range(times):
        left = memoryview(block)
        while left:
            left = left[os.write(master, left) :]


async def test_ten_megabytes_arrive_whole_though_the_reader_is_slow(line: Line) -> None:
    block = bytes(range(256)) * 4096
    transport = await SerialTransport.open(LINK, line.path, clock=Clock())
    writer = threading.Thread(target=_pour, args=(line.master, block, 10))
    writer.start()
    # Nobody reads for a while: the backlog must stop at its limit and the writer must stand still.
    writer_blocked = asyncio.get_running_loop().run_in_executor(None, _stands_still, line.master)
    assert await asyncio.wait_for(writer_blocked, PATIENCE)
    digest, size = hashlib.sha256(), 0
    async with asyncio.timeout(PATIENCE):
        while size < 10 * len(block):
            data = (await transport.read()).data
            assert len(data) <= 64 * 1024
            digest.update(data)
            size += len(data)
    assert digest.hexdigest() == hashlib.sha256(block * 10).hexdigest()
    writer.join()
    await transport.close()


def _stands_still(master: int) -> bool:
    """True once the pty has taken nothing for a third of a second."""
    poll = select.poll()
    poll.register(master, select.POLLOUT)
    quiet = threading.Event()
    still = 0
    for _ in range(1000):
        still = 0 if poll.poll(0) else still + 1
        if still >= 30:
            return True
        quiet.wait(0.01)
    return False


async def test_a_large_write_waits_for_the_device_and_arrives_whole(line: Line) -> None:
    transport = await SerialTransport.open(LINK, line.path, clock=Clock())
    sent = os.urandom(300_000)
    received = bytearray()

    def drain() -> None:
        while len(received) < len(sent):
            received.extend(os.read(line.master, 65536))

    reader = threading.Thread(target=drain)
    writing = asyncio.ensure_future(transport.write(Packet(sent)))
    await asyncio.wait([writing], timeout=0.1)
    assert not writing.done()
    reader.start()
    await asyncio.wait_for(writing, PATIENCE)
    reader.join()
    assert bytes(received) == sent
    await transport.close()


async def test_a_device_that_takes_nothing_is_lost_at_the_deadline(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devicehub.transport.serial_pumps.PATIENCE", 0.2)
    transport = await SerialTransport.open(SerialLink(baud=4_000_000), line.path, clock=Clock())
    with pytest.raises(LinkLostError, match="flow control"):
        await transport.write(Packet(bytes(200_000)))
    await transport.close()


async def test_closing_wakes_who_reads_and_who_writes(line: Line) -> None:
    transport = await SerialTransport.open(LINK, line.path, clock=Clock())
    waiting = [asyncio.ensure_future(transport.read()), asyncio.ensure_future(transport.write(Packet(bytes(200_000))))]
    await asyncio.wait(waiting, timeout=0.05)
    await transport.close()
    await transport.close()
    results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), PATIENCE)
    assert [type(result) for result in results] == [LinkLostError, LinkLostError]


async def test_nothing_is_left_behind(line: Line) -> None:
    await (await SerialTransport.open(LINK, line.path, clock=Clock())).close()
    before = descriptors(), {thread.name for thread in threading.enumerate()}
    for _ in range(20):
        transport = await SerialTransport.open(LINK, line.path, clock=Clock())
        with pytest.raises(LinkBusyError):
            await SerialTransport.open(LINK, line.path, clock=Clock())
        await transport.write(Packet(b"x"))
        await transport.close()
    for thread in threading.enumerate():
        if thread.name.startswith("device "):
            thread.join(5)  # it has answered, and ends
    names = {thread.name for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}
    assert descriptors() <= before[0], "what earlier tests left may go meanwhile, and nothing may come"
    assert names <= before[1]


async def test_an_open_that_is_cancelled_gives_the_port_back(line: Line) -> None:
    await (await SerialTransport.open(LINK, line.path, clock=Clock())).close()
    before, blocking = descriptors(), Blocking("serial")
    for _ in range(20):
        opening = asyncio.ensure_future(SerialTransport.open(LINK, line.path, clock=Clock(), blocking=blocking))
        await asyncio.wait([opening], timeout=0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await blocking.idle()
    assert descriptors() == before
