"""Finding, claiming and giving back a USB device on a simulated bus, through unmodified pyusb."""

import asyncio
import errno
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import usb.backend
import usb.backend.libusb0
import usb.backend.libusb1
import usb.backend.openusb
import usb.core

from devicehub.clock import Clock
from devicehub.driver import UsbLink
from devicehub.model.device import UsbId
from devicehub.model.errors import (
    LinkBusyError,
    LinkError,
    LinkLostError,
    LinkMissingError,
    LinkPermissionError,
)
from devicehub.transport.blocking import Blocking
from devicehub.transport.usb import UsbMatch, UsbTransport
from devicehub.transport.usb_backend import Handle, Plugged, SimulatedBackend
from devicehub.transport.usb_bus import UsbBus
from devicehub.wire.packet import control_read, control_write, usb_read, usb_write
from tests.patience import PATIENCE
from tests.real.usb_devices import Echo

pytestmark = pytest.mark.real
LINK = UsbLink(ids=(UsbId(0x1209, 0x0001),), timeout=0.1)


class Going(SimulatedBackend):
    """A device that is yanked once it was opened; the handles that were opened."""

    def __init__(self, bus: UsbBus, device: Echo) -> None:
        super().__init__(bus._changed, bus._devices, 1)
        self.yank = lambda: bus.unplug(device)
        self.handles: list[Handle] = []

    def open_device(self, dev: Plugged) -> Handle:
        self.handles.append(super().open_device(dev))
        self.yank()  # type: ignore[no-untyped-call]  # pyusb has no type information
        return self.handles[-1]


class Untold(SimulatedBackend):
    """Devices whose status cannot be had, with the error that comes instead."""

    def __init__(self, bus: UsbBus, number: int) -> None:
        super().__init__(bus._changed, bus._devices, 1)
        self.number = number

    def ctrl_transfer(self, dev_handle: Handle, bmRequestType: int, bRequest: int, *rest: Any) -> int:  # noqa: N803 # pyusb's
        if (bmRequestType, bRequest) == (0x80, 0):
            raise usb.core.USBError("", None, self.number)
        return super().ctrl_transfer(dev_handle, bmRequestType, bRequest, *rest)


@pytest.fixture
def bus() -> UsbBus:
    return UsbBus()


@pytest.fixture
def device(bus: UsbBus) -> Echo:
    device = Echo()
    bus.plug(device, port="2.3")
    return device


async def test_closing_twice_is_allowed_and_ends_reading(bus: UsbBus, device: Echo) -> None:
    transport = await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())
    await transport.close()
    await transport.close()
    with pytest.raises(LinkLostError, match="closed"):
        await transport.read()
    again = await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())
    await again.close()


async def test_no_such_device(bus: UsbBus) -> None:
    with pytest.raises(LinkMissingError, match="1209:0001"):
        await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())


async def test_a_device_that_goes_while_its_serial_number_is_read_is_not_held(bus: UsbBus, device: Echo) -> None:
    backend = Going(bus, device)
    with pytest.raises(LinkLostError, match="No such device"):
        await UsbTransport.open(LINK, backend=backend, clock=Clock())
    assert [handle.closed for handle in backend.handles] == [True]


async def test_a_device_that_was_yanked_and_is_listed_still_does_not_open(bus: UsbBus) -> None:
    nameless = Echo(serial="")
    bus.plug(nameless)
    transport = await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())
    await transport.write(usb_read(0x81, 8))
    bus.pull(nameless)
    with pytest.raises(LinkLostError, match="No such device"):
        await asyncio.wait_for(transport.read(), 60)
    await transport.close()
    with pytest.raises(LinkLostError, match="No such device"):
        await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())
    assert bus.claimed(nameless) == set()


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ETIMEDOUT])
async def test_a_device_that_does_not_tell_its_status_is_there_all_the_same(bus: UsbBus, number: int) -> None:
    bus.plug(Echo())
    transport = await UsbTransport.open(LINK, backend=Untold(bus, number), clock=Clock())
    assert transport.identity.serial == "E-1"
    await transport.close()


async def test_a_device_without_rights_is_refused_with_advice(bus: UsbBus) -> None:
    bus.plug(Echo(), accessible=False)
    with pytest.raises(LinkPermissionError, match="udev rule"):
        await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())


async def test_a_device_that_somebody_else_holds_is_busy(bus: UsbBus, device: Echo) -> None:
    holder = await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())
    with pytest.raises(LinkBusyError):
        await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())
    await holder.close()


async def test_two_equal_devices_are_never_guessed(bus: UsbBus, device: Echo) -> None:
    bus.plug(Echo("E-2"), port="4")
    with pytest.raises(LinkError, match=r"2 devices match .*1-2\.3 \(serial 'E-1'\), 1-4 \(serial 'E-2'\)"):
        await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())


@pytest.mark.parametrize("match", [UsbMatch(serial="E-2"), UsbMatch(path="1-4"), UsbMatch(path="1:2")])
async def test_a_serial_or_a_place_says_which_one(bus: UsbBus, device: Echo, match: UsbMatch) -> None:
    bus.plug(Echo("E-2"), port="4")
    transport = await UsbTransport.open(LINK, match=match, backend=bus.backend, clock=Clock())
    assert transport.identity.serial == "E-2"
    await transport.close()


async def test_equal_serials_are_told_apart_by_their_place_only(bus: UsbBus, device: Echo) -> None:
    bus.plug(Echo("E-1"), port="4")
    with pytest.raises(LinkError, match="2 devices match"):
        await UsbTransport.open(LINK, match=UsbMatch(serial="E-1"), backend=bus.backend, clock=Clock())
    match = UsbMatch(serial="E-1", path="1-4")
    transport = await UsbTransport.open(LINK, match=match, backend=bus.backend, clock=Clock())
    assert transport.identity.path == "1-4"
    await transport.close()


async def test_a_kernel_driver_is_detached_and_bound_again_at_the_end(bus: UsbBus) -> None:
    device = Echo()
    bus.plug(device, kernel_drivers=(0,))
    transport = await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())
    assert bus.kernel_drivers(device) == set()
    await transport.close()
    assert bus.kernel_drivers(device) == {0}


async def test_a_link_without_interfaces_leaves_a_device_to_the_kernel_and_speaks_beside_it(bus: UsbBus) -> None:
    device = Echo()
    bus.plug(device, kernel_drivers=(0,))
    link = UsbLink(ids=LINK.ids, configuration=2, interfaces=(), timeout=0.1)
    transport = await UsbTransport.open(link, backend=bus.backend, clock=Clock())
    await transport.write(control_write(0x41, 2, 0x78, 0, b"kept"))
    await transport.write(control_read(0xC1, 1, 0x78, 0, 4))
    answer = await asyncio.wait_for(transport.read(), PATIENCE)
    assert (answer.data, bus.kernel_drivers(device), bus.claimed(device)) == (b"kept", {0}, set())
    bus.unplug(device)
    with pytest.raises(LinkLostError):
        await asyncio.wait_for(transport.read(), PATIENCE)
    await transport.close()


async def test_an_alternate_setting_is_selected_when_opened_and_when_asked_for(bus: UsbBus) -> None:
    device = Echo(alternates=2)
    bus.plug(device)
    link = UsbLink(ids=LINK.ids, interfaces=((0, 1),), timeout=0.1)
    transport = await UsbTransport.open(link, backend=bus.backend, clock=Clock())
    for packet in (control_write(0x01, 0x0B, 0, 0), usb_write(0x02, b"x"), usb_read(0x81, 8)):
        await transport.write(packet)
    await asyncio.wait_for(transport.read(), PATIENCE)
    await transport.close()
    assert device.selected == [(0, 1), (0, 0)]


async def test_a_configuration_the_device_does_not_have_is_an_error_of_the_link(bus: UsbBus, device: Echo) -> None:
    link = UsbLink(ids=LINK.ids, configuration=3)
    with pytest.raises(LinkError, match="Invalid configuration"):
        await UsbTransport.open(link, backend=bus.backend, clock=Clock())
    assert bus.claimed(device) == set()


async def test_cancelling_open_leaves_nothing_behind(bus: UsbBus, device: Echo) -> None:
    opening = asyncio.ensure_future(UsbTransport.open(LINK, backend=bus.backend, clock=Clock()))
    await asyncio.wait([opening], timeout=0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    for thread in threading.enumerate():
        if thread.name == "usb":
            await asyncio.to_thread(thread.join, 5)
    assert bus.claimed(device) == set()


class HangingBackend(usb.backend.IBackend):  # type: ignore[misc]  # pyusb has no types
    """A libusb that a broken device holds up."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def enumerate_devices(self) -> Iterator[object]:
        self.let_go.wait()
        return iter(())


async def test_a_device_that_hangs_costs_one_thread_however_often_it_is_tried() -> None:
    backend, blocking = HangingBackend(), Blocking("dead")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await UsbTransport.open(LINK, backend=backend, clock=Clock(), blocking=blocking)
    for _ in range(20):
        with pytest.raises(LinkBusyError, match="dead: an earlier attempt still hangs"):
            await UsbTransport.open(LINK, backend=backend, clock=Clock(), blocking=blocking)
    (worker,) = [thread for thread in threading.enumerate() if thread.name == "usb"]
    assert "device dead" not in {thread.name for thread in threading.enumerate()}
    backend.let_go.set()
    worker.join(5)
    with pytest.raises(LinkMissingError):
        await UsbTransport.open(LINK, backend=backend, clock=Clock(), blocking=blocking)


async def test_without_libusb_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (usb.backend.libusb0, usb.backend.libusb1, usb.backend.openusb):
        monkeypatch.setattr(module, "get_backend", lambda: None)
    with pytest.raises(LinkError, match=r"libusb-1\.0-0"):
        await UsbTransport.open(LINK, clock=Clock())
