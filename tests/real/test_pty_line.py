"""A simulator behind a real pseudo-terminal, opened by the shipped serial transport."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.driver import SerialLink
from devicehub.model.errors import LinkLostError, LinkMissingError
from devicehub.transport.link import Transport
from devicehub.transport.pty import SimulatedLine
from devicehub.transport.serial import SerialTransport
from devicehub.wire.packet import Packet
from tests.patience import PATIENCE
from tests.real.serial_ends import descriptors, read_exactly

pytestmark = pytest.mark.real
LINK = SerialLink(baud=9600)


class Parrot:
    """Says its seconds of life ten times a second, and repeats in upper case what it is told."""

    def __init__(self, *, chatter: bytes = b"") -> None:
        self.life = 0.0
        self.chatter = chatter

    def do(self, verb: str, **values: float | str) -> None:
        raise ValueError(verb)

    def on_bytes(self, data: bytes) -> bytes:
        if data == b"age?":
            return f"{self.life:.1f};".encode()
        return data.upper()

    def advance(self, dt: float) -> bytes:
        self.life += dt
        return self.chatter


@asynccontextmanager
async def plugged(line: SimulatedLine) -> AsyncIterator[SimulatedLine]:
    line.plug()
    try:
        yield line
    finally:
        await line.close()


async def age(transport: Transport) -> float:
    await transport.write(Packet(b"age?"))
    data = bytearray()
    async with asyncio.timeout(PATIENCE):
        while not data.endswith(b";"):
            data += (await transport.read()).data
    return float(data[:-1])


async def test_a_host_talks_to_the_simulator_through_the_shipped_transport() -> None:
    async with plugged(SimulatedLine(Parrot, Clock())) as line:
        transport = await SerialTransport.open(LINK, line.path, clock=Clock())
        await transport.write(Packet(b"hello"))
        assert await read_exactly(transport, 5) == b"HELLO"
        await transport.close()


async def test_unplugging_is_a_hang_up_and_plugging_a_fresh_power_up_under_the_same_path(tmp_path: Path) -> None:
    path = tmp_path / "dev" / "parrot"
    async with plugged(SimulatedLine(Parrot, Clock(), link=path)) as line:
        transport = await SerialTransport.open(LINK, str(path), clock=Clock())
        async with asyncio.timeout(PATIENCE):
            while await age(transport) < 0.3:
                pass
        line.unplug()
        with pytest.raises(LinkLostError):
            await asyncio.wait_for(transport.read(), PATIENCE)
        await transport.close()
        assert not path.is_symlink()
        with pytest.raises(LinkMissingError):
            await SerialTransport.open(LINK, str(path), clock=Clock())
        line.plug()
        transport = await SerialTransport.open(LINK, str(path), clock=Clock())
        assert await age(transport) < 0.3
        await transport.close()


async def test_what_the_device_says_while_nobody_listens_is_lost() -> None:
    parrot = Parrot(chatter=b"x" * 100)
    line = SimulatedLine(lambda: parrot, Clock())
    async with plugged(line):
        async with asyncio.timeout(PATIENCE):
            while parrot.life < 0.5:
                await Clock().sleep(0.02)
        transport = await SerialTransport.open(LINK, line.path, clock=Clock())
        first = await asyncio.wait_for(transport.read(), PATIENCE)
        assert len(first.data) <= 300
        assert line.overruns == 0
        await transport.close()


async def test_a_second_host_gets_nothing_meant_for_the_first() -> None:
    async with plugged(SimulatedLine(Parrot, Clock())) as line:
        first = await SerialTransport.open(LINK, line.path, clock=Clock())
        await first.write(Packet(b"secret"))
        assert await read_exactly(first, 6) == b"SECRET"
        await first.write(Packet(b"late"))
        await first.close()
        async with asyncio.timeout(PATIENCE):
            while line._watched:  # until the line has noticed that the host left
                await Clock().sleep(0.02)
        second = await SerialTransport.open(LINK, line.path, clock=Clock())
        await second.write(Packet(b"mine"))
        assert await read_exactly(second, 4) == b"MINE"
        await second.close()


async def test_output_is_paced_to_the_baud_rate() -> None:
    async with plugged(SimulatedLine(lambda: Parrot(chatter=b"y" * 1000), Clock(), baud=9600)) as line:
        transport = await SerialTransport.open(LINK, line.path, clock=Clock())
        clock = Clock()
        await read_exactly(transport, 1)
        start, size = clock.monotonic(), 0
        while clock.monotonic() - start < 1.0:
            size += len((await transport.read()).data)
        assert 500 < size < 2000  # 960 bytes a second, and at most one second's allowance saved up
        await transport.close()


async def test_a_host_that_does_not_read_costs_bytes_and_not_memory() -> None:
    line = SimulatedLine(lambda: Parrot(chatter=bytes(50_000)), Clock())
    async with plugged(line):
        host = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
        async with asyncio.timeout(PATIENCE):
            while line.overruns < 100_000:
                await Clock().sleep(0.02)
        assert len(line._unsent) <= 64 * 1024
        os.close(host)


async def test_a_line_gives_everything_back() -> None:
    before = descriptors()
    line = SimulatedLine(Parrot, Clock())
    for _ in range(10):
        line.plug()
        transport = await SerialTransport.open(LINK, line.path, clock=Clock())
        line.unplug()
        await transport.close()
    await line.close()
    assert descriptors() == before
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_an_error_in_the_simulator_comes_out_at_the_end() -> None:
    class Broken(Parrot):
        def advance(self, dt: float) -> bytes:
            raise ZeroDivisionError

    line = SimulatedLine(Broken, Clock())
    line.plug()
    assert line._task is not None
    await asyncio.wait([line._task], timeout=PATIENCE)
    with pytest.raises(ZeroDivisionError):
        await line.close()
