"""Finding and opening a camera, against a fake kernel (system calls, sysfs)."""

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event

import pytest

from devicehub.clock import Clock
from devicehub.driver import VideoFormat, VideoLink
from devicehub.model.device import UsbId
from devicehub.model.errors import LinkBusyError, LinkError, LinkMissingError, LinkPermissionError
from devicehub.transport.v4l2 import LinuxKernel
from devicehub.transport.video import VideoTransport
from simulators.endoscope.uvc_endoscope import UvcEndoscope
from simulators.thermal.infiray_p2pro import InfirayP2Pro
from tests.real.fake_v4l2 import FakeCamera, FakeKernel, FakeMetadata, FakeNode

pytestmark = pytest.mark.real
MJPG_720 = VideoFormat("MJPG", 1280, 720, 30)
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


async def test_the_first_wanted_format_that_the_camera_has_is_chosen(kernel: FakeKernel) -> None:
    camera = FakeCamera(endoscope())
    kernel.plug(camera, "video0")
    wanted = (VideoFormat("Y16 ", 160, 120, 9), VideoFormat("MJPG", 800, 600, 30), MJPG_480, MJPG_720)
    transport = await opened(kernel, VideoLink(formats=wanted))
    assert (transport.format, camera.selected) == (MJPG_480, ("MJPG", 640, 480))
    await transport.close()


async def test_a_camera_without_the_format_is_refused_and_says_what_it_offers(kernel: FakeKernel) -> None:
    kernel.plug(FakeCamera(InfirayP2Pro(Random(1))), "video0")
    with pytest.raises(LinkError, match=r"has none of MJPG 640x480; it offers YUYV"):
        await opened(kernel)


async def test_a_driver_that_keeps_another_format_than_asked_is_refused(kernel: FakeKernel) -> None:
    camera = FakeCamera(endoscope())
    camera.stubborn = True
    kernel.plug(camera, "video0")
    with pytest.raises(LinkError, match="has none of MJPG 640x480"):
        await opened(kernel)


async def test_nodes_that_carry_no_pictures_are_passed_over(kernel: FakeKernel) -> None:
    kernel.plug(FakeMetadata(), "video0")
    kernel.plug(FakeNode(), "video1", port="1-9")
    kernel.plug(FakeCamera(endoscope()), "video10")
    transport = await opened(kernel)
    assert transport.identity.path.endswith("video10")
    await transport.close()


async def test_usb_ids_and_serial_number_select_the_camera(kernel: FakeKernel) -> None:
    kernel.plug(FakeCamera(endoscope()), "video0", port="1-1", usb="aaaa:0001", serial="A")
    kernel.plug(FakeCamera(endoscope()), "video2", port="1-2", usb="1908:2311", serial="A")
    kernel.plug(FakeCamera(endoscope()), "video4", port="1-3", usb="1908:2311", serial="B")
    link = VideoLink(formats=(MJPG_480,), ids=(UsbId(0x1908, 0x2311),))
    transport = await opened(kernel, link, serial="B")
    identity = transport.identity
    assert (identity.usb, identity.serial, identity.address) == ("1908:2311", "B", "1-3")
    assert identity.path.endswith("video4")
    await transport.close()
    with pytest.raises(LinkMissingError, match="no camera 1908:2311 with serial number C"):
        await opened(kernel, link, serial="C")


async def test_a_busy_camera_is_passed_over_for_a_free_one_and_reported_when_alone(kernel: FakeKernel) -> None:
    first, second = FakeCamera(endoscope()), FakeCamera(endoscope())
    first.busy = True
    kernel.plug(first, "video0", port="1-1")
    kernel.plug(second, "video2", port="1-2")
    transport = await opened(kernel)
    assert transport.identity.address == "1-2"
    await transport.close()
    second.busy = True
    with pytest.raises(LinkBusyError):
        await opened(kernel)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, LinkPermissionError),
        (errno.EBUSY, LinkBusyError),
        (errno.ENODEV, LinkMissingError),
        (errno.ENOENT, LinkMissingError),
        (errno.ENFILE, LinkError),
    ],
)
async def test_a_refused_open_says_why(kernel: FakeKernel, number: int, kind: type[LinkError]) -> None:
    path = kernel.plug(FakeCamera(endoscope()), "video0")
    kernel.refusals[path] = number
    with pytest.raises(kind, match="video0") as raised:
        await opened(kernel, path=path)
    assert type(raised.value) is kind


async def test_a_path_that_does_not_exist_is_a_missing_camera(kernel: FakeKernel) -> None:
    with pytest.raises(LinkMissingError, match="/dev/video77"):
        await opened(kernel, path="/dev/video77")


async def test_another_system_than_linux_is_told_plainly(kernel: FakeKernel) -> None:
    kernel.platform = "win32"
    with pytest.raises(LinkError, match="cameras need 64-bit Linux"):
        await opened(kernel)


async def test_the_running_kernel_refuses_what_is_no_camera() -> None:
    with pytest.raises(LinkError, match="/dev/null is not a camera"):
        await VideoTransport.open(LINK, path="/dev/null", clock=Clock(), kernel=LinuxKernel())


async def test_a_cancelled_open_gives_the_camera_back(kernel: FakeKernel) -> None:
    kernel.plug(FakeCamera(endoscope()), "video0")
    kernel.hold = Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await opened(kernel)
    kernel.hold.set()
    assert await asyncio.to_thread(kernel.released.wait, 5)
    assert not kernel.open_fds
