"""Thermal cameras over bulk endpoints through the shipped USB transport and unmodified pyusb, on the simulated bus."""

import asyncio
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.driver import UsbLink
from devicehub.model.reading import Image
from devicehub.registry import load_driver, load_simulator
from devicehub.simulator import Interface, UsbSimulator
from devicehub.transport.usb import UsbTransport
from devicehub.transport.usb_bus import UsbBus
from devicehub.wire.protocol import Step
from simulators.thermal.flir_one import FlirOne
from tests.usb_talk import talk

pytestmark = pytest.mark.real


class WithoutSettings(FlirOne):
    """A camera whose descriptors do not have the settings that it is switched by."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        known = self.descriptor
        plain: tuple[Interface, ...] = tuple(one for one in known.interfaces if not one.alternate)
        self.descriptor = type(known)(
            vendor=known.vendor, product=known.product, configuration=known.configuration, interfaces=plain
        )


async def pictures(driver_name: str, simulator: UsbSimulator, wanted: int) -> tuple[int, list[str]]:
    """How many pictures came, up to `wanted`; then the plug is pulled in the middle of one."""
    bus, clock, driver = UsbBus(), Clock(), load_driver(driver_name)
    bus.plug(simulator)
    assert isinstance(driver.link, UsbLink)
    transport = await UsbTransport.open(driver.link, backend=bus.backend, clock=clock)
    running = asyncio.create_task(bus.run(clock))
    seen = 0

    def enough(step: Step) -> bool:
        nonlocal seen
        seen += sum(isinstance(sample, Image) for sample in step.samples)
        if seen >= wanted:
            bus.unplug(simulator)
        return False

    _, faults = await talk(driver.open({}), transport, enough)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await transport.close()
    return seen, [str(fault) for fault in faults]


@pytest.mark.parametrize("driver", ["thermal.flir_one", "thermal.thermal_master_p1"])
async def test_pictures_come_until_the_plug_is_pulled(driver: str) -> None:
    simulator = load_simulator(driver)(Random(1))
    simulator.do("rate", hz=5.0)
    seen, faults = await pictures(driver, simulator, 10)  # type: ignore[arg-type]  # a USB driver's simulator is one
    assert seen >= 10
    assert faults == []


async def test_a_setting_that_no_descriptor_has_goes_out_as_it_is() -> None:
    simulator = WithoutSettings(Random(1))
    simulator.do("rate", hz=5.0)
    seen, faults = await pictures("thermal.flir_one", simulator, 4)
    assert seen >= 4
    assert faults == []
