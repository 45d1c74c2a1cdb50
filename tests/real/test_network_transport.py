"""The network link over real sockets of loopback: pictures, a bad radio, silence, strangers, and an end at any moment."""

import asyncio
import socket
from dataclasses import replace
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.driver import NetworkLink
from devicehub.model.errors import ConfigError, LinkBusyError, LinkLostError, LinkMissingError
from devicehub.model.reading import Image
from devicehub.registry import load_driver, load_simulator
from devicehub.transport.link import Transport
from devicehub.transport.network import QUEUE, DatagramTransport, open_network
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from simulators.endoscope.depstech import Depstech
from simulators.endoscope.i4season import I4Season
from simulators.endoscope.jhcmd import Jhcmd
from tests.patience import PATIENCE
from tests.real.loopback import HOST, listening
from tests.real.network_world import bad, tcp_device, udp_device
from tests.usb_talk import talk

pytestmark = pytest.mark.real
QUIET = "127.0.0.3"  # nobody sends from there
UDP = NetworkLink(scheme="udp", ports=(1,), silence=0.3)
TCP = NetworkLink(scheme="tcp", ports=(1,), silence=0.3)


def anywhere(driver: str) -> NetworkLink:
    """The link of a driver, at any free port here."""
    link = load_driver(driver).link
    assert isinstance(link, NetworkLink)
    return replace(link, local=0)


async def read_for_ever(transport: Transport) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            await transport.read()


@pytest.mark.parametrize("name", ["endoscope.jhcmd", "endoscope.i4season"])
async def test_pictures_come_over_udp(name: str) -> None:
    simulator, link = load_simulator(name)(Random(1)), anywhere(name)
    assert isinstance(simulator, Jhcmd | I4Season)
    seen: list[Image] = []

    def enough(step: Step) -> bool:
        seen.extend(sample for sample in step.samples if isinstance(sample, Image))
        return len(seen) >= 10

    async with udp_device(simulator, link.ports) as device:
        transport = await open_network(link, f"udp://{HOST}:{device.first}", Clock())
        await talk(load_driver(name).open({}), transport, enough)
        await transport.close()
    assert len(seen) >= 10
    assert simulator.refused == []
    if isinstance(simulator, I4Season):
        assert device.heard_from == (HOST, simulator.port), "the camera was told the right port"


async def test_a_bad_radio_costs_pictures_and_never_shows_a_broken_one() -> None:
    simulator, link = Jhcmd(Random(1)), anywhere("endoscope.jhcmd")
    sent: set[bytes] = set()
    take = simulator._take

    def remembered() -> bytes:
        sent.add(jpeg := take())
        return jpeg

    simulator._take = remembered  # type: ignore[method-assign]
    seen: list[Image] = []

    def enough(step: Step) -> bool:
        seen.extend(sample for sample in step.samples if isinstance(sample, Image))
        return len(seen) >= 15

    async with udp_device(simulator, link.ports, bad(3)) as device:
        transport = await open_network(link, f"udp://{HOST}:{device.first}", Clock())
        _, faults = await talk(load_driver("endoscope.jhcmd").open({}), transport, enough)
        await transport.close()
    assert len(seen) >= 15
    assert faults, "the radio was bad"
    assert {image.data for image in seen} <= sent


async def test_pictures_come_over_tcp_until_the_camera_is_switched_off() -> None:
    seen: list[Image] = []

    def enough(step: Step) -> bool:
        seen.extend(sample for sample in step.samples if isinstance(sample, Image))
        return len(seen) >= 10

    async with tcp_device(Depstech(Random(1))) as port:
        transport = await open_network(anywhere("endoscope.depstech"), f"tcp://{HOST}:{port}", Clock())
        _, faults = await talk(load_driver("endoscope.depstech").open({}), transport, enough)
        assert (len(seen) >= 10, faults) == (True, [])
    with pytest.raises(LinkLostError):
        await read_for_ever(transport)
    await transport.close()


@pytest.mark.parametrize("link", [UDP, TCP])
async def test_a_device_that_falls_silent_is_lost(link: NetworkLink) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except ConnectionError:  # the hub gave up
            pass
        finally:
            writer.transport.abort()

    async with listening(silent) as port:
        transport = await open_network(link, f"{link.scheme}://{HOST}:{port}", Clock())
        assert (await transport.read()).port == "local"
        with pytest.raises(LinkLostError, match=r"nothing came for 0\.3 s"):
            async with asyncio.timeout(PATIENCE):
                await transport.read()
        with pytest.raises(LinkLostError):
            await transport.write(Packet(b"x", "udp:1"))
        await transport.close()
    await Clock().sleep(0.01)  # until the loop has closed what was aborted


async def test_strangers_are_not_heard() -> None:
    """Every address of 127/8 is this computer."""
    transport = await open_network(UDP, f"udp://{HOST}:9", Clock())
    assert isinstance(transport, DatagramTransport)
    port = int((await transport.read()).data)
    for host, text in (("127.0.0.2", b"stranger"), (HOST, b"device")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((host, 0))
            sender.sendto(text, (HOST, port))
    async with asyncio.timeout(PATIENCE):
        assert (await transport.read()).data == b"device"
    assert transport.foreign == 1
    await transport.close()


async def test_what_nobody_reads_is_bounded_and_counted() -> None:
    transport = await open_network(UDP, f"udp://{QUIET}:9", Clock())
    assert isinstance(transport, DatagramTransport)
    for number in range(QUEUE + 10):
        transport.datagram_received(number.to_bytes(2, "little"), (QUIET, 9))
    assert transport.dropped == 11  # the own port lies there too
    assert (await transport.read()).port == "local"
    assert (await transport.read()).data == b"\0\0"
    await transport.close()


async def test_a_cancelled_read_loses_nothing() -> None:
    transport = await open_network(UDP, f"udp://{QUIET}:9", Clock())
    assert isinstance(transport, DatagramTransport)
    await transport.read()
    waiting = asyncio.create_task(transport.read())
    await Clock().sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    transport.datagram_received(b"kept", (QUIET, 9))
    assert (await transport.read()).data == b"kept"
    await transport.close()
    with pytest.raises(LinkLostError):
        await transport.read()
    await transport.close()


async def test_only_the_ports_of_the_driver_are_spoken_to() -> None:
    transport = await open_network(UDP, f"udp://{HOST}:9", Clock())
    for port in ("udp:2", "udp", "tcp:1", "udp:x", ""):
        with pytest.raises(ValueError, match="no port of the device"):
            await transport.write(Packet(b"x", port))
    await transport.close()


async def test_what_cannot_be_opened_says_why() -> None:
    with pytest.raises(ConfigError, match="must be udp"):
        await open_network(UDP, "udp://camera.example", Clock())
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        with pytest.raises(LinkMissingError):
            await open_network(TCP, f"tcp://{HOST}:{unused.getsockname()[1]}", Clock())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        with pytest.raises(LinkBusyError, match="UDP port"):
            await open_network(replace(UDP, local=taken.getsockname()[1]), f"udp://{HOST}:9", Clock())
