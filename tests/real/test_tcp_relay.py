"""The relay of the tests does what networks do: carries, goes silent, resets, is slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.real.tcp_relay import HOST, TcpRelay, tcp_relay

pytestmark = pytest.mark.real


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(1000):
        writer.write(block)
    writer.close()


@asynccontextmanager
async def relayed() -> AsyncIterator[tuple[TcpRelay, asyncio.StreamReader, asyncio.StreamWriter]]:
    server = await asyncio.start_server(echo, HOST, 0)
    async with server, tcp_relay(server.sockets[0].getsockname()[1]) as relay:
        reader, writer = await asyncio.open_connection(HOST, relay.port)
        try:
            yield relay, reader, writer
        finally:
            writer.close()


async def test_it_carries_both_ways_and_the_end_of_a_connection() -> None:
    async with relayed() as (relay, reader, writer):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert relay.carried == 10
        writer.write_eof()
        assert await reader.read() == b""


async def test_silent_it_holds_back_and_closes_nothing_and_healed_it_brings_what_it_held() -> None:
    async with relayed() as (relay, reader, writer):
        writer.write(b"a")
        await reader.readexactly(1)
        relay.silence()
        writer.write(b"b")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        relay.heal()
        assert await reader.readexactly(1) == b"b"


async def test_a_new_connection_to_a_silent_relay_is_taken_and_hears_nothing_until_it_is_healed() -> None:
    async with relayed() as (relay, _, _):
        relay.silence()
        reader, writer = await asyncio.open_connection(HOST, relay.port)
        writer.write(b"c")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        relay.heal()
        assert await reader.readexactly(1) == b"c"
        writer.close()


async def test_reset_ends_connections_as_broken() -> None:
    async with relayed() as (relay, reader, writer):
        writer.write(b"a")
        await reader.readexactly(1)
        relay.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)


async def test_throttled_it_carries_no_more_than_its_rate() -> None:
    async with relayed() as (relay, reader, writer):
        relay.bytes_per_second = 1000.0
        started = asyncio.get_running_loop().time()
        writer.write(bytes(200))
        await reader.readexactly(200)
        assert asyncio.get_running_loop().time() - started >= 0.4
