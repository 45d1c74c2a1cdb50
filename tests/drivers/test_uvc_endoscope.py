"""UVC endoscope: what its transcripts cannot say."""

from random import Random

import pytest

from devicehub.driver import VideoLink
from devicehub.model.errors import Reason
from devicehub.model.reading import Image, Measurement, Trigger
from devicehub.registry import load_driver
from devicehub.wire.jpeg import with_huffman_tables
from devicehub.wire.packet import Packet, frame_port
from devicehub.wire.protocol import Step
from simulators.endoscope.uvc_endoscope import UvcEndoscope

DRIVER = load_driver("endoscope.uvc_endoscope")
PORT = frame_port("MJPG", 1280, 720)


def frames(simulator: UvcEndoscope, count: int) -> list[bytes]:
    out: list[bytes] = []
    while len(out) < count:
        out.extend(simulator.advance(1 / 30))
    return out[:count]


def after(frame: bytes) -> Step:
    return DRIVER.open({}).on_packet(0.0, Packet(frame, PORT))


def test_the_image_is_exactly_what_came_up_to_its_end_marker() -> None:
    frame = frames(UvcEndoscope(Random(1)), 1)[0]
    image = after(frame).samples[0]
    assert isinstance(image, Image)
    assert image.data == frame.rstrip(b"\0")
    assert (image.width, image.height) == (1280, 720)


def test_a_frame_without_huffman_tables_stays_as_received() -> None:
    simulator = UvcEndoscope(Random(1))
    simulator.do("fault", kind="tables")
    frame = frames(simulator, 1)[0].rstrip(b"\0")
    image = after(frame).samples[0]
    assert isinstance(image, Image)
    assert b"\xff\xc4" not in image.data
    assert image.data == frame
    assert len(with_huffman_tables(image.data)) == len(frame) + 420


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("truncated", Reason.TRUNCATED),
        ("headless", Reason.CORRUPT),
        ("lost-packet", Reason.CORRUPT),
        ("garbage", Reason.CORRUPT),
    ],
)
def test_a_damaged_frame_is_one_fault_and_the_next_frame_is_fine(kind: str, reason: Reason) -> None:
    simulator = UvcEndoscope(Random(1))
    simulator.do("fault", kind=kind)
    protocol = DRIVER.open({})
    steps = [protocol.on_packet(0.0, Packet(frame, PORT)) for frame in frames(simulator, 2)]
    assert [fault.reason for fault in steps[0].faults] == [reason]
    assert not steps[0].samples
    assert not steps[1].faults
    assert len(steps[1].samples) == 2


def test_sharpness_falls_when_the_lens_touches_the_wall_and_in_the_dark() -> None:
    simulator = UvcEndoscope(Random(1))
    protocol = DRIVER.open({})

    def sharpness(now: float) -> float:
        step = protocol.on_packet(now, Packet(frames(simulator, 1)[0], PORT))
        value = step.samples[1]
        assert isinstance(value, Measurement)
        return value.value

    clear = [sharpness(now) for now in (0.0, 1.0)]
    simulator.do("blur", sigma=4)
    blurred = sharpness(2.0)
    simulator.do("blackout", on=1)
    dark = sharpness(3.0)
    assert min(clear) > 90
    assert 50 > blurred > dark


def test_a_press_gives_one_trigger_and_a_new_link_starts_released() -> None:
    simulator = UvcEndoscope(Random(1))
    protocol = DRIVER.open({})
    edges: list[bool] = []
    for _ in range(2):
        simulator.do("press")
        for _ in range(20):
            simulator.advance(1 / 30)
            edges.extend(simulator.buttons())
    assert edges == [True, False, True, False]
    steps = [protocol.on_packet(0.0, Packet(bytes([edge]), "key")) for edge in edges]
    assert [step.samples for step in steps] == [(Trigger("snapshot"),), (), (Trigger("snapshot"),), ()]
    assert DRIVER.open({}).on_packet(0.0, Packet(b"\1", "key")).samples == (Trigger("snapshot"),)


def test_the_link_wants_the_larger_picture_and_the_button() -> None:
    assert isinstance(DRIVER.link, VideoLink)
    assert [(each.fourcc, each.width, each.height) for each in DRIVER.link.formats] == [
        ("MJPG", 1280, 720),
        ("MJPG", 640, 480),
    ]
    assert DRIVER.link.button
