"""The snapshot button of a USB camera, through uvcvideo and its input device."""

from random import Random

import pytest

from devicehub.model.reading import Image, Sample, Trigger
from devicehub.registry import load_driver
from devicehub.wire.protocol import Step
from simulators.endoscope.uvc_endoscope import SIMULATOR
from tests.usb_talk import talk
from tests.vm.inside.opening import PATIENCE, opened
from tests.vm.sockets import Sockets
from tests.vm.video_gadgets import camera

pytestmark = pytest.mark.vm


async def test_the_snapshot_button_of_a_camera_is_heard_between_its_pictures(sockets: Sockets) -> None:
    driver, simulator = load_driver("endoscope.uvc_endoscope"), SIMULATOR(Random(1))
    simulator.do("rate", hz=0.5)
    simulator.advance(0.0)
    gadget = camera(simulator)
    sockets.plug(gadget)
    transport = await opened(driver, gadget)
    seen: list[Sample] = []

    def pressed_after_a_picture(step: Step) -> bool:
        if not seen and any(isinstance(sample, Image) for sample in step.samples):
            sockets.do(lambda: simulator.do("press"))
        seen.extend(step.samples)
        return Trigger("snapshot") in seen

    await talk(driver.open({}), transport, until=pressed_after_a_picture, seconds=PATIENCE)
    await transport.close()
    assert Trigger("snapshot") in seen
