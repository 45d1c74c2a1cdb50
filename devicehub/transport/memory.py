"""A link inside the process: a queue towards the hub and a function towards the device."""

import asyncio
from collections.abc import Callable, Iterable

from devicehub.model.errors import LinkError, LinkLostError
from devicehub.transport.link import LinkIdentity
from devicehub.wire.packet import Packet


class MemoryTransport:
    """The hub's end of an in-process link. The device's end calls `push` and `lose`."""

    def __init__(self, on_write: Callable[[Packet], None], identity: LinkIdentity | None = None) -> None:
        """`on_write` is called with every packet the hub writes; it may call `push`."""
        self.identity = identity or LinkIdentity(path="memory")
        self._on_write = on_write
        self._arrived: asyncio.Queue[Packet | None] = asyncio.Queue()
        self._lost: LinkError | None = None

    def push(self, packets: Iterable[Packet]) -> None:
        """The device said something."""
        if self._lost is None:
            for packet in packets:
                self._arrived.put_nowait(packet)

    def lose(self, why: str) -> None:
        """The link breaks: what had arrived can still be read, then `read` raises."""
        if self._lost is None:
            self._lost = LinkLostError(why)
            self._arrived.put_nowait(None)

    async def read(self) -> Packet:
        """The next packet. Raises `LinkLostError`."""
        packet = await self._arrived.get()
        if packet is None:
            self._arrived.put_nowait(None)
            raise self._lost or LinkLostError("closed")
        return packet

    async def write(self, packet: Packet) -> None:
        """Hand a packet to the device. Raises `LinkLostError`."""
        if self._lost is not None:
            raise self._lost
        self._on_write(packet)

    async def close(self) -> None:
        """End the link."""
        self.lose("closed")
