"""InfiRay P2 Pro, its registers: what the camera says of itself, refusals, and a camera that takes its time."""

from random import Random

import pytest

from devicehub.driver import UsbLink
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Identity, Measurement, Sample
from devicehub.registry import load_driver
from devicehub.simulator import StallError
from devicehub.transport.simulated import UsbPeer
from devicehub.wire.packet import Packet
from simulators.thermal.infiray_p2pro_control import InfirayP2ProControl

DRIVER = load_driver("thermal.infiray_p2pro_control")
TICK = 0.01
FACTS = {
    "part": "P2PRO-256X192",
    "serial": "S240017",
    "firmware": "ISP_2.0.3",
    "firmware-date": "20230512",
    "project": "00010203",
}


class Talk:
    """Driver and simulated camera, in steps of 10 ms."""

    def __init__(self, *faults: str) -> None:
        self.camera = InfirayP2ProControl(Random(1))
        for kind in faults:
            self.camera.do("fault", kind=kind)
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self._peer = UsbPeer(self.camera)
        self._protocol = DRIVER.open({})
        self._now = 0.0
        self._step = self._protocol.start(0.0)

    def run(self, seconds: float) -> "Talk":
        end = self._now + seconds
        while self._now < end:
            arrived = self._told()
            while arrived:
                self._step = self._protocol.on_packet(self._now, arrived.pop(0))
                arrived += self._told()
            self._now += TICK
            self.camera.advance(TICK)
            if self._step.wake_at is not None and self._step.wake_at <= self._now:
                self._step = self._protocol.on_timer(self._now)
        return self

    def _told(self) -> list[Packet]:
        """Of a step, once; what the camera answers to it."""
        step, self._step = self._step, type(self._step)(wake_at=self._step.wake_at)
        self.samples += step.samples
        self.faults += step.faults
        return [answer for packet in step.write for answer in self._peer.on_packet(packet)]

    def facts(self) -> dict[str, str]:
        return {key: value for one in self.samples if isinstance(one, Identity) for key, value in one.facts}

    def last(self, channel: str) -> Measurement:
        return [one for one in self.samples if isinstance(one, Measurement) and one.channel == channel][-1]

    def count(self, channel: str) -> int:
        return sum(isinstance(one, Measurement) and one.channel == channel for one in self.samples)


def test_the_camera_says_once_who_it_is_and_again_and_again_how_it_measures() -> None:
    talk = Talk().run(12)
    assert talk.facts() == FACTS
    assert sum(isinstance(one, Identity) for one in talk.samples) == len(FACTS)
    assert talk.last("distance").value == pytest.approx(41 / 163.835)
    assert (talk.last("reflected-temperature").value, talk.last("air-temperature").value) == (293, 293)
    assert talk.last("emissivity").value == pytest.approx(121 / 127)
    assert (talk.last("transmittance").value, talk.last("gain").label) == (1, "high")
    assert 7000 < talk.last("sensor-vtemp").value < 7600
    assert (talk.count("sensor-vtemp"), talk.count("gain")) == (12, 3)
    assert talk.faults == []


def test_what_the_operator_changes_on_another_way_is_seen() -> None:
    talk = Talk().run(2)
    talk.camera.do("palette", number=11)
    talk.camera.do("parameter", number=5, value=0)
    talk.camera.do("parameter", number=3, value=64)
    talk.run(6)
    assert (talk.last("palette").label, talk.last("gain").label) == ("black-hot", "low")
    assert talk.last("emissivity").value == pytest.approx(64 / 127)


@pytest.mark.parametrize(
    ("kind", "reason", "detail"),
    [
        ("error", Reason.REJECTED, "status 0a: unknown command"),
        ("stall", Reason.REJECTED, "stall:41:45:0078:1d00"),
        ("short", Reason.LENGTH, "47 bytes from ctl:c1:44:0078:1d08:48"),
        ("hang", Reason.TIMEOUT, "busy for 5 s"),
    ],
)
def test_a_question_that_fails_is_told_and_asked_again(kind: str, reason: Reason, detail: str) -> None:
    talk = Talk(kind).run(25)
    assert [(fault.reason, fault.detail) for fault in talk.faults] == [(reason, detail)]
    assert talk.facts() == FACTS
    assert talk.count("sensor-vtemp") >= 18


def test_a_palette_that_nobody_knows_is_refused() -> None:
    talk = Talk("palette").run(7)
    assert [(fault.reason, fault.detail) for fault in talk.faults] == [(Reason.RANGE, "palette 99")]
    assert talk.last("palette").label == "white-hot"


def test_what_an_older_camera_does_not_know_is_refused_and_the_rest_goes_on() -> None:
    talk = Talk("old").run(12)
    assert {(fault.reason, fault.detail) for fault in talk.faults} == {(Reason.REJECTED, "status 0a: unknown command")}
    assert (talk.count("shutter-vtemp"), len(talk.faults), talk.count("gain")) == (0, 3, 3)


def test_no_conversation_changes_or_endangers_the_camera() -> None:
    talk = Talk("error", "short").run(60)
    assert (talk.camera.changed, talk.camera.dangerous) == ([], [])


def test_it_claims_nothing_of_a_camera_that_the_kernel_streams() -> None:
    assert isinstance(DRIVER.link, UsbLink)
    assert DRIVER.link.interfaces == ()
    stream = load_driver("thermal.infiray_p2pro").link
    assert DRIVER.link.ids == getattr(stream, "ids", ())


@pytest.mark.parametrize(
    ("register", "data", "status"),
    [
        (0x1D00, "0508000000000000", 0x0A),  # reset to the boot ROM
        (0x1D00, "0182000000000100", 0x0A),  # read the flash
        (0x1D00, "0584090000000008", 0x12),  # a fact that there is not
        (0x1D00, "0584060000000031", 0x06),  # a part number of 49 bytes
        (0x1D00, "05840600", 0x06),
    ],
)
def test_the_simulated_camera_refuses_what_a_camera_refuses_or_nobody_should_do(
    register: int, data: str, status: int
) -> None:
    camera = InfirayP2ProControl(Random(1))
    camera.control_out(0x41, 0x45, 0x78, register, bytes.fromhex(data))
    assert [camera.control_in(0xC1, 0x44, 0x78, 0x0200, 1)[0] for _ in range(2)] == [1, status]
    assert camera.control_in(0xC1, 0x44, 0x78, 0x1D08, 49) == b""


def test_the_simulated_camera_takes_a_setting_of_a_hundred_bytes_as_the_sources_cut_it() -> None:
    """64 bytes, 28, and the last 8; it knows no such setting, and says so once all of it is there."""
    camera = InfirayP2ProControl(Random(1))
    camera.control_out(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("01c2000000000064"))
    for register, size in ((0x9D08, 64), (0x9D48, 28), (0x1D64, 8)):
        camera.control_out(0x41, 0x45, 0x78, register, bytes(size))
    statuses = [camera.control_in(0xC1, 0x44, 0x78, 0x0200, 1)[0] for _ in range(4)]
    assert (statuses[-1], camera.dangerous) == (0x0A, [0xC201])
    with pytest.raises(StallError):
        camera.control_out(0x41, 0x45, 0x78, 0x1D08, bytes(8))
