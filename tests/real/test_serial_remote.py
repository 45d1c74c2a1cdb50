"""Serial ports behind TCP: `socket://` and `rfc2217://`, both on the loopback interface."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devicehub.clock import Clock
from devicehub.driver import SerialLink
from devicehub.model.errors import LinkLostError, LinkMissingError
from devicehub.transport.serial import SerialTransport
from devicehub.wire.packet import Packet
from tests.patience import PATIENCE
from tests.real.rfc2217_server import Rfc2217Server
from tests.real.serial_ends import descriptors, read_exactly

pytestmark = [
    pytest.mark.real,
    pytest.mark.filterwarnings(r"ignore:setDaemon\(\) is deprecated:DeprecationWarning"),  # pyserial 3.5
    pytest.mark.filterwarnings(r"ignore:setName\(\) is deprecated:DeprecationWarning"),  # pyserial 3.5
]
LINK = SerialLink(baud=57600, parity="E", stop=2)


@asynccontextmanager
async def echo_server() -> AsyncIterator[tuple[str, list[asyncio.StreamWriter]]]:
    """A TCP server on the loopback interface that sends back what it gets."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}", writers
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


def reader_threads() -> list[str]:
    for thread in threading.enumerate():
        if thread.name.startswith("device "):
            thread.join(5)  # it has answered, and ends
    return [thread.name for thread in threading.enumerate() if not thread.name.startswith(("MainThread", "asyncio_"))]


async def test_a_socket_carries_bytes_both_ways() -> None:
    async with echo_server() as (url, _):
        transport = await SerialTransport.open(LINK, url, clock=Clock())
        assert transport.identity.address == url.removeprefix("socket://")
        await transport.write(Packet(bytes(range(256))))
        assert await read_exactly(transport, 256) == bytes(range(256))
        await transport.close()
    assert reader_threads() == []


async def test_a_socket_carries_four_megabytes_without_loss() -> None:
    sent = os.urandom(4 * 1024 * 1024)
    async with echo_server() as (url, _):
        transport = await SerialTransport.open(LINK, url, clock=Clock())
        reading = asyncio.ensure_future(read_exactly(transport, len(sent)))
        for at in range(0, len(sent), 65536):
            await transport.write(Packet(sent[at : at + 65536]))
        assert await reading == sent
        await transport.close()


async def test_a_socket_that_the_server_closes_is_lost() -> None:
    async with echo_server() as (url, writers):
        transport = await SerialTransport.open(LINK, url, clock=Clock())
        await transport.write(Packet(b"last words"))
        assert await read_exactly(transport, 10) == b"last words"
        writers[0].close()
        with pytest.raises(LinkLostError):
            await asyncio.wait_for(transport.read(), PATIENCE)
        with pytest.raises(LinkLostError):
            await transport.write(Packet(b"x"))
        await transport.close()
        await transport.close()


async def test_a_port_where_nobody_listens_is_missing() -> None:
    async with echo_server() as (url, _):
        pass
    with pytest.raises(LinkMissingError, match="nobody serves it"):
        await SerialTransport.open(LINK, url, clock=Clock())


async def test_rfc2217_sets_the_line_and_carries_every_byte() -> None:
    async with Rfc2217Server() as server:
        transport = await SerialTransport.open(LINK, server.url, clock=Clock())
        assert server.settings[1] == (57600).to_bytes(4, "big")
        assert (server.settings[2], server.settings[3], server.settings[4]) == (b"\x08", b"\x03", b"\x02")
        await transport.write(Packet(bytes(range(256)) * 8))
        server.say(bytes(range(256)) * 8)
        assert await read_exactly(transport, 2048) == bytes(range(256)) * 8
        assert bytes(server.data) == bytes(range(256)) * 8
        await transport.close()
    assert reader_threads() == []


async def test_an_rfc2217_server_that_goes_away_is_lost() -> None:
    async with Rfc2217Server() as server:
        transport = await SerialTransport.open(LINK, server.url, clock=Clock())
        await server.drop()
        with pytest.raises(LinkLostError):
            await asyncio.wait_for(transport.read(), PATIENCE)
        await transport.close()
    assert reader_threads() == []


async def test_an_rfc2217_server_that_refuses_the_baud_rate_is_reported() -> None:
    async with Rfc2217Server(refuse_baud=True) as server:
        with pytest.raises(LinkMissingError, match="refused the line's settings"):
            await SerialTransport.open(LINK, server.url, clock=Clock())


async def test_a_closed_connection_leaves_no_descriptor() -> None:
    async with Rfc2217Server() as server, echo_server() as (url, _):
        before = descriptors()
        for port in (url, server.url):
            transport = await SerialTransport.open(LINK, port, clock=Clock())
            await transport.close()
        async with asyncio.timeout(PATIENCE):
            while descriptors() != before:  # the servers close theirs a moment later
                await asyncio.wait([asyncio.ensure_future(asyncio.to_thread(os.getpid))])
