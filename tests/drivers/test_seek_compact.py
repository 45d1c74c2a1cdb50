"""What is particular to Seek Thermal cameras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ConfigError, ProtocolError
from devicehub.model.reading import (
    Capability,
    Cause,
    Identity,
    Image,
    Level,
    Measurement,
    Quality,
    Radiometric,
    Shutter,
)
from devicehub.model.units import Unit
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from drivers.thermal import seek_compact, seek_compact_pro
from drivers.thermal._seek_frame import Repair, dead_pixels
from drivers.thermal._seek_start import SeekModel
from tests.drivers.seek_frames import NO_DEAD, Camera, frame, pixels, recorded, started


def test_a_recorded_pair_of_frames_gives_the_published_statistics() -> None:
    cal, raw = recorded("seek_compact_face_cal.bin"), recorded("seek_compact_face_raw.bin")
    camera = Camera()
    for _ in range(4):  # no id-4 frame was recorded: three starts are repeated, then images go without dead pixels
        camera.answer_start()
        camera.send(cal)
    image = camera.send(raw)[0]
    both = [np.frombuffer(data, "<u2").reshape(156, 208)[1:155, :207] for data in (raw, cal)]
    valid = np.logical_and.reduce([(area > 2000) & (area < 16383) for area in both])
    values = pixels(image)[valid]
    assert (values.size, values.min(), values.max(), round(float(values.mean()), 3)) == (29754, 15538, 16442, 16003.741)
    assert (image.counter, image.shutter, image.cause) == (12188, Shutter.SETTLING, Cause.UNCALIBRATED)
    assert Measurement("sensor-temperature", 4268) in camera.samples


def test_no_command_that_writes_firmware_or_factory_settings_is_ever_sent() -> None:
    for model in (seek_compact.MODEL, seek_compact_pro.MODEL):
        requests = {int(packet.port.split(":")[2], 16) for packet in (*model.start, model.request)}
        assert not requests & {79, 80, 81, 82, 87}
        assert requests <= {54, 60, 61, 62, 78, 83, 85, 86, 88}


@pytest.mark.parametrize(
    ("model", "request_bytes"), [(seek_compact.MODEL, "c07e0000"), (seek_compact_pro.MODEL, "585b0100")]
)
def test_the_frame_request_is_the_published_one(model: SeekModel, request_bytes: str) -> None:
    assert model.request == Packet(bytes.fromhex(request_bytes), "ctl:41:53:0000:0000")


def test_the_camera_tells_who_it_is() -> None:
    camera = Camera()
    camera.answer_start()
    expected = (("firmware", "1.3.0.0"), ("chip-id", "14000c005600f800c7004500"), ("factory-id", "140c10E42N71"))
    assert Identity(expected) in camera.samples


def test_there_are_no_images_before_the_first_shutter_frame() -> None:
    camera = Camera()
    camera.answer_start()
    assert camera.samples[0] == Capability("thermal", Level.DEGRADED, Cause.CALIBRATING)
    assert not camera.send(frame(4, 1)) + camera.send(frame(3, 2)) + camera.send(frame(6, 3))
    assert not camera.send(frame(1, 4))
    assert camera.samples[-1] == Capability("thermal", Level.FULL)
    assert camera.send(frame(3, 5))


def test_the_first_image_after_a_shutter_is_settling() -> None:
    camera = started()
    kinds = [(3, Shutter.SETTLING), (3, Shutter.OPEN), (1, None), (3, Shutter.SETTLING), (3, Shutter.OPEN)]
    for counter, (kind, shutter) in enumerate(kinds, 3):
        images = camera.send(frame(kind, counter))
        assert [image.shutter for image in images] == ([shutter] if shutter else [])


def test_a_pixel_is_its_difference_to_the_shutter_frame_above_0x4000() -> None:
    camera = started()
    warm = NO_DEAD.copy()
    warm[50, 60] += 123
    warm[51, 60] -= 77
    image = pixels(camera.send(frame(3, 3, warm))[0])
    assert image[49, 60] == 0x4000 + 123
    assert image[50, 60] == 0x4000 - 77
    assert image[10, 10] == 0x4000


def test_dead_pixels_become_the_mean_of_their_neighbours() -> None:
    first = NO_DEAD.copy()
    first[80, 90] = first[80, 91] = 0
    first[1, 0] = 1000
    camera = Camera()
    camera.answer_start()
    camera.send(frame(4, 1, first))
    camera.send(frame(1, 2))
    scene = NO_DEAD.copy()
    scene[80, 90], scene[80, 91], scene[1, 0] = 0, 16000, 12000
    scene[79, 90], scene[81, 90], scene[80, 89] = 7010, 7020, 7030
    image = pixels(camera.send(frame(3, 3, scene))[0])
    assert image[79, 90] == 0x4000 + 20
    assert image[79, 91] == 0x4000
    assert image[0, 0] == 0x4000


def test_a_pixel_is_dead_when_it_lies_further_below_the_mode_than_any_lies_above() -> None:
    area = np.full((20, 30), 7000, np.uint16)
    area[0, :4] = 7500, 6500, 6499, 0
    assert np.argwhere(dead_pixels(area)).tolist() == [[0, 2], [0, 3]]


def test_the_row_reference_column_does_not_appear_as_a_hot_edge() -> None:
    camera = started()
    scene = NO_DEAD.copy()
    scene[:, 206] = 16000
    assert pixels(camera.send(frame(3, 3, scene))[0]).max() == 0x4000


@settings(deadline=None)
@given(share=st.floats(0, 0.95), seed=st.integers(0, 2**32 - 1), shape=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_a_flat_image_stays_flat_whatever_pixels_are_dead(share: float, seed: int, shape: tuple[int, int]) -> None:
    dead = np.random.default_rng(seed).random(shape) < share
    values = np.where(dead, 0, 500).astype(np.int32)
    Repair(dead)(values)
    assert dead.all() or (values == 500).all()


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), top=st.integers(1, 65535))
def test_a_senseless_first_frame_is_refused_or_gives_few_dead_pixels(seed: int, top: int) -> None:
    area = np.random.default_rng(seed).integers(0, top + 1, (20, 30)).astype(np.uint16)
    try:
        dead = dead_pixels(area)
    except ProtocolError:
        return
    assert dead.mean() <= 0.3


def test_a_first_frame_without_its_head_repeats_the_start_three_times_and_no_more() -> None:
    camera = Camera()
    for _ in range(4):
        camera.answer_start()
        camera.send(frame(4, 1)[512:])
    assert camera.reasons == ["truncated"] * 4
    assert sum(packet.port == "ctl:41:54:0000:0000" for packet in camera.written) == 4
    camera.send(frame(1, 2))
    assert camera.send(frame(3, 3))[0].cause is Cause.UNCALIBRATED


def test_images_are_uncertain_for_five_minutes_and_good_after() -> None:
    camera = started()
    assert camera.send(frame(3, 3))[0].cause is Cause.WARMING_UP
    camera.now = 301.0
    image = camera.send(frame(3, 4))[0]
    assert (image.quality, image.cause) == (Quality.GOOD, Cause.NONE)


def test_pixels_are_counts_until_a_site_calibrates_the_camera() -> None:
    image = started().send(frame(3, 3))[0]
    assert (image.radiometric, image.gain, image.offset) == (Radiometric.NONE, 1.0, 0.0)
    image = started(gain=0.02, offset=-300.0).send(frame(3, 3))[0]
    assert (image.radiometric, image.gain, image.offset) == (Radiometric.APPROXIMATE, 0.02, -300.0)
    assert image.gain * float(pixels(image)[0, 0]) + image.offset == pytest.approx(27.68)


def test_the_unit_of_the_image_follows_the_calibration() -> None:
    driver = load_driver("thermal.seek_compact")
    assert driver.configured({}).channel("image").unit is Unit.COUNT
    assert driver.configured({"gain": 0.02, "offset": -300.0}).channel("image").unit is Unit.CELSIUS
    with pytest.raises(ConfigError, match="gain"):
        driver.configured({"gain": -1.0})


def test_lost_and_repeated_frames_are_counted() -> None:
    camera = started()
    camera.send(frame(3, 3))
    assert not camera.faults
    camera.send(frame(3, 9))
    assert "5 frames lost" in camera.faults[-1].detail
    assert camera.send(frame(3, 9))[0].cause is Cause.DUPLICATE
    assert camera.reasons == ["sequence", "sequence"]


def test_the_frame_counter_may_wrap() -> None:
    camera = started()
    camera.send(frame(3, 0xFFFF))
    camera.faults.clear()
    camera.send(frame(3, 0))
    assert not camera.faults


def test_a_frame_cut_in_pieces_by_timeouts_is_put_together() -> None:
    camera = started()
    data = frame(3, 3)
    for at in range(0, len(data), 2000):
        camera.give(Packet(data[at : at + 2000], "in:81"))
    assert isinstance(camera.samples[-1], Image)


def test_too_many_bytes_are_thrown_away_until_the_camera_is_quiet() -> None:
    camera = started()
    for _ in range(3):
        camera.give(Packet(bytes(16224), "in:81"))
    camera.give(Packet(bytes(16226), "in:81"))
    assert camera.reasons == ["length"]
    camera.give(Packet(bytes(100), "in:81"))
    camera.wait()
    assert camera.step.write[0] == seek_compact.MODEL.request
    assert camera.send(frame(3, 3))


def test_a_camera_that_never_stops_sending_is_started_again() -> None:
    camera = started()
    camera.give(Packet(bytes(100_000), "in:81"))
    for _ in range(200):
        camera.give(Packet(b"more", "in:81"))
    assert camera.reasons == ["length", "garbage"]
    camera.wait()
    assert "ctl:41:54:0000:0000" in [packet.port for packet in camera.step.write]


def test_every_start_but_the_first_stops_the_camera_before() -> None:
    camera = started()
    stop, platform = "ctl:41:3c:0000:0000", "ctl:41:54:0000:0000"
    assert [packet.port for packet in camera.written[:2]] == [platform, stop]
    for _ in range(6):
        camera.written.clear()
        camera.give(Packet(b"", "stall:41:53:0000:0000"))
        camera.wait()
        assert [packet.port for packet in camera.written[:4]] == [stop, stop, stop, platform]
        camera.answer_start()


def test_a_camera_that_refuses_even_when_stopped_is_a_failure() -> None:
    camera = Camera()
    camera.give(Packet(b"", "stall:41:54:0000:0000"))
    for _ in range(5):
        camera.give(Packet(b"", "stall:41:54:0000:0000"))
        camera.wait()
    assert Capability("thermal", Level.NONE, Cause.FAULT) in camera.samples
    assert set(camera.reasons) == {"rejected"}


def test_a_silent_camera_is_asked_again_then_started_again_then_reported() -> None:
    camera = started()
    for _ in range(40):
        camera.wait()
    assert camera.reasons.count("timeout") > 6
    assert camera.samples.count(Capability("thermal", Level.NONE, Cause.FAULT)) == 1
    camera.step = camera.give(Packet(b"", "in:82"))
    while not any(packet.port.startswith("ctl:c1") for packet in camera.step.write):
        camera.wait()
    camera.answer_start()
    camera.send(frame(4, 1))
    assert camera.samples.index(Capability("thermal", Level.NONE, Cause.FAULT)) < len(camera.samples) - 1
    assert Capability("thermal", Level.FULL) in camera.samples[-2:]


def test_at_most_one_bulk_read_is_pending() -> None:
    camera = started()
    pending = sum(packet.port == "in:81:16224" for packet in camera.written) - 8
    assert pending == 1
    before = len(camera.written)
    camera.wait()
    assert not [packet for packet in camera.written[before:] if packet.port.startswith("in:")]
