"""Simulated Wi-Fi devices at real sockets of loopback, and a radio between that loses, doubles and exchanges datagrams."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

from devicehub.clock import Clock
from devicehub.simulator import NetworkSimulator
from tests.real.loopback import HOST, listening

TICK = 0.01
Radio = Callable[[list[bytes]], list[bytes]]


def perfect(datagrams: list[bytes]) -> list[bytes]:
    """Everything arrives as it was sent."""
    return datagrams


def bad(seed: int) -> Radio:
    """One in fifty datagrams is lost, doubled, exchanged with the next, or has noise before it."""
    random = Random(seed)

    def carry(datagrams: list[bytes]) -> list[bytes]:
        out: list[bytes] = []
        for datagram in datagrams:
            fate = random.randrange(200)
            if fate == 0:
                continue
            out.append(datagram)
            if fate == 1:
                out.append(datagram)
            elif fate == 2 and len(out) > 1:
                out[-2:] = reversed(out[-2:])
            elif fate == 3:
                out.insert(-1, random.randbytes(random.randrange(1, 200)))
        return out

    return carry


class _Device(asyncio.DatagramProtocol):
    """One port of the device; remembers who spoke to it."""

    def __init__(self, world: "UdpDevice", number: int) -> None:
        self._world = world
        self._number = number

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        self._world.heard(self._number, data, addr)


class UdpDevice:
    """A simulator behind one UDP port for each of `ports`, numbered on from the first. `first`: which that is."""

    def __init__(self, simulator: NetworkSimulator, ports: tuple[int, ...], radio: Radio) -> None:
        self.first = 0
        self.heard_from: tuple[str | int, int] | None = None
        self._simulator = simulator
        self._ports = ports
        self._radio = radio
        self._sockets: list[asyncio.DatagramTransport] = []

    async def open(self) -> None:
        """Bind; tries again where the ports behind the first are taken."""
        loop = asyncio.get_running_loop()
        for _ in range(20):
            base = 0
            try:
                for port in self._ports:
                    where = (HOST, base and base + port - self._ports[0])
                    transport, _ = await loop.create_datagram_endpoint(
                        lambda number=port: _Device(self, number),  # type: ignore[misc]  # bound at once
                        local_addr=where,
                    )
                    self._sockets.append(transport)
                    base = base or transport.get_extra_info("sockname")[1]
            except OSError:
                await self.close()
                continue
            self.first = base
            return
        raise AssertionError("no ports in a row are free")

    async def close(self) -> None:
        """Switch the device off."""
        for one in self._sockets:
            one.abort()
        self._sockets.clear()
        await Clock().sleep(0.01)  # until the loop has closed them

    def heard(self, port: int, data: bytes, addr: tuple[str | int, int]) -> None:
        """The host said something."""
        self.heard_from = addr
        self.send(self._simulator.on_datagram(port, data))

    def send(self, datagrams: list[bytes]) -> None:
        """To whoever spoke last."""
        for datagram in self._radio(datagrams):
            if self.heard_from is not None and self._sockets:
                self._sockets[0].sendto(datagram, self.heard_from)


@asynccontextmanager
async def udp_device(
    simulator: NetworkSimulator, ports: tuple[int, ...], radio: Radio = perfect
) -> AsyncIterator[UdpDevice]:
    """A device on loopback, in real time."""
    device, clock = UdpDevice(simulator, ports, radio), Clock()
    await device.open()

    async def live() -> None:
        while True:
            await clock.sleep(TICK)
            device.send(simulator.advance(TICK))

    task = asyncio.create_task(live())
    try:
        yield device
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await device.close()


@asynccontextmanager
async def tcp_device(simulator: NetworkSimulator) -> AsyncIterator[int]:
    """A device that sends to whoever connects; gives its port."""
    clock = Clock()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        simulator.connect(writer.get_extra_info("peername")[1])
        try:
            while True:
                await clock.sleep(TICK)
                for piece in simulator.advance(TICK):
                    writer.write(piece)
                await writer.drain()
        except ConnectionError:  # the host went away
            pass
        finally:
            writer.transport.abort()

    async with listening(serve) as port:
        yield port
    await clock.sleep(TICK)  # until the loop has closed what was aborted
