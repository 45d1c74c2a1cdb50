"""A relay on loopback between a client and a server that can misbehave as a network does."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from devicehub.clock import Clock
from tests.real.loopback import listening

HOST = "127.0.0.1"
_BLOCK = 16 * 1024
_RESET = struct.pack("ii", 1, 0)


@dataclass
class TcpRelay:
    """Forwards connections to `port` until told otherwise. `carried`: bytes forwarded so far, both ways.

    `port` may change: the next connection goes there. `connections`: how many were made.
    """

    target: int
    port: int = 0
    carried: int = 0
    connections: int = 0
    bytes_per_second: float | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    _clock: Clock = field(default_factory=Clock)

    def silence(self) -> None:
        """Go half-open: nothing is closed and nothing is carried, of old connections or new ones."""
        self._open.clear()

    def heal(self) -> None:
        """Carry again, what was held back first, as a network does that came back."""
        self._open.set()

    def reset(self) -> None:
        """End every connection with RST, as a firewall does that was restarted."""
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end closes it."""
        self.connections += 1
        self._writers.add(writer)
        other: asyncio.StreamWriter | None = None
        try:
            await self._open.wait()
            there, other = await asyncio.open_connection(HOST, self.target)
            self._writers.add(other)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, other))
                group.create_task(self._pump(there, writer))
        except* OSError:  # an end is gone; so is the other, soon
            pass
        finally:
            for one in (writer, other):
                if one is not None:
                    self._writers.discard(one)
                    one.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(_BLOCK):
            await self._open.wait()
            if self.bytes_per_second is not None:
                await self._clock.sleep(len(block) / self.bytes_per_second)
                await self._open.wait()
            writer.write(block)
            self.carried += len(block)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()


@asynccontextmanager
async def tcp_relay(target: int) -> AsyncIterator[TcpRelay]:
    """A relay to port `target` of loopback; every connection ends with the context."""
    relay = TcpRelay(target)
    relay.heal()
    async with listening(relay.carry) as relay.port:
        yield relay
