"""OV780: a line that is made reliable, key frames passed on as they are, the button, an encoder that dies unnoticed."""

from collections import deque
from random import Random
from typing import cast

import pytest

from devicehub.model.reading import Image, Layout, Sample, Trigger
from devicehub.registry import load_driver, load_simulator
from devicehub.wire.h264 import kind, units
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.endoscope._ov780_line import ACK, NACK, WINDOW, Line
from simulators.endoscope.ov780 import Ov780


class Bench:
    """Driver and camera in steps of 20 ms."""

    def __init__(self) -> None:
        self.camera = cast(Ov780, load_simulator("endoscope.ov780")(Random(1)))
        self.now = 0.0
        self.samples: list[Sample] = []
        self.faults: list[str] = []
        self.lost = ""
        self._arrived: deque[bytes] = deque()
        self.connect()

    def connect(self) -> None:
        self.camera.connect(50000)
        self.protocol = load_driver("endoscope.ov780").open({})
        self.take(self.protocol.start(self.now))

    def take(self, step: Step) -> None:
        self.samples += step.samples
        self.faults += [str(fault.reason) for fault in step.faults]
        self.lost = self.lost or step.lost
        self.wake = step.wake_at
        for packet in step.write:
            self._arrived.extend(self.camera.on_datagram(1000, packet.data))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            if self.lost:
                return
            self.now += 0.02
            self._arrived.extend(self.camera.advance(0.02))
            while self._arrived:
                self.take(self.protocol.on_packet(self.now, Packet(self._arrived.popleft(), "udp")))
            if self.wake is not None and self.wake <= self.now:
                self.take(self.protocol.on_timer(self.now))

    @property
    def images(self) -> list[Image]:
        return [sample for sample in self.samples if isinstance(sample, Image)]


def test_a_picture_is_a_key_frame_that_stands_by_itself() -> None:
    bench = Bench()
    bench.run(10)
    assert len(bench.images) == 7  # one in thirty frames
    for image in bench.images:
        assert (image.layout, image.width, image.height) == (Layout.H264, 640, 240)
        assert [kind(unit) for unit in units(image.data)] == [7, 8, 5]
    assert bench.faults == []
    assert bench.camera.refused == []


def test_the_button_gives_all_frames_from_the_last_key_frame_on_once() -> None:
    bench = Bench()
    bench.run(4)
    bench.samples.clear()
    bench.camera.do("press")
    bench.run(1.2)
    at = next(at for at, sample in enumerate(bench.samples) if isinstance(sample, Trigger))
    group = bench.samples[at - 1]
    assert isinstance(group, Image)
    assert [kind(unit) for unit in units(group.data)][:4] == [7, 8, 5, 1]
    assert sum(isinstance(sample, Trigger) for sample in bench.samples) == 1


@pytest.mark.parametrize("wanted", ["lost", "twice", "swapped", "again"])
def test_what_goes_wrong_in_the_air_costs_nothing(wanted: str) -> None:
    bench = Bench()
    bench.run(2)
    for _ in range(10):
        bench.camera.do("fault", kind=wanted)
        bench.run(0.5)
    assert bench.faults == []
    bench.run(3)
    assert len(bench.images) == 7


def test_an_encoder_that_dies_is_noticed_though_the_camera_goes_on_answering() -> None:
    bench = Bench()
    bench.run(3)
    bench.camera.do("fault", kind="stalled")
    bench.run(6)
    assert (bench.lost, bench.faults) == ("the camera sends no video", ["timeout"])
    bench.lost = ""
    bench.samples.clear()
    bench.connect()
    bench.run(2)
    assert bench.images


def test_a_camera_that_is_somebody_elses_is_told_and_tried_again() -> None:
    bench = Bench()
    datagram = b"\0\0\1v0010000700000c03000001Ret0"
    step = bench.protocol.on_packet(0.0, Packet(datagram, "udp"))
    assert [str(fault.reason) for fault in step.faults] == ["rejected"]


def test_datagrams_in_any_order_come_out_in_theirs_and_gaps_are_asked_for() -> None:
    line = Line()
    out = [found for number in (2, 1, 0, 3) for found in line.take(0.0, bytes([0, number, 0]) + b"v" + bytes([number]))]
    assert out == [b"\0", b"\1", b"\2", b"\3"]
    answers = [(packet.data[0], packet.data[1], packet.data[2]) for packet in line.write]
    assert answers == [(ACK, 2, 0), (NACK, 0, 0), (NACK, 1, 0), (ACK, 1, 0), (NACK, 0, 0), (ACK, 0, 3), (ACK, 3, 4)]


def test_what_is_ahead_of_the_window_is_refused_and_held_nowhere() -> None:
    line = Line()
    (fault,) = line.take(0.0, bytes([0, WINDOW, 0]) + b"vx")
    assert "instead of 0" in str(fault)
    assert (line.write, line._early) == ([], {})
