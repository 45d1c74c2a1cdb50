"""The V4L2 transport against a fake kernel (system calls, sysfs) over the camera simulators."""

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.driver import VideoFormat, VideoLink
from devicehub.model.errors import LinkError, LinkLostError
from devicehub.model.reading import Image, Sample, Trigger
from devicehub.registry import load_driver
from devicehub.transport.video import VideoTransport
from devicehub.wire.packet import Packet, control_write
from simulators.endoscope.uvc_endoscope import UvcEndoscope
from simulators.thermal.infiray_p2pro import InfirayP2Pro
from tests.patience import PATIENCE
from tests.real.fake_v4l2 import FakeButton, FakeCamera, FakeKernel

pytestmark = pytest.mark.real
MJPG_480 = VideoFormat("MJPG", 640, 480, 30)
LINK = VideoLink(formats=(MJPG_480,))


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[FakeKernel]:
    with FakeKernel(tmp_path) as fake:
        yield fake


def endoscope() -> UvcEndoscope:
    return UvcEndoscope(Random(5))


async def opened(kernel: FakeKernel, link: VideoLink = LINK, path: str = "", serial: str = "") -> VideoTransport:
    return await VideoTransport.open(link, path=path, serial=serial, clock=Clock(), kernel=kernel)


async def read(transport: VideoTransport) -> Packet:
    async with asyncio.timeout(PATIENCE):
        return await transport.read()


async def test_frames_arrive_bit_exact(kernel: FakeKernel) -> None:
    camera = FakeCamera(InfirayP2Pro(Random(5)))
    kernel.plug(camera, "video0", usb="0bda:5830")
    transport = await opened(kernel, load_driver("thermal.infiray_p2pro").link)  # type: ignore[arg-type]  # a VideoLink
    twin = InfirayP2Pro(Random(5))
    for _ in range(20):
        camera.tick(1 / 25)
        for expected in twin.advance(1 / 25):
            assert await read(transport) == Packet(expected, "frame:YUYV:256x384")
    assert (transport.missed, transport.dropped) == (0, 0)
    await transport.close()


async def test_a_damaged_buffer_is_reported_without_its_bytes(kernel: FakeKernel) -> None:
    camera = FakeCamera(endoscope())
    kernel.plug(camera, "video0")
    transport = await opened(kernel)
    camera.damaging = True
    camera.tick(0)
    assert await read(transport) == Packet(b"", "frame-error")
    await transport.close()


async def test_the_newest_frames_win_and_the_others_are_counted(kernel: FakeKernel) -> None:
    camera = FakeCamera(endoscope())
    kernel.plug(camera, "video0")
    transport = await opened(kernel)
    twin = endoscope()
    twin.select("MJPG", 640, 480)
    expected = [frame for _ in range(24) for frame in twin.advance(1 / 30)]
    for _ in range(24):
        camera.tick(1 / 30)
        await drained(camera)
    assert [(await read(transport)).data for _ in range(2)] == expected[-2:]
    assert transport.dropped == len(expected) - 2
    await transport.close()


async def drained(camera: FakeCamera) -> None:
    """Until the transport has taken what the camera has."""
    async with asyncio.timeout(PATIENCE):
        await camera.emptied.wait()


async def test_frames_that_the_kernel_dropped_are_counted(kernel: FakeKernel) -> None:
    camera = FakeCamera(endoscope())
    kernel.plug(camera, "video0")
    transport = await opened(kernel)
    camera.tick(0.99 * 10 / 30)  # ten frames at once, three buffers
    await drained(camera)
    camera.tick(1 / 30)
    await drained(camera)
    assert transport.missed == 7
    await transport.close()


async def test_the_snapshot_button_of_the_same_camera_arrives_as_keys(kernel: FakeKernel) -> None:
    mine, other = FakeButton(), FakeButton()
    camera = FakeCamera(endoscope(), mine)
    kernel.plug(other, "event1", port="1-7")
    kernel.plug(camera, "video0", port="1-2")
    kernel.plug(mine, "event2", port="1-2")
    transport = await opened(kernel, VideoLink(formats=(MJPG_480,), button=True))
    other.report(0xD4, 1)
    mine.report(0x1C, 1)  # another key of the same device
    mine.report(0xD4, 1)
    mine.report(0xD4, 2)  # auto-repeat
    mine.report(0xD4, 0)
    assert [await read(transport) for _ in range(2)] == [Packet(b"\1", "key"), Packet(b"\0", "key")]
    await transport.close()


async def test_a_forbidden_button_costs_no_picture(kernel: FakeKernel, caplog: pytest.LogCaptureFixture) -> None:
    camera = FakeCamera(endoscope())
    kernel.plug(camera, "video0")
    kernel.refusals[kernel.plug(FakeButton(), "event2")] = errno.EACCES
    transport = await opened(kernel, VideoLink(formats=(MJPG_480,), button=True))
    camera.tick(0)
    assert (await read(transport)).port == "frame:MJPG:640x480"
    assert "snapshot button event2 cannot be read: Permission denied" in caplog.text
    await transport.close()


@pytest.mark.parametrize("which", ["camera", "button"])
async def test_a_yanked_camera_ends_the_link_at_once_and_what_had_arrived_is_kept(
    kernel: FakeKernel, which: str
) -> None:
    button = FakeButton()
    camera = FakeCamera(endoscope(), button)
    kernel.plug(camera, "video0")
    kernel.plug(button, "event2")
    transport = await opened(kernel, VideoLink(formats=(MJPG_480,), button=True))
    camera.tick(0)
    await drained(camera)
    (camera if which == "camera" else button).yank()
    assert (await read(transport)).port == "frame:MJPG:640x480"
    with pytest.raises(LinkLostError, match="No such device"):
        await read(transport)
    with pytest.raises(LinkLostError):
        await transport.write(Packet(b""))
    camera.gone = True
    await transport.close()
    await transport.close()


async def test_a_cancelled_read_loses_nothing(kernel: FakeKernel) -> None:
    camera = FakeCamera(endoscope())
    kernel.plug(camera, "video0")
    transport = await opened(kernel)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await transport.read()
    camera.tick(0)
    assert (await read(transport)).data.startswith(b"\xff\xd8")
    await transport.close()


# Vendor requests of the InfiRay P2 Pro (LeoDJ/P2Pro-Viewer): register and payload. Some set gain or emissivity.
VENDOR = [
    (0x1D00, "0984000000000001"),  # read pseudo colour
    (0x9D00, "09c4000000000001"),  # set pseudo colour ...
    (0x1D08, "03"),  # ... to iron
    (0x1D00, "0584060000000030"),  # read part number
    (0x1D00, "0584070000000010"),  # read serial number
    (0x1D00, "0d8b000000000002"),  # read current temperature value
    (0x1D00, "0c84000000000002"),  # read shutter temperature value
    (0x9D00, "1485000500000000"),  # read gain ...
    (0x1D08, "0000000000000002"),
    (0x9D00, "14c5000500000000"),  # set gain low
    (0x9D00, "14c5000300000079"),  # set emissivity 0.95
    (0x9D00, "14c5000100000125"),  # set reflected temperature 293 K
    (0x1D08, "0000000000000000"),
]


@pytest.mark.parametrize(("register", "payload"), VENDOR)
async def test_no_vendor_request_reaches_a_camera(kernel: FakeKernel, register: int, payload: str) -> None:
    kernel.plug(FakeCamera(InfirayP2Pro(Random(1))), "video0", usb="0bda:5830")
    transport = await opened(kernel, load_driver("thermal.infiray_p2pro").link)  # type: ignore[arg-type]  # a VideoLink
    with pytest.raises(LinkError, match="takes no packets"):
        await transport.write(control_write(0x41, 0x45, 0x78, register, bytes.fromhex(payload)))
    await transport.close()


async def test_driver_transport_and_kernel_together_give_pictures_and_triggers(kernel: FakeKernel) -> None:
    button = FakeButton()
    camera = FakeCamera(endoscope(), button)
    kernel.plug(camera, "video0")
    kernel.plug(button, "event2")
    driver = load_driver("endoscope.uvc_endoscope")
    transport = await opened(kernel, driver.link)  # type: ignore[arg-type]  # a VideoLink
    protocol = driver.open({})
    protocol.start(0.0)
    camera.simulator.do("press")
    camera.tick(0)
    samples: list[Sample] = []
    for _ in range(2):
        samples.extend(protocol.on_packet(0.1, await read(transport)).samples)
    image = next(sample for sample in samples if isinstance(sample, Image))
    assert (image.width, image.height) == (1280, 720)
    assert Trigger("snapshot") in samples
    await transport.close()
