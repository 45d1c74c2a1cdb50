"""Wi-Fi endoscopes: chunks in any order, what is published and what never, a camera that has to be asked again."""

from collections import deque
from itertools import permutations
from random import Random

import pytest

from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Identity, Image, Sample
from devicehub.registry import load_driver, load_simulator
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.endoscope._wifi import MAX_FRAME, Chunks
from drivers.endoscope.depstech import restored
from drivers.endoscope.i4season import REFUSED, message
from simulators.endoscope._wifi import WifiCamera
from simulators.endoscope.depstech import Depstech
from simulators.endoscope.i4season import I4Season
from simulators.endoscope.jhcmd import Jhcmd

UDP = ("endoscope.jhcmd", "endoscope.i4season")
EVERY = (*UDP, "endoscope.depstech")
Camera = Jhcmd | I4Season | Depstech


class Bench:
    """A driver and its simulated camera at 5 frames a second, in steps of 20 ms."""

    def __init__(self, driver: str) -> None:
        camera = load_simulator(driver)(Random(1))
        assert isinstance(camera, Camera)
        self.camera: Camera = camera
        self.camera.do("rate", hz=5.0)
        self.camera.connect(50000)
        self._scheme = "tcp" if isinstance(camera, Depstech) else "udp"
        self._protocol = load_driver(driver).open({})
        self._arrived: deque[Packet] = deque([Packet(b"50000", "local")])
        self.now = 0.0
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.sent: list[Packet] = []
        self._wake_at: float | None = None
        self._took(self._protocol.start(0.0))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self._arrived.extend(Packet(data, self._scheme) for data in self.camera.advance(0.02))
            while self._arrived:
                self._took(self._protocol.on_packet(self.now, self._arrived.popleft()))
            while self._wake_at is not None and self._wake_at <= self.now:
                self._took(self._protocol.on_timer(self.now))

    def images(self) -> list[Image]:
        return [sample for sample in self.samples if isinstance(sample, Image)]

    def reasons(self) -> list[str]:
        return [str(fault.reason) for fault in self.faults]

    def _took(self, step: Step) -> None:
        self.samples += step.samples
        self.faults += step.faults
        self._wake_at = step.wake_at
        for packet in step.write:
            self.sent.append(packet)
            port = int(packet.port.partition(":")[2])
            self._arrived.extend(Packet(data, self._scheme) for data in self.camera.on_datagram(port, packet.data))


@pytest.mark.parametrize("driver", EVERY)
def test_pictures_have_the_size_that_they_say_themselves(driver: str) -> None:
    bench = Bench(driver)
    bench.run(6.0)
    assert len(bench.images()) >= 20
    assert {(image.width, image.height) for image in bench.images()} == {(640, 480)}
    assert bench.reasons() == (["timeout"] if driver == "endoscope.i4season" and bench.faults else [])
    assert bench.camera.refused == []


@pytest.mark.parametrize("driver", UDP)
@pytest.mark.parametrize("kind", ["swapped", "twice"])
def test_another_order_and_doubles_cost_nothing(driver: str, kind: str) -> None:
    bench = Bench(driver)
    bench.run(2.0)
    bench.faults.clear()
    before = len(bench.images())
    bench.camera.do("fault", kind=kind)
    bench.run(2.0)
    assert bench.reasons() == []
    assert len(bench.images()) - before >= 9


@pytest.mark.parametrize("driver", EVERY)
@pytest.mark.parametrize("kind", ["lost", "late", "garbage", "broken"])
def test_damage_costs_a_picture_and_is_told(driver: str, kind: str) -> None:
    bench = Bench(driver)
    bench.run(2.0)
    bench.faults.clear()
    bench.camera.do("fault", kind=kind)
    bench.run(2.0)
    assert bench.faults
    assert "timeout" not in bench.reasons()
    bench.faults.clear()
    before = len(bench.images())
    bench.run(2.0)
    assert bench.reasons() == []
    assert len(bench.images()) - before >= 9


@pytest.mark.parametrize("driver", UDP)
@pytest.mark.parametrize("kind", ["mute", "deaf"])
def test_a_camera_that_shows_nothing_is_asked_again(driver: str, kind: str) -> None:
    bench = Bench(driver)
    bench.run(2.0)
    bench.camera.do("fault", kind="mute")
    bench.camera.do("fault", kind=kind)
    bench.run(5.0)
    assert bench.reasons().count("timeout") <= 4
    before = len(bench.images())
    bench.run(2.0)
    assert len(bench.images()) - before >= 9


def test_the_video_of_a_jhcmd_camera_is_kept_alive() -> None:
    """The simulated one stops after a hundred frames."""
    bench = Bench("endoscope.jhcmd")
    bench.run(45.0)
    assert bench.reasons() == []
    assert len(bench.images()) >= 220


def test_an_i4season_camera_says_who_it_is_once() -> None:
    bench = Bench("endoscope.i4season")
    bench.run(5.0)
    facts = [sample.facts for sample in bench.samples if isinstance(sample, Identity)]
    wanted = (("vendor", "i4season"), ("product", "MS5"), ("firmware", "2.0.14"), ("network", "MS5-8F21"))
    assert facts == [wanted] * len(facts)
    assert len(facts) <= 1


@pytest.mark.parametrize("kind", [*REFUSED, 0, 0xFFFF])
def test_what_changes_an_i4season_camera_cannot_be_made(kind: int) -> None:
    with pytest.raises(ValueError, match="is never sent"):
        message(kind)


@pytest.mark.parametrize("driver", EVERY)
def test_nothing_but_what_is_listed_is_ever_sent(driver: str) -> None:
    bench = Bench(driver)
    for kind in sorted(WifiCamera.kinds):
        bench.camera.do("fault", kind=kind)
        bench.run(3.0)
    assert [packet for packet in bench.sent if load_driver(driver).refuses(packet)] == []
    assert bench.camera.refused == []
    assert (bench.sent == []) == (driver == "endoscope.depstech")


def test_the_middle_byte_is_inverted_back_and_the_original_kept() -> None:
    assert restored(b"\x00\x01\x02") == b"\x00\xfe\x02"
    assert restored(restored(bytes(range(10)))) == bytes(range(10))
    bench = Bench("endoscope.depstech")
    bench.run(1.0)
    image = bench.images()[0]
    assert image.original != image.data
    assert restored(image.original) == image.data


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_chunks_are_joined_in_their_order(order: tuple[int, ...]) -> None:
    chunks = Chunks(first=0)
    for index in order:
        assert chunks.take(7, index, b"abc"[index : index + 1]) is None
    assert chunks.take(8, 0, b"x") == (7, b"abc")


def test_a_frame_that_never_ends_is_bounded() -> None:
    chunks = Chunks(first=0)
    for index in range(MAX_FRAME // 1024):
        chunks.take(1, index, bytes(1024))
    with pytest.raises(ProtocolError, match="overflow"):
        chunks.take(1, MAX_FRAME // 1024, b"x")
    assert chunks._size <= MAX_FRAME
