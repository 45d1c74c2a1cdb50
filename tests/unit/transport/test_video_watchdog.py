"""The watchdog over every frame, in virtual time, against the fake kernel."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.driver import VideoFormat, VideoLink
from devicehub.model.errors import LinkLostError
from devicehub.transport.video import VideoTransport
from simulators.endoscope.uvc_endoscope import UvcEndoscope
from tests.real.fake_v4l2 import FakeCamera, FakeKernel

LINK = VideoLink(formats=(VideoFormat("MJPG", 640, 480, 30), VideoFormat("YUYV", 640, 480, 5)))


async def read_for_ever(transport: VideoTransport) -> None:
    while True:
        await transport.read()


async def seconds_until_lost(transport: VideoTransport, match: str) -> float:
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(LinkLostError, match=match):
        await read_for_ever(transport)
    return loop.time() - start


async def test_a_camera_that_never_sends_a_frame_is_lost_after_five_seconds(tmp_path: Path) -> None:
    with FakeKernel(tmp_path) as kernel:
        kernel.plug(FakeCamera(UvcEndoscope(Random(1))), "video0")
        transport = await VideoTransport.open(LINK, clock=Clock(), kernel=kernel)
        assert await seconds_until_lost(transport, r"video0: no frame for 5 s") == pytest.approx(5, abs=0.1)
        await transport.close()


async def test_a_camera_yanked_without_a_word_is_lost_one_second_after_its_last_frame(tmp_path: Path) -> None:
    with FakeKernel(tmp_path) as kernel:
        camera = FakeCamera(UvcEndoscope(Random(1)))
        kernel.plug(camera, "video0")
        transport = await VideoTransport.open(LINK, clock=Clock(), kernel=kernel)
        for _ in range(90):
            camera.tick(1 / 30)
            await Clock().sleep(1 / 30)
        assert await seconds_until_lost(transport, r"video0: no frame for 1 s") == pytest.approx(1, abs=0.1)
        await transport.close()


async def test_a_camera_that_sends_only_damaged_frames_is_lost_too(tmp_path: Path) -> None:
    with FakeKernel(tmp_path) as kernel:
        camera = FakeCamera(UvcEndoscope(Random(1)))
        kernel.plug(camera, "video0")
        transport = await VideoTransport.open(LINK, clock=Clock(), kernel=kernel)
        camera.damaging = True
        for _ in range(200):
            camera.tick(1 / 30)
            await Clock().sleep(1 / 30)
        assert await seconds_until_lost(transport, "no frame for 5 s") == 0
        await transport.close()


async def test_a_slow_camera_is_given_three_frame_intervals(tmp_path: Path) -> None:
    with FakeKernel(tmp_path) as kernel:
        simulator = UvcEndoscope(Random(1))
        simulator.formats = (("MJPG", 640, 480, 0.5),)
        camera = FakeCamera(simulator)
        kernel.plug(camera, "video0")
        transport = await VideoTransport.open(LINK, clock=Clock(), kernel=kernel)
        camera.tick(0)
        await transport.read()
        assert await seconds_until_lost(transport, "no frame for 6 s") == pytest.approx(6, abs=0.1)
        await transport.close()
