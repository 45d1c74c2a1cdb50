"""GY-MCU90640: what is particular to this module, beyond the generic conformance tests."""

import struct
from random import Random

import numpy as np
import pytest

from devicehub.driver import SerialLink
from devicehub.model.command import CommandState
from devicehub.model.errors import ConfigError
from devicehub.model.reading import Cause, Image, Measurement, Quality, Radiometric, Sample
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Ended, FramedProtocol
from drivers.thermal.gy_mcu90640 import DRIVER
from simulators.thermal.gy_mcu90640 import GyMcu90640
from tests.conformance import feed

ASK = bytes.fromhex("a55501fb")


def frame(pixels: list[int], ambient: int = 3000) -> bytes:
    words = [0x5A5A, 0x0602, *(value & 0xFFFF for value in [*pixels, ambient])]
    return struct.pack("<772H", *words, sum(words) & 0xFFFF)


def heard(data: bytes) -> tuple[list[Sample], list[str]]:
    steps = feed(DRIVER, DRIVER.open({}), [Packet(data)])
    return (
        [sample for step in steps for sample in step.samples],
        [str(fault.reason) for step in steps for fault in step.faults],
    )


def celsius(image: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return image.gain * np.frombuffer(image.data, "<i2").reshape(image.height, image.width) + image.offset


def run(simulator: GyMcu90640, seconds: float) -> bytes:
    return b"".join(simulator.advance(0.02) for _ in range(round(seconds / 0.02)))


def images(data: bytes) -> list[Image]:
    return [sample for sample in heard(data)[0] if isinstance(sample, Image)]


@pytest.mark.parametrize(("pixel", "checksum"), [(2500, 0xB814), (-500, 0x9014)])
def test_the_published_checksums_are_accepted(pixel: int, checksum: int) -> None:
    data = frame([pixel] * 768)
    assert data[-2:] == checksum.to_bytes(2, "little")
    (image, ambient), faults = heard(data)
    assert isinstance(image, Image)
    assert (celsius(image) == pixel / 100).all()
    assert image.radiometric is Radiometric.TRUE
    assert ambient == Measurement("ambient", 30.0)
    assert not faults


def test_column_1_of_the_module_is_the_right_hand_side_of_the_scene() -> None:
    (image,) = images(frame([3694] + [2500] * 767))
    assert celsius(image)[0, 31] == pytest.approx(36.94)
    assert (celsius(image)[:, :31] == 25.0).all()


def test_it_asks_for_the_emissivity_once_and_sends_nothing_else() -> None:
    steps = feed(DRIVER, DRIVER.open({}), [Packet(frame([2500] * 768))] * 50)
    assert [packet.data for step in steps for packet in step.write] == [ASK]


def test_an_image_carries_the_emissivity_once_it_is_known() -> None:
    still = frame([2500] * 768)
    before, after = images(still + bytes.fromhex("5a5a5f13") + still)
    assert (before.emissivity, after.emissivity) == (None, 0.95)


def test_below_an_emissivity_of_0_3_the_image_is_uncertain() -> None:
    (image,) = images(bytes.fromhex("5a5a1dd1") + frame([2500] * 768))
    assert (image.quality, image.cause) == (Quality.UNCERTAIN, Cause.LOW_EMISSIVITY)


def test_a_good_frame_inside_a_damaged_one_is_found() -> None:
    good = frame([2500] * 768)
    samples, faults = heard(good[:600] + good + good)
    assert len([sample for sample in samples if isinstance(sample, Image)]) == 2
    assert faults[0] == "checksum"


def test_a_sync_pattern_among_the_pixels_does_not_mislead() -> None:
    pixels = [2500] * 300 + [0x5A5A, 0x0602] + [2500] * 466
    samples, faults = heard(frame(pixels) * 3)
    assert len(samples) == 6
    assert not faults


def test_the_simulated_spot_stands_where_it_was_put() -> None:
    simulator = GyMcu90640(Random(1))
    simulator.do("hotspot", x=5, y=18, dk=30)
    scene = celsius(images(run(simulator, 1.0))[-1])
    assert divmod(int(scene.argmax()), 32) == (18, 5)
    simulator.do("clear")
    assert np.ptp(celsius(images(run(simulator, 1.0))[-1])) < 4


def test_the_simulated_module_answers_the_emissivity_query() -> None:
    simulator = GyMcu90640(Random(1))
    simulator.on_bytes(bytes.fromhex("a54532") + b"\x1c" + ASK[:2])
    simulator.on_bytes(ASK[2:])
    assert Measurement("emissivity", 0.5) in heard(run(simulator, 1.0))[0]


def test_the_simulated_module_sends_one_frame_per_query_in_query_mode() -> None:
    simulator = GyMcu90640(Random(1))
    run(simulator, 1.0)
    simulator.on_bytes(bytes.fromhex("a53501db"))
    assert len(images(run(simulator, 2.0))) == 1
    assert run(simulator, 2.0) == b""
    simulator.on_bytes(bytes.fromhex("a53502dc"))
    assert len(images(run(simulator, 2.0))) >= 6


def test_eight_frames_a_second_do_not_fit_on_the_line_at_115200_baud() -> None:
    simulator = GyMcu90640(Random(1))
    simulator.do("rate", hz=8)
    assert len(images(run(simulator, 10))) < 76
    simulator.on_bytes(bytes.fromhex("a51503bd"))
    assert 78 <= len(images(run(simulator, 10))) <= 81


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [("checksum", {"checksum"}), ("garbage", {"garbage"}), ("cut", {"checksum"}), ("duplicate", set())],
)
def test_each_simulated_fault_is_seen_and_survived(kind: str, reasons: set[str]) -> None:
    simulator = GyMcu90640(Random(1))
    simulator.do("fault", kind=kind)
    samples, faults = heard(run(simulator, 5.0))
    assert reasons <= set(faults)
    assert bool(faults) == bool(reasons)
    assert len([sample for sample in samples if isinstance(sample, Image)]) >= 17


def test_a_silent_module_says_nothing_until_it_recovers() -> None:
    simulator = GyMcu90640(Random(1))
    simulator.do("fault", kind="silent")
    assert run(simulator, 20) == b""
    simulator.do("fault", kind="none")
    assert images(run(simulator, 2))


def test_an_unknown_verb_is_refused() -> None:
    with pytest.raises(ValueError, match="no verb"):
        GyMcu90640(Random(1)).do("fly")


def test_the_declared_usb_id_is_the_module_s_bridge() -> None:
    assert isinstance(DRIVER.link, SerialLink)
    assert [str(usb) for usb in DRIVER.link.usb] == ["1a86:7523"]


def commanded() -> FramedProtocol:
    protocol = DRIVER.open({})
    assert isinstance(protocol, FramedProtocol)
    protocol.start(0.0)
    return protocol


def test_the_published_bytes_set_an_emissivity_and_ask_which_one_it_is() -> None:
    """`A5 45 5F 49` and `A5 55 01 FB` are the manual's, and so is the answer `5A 5A 5F 13`."""
    protocol = commanded()
    step = protocol.on_command(1.0, Call(1, "set-emissivity", {"emissivity": 0.95}, 9.0))
    assert [packet.data.hex() for packet in step.write] == ["a5455f49a55501fb"]
    assert protocol.on_packet(1.1, Packet(frame([2500] * 768))).ended == ()
    done = protocol.on_packet(1.2, Packet(bytes.fromhex("5a5a5f13")))
    assert done.ended == (Ended(1, CommandState.DONE, result={"emissivity": 0.95}),)
    assert done.samples == (Measurement("emissivity", 0.95),)


def test_a_module_that_goes_on_with_another_emissivity_has_not_done_it() -> None:
    protocol = commanded()
    protocol.on_command(1.0, Call(1, "set-emissivity", {"emissivity": 0.5}, 9.0))
    assert protocol.on_packet(1.1, Packet(bytes.fromhex("5a5a5f13"))).ended == ()
    (ended,) = protocol.on_timer(3.0).ended
    assert ended.state is CommandState.TIMEOUT


@pytest.mark.parametrize("emissivity", [0.05, 1.01, "high", True])
def test_an_impossible_emissivity_is_refused(emissivity: object) -> None:
    command = DRIVER.command("set-emissivity")
    assert command is not None
    with pytest.raises(ConfigError, match="option 'emissivity'"):
        command.arguments({"emissivity": emissivity})
    with pytest.raises(ConfigError, match="'emissivity' is missing"):
        command.arguments({})
