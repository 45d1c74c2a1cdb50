"""Every driver with a cable, over the kernel's own drivers: plugged in, opened by USB id, read, yanked."""

import json
import os
from collections.abc import Callable
from random import Random

import pytest

from devicehub.collect.tail import Tapped
from devicehub.driver import SerialLink, UsbLink, VideoLink
from devicehub.model.reading import Sample
from devicehub.registry import driver_names, load_driver, load_simulator
from devicehub.simulator import AnySimulator
from devicehub.wire.protocol import Step
from tests.conformance import measured
from tests.usb_talk import talk
from tests.vm.inside.opening import PATIENCE, gadget_of, loss, opened
from tests.vm.kernel import ROOT
from tests.vm.serial_gadgets import acm, cp210x, ftdi
from tests.vm.sockets import Sockets

pytestmark = pytest.mark.vm

PROVED = json.loads((ROOT / "docs" / "reference" / "real-kernel.json").read_text())
# Outside, where the table is made anew, those that it does not know are tried too; inside, whatever is asked for.
ALL = "DEVICEHUB_PROVED" in os.environ or "DEVICEHUB_REPORTS" in os.environ
WIRED = [
    name
    for name in driver_names()
    if isinstance(load_driver(name).link, SerialLink | UsbLink | VideoLink) and (ALL or name in PROVED)
]
BRIDGES = {"cdc_acm": acm, "ftdi_sio": ftdi, "cp210x": cp210x}
THROUGH = {UsbLink: "usbfs, libusb", VideoLink: "uvcvideo"}
HASTE = 4.0


@pytest.mark.parametrize("name", WIRED)
async def test_a_driver_reads_its_device_through_the_kernel(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    driver = load_driver(name)
    simulator = load_simulator(name)(Random(1))
    seen = isinstance(driver.link, VideoLink)
    if seen:
        # An emulated processor takes seconds for a picture that is then remembered.
        simulator.do("rate", hz=0.5)
        simulator.advance(0.0)
    else:
        simulator.do("demo")
    through = THROUGH.get(type(driver.link)) or PROVED.get(name, {}).get("through", "cdc_acm")
    gadget = gadget_of(driver, simulator, BRIDGES.get(through, acm))
    record_property("driver", name)
    record_property("through", through)
    told: list[Sample] = []
    made, came = _filmed(simulator) if seen else [], list[bytes]()

    def enough(step: Step) -> bool:
        told.extend(measured(driver, step))
        return bool(told)

    with Sockets(1.0 if seen else HASTE) as sockets:
        plugged = sockets.plug(gadget)
        transport = await opened(driver, gadget)
        tapped = Tapped(transport, lambda sign, packet: came.append(packet.data) if sign == "<" else None)
        await talk(driver.open({}), tapped, until=enough, seconds=PATIENCE)
        sockets.unplug(plugged)
        await talk(driver.open({}), transport, until=lambda _: False, seconds=PATIENCE)
        why = await loss(transport)
        await transport.close()
    assert told
    assert why
    assert set(came) <= set(made) or not seen, "a picture is not what the camera gave"


def _filmed(simulator: AnySimulator) -> list[bytes]:
    """What a camera gives from now on."""
    given: list[bytes] = []
    advance = simulator.advance

    def watched(dt: float) -> list[bytes]:
        frames: list[bytes] = advance(dt)  # type: ignore[assignment]  # a camera's
        given.extend(frames)
        return frames

    simulator.advance = watched  # type: ignore[method-assign]  # a camera's
    return given
