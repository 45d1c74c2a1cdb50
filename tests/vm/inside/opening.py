"""A driver's link, opened as the hub opens it, on a device that was just plugged into the machine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from devicehub.clock import Clock
from devicehub.config import DeviceConfig
from devicehub.driver import Driver, SerialLink, UsbLink
from devicehub.links import Links, World
from devicehub.model.errors import LinkLostError, LinkMissingError, LinkPermissionError
from devicehub.simulator import AnySimulator, SerialSimulator, UsbSimulator, VideoSimulator
from devicehub.transport.link import Transport
from tests.vm.gadget import Gadget
from tests.vm.serial_gadgets import acm
from tests.vm.usb_gadgets import usb_device
from tests.vm.video_gadgets import camera

PATIENCE = 20.0
LOOK_AGAIN = 0.05


def gadget_of(driver: Driver, simulator: AnySimulator, serial: Callable[..., Gadget] = acm) -> Gadget:
    """The device that a driver is for, with a cable; `serial`: what its cable is, for one with a serial line."""
    if isinstance(driver.link, SerialLink):
        return serial(cast(SerialSimulator, simulator))
    if isinstance(driver.link, UsbLink):
        return usb_device(cast(UsbSimulator, simulator))
    return camera(cast(VideoSimulator, simulator))


async def opened(driver: Driver, gadget: Gadget) -> Transport:
    """As soon as the kernel has made what there is to open."""
    one = gadget.model.descriptor
    device = DeviceConfig(id="d", driver=driver.name, usb=f"{one.vendor:04x}:{one.product:04x}", serial=one.serial)
    links = Links(Clock(), cast(World, None))
    try:
        return await patiently(links.opener(device, driver))
    finally:
        links.close()


async def patiently(opening: Callable[[], Awaitable[Transport]]) -> Transport:
    """Try until the device is there and udev has given it its rights, as the hub does; one may be just going."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await opening()
            except (LinkMissingError, LinkPermissionError, LinkLostError):
                await Clock().sleep(LOOK_AGAIN)


async def loss(transport: Transport) -> str:
    """Read until the link is lost; why it was."""
    async with asyncio.timeout(PATIENCE):
        try:
            while True:
                await transport.read()
        except LinkLostError as error:
            return str(error)
