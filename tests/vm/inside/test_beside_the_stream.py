"""A camera that uvcvideo holds and streams, asked beside its stream through usbfs, which nobody claims."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from devicehub.model.reading import Identity, Image, Measurement, Sample
from devicehub.registry import load_driver
from devicehub.wire.protocol import Step
from simulators.thermal.infiray_p2pro import InfirayP2Pro
from simulators.thermal.infiray_p2pro_control import InfirayP2ProControl
from tests.usb_talk import talk
from tests.vm.inside.opening import PATIENCE, loss, opened
from tests.vm.sockets import Sockets
from tests.vm.video_gadgets import commanded_camera

pytestmark = pytest.mark.vm
USB = Path("/sys/bus/usb/devices")
IMAGES = 3


def drivers_of(vendor: str, product: str) -> set[str]:
    """Who in the kernel has the interfaces of the one such device."""
    (device,) = (
        one
        for one in USB.iterdir()
        if (one / "idVendor").is_file()
        and ((one / "idVendor").read_text().strip(), (one / "idProduct").read_text().strip()) == (vendor, product)
    )
    links = [one / "driver" for one in device.glob(f"{device.name}:*")]
    return {link.resolve().name if link.exists() else "" for link in links}


def channels_of(samples: list[Sample]) -> set[str]:
    return {one.channel for one in samples if isinstance(one, Measurement)}


async def test_a_camera_tells_of_itself_while_its_stream_runs_and_keeps_running(sockets: Sockets) -> None:
    stream, control = load_driver("thermal.infiray_p2pro"), load_driver("thermal.infiray_p2pro_control")
    pictures = InfirayP2Pro(Random(1))
    pictures.do("rate", hz=4)  # what an emulated processor carries, and less than a second apart
    pictures.advance(0.0)
    gadget = commanded_camera(pictures, InfirayP2ProControl(Random(1)))
    plugged = sockets.plug(gadget)
    told: list[Sample] = []
    behind: list[Image] = []

    def asked(step: Step) -> bool:
        told.extend(step.samples)
        return False

    def streamed(step: Step) -> bool:
        """As many pictures as are wanted, behind all that the camera tells of itself."""
        if channels_of(told) == {channel.name for channel in control.channels}:
            behind.extend(one for one in step.samples if isinstance(one, Image))
        return len(behind) >= IMAGES

    video = await opened(stream, gadget)
    held = drivers_of("0bda", "5830")
    registers = await opened(control, gadget)
    talking = asyncio.create_task(talk(control.open({}), registers, until=asked, seconds=2 * PATIENCE))
    _, faults = await talk(stream.open({}), video, until=streamed, seconds=2 * PATIENCE)
    still = drivers_of("0bda", "5830")
    sockets.unplug(plugged)
    _, refused = await talking
    why = await loss(video), await loss(registers)
    await video.close()
    await registers.close()
    assert (held, still) == ({"uvcvideo"}, {"uvcvideo"})
    assert len(behind) >= IMAGES, (why, faults, refused, channels_of(told))
    assert any(isinstance(one, Identity) for one in told)
    assert (faults, refused) == ([], [])
