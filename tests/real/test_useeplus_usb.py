"""The useeplus endoscope through the shipped USB transport and unmodified pyusb, over the simulated bus."""

import asyncio
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.driver import UsbLink
from devicehub.model.errors import LinkLostError, ProtocolError
from devicehub.model.reading import Image
from devicehub.registry import load_driver
from devicehub.transport.usb import UsbTransport
from devicehub.transport.usb_bus import UsbBus
from simulators.endoscope.useeplus import Useeplus
from tests.patience import PATIENCE

pytestmark = pytest.mark.real


async def read_for_ever(transport: UsbTransport) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            await transport.read()


async def test_it_streams_at_full_rate_until_it_is_unplugged() -> None:
    """The read that drains the control endpoint must not hold up the video endpoint."""
    bus, simulator, clock = UsbBus(), Useeplus(Random(1)), Clock()
    bus.plug(simulator)
    driver = load_driver("endoscope.useeplus")
    assert isinstance(driver.link, UsbLink)
    transport = await UsbTransport.open(driver.link, backend=bus.backend, clock=clock)
    running = asyncio.create_task(bus.run(clock))
    protocol = driver.open({})
    images: list[Image] = []
    faults: list[ProtocolError] = []
    loop = asyncio.get_running_loop()
    step, begin = protocol.start(loop.time()), loop.time()
    async with asyncio.timeout(PATIENCE):
        while len(images) < 40:
            images.extend(sample for sample in step.samples if isinstance(sample, Image))
            faults.extend(step.faults)
            for packet in step.write:
                await transport.write(packet)
            try:
                async with asyncio.timeout_at(step.wake_at):
                    packet = await transport.read()
            except TimeoutError:
                step = protocol.on_timer(loop.time())
            else:
                step = protocol.on_packet(loop.time(), packet)
    assert not faults
    assert loop.time() - begin < 8  # forty frames at 20 Hz are two seconds; a held-up endpoint needs minutes
    for packet in step.write:  # so that a read is pending: an unplugged device is noticed by the next transfer
        await transport.write(packet)
    bus.unplug(simulator)
    with pytest.raises(LinkLostError):
        await read_for_ever(transport)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await transport.close()
