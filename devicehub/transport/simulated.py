"""Joins a simulator to an in-process link, in packets, for every kind of link.

The real edges (pty, simulated USB bus, private D-Bus) drive the same simulators through the shipped
transports; this one is for virtual time and for links that a machine cannot offer without hardware.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Protocol, cast

from devicehub.clock import Clock
from devicehub.driver import BleLink, FileLink, Link, NetworkLink, OperatorLink, SerialLink, UsbLink
from devicehub.model.errors import LinkBusyError, LinkMissingError
from devicehub.simulator import (
    AnySimulator,
    BleSimulator,
    FileSimulator,
    NetworkSimulator,
    SerialSimulator,
    Simulator,
    StallError,
    UsbSimulator,
    VideoSimulator,
)
from devicehub.transport.link import LinkIdentity
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.packet import Packet, frame_port, usb_port

TICK = 0.02
LOCAL_PORT = 50000

_log = logging.getLogger(__name__)


class _Peer(Protocol):
    """A simulator, seen as packets."""

    def on_packet(self, packet: Packet) -> list[Packet]: ...

    def advance(self, dt: float) -> list[Packet]: ...


class _SerialPeer:
    def __init__(self, simulator: SerialSimulator) -> None:
        self._simulator = simulator

    def on_packet(self, packet: Packet) -> list[Packet]:
        return _packets(self._simulator.on_bytes(packet.data))

    def advance(self, dt: float) -> list[Packet]:
        return _packets(self._simulator.advance(dt))


class _BlePeer:
    def __init__(self, simulator: BleSimulator) -> None:
        self._simulator = simulator

    def on_packet(self, packet: Packet) -> list[Packet]:
        return [Packet(data, port) for port, data in self._simulator.on_write(packet.port, packet.data)]

    def advance(self, dt: float) -> list[Packet]:
        return [Packet(data, port) for port, data in self._simulator.advance(dt)]


class _FilePeer:
    def __init__(self, simulator: FileSimulator) -> None:
        self._simulator = simulator

    def on_packet(self, packet: Packet) -> list[Packet]:
        del packet
        return []

    def advance(self, dt: float) -> list[Packet]:
        return [Packet(data, name) for name, data in self._simulator.advance(dt)]


class _NetworkPeer:
    def __init__(self, link: NetworkLink, simulator: NetworkSimulator) -> None:
        self._port = link.scheme
        self._simulator = simulator
        self._greeting = [Packet(str(link.local or LOCAL_PORT).encode(), "local")]
        simulator.connect(link.local or LOCAL_PORT)

    def on_packet(self, packet: Packet) -> list[Packet]:
        port = int(packet.port.partition(":")[2] or 0)
        return [Packet(data, self._port) for data in self._simulator.on_datagram(port, packet.data)]

    def advance(self, dt: float) -> list[Packet]:
        greeting, self._greeting = self._greeting, []
        return greeting + [Packet(data, self._port) for data in self._simulator.advance(dt)]


class _VideoPeer:
    def __init__(self, simulator: VideoSimulator) -> None:
        fourcc, width, height, _ = simulator.formats[0]
        simulator.select(fourcc, width, height)
        self._simulator = simulator
        self._port = frame_port(fourcc, width, height)

    def on_packet(self, packet: Packet) -> list[Packet]:
        del packet
        return []

    def advance(self, dt: float) -> list[Packet]:
        frames = [Packet(frame, self._port) for frame in self._simulator.advance(dt)]
        return frames + [Packet(bytes([pressed]), "key") for pressed in self._simulator.buttons()]


class UsbPeer:
    """Transfers: an IN request stays pending until the device has something, as on a real bus."""

    def __init__(self, simulator: UsbSimulator) -> None:
        self._simulator = simulator
        self._pending: list[tuple[int, int]] = []

    def on_packet(self, packet: Packet) -> list[Packet]:
        """The host asks for a transfer; what is answered at once."""
        kind, *words = packet.port.split(":")
        if kind == "in":
            self._pending.append((int(words[0], 16), int(words[1])))
        elif kind == "out":
            with contextlib.suppress(StallError):
                self._simulator.transfer_out(int(words[0], 16), packet.data)
        elif kind == "halt":
            endpoint = int(words[0], 16)
            self._pending = [pending for pending in self._pending if pending[0] != endpoint]
        elif kind == "ctl":
            return self._control(packet, words) + self._served()
        return self._served()

    def _control(self, packet: Packet, words: list[str]) -> list[Packet]:
        request_type, request, value, index = (int(word, 16) for word in words[:4])
        try:
            if len(words) == 4:
                self._simulator.control_out(request_type, request, value, index, packet.data)
                return []
            return [Packet(self._simulator.control_in(request_type, request, value, index, int(words[4])), packet.port)]
        except StallError:
            return [Packet(b"", packet.port.replace("ctl:", "stall:", 1))]

    def _served(self) -> list[Packet]:
        out: list[Packet] = []
        waiting: list[tuple[int, int]] = []
        for endpoint, size in self._pending:
            try:
                data = self._simulator.transfer_in(endpoint, size)
            except StallError:
                data = None
            if data is None:
                waiting.append((endpoint, size))
            else:
                out.append(Packet(data, usb_port(endpoint)))
        self._pending = waiting
        return out

    def advance(self, dt: float) -> list[Packet]:
        """Time passes; what pending reads give."""
        self._simulator.advance(dt)
        return self._served()


def _packets(data: bytes) -> list[Packet]:
    return [Packet(data)] if data else []


def _peer(link: Link, simulator: AnySimulator) -> _Peer:
    if isinstance(link, SerialLink):
        return _SerialPeer(cast(SerialSimulator, simulator))
    if isinstance(link, UsbLink):
        return UsbPeer(cast(UsbSimulator, simulator))
    if isinstance(link, BleLink):
        return _BlePeer(cast(BleSimulator, simulator))
    if isinstance(link, FileLink | OperatorLink):
        return _FilePeer(cast(FileSimulator, simulator))
    if isinstance(link, NetworkLink):
        return _NetworkPeer(link, cast(NetworkSimulator, simulator))
    return _VideoPeer(cast(VideoSimulator, simulator))


class SimulatedPort:
    """A socket that one simulated device is plugged into. `make` gives the device a fresh power-up."""

    def __init__(self, link: Link, make: Callable[[], AnySimulator], clock: Clock, tick: float = TICK) -> None:
        """`tick`: seconds between two looks at what the device has to say of its own accord."""
        self._link = link
        self._make = make
        self._clock = clock
        self._tick = tick
        self._transport: MemoryTransport | None = None
        self._task: asyncio.Task[None] | None = None
        self.simulator: Simulator = make()
        self.plugged = True

    async def open(self) -> MemoryTransport:
        """Open the link. Raises `LinkMissingError` when unplugged, `LinkBusyError` when already open."""
        if not self.plugged:
            raise LinkMissingError("simulated device is unplugged")
        if self._transport is not None:
            raise LinkBusyError("simulated device is already open")
        peer = _peer(self._link, cast(AnySimulator, self.simulator))
        transport = _Held(lambda packet: transport.push(peer.on_packet(packet)), self._release)
        self._transport = transport
        self._task = asyncio.get_running_loop().create_task(self._run(peer, transport))
        self._task.add_done_callback(lambda task: _report(task, transport))
        return transport

    def unplug(self) -> None:
        """Yank the device."""
        self.plugged = False
        if self._transport is not None:
            self._transport.lose("unplugged")

    def plug(self) -> None:
        """Plug it back; it starts anew."""
        self.plugged = True
        self.simulator = self._make()

    async def _run(self, peer: _Peer, transport: MemoryTransport) -> None:
        last = self._clock.monotonic()
        while self.plugged:
            await self._clock.sleep(self._tick)
            now = self._clock.monotonic()
            transport.push(peer.advance(now - last))
            last = now

    async def _release(self) -> None:
        self._transport = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _report(task: asyncio.Task[None], transport: MemoryTransport) -> None:
    """A simulator that breaks is a device that vanishes, and says why."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("simulator failed", exc_info=error)
        transport.lose(f"simulator failed: {type(error).__name__}: {error}")


class _Held(MemoryTransport):
    """A memory link that tells its port when it is closed."""

    def __init__(self, on_write: Callable[[Packet], None], released: Callable[[], Coroutine[None, None, None]]) -> None:
        super().__init__(on_write, LinkIdentity(path="simulated"))
        self._released = released

    async def close(self) -> None:
        await super().close()
        await self._released()
