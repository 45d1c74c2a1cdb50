"""Recorded frames of a real Seek Compact through the simulated bus, unmodified pyusb and the shipped driver."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import cast

import numpy as np
import pytest
import usb.core
import usb.util

from devicehub.clock import Clock
from devicehub.driver import UsbLink
from devicehub.model.device import UsbId
from devicehub.model.reading import Cause, Identity, Image, Sample, Scan
from devicehub.registry import load_driver, load_simulator
from devicehub.simulator import UsbSimulator
from devicehub.transport.usb import UsbTransport
from devicehub.transport.usb_bus import UsbBus
from devicehub.wire.protocol import Step
from simulators.thermal.seek_compact import SeekCompact
from simulators.thermal.seek_compact_pro import SeekCompactPro
from tests.drivers.seek_frames import pixels, recorded
from tests.usb_talk import talk

pytestmark = pytest.mark.real


@pytest.fixture
async def bus() -> AsyncIterator[UsbBus]:
    bus = UsbBus()
    clock = asyncio.ensure_future(bus.run(Clock()))
    yield bus
    clock.cancel()
    await asyncio.gather(clock, return_exceptions=True)


def images(samples: list[Sample]) -> list[Image]:
    return [sample for sample in samples if isinstance(sample, Image)]


def has_images(count: int) -> "Enough":
    return Enough(count)


class Enough:
    """Counts images; true when there are enough."""

    def __init__(self, count: int) -> None:
        self._left = count

    def __call__(self, step: Step) -> bool:
        self._left -= len(images(list(step.samples)))
        return self._left <= 0


async def opened(bus: UsbBus, driver_name: str) -> UsbTransport:
    link = load_driver(driver_name).link
    assert isinstance(link, UsbLink)
    return await UsbTransport.open(link, backend=bus.backend, clock=Clock())


async def test_recorded_frames_come_out_with_the_published_statistics(bus: UsbBus) -> None:
    cal, raw = recorded("seek_compact_face_cal.bin"), recorded("seek_compact_face_raw.bin")
    camera = SeekCompact(Random(1), frames=[cal, raw])
    bus.plug(camera)
    transport = await opened(bus, "thermal.seek_compact")
    protocol = load_driver("thermal.seek_compact").open({})
    samples, _ = await talk(protocol, transport, until=has_images(1))
    await transport.close()
    both = [np.frombuffer(data, "<u2").reshape(156, 208)[1:155, :207] for data in (raw, cal)]
    valid = np.logical_and.reduce([(area > 2000) & (area < 16383) for area in both])
    values = pixels(images(samples)[0])[valid]
    assert (values.size, values.min(), values.max(), round(float(values.mean()), 3)) == (29754, 15538, 16442, 16003.741)
    assert images(samples)[0].counter == 12188
    assert not camera.forbidden


@pytest.mark.parametrize(
    ("name", "make"), [("thermal.seek_compact", SeekCompact), ("thermal.seek_compact_pro", SeekCompactPro)]
)
async def test_a_simulated_camera_shows_its_warm_spot(
    bus: UsbBus, name: str, make: type[SeekCompact | SeekCompactPro]
) -> None:
    camera = make(Random(2))
    camera.do("rate", hz=50)
    camera.do("hotspot", delta=400)
    bus.plug(camera)
    transport = await opened(bus, name)
    samples, faults = await talk(load_driver(name).open({}), transport, until=has_images(3))
    await transport.close()
    assert not faults
    image = images(samples)[-1]
    values = pixels(image).astype(int)
    y, x = np.unravel_index(values.argmax(), values.shape)
    assert (y / image.height, x / image.width) == pytest.approx((0.4, 0.6), abs=0.06)
    assert values.max() - np.median(values) == pytest.approx(400, abs=40)
    assert image.cause is Cause.WARMING_UP


async def test_a_camera_left_running_by_a_broken_link_is_stopped_and_started_again(bus: UsbBus) -> None:
    camera = SeekCompact(Random(3))
    bus.plug(camera)
    driver = load_driver("thermal.seek_compact")
    for expected in ([], ["rejected"]):
        transport = await opened(bus, "thermal.seek_compact")
        samples, faults = await talk(driver.open({}), transport, until=has_images(2))
        await transport.close()
        assert len(images(samples)) == 2
        assert [str(fault.reason) for fault in faults] == expected


async def test_unplugging_a_camera_ends_the_conversation_and_plugging_it_back_starts_a_new_one(bus: UsbBus) -> None:
    driver = load_driver("thermal.seek_compact")
    for _ in range(2):
        camera = SeekCompact(Random(4))
        bus.plug(camera)
        transport = await opened(bus, "thermal.seek_compact")
        asyncio.get_running_loop().call_later(0.6, bus.unplug, camera)
        samples, _ = await talk(driver.open({}), transport, until=lambda _: False)
        await transport.close()
        assert any(isinstance(sample, Identity) for sample in samples)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("stall", "rejected"),
        ("short-first", "truncated"),
        ("short", "truncated"),
        ("garbage", "corrupt"),
        ("gap", "sequence"),
        ("duplicate", "sequence"),
        ("timeout", "timeout"),
    ],
)
async def test_after_each_fault_there_are_images_again(bus: UsbBus, kind: str, reason: str) -> None:
    camera = SeekCompact(Random(5))
    camera.do("rate", hz=50)
    bus.plug(camera)
    transport = await opened(bus, "thermal.seek_compact")
    protocol = load_driver("thermal.seek_compact").open({})
    if kind == "short-first":
        camera.do("fault", kind=kind)
    else:
        asyncio.get_running_loop().call_later(0.4, lambda: camera.do("fault", kind=kind))
    seen: set[str] = set()

    def recovered(step: Step) -> bool:
        after = bool(seen)
        seen.update(str(fault.reason) for fault in step.faults)
        return after and bool(images(list(step.samples)))

    await talk(protocol, transport, until=recovered)
    await transport.close()
    assert reason in seen
    assert not camera.forbidden


async def test_a_device_file_plays_a_barcode_reader_and_reads_it_over_the_same_bus(bus: UsbBus) -> None:
    reader = cast(UsbSimulator, load_simulator("scanner.hid_pos")(Random(6)))
    bus.plug(reader, kernel_drivers=(0,))
    transport = await opened(bus, "scanner.hid_pos")
    asyncio.get_running_loop().call_later(0.3, lambda: reader.do("scan", symbology="qr-code", data="A" * 100))
    protocol = load_driver("scanner.hid_pos").open({})
    samples, faults = await talk(protocol, transport, until=lambda step: bool(step.samples))
    await transport.close()
    assert [sample.data for sample in samples if isinstance(sample, Scan)] == [b"A" * 100]
    assert not faults
    assert bus.kernel_drivers(reader) == {0}


def test_pyusb_sees_the_cameras_descriptors() -> None:
    bus = UsbBus()
    bus.plug(SeekCompact(Random(7)), port="1.4")
    device = usb.core.find(idVendor=0x289D, idProduct=0x0010, backend=bus.backend)
    assert UsbId(device.idVendor, device.idProduct) == UsbId(0x289D, 0x0010)
    assert (device.manufacturer, device.product) == ("Seek Thermal", "PIR206 Thermal Camera")
    assert (device.bus, device.port_numbers) == (1, (1, 4))
    interface = device.get_active_configuration()[(0, 0)]
    assert [endpoint.bEndpointAddress for endpoint in interface] == [0x81, 0x02]
    assert "Bulk IN" in str(interface)
    usb.util.dispose_resources(device)
