"""The V4L2 transport against a fake kernel (system calls, sysfs) over the camera simulators."""

import asyncio
import errno
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event

import pytest

from devicehub.clock import Clock
from devicehub.driver import VideoFormat, VideoLink
from devicehub.model.device import UsbId
from devicehub.model.errors import LinkBusyError, LinkError, LinkLostError, LinkMissingError, LinkPermissionError
from devicehub.model.reading import Image, Sample, Trigger
from devicehub.registry import load_driver
from devicehub.transport import v4l2
from devicehub.transport.v4l2 import LinuxKernel
from devicehub.transport.video import VideoTransport
from devicehub.wire.packet import Packet
from simulators.endoscope.uvc_endoscope import UvcEndoscope
from simulators.thermal.infiray_p2pro import InfirayP2Pro
from tests.real.fake_v4l2 import FakeButton, FakeCamera, FakeKernel, FakeMetadata, FakeNode

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


async def read(transport: VideoTransport) -> Packet:
    async with asyncio.timeout(5):
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
    async with asyncio.timeout(5):
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


async def test_a_cancelled_open_gives_the_camera_back(kernel: FakeKernel) -> None:
    kernel.plug(FakeCamera(endoscope()), "video0")
    kernel.hold = Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await opened(kernel)
    kernel.hold.set()
    assert await asyncio.to_thread(kernel.released.wait, 5)
    assert not kernel.open_fds


async def test_a_camera_takes_no_packets(kernel: FakeKernel) -> None:
    kernel.plug(FakeCamera(endoscope()), "video0")
    transport = await opened(kernel)
    with pytest.raises(LinkError, match="takes no packets"):
        await transport.write(Packet(b"\0", "ctl:41:45:0078:1d00"))
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


_ABI = r"""
#include <stdio.h>
#include <stddef.h>
#include <linux/videodev2.h>
#include <linux/input.h>
int main(void) {
  unsigned long values[] = {VIDIOC_QUERYCAP, VIDIOC_ENUM_FMT, VIDIOC_S_FMT, VIDIOC_REQBUFS, VIDIOC_QUERYBUF,
    VIDIOC_QBUF, VIDIOC_DQBUF, VIDIOC_STREAMON, VIDIOC_STREAMOFF, VIDIOC_S_PARM, VIDIOC_ENUM_FRAMESIZES,
    V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_STREAMING, V4L2_CAP_DEVICE_CAPS, V4L2_BUF_FLAG_ERROR,
    sizeof(struct v4l2_capability), sizeof(struct v4l2_fmtdesc), sizeof(struct v4l2_format),
    sizeof(struct v4l2_requestbuffers), sizeof(struct v4l2_buffer), sizeof(struct v4l2_streamparm),
    sizeof(struct v4l2_frmsizeenum), sizeof(struct input_event),
    offsetof(struct v4l2_capability, device_caps), offsetof(struct v4l2_fmtdesc, pixelformat),
    offsetof(struct v4l2_format, fmt), offsetof(struct v4l2_buffer, sequence), offsetof(struct v4l2_buffer, memory),
    offsetof(struct v4l2_buffer, m), offsetof(struct v4l2_buffer, length),
    offsetof(struct v4l2_streamparm, parm.capture.timeperframe), offsetof(struct v4l2_frmsizeenum, type),
    offsetof(struct v4l2_frmsizeenum, discrete), offsetof(struct input_event, value), KEY_CAMERA};
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++) printf("%lu\n", values[i]);
  return 0;
}
"""


def test_requests_and_offsets_are_those_of_the_system_headers(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("no C compiler or kernel headers on this machine")
    (tmp_path / "abi.c").write_text(_ABI)
    subprocess.run([compiler, "-o", tmp_path / "abi", tmp_path / "abi.c"], check=True)
    printed = subprocess.run([tmp_path / "abi"], check=True, capture_output=True, text=True).stdout
    requests = [v4l2.QUERYCAP, v4l2.ENUM_FMT, v4l2.S_FMT, v4l2.REQBUFS, v4l2.QUERYBUF, v4l2.QBUF, v4l2.DQBUF]
    requests += [v4l2.STREAMON, v4l2.STREAMOFF, v4l2.S_PARM, v4l2.ENUM_FRAMESIZES]
    flags = [v4l2.VIDEO_CAPTURE, v4l2.STREAMING, v4l2.DEVICE_CAPS, v4l2.BUFFER_ERROR]
    sizes, offsets = [104, 64, 208, 20, 88, 204, 44, 24], [88, 44, 8, 56, 60, 64, 72, 12, 8, 12, 20]
    assert [int(word) for word in printed.split()] == [*requests, *flags, *sizes, *offsets, 0xD4]
