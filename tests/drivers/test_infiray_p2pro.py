"""InfiRay P2 Pro: published raw values, the shutter, and the clones' artefacts."""

from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from devicehub.driver import VideoLink
from devicehub.model.device import UsbId
from devicehub.model.reading import Capability, Cause, Image, Level, Quality, Radiometric, Sample, Shutter
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet, frame_port
from devicehub.wire.protocol import DeviceProtocol
from simulators.thermal.infiray_p2pro import InfirayP2Pro

DRIVER = load_driver("thermal.infiray_p2pro")
PORT = frame_port("YUYV", 256, 384)
# Raw value to Celsius, computed from the rule C = raw / 64 - 273.15 of LeoDJ/P2Pro-Viewer and mbuesch/p2pro-rs.
# 18508, 20032 and 20332 are the minimum, centre and maximum of a recorded TC001 frame, labelled 60.9, 103.7
# and 112.2 F in the screenshot beside it.
PUBLISHED = {
    16202: -19.99375,
    17482: 0.00625,
    18000: 8.1,
    18508: 16.0375,
    19000: 23.725,
    19082: 25.00625,
    19850: 37.00625,
    20000: 39.35,
    20032: 39.85,
    20332: 44.5375,
    23882: 100.00625,
    55882: 600.00625,
}


def frame(raw: NDArray[np.uint16]) -> Packet:
    return Packet(b"\x10\x80" * 256 * 192 + raw.astype("<u2").tobytes(), PORT)


def celsius(image: Image) -> NDArray[np.float64]:
    pixels = np.frombuffer(image.data, "<u2").reshape(image.height, image.width)
    return np.asarray(pixels * image.gain + image.offset)


def image_of(samples: tuple[Sample, ...]) -> Image:
    image = samples[0]
    assert isinstance(image, Image)
    return image


def warm(**options: float | bool) -> DeviceProtocol:
    protocol = DRIVER.open({"warm-up": 0.0, **options})
    protocol.start(0.0)
    return protocol


def test_published_raw_values_are_these_temperatures() -> None:
    raw = np.full((192, 256), 18000, np.uint16)
    for place, value in enumerate(PUBLISHED):
        raw[place * 16, place * 20 + 3] = value
    image = image_of(warm().on_packet(0.0, frame(raw)).samples)
    assert (image.width, image.height, image.radiometric) == (256, 192, Radiometric.TRUE)
    assert image.quality is Quality.GOOD
    for place, expected in enumerate(PUBLISHED.values()):
        assert celsius(image)[place * 16, place * 20 + 3] == pytest.approx(expected, abs=1e-6)


def test_the_recorded_frame_has_its_extremes_where_its_screenshot_has_them() -> None:
    raw = np.full((192, 256), 19000, np.uint16)
    raw[1, 116], raw[96, 128], raw[147, 157] = 18508, 20032, 20332
    values = celsius(image_of(warm().on_packet(0.0, frame(raw)).samples))
    assert divmod(int(values.argmin()), 256) == (1, 116)
    assert divmod(int(values.argmax()), 256) == (147, 157)
    fahrenheit = [round(float(values[place]) * 1.8 + 32, 1) for place in ((1, 116), (147, 157), (96, 128))]
    assert fahrenheit == [60.9, 112.2, 103.7]


def test_the_simulated_shutter_is_seen_and_the_frame_after_it_is_not_trusted() -> None:
    simulator = InfirayP2Pro(Random(1))
    protocol = warm()
    images: list[Image] = []
    levels: list[Level] = []
    for tick in range(75):
        if tick == 25:
            simulator.do("shutter")
        for data in simulator.advance(0.04):
            samples = protocol.on_packet(tick * 0.04, Packet(data, PORT)).samples
            images.append(image_of(samples))
            levels.extend(sample.level for sample in samples if isinstance(sample, Capability))
    shutters = [image.shutter for image in images]
    closed = shutters.count(Shutter.CLOSED)
    assert closed >= 10
    after = shutters.index(Shutter.SETTLING)
    assert shutters[after - closed : after] == [Shutter.CLOSED] * closed
    assert (images[after].quality, images[after].cause) == (Quality.UNCERTAIN, Cause.CALIBRATING)
    assert images[after + 1].quality is Quality.GOOD
    assert levels == [Level.FULL, Level.NONE, Level.FULL]


def test_a_frozen_camera_becomes_bad_not_just_shuttered() -> None:
    simulator = InfirayP2Pro(Random(1))
    protocol = warm(**{"freeze-limit": 2.0})
    simulator.do("fault", kind="freeze")
    causes = [
        image_of(protocol.on_packet(tick * 0.04, Packet(data, PORT)).samples).cause
        for tick in range(75)
        for data in simulator.advance(0.04)
    ]
    assert causes[:5] == [Cause.NONE, Cause.DUPLICATE, Cause.DUPLICATE, Cause.CALIBRATING, Cause.CALIBRATING]
    assert causes[-1] is Cause.STALE


def test_a_hot_spot_keeps_its_place_and_height() -> None:
    simulator = InfirayP2Pro(Random(1))
    simulator.do("ambient", celsius=10)
    simulator.do("hotspot", x=180, y=60, dk=12)
    values = celsius(image_of(warm().on_packet(0.0, Packet(simulator.advance(0.04)[0], PORT)).samples))
    y, x = np.unravel_index(values.argmax(), values.shape)
    assert abs(int(x) - 180) <= 4
    assert abs(int(y) - 60) <= 4
    assert values.max() - np.median(values) == pytest.approx(12, abs=1)


def test_artefacts_of_newer_clones_spoil_the_frame_unless_masked() -> None:
    simulator = InfirayP2Pro(Random(1))
    simulator.do("fault", kind="artefact")
    packet = Packet(simulator.advance(0.04)[0], PORT)
    plain = image_of(warm().on_packet(0.0, packet).samples)
    assert (plain.quality, plain.cause) == (Quality.UNCERTAIN, Cause.SATURATED)
    masked = image_of(warm(**{"mask-artefacts": True}).on_packet(0.0, packet).samples)
    assert masked.quality is Quality.GOOD
    assert celsius(masked).min() > 10
    assert celsius(masked).max() < 15
    assert (celsius(masked)[1:-1] == celsius(plain)[1:-1]).all()


def test_masking_leaves_plausible_pixels_alone() -> None:
    raw = np.full((192, 256), 19000, np.uint16)
    raw[0, 0], raw[0, 8], raw[191, 100] = 19000 + 29 * 64, 60000, 19000 - 29 * 64
    image = image_of(warm(**{"mask-artefacts": True}).on_packet(0.0, frame(raw)).samples)
    assert image.data == raw.tobytes()


def test_it_is_trusted_after_the_warm_up() -> None:
    protocol = DRIVER.open({"warm-up": 60.0})
    protocol.start(1000.0)
    raw = np.full((192, 256), 19000, np.uint16)
    early = image_of(protocol.on_packet(1059.9, frame(raw)).samples)
    late = image_of(protocol.on_packet(1060.0, frame(raw + np.uint16(1))).samples)
    assert (early.quality, early.cause, late.quality) == (Quality.UNCERTAIN, Cause.WARMING_UP, Quality.GOOD)


def test_both_known_usb_ids_suggest_this_driver() -> None:
    assert isinstance(DRIVER.link, VideoLink)
    assert DRIVER.link.ids == (UsbId(0x0BDA, 0x5830), UsbId(0x3474, 0x4321))


def test_nothing_is_ever_written_to_the_camera() -> None:
    """The vendor commands of this family set gain, emissivity and more; one resets it to its boot ROM."""
    simulator = InfirayP2Pro(Random(1))
    protocol = DRIVER.open({})
    steps = [protocol.start(0.0), protocol.on_timer(1.0)]
    steps += [protocol.on_packet(0.0, Packet(data, PORT)) for _ in range(10) for data in simulator.advance(0.04)]
    steps.append(protocol.on_packet(0.0, Packet(b"\x84", "ctl:c1:44:0078:1d08:1")))
    assert not [packet for step in steps for packet in step.write]


def test_the_simulator_knows_no_other_format_or_fault() -> None:
    simulator = InfirayP2Pro(Random(1))
    with pytest.raises(ValueError, match="no format"):
        simulator.select("MJPG", 256, 384)
    with pytest.raises(ValueError, match="no verb"):
        simulator.do("fault", kind="meltdown")
