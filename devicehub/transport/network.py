"""Devices on a network of their own, as Wi-Fi endoscopes: UDP datagrams to and from one host, or one TCP connection.

Nothing about such a device is authenticated and nothing is encrypted: whoever joins its radio network can pose as
it. So the address comes from the configuration alone, as a number; nothing is searched for, no name is resolved, no
broadcast sent. The socket is bound to the one address of this computer that leads there, and datagrams of any
other host are dropped and counted.

The first packet that is read is on the port `local` and holds the own port in decimal: some cameras must be told where
to send to. What arrived and was not read is bounded: of datagrams the newest is dropped and counted, a TCP
connection is not read on. A device that sends nothing for `silence` seconds counts as lost.
"""

import asyncio
import contextlib
import socket
from collections import deque
from typing import cast

from devicehub.clock import Clock
from devicehub.driver import NetworkLink
from devicehub.model.errors import LinkBusyError, LinkError, LinkLostError, LinkMissingError
from devicehub.transport.link import LinkIdentity, Transport
from devicehub.wire.address import Place, parse_place
from devicehub.wire.packet import Packet

QUEUE = 2048
BLOCK = 64 * 1024
CONNECT_WITHIN = 5.0
RECEIVE_BUFFER = 1 << 20


async def open_network(link: NetworkLink, url: str, clock: Clock) -> Transport:
    """Open a link. Raises `ConfigError`, `LinkMissingError`, `LinkBusyError`."""
    place = parse_place(url, link.scheme, link.ports[0])
    if link.scheme == "tcp":
        return await StreamTransport.open(link, place, clock)
    return await DatagramTransport.open(link, place, clock)


class _Watch:
    """Ends a link on which nothing comes."""

    def __init__(self, clock: Clock, silence: float) -> None:
        self._clock = clock
        self._silence = silence
        self._heard = clock.monotonic()

    def heard(self) -> None:
        """Something came."""
        self._heard = self._clock.monotonic()

    @property
    def deadline(self) -> float:
        """When the silence is too long."""
        return self._heard + self._silence

    def lost(self, place: Place) -> LinkLostError:
        """The error for it."""
        return LinkLostError(f"{place.host}: nothing came for {self._silence:g} s")


class DatagramTransport(asyncio.DatagramProtocol):
    """An open UDP link. `dropped`: datagrams nobody read in time; `foreign`: those of other hosts."""

    def __init__(self, link: NetworkLink, place: Place, clock: Clock) -> None:
        """Use `open`."""
        self.identity = LinkIdentity(address=place.host, path=f"udp://{place.host}:{place.port}")
        self.dropped = self.foreign = 0
        self._link = link
        self._place = place
        self._watch = _Watch(clock, link.silence)
        self._arrived: deque[Packet] = deque()
        self._readable = asyncio.Event()
        self._lost: LinkLostError | None = None
        self._socket: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()

    @classmethod
    async def open(cls, link: NetworkLink, place: Place, clock: Clock) -> "DatagramTransport":
        """Bind towards the device. Raises `LinkMissingError` where no way leads there, `LinkBusyError`."""
        sock = _bound(link, place)
        loop = asyncio.get_running_loop()
        try:
            _, transport = await loop.create_datagram_endpoint(lambda: cls(link, place, clock), sock=sock)
        except BaseException:
            sock.close()
            raise
        return transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ready: say at which port."""
        self._socket = cast(asyncio.DatagramTransport, transport)  # asyncio's own does not say that it is one
        self._put(_local(transport.get_extra_info("sockname")[1]))

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        """One datagram of whoever sent it."""
        if addr[0] != self._place.host:
            self.foreign += 1
            return
        self._watch.heard()
        if len(self._arrived) >= QUEUE:
            self.dropped += 1
        else:
            self._put(Packet(data, "udp"))

    def error_received(self, exc: Exception) -> None:
        """The network says that nobody is there."""
        self._end(LinkLostError(f"{self._place.host}: {exc}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._end(LinkLostError(f"{self._place.host}: {exc or 'closed'}"))
        self._closed.set()

    async def read(self) -> Packet:
        """The next datagram. Cancelling loses nothing. Raises `LinkLostError`."""
        while not self._arrived:
            if self._lost is not None:
                raise self._lost
            self._readable.clear()
            deadline = self._watch.deadline
            try:
                async with asyncio.timeout_at(deadline):
                    await self._readable.wait()
            except TimeoutError:
                if self._watch.deadline <= deadline:
                    self._end(self._watch.lost(self._place))
        return self._arrived.popleft()

    async def write(self, packet: Packet) -> None:
        """Send a datagram to `udp:PORT`, a port of the link. Raises `LinkLostError`, `ValueError` for another."""
        scheme, _, port = packet.port.partition(":")
        if scheme != "udp" or not port.isdecimal() or int(port) not in self._link.ports:
            raise ValueError(f"no port of the device: '{packet.port[:40]}'")
        if self._lost is not None or self._socket is None:
            raise self._lost or LinkLostError("closed")
        self._socket.sendto(packet.data, (self._place.host, self._place.port + int(port) - self._link.ports[0]))

    async def close(self) -> None:
        """Give the port back."""
        self._end(LinkLostError("closed"))
        if self._socket is not None:
            self._socket.abort()
            await self._closed.wait()

    def _put(self, packet: Packet) -> None:
        self._arrived.append(packet)
        self._readable.set()

    def _end(self, error: LinkLostError) -> None:
        self._lost = self._lost or error
        self._readable.set()


class StreamTransport:
    """An open TCP connection."""

    def __init__(self, place: Place, ends: tuple[asyncio.StreamReader, asyncio.StreamWriter], watch: _Watch) -> None:
        """Use `open`."""
        self.identity = LinkIdentity(address=place.host, path=f"tcp://{place.host}:{place.port}")
        self._place = place
        self._reader, self._writer = ends
        self._watch = watch
        self._local: Packet | None = _local(self._writer.get_extra_info("sockname")[1])
        self._lost: LinkLostError | None = None

    @classmethod
    async def open(cls, link: NetworkLink, place: Place, clock: Clock) -> "StreamTransport":
        """Connect within 5 s. Raises `LinkMissingError`."""
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                ends = await asyncio.open_connection(place.host, place.port, limit=BLOCK)
        except TimeoutError:
            raise LinkMissingError(f"{place.host}:{place.port} does not answer") from None
        except OSError as error:
            raise LinkMissingError(f"{place.host}:{place.port}: {error.strerror or error}") from None
        return cls(place, ends, _Watch(clock, link.silence))

    async def read(self) -> Packet:
        """All that has arrived, at most 64 KiB. Cancelling loses nothing. Raises `LinkLostError`."""
        if self._local is not None:
            local, self._local = self._local, None
            return local
        if self._lost is not None:
            raise self._lost
        try:
            async with asyncio.timeout_at(self._watch.deadline) as limit:
                data = await self._reader.read(BLOCK)
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._ended(self._watch.lost(self._place)) from None
        except OSError as error:
            raise self._ended(LinkLostError(f"{self._place.host}: {error.strerror or error}")) from None
        if not data:
            raise self._ended(LinkLostError(f"{self._place.host}: closed by the device"))
        self._watch.heard()
        return Packet(data, "tcp")

    async def write(self, packet: Packet) -> None:
        """Send bytes. Raises `LinkLostError`."""
        if self._lost is not None:
            raise self._lost
        try:
            self._writer.write(packet.data)
            await self._writer.drain()
        except OSError as error:
            raise self._ended(LinkLostError(f"{self._place.host}: {error.strerror or error}")) from None

    async def close(self) -> None:
        """End the connection without waiting for the other end."""
        self._ended(LinkLostError("closed"))
        self._writer.transport.abort()
        with contextlib.suppress(OSError):  # what broke it was told to whoever read
            await self._writer.wait_closed()

    def _ended(self, error: LinkLostError) -> LinkLostError:
        self._lost = self._lost or error
        return self._lost


def _local(port: int) -> Packet:
    return Packet(str(port).encode(), "local")


def _bound(link: NetworkLink, place: Place) -> socket.socket:
    """A socket at the address that leads to the device. Raises `LinkMissingError`, `LinkBusyError`."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)  # noqa: FBT003 - positional only
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((place.host, place.port))  # sends nothing: only asks the system for the way
            here = probe.getsockname()[0]
    except OSError as error:
        sock.close()
        raise LinkMissingError(f"no way to {place.host}: {error.strerror or error}") from None
    try:
        sock.bind((here, link.local))
    except OSError as error:
        sock.close()
        raise _unbound(error, here, link.local) from None
    return sock


def _unbound(error: OSError, here: str, port: int) -> LinkError:
    return LinkBusyError(f"UDP port {port} of {here}: {error.strerror or error}")
