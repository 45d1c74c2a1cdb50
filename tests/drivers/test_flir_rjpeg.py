"""FLIR radiometric files: values published for real pictures, and every way in which a file can be wrong."""

import struct
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Identity, Image, Measurement, Quality, Radiometric
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.thermal._fff import CAMERA, COUNTS, Record, camera_info, fff_of, records
from drivers.thermal.flir_rjpeg import DRIVER, read_photograph
from simulators.thermal.flir_rjpeg import FORMATS, FlirHandheld
from tests.conformance import recorded_packets, transcripts
from tests.drivers.hostile import HANG
from tests.drivers.worked import seconds_of
from tests.samples import sample


def picture(layout: str = "le", *, width: int = 8, height: int = 6, **verbs: dict[str, float | str]) -> bytes:
    simulator = FlirHandheld(Random(4))
    simulator.do("size", width=width, height=height)
    for verb, values in verbs.items():
        simulator.do(verb, **values)
    simulator.do("snapshot", format=layout)
    ((_, data),) = simulator.advance(1.0)
    return data


def read(data: bytes) -> Step:
    return DRIVER.open({}).on_packet(0.0, Packet(data, "IR_0001.jpg"))


def image_of(data: bytes) -> Image:
    (image,) = (each for each in read(data).samples if isinstance(each, Image))
    return image


def patched(fff: bytes, kind: int, at: int, layout: str, value: float) -> bytes:
    """An FFF with one field of one record replaced."""
    out = bytearray(fff)
    directory = struct.unpack_from(">I", fff, 0x18)[0]
    for entry in range(directory, directory + 14 * 32, 32):
        if struct.unpack_from(">H", fff, entry)[0] == kind:
            struct.pack_into(layout, out, struct.unpack_from(">I", fff, entry + 12)[0] + at, value)
    return bytes(out)


def reason_of(data: bytes) -> Reason:
    step = read(data)
    assert not step.samples
    (fault,) = step.faults
    assert "IR_0001.jpg" in fault.detail
    return fault.reason


def test_a_real_picture_of_an_sc660_gives_the_published_temperatures() -> None:
    step = read(sample("imaging", "thermimage_FLIR_SC660_rjpeg.jpg"))
    image = step.samples[-1]
    assert isinstance(image, Image)
    frame = np.frombuffer(image.data, "<f4").reshape(image.height, image.width)
    assert frame.shape == (480, 640)
    assert [frame.min(), frame.max(), frame.mean(dtype="f8")] == pytest.approx([22.736, 35.250, 28.259], abs=6e-4)
    assert [frame[0, 0], frame[240, 320]] == pytest.approx([23.734, 25.644], abs=6e-4)
    assert frame[:5, 0] == pytest.approx([23.73, 23.64, 23.59, 23.57, 23.68], abs=6e-3)
    assert (image.radiometric, image.emissivity, image.quality) == (Radiometric.TRUE, 0.95, Quality.GOOD)
    # 2013-05-09 20:22:23 by the camera's clock, six hours west of Greenwich, as its EXIF block says too.
    assert image.device_time == pytest.approx(1368152543.335)
    assert isinstance(step.samples[0], Identity)
    assert {("model", "FLIR SC660"), ("serial", "404003980")} <= set(step.samples[0].facts)


def test_the_camera_record_of_a_real_i7_holds_what_exiftool_prints() -> None:
    info = camera_info(records(fff_of(sample("imaging", "exiftool_FLIR_i7_rjpeg.jpg")))[CAMERA])
    assert (info.model, info.serial, info.raw_median, info.raw_range) == ("FLIR_i7", "470023842", 12582, 1980)
    planck = info.planck
    assert (planck.r1, planck.b, planck.f) == pytest.approx((13799.269, 1374.5, 1.35))
    assert (planck.o, planck.r2) == pytest.approx((-6646, 0.022241818))
    assert (info.around.emissivity, info.around.distance) == pytest.approx((0.80, 1.0))
    assert (info.coldest, info.hottest) == pytest.approx((0, 250), abs=1e-3)


def test_counts_that_are_not_of_the_stated_size_are_refused() -> None:
    assert reason_of(sample("imaging", "exiftool_FLIR_i7_rjpeg.jpg")) is Reason.CORRUPT


def test_the_published_counts_of_the_sc660_give_the_published_temperatures() -> None:
    texts = {path.stem for path in transcripts("thermal.flir_rjpeg")}
    assert "sc660-counts" in texts
    (packet,) = (each for each in recorded_packets("thermal.flir_rjpeg") if each.port == "sc660.fff")
    _, frame = read_photograph(packet.data)
    assert frame.ravel() == pytest.approx([23.734, 25.644, 22.736, 35.250], abs=6e-4)


@pytest.mark.parametrize("layout", FORMATS)
def test_every_layout_of_counts_shows_the_scene_the_simulator_drew(layout: str) -> None:
    simulator = FlirHandheld(Random(9))
    simulator.do("hotspot", x=40, y=70, dk=20)
    simulator.do("snapshot", format=layout)
    ((name, data),) = simulator.advance(1.0)
    _, frame = read_photograph(data)
    error = frame - simulator.scene()
    assert name == "FLIR0001.jpg"
    assert abs(error.mean()) < 0.002
    assert error.std() == pytest.approx(0.05, rel=0.1)
    assert divmod(int(simulator.scene().argmax()), 160) == (70, 40)


def test_all_layouts_hold_the_same_temperatures() -> None:
    first, *others = [image_of(picture(layout)).data for layout in FORMATS]
    assert all(other == first for other in others)


def test_a_bare_fff_file_is_read_in_either_byte_order() -> None:
    data = picture()
    fff = bytearray(fff_of(data))
    assert image_of(bytes(fff)).data == image_of(data).data
    for at in range(0x14, 0x24, 4):
        fff[at : at + 4] = fff[at : at + 4][::-1]
    for entry in range(64, 64 + 14 * 32, 32):
        swapped = struct.unpack_from(">HH7I", fff, entry)
        struct.pack_into("<HH7I", fff, entry, *swapped)
    assert image_of(bytes(fff)).data == image_of(data).data


def test_the_settings_come_with_the_picture_and_the_camera_only_when_it_changes() -> None:
    protocol = DRIVER.open({})
    first = protocol.on_packet(0.0, Packet(picture(), "a.jpg")).samples
    second = protocol.on_packet(1.0, Packet(picture("be"), "b.jpg")).samples
    assert isinstance(first[0], Identity)
    assert [type(each) for each in second] == [Measurement] * 5 + [Image]
    values = {each.channel: each.value for each in second if isinstance(each, Measurement)}
    assert values == {"emissivity": 0.95, "distance": 2.0, "reflected": 19.0, "air": 21.0, "humidity": 45.0}


def test_below_an_emissivity_of_0_3_the_image_is_uncertain() -> None:
    assert image_of(picture(emissivity={"value": 0.3001})).quality is Quality.GOOD
    image = image_of(picture(emissivity={"value": 0.29}))
    assert (image.quality, image.cause) == (Quality.UNCERTAIN, Cause.LOW_EMISSIVITY)


@pytest.mark.parametrize("kelvin", [150, -60])
def test_a_pixel_outside_the_camera_s_range_makes_the_image_uncertain(kelvin: float) -> None:
    image = image_of(picture(hotspot={"x": 3, "y": 3, "dk": kelvin}))
    assert (image.quality, image.cause) == (Quality.UNCERTAIN, Cause.SATURATED)


def test_a_picture_without_any_solution_is_bad() -> None:
    fff = patched(fff_of(picture()), CAMERA, 0x308, "<i", -60000)
    frame = np.frombuffer(image_of(fff).data, "<f4")
    assert np.isnan(frame).all()
    assert (image_of(fff).quality, image_of(fff).cause) == (Quality.BAD, Cause.NOT_A_NUMBER)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("truncated", Reason.TRUNCATED),
        ("missing-segment", Reason.SEQUENCE),
        ("bad-png", Reason.CHECKSUM),
        ("not-radiometric", Reason.UNSUPPORTED),
    ],
)
def test_each_simulated_fault_is_one_refused_file(fault: str, reason: Reason) -> None:
    assert reason_of(picture("png", width=160, height=120, fault={"kind": fault})) is reason


@pytest.mark.parametrize(
    ("kind", "at", "layout", "value", "reason"),
    [
        (CAMERA, 0x20, "<f", 0.0, Reason.RANGE),
        (CAMERA, 0x20, "<f", float("nan"), Reason.RANGE),
        (CAMERA, 0x28, "<f", -1.0, Reason.RANGE),
        (CAMERA, 0x24, "<f", -1.0, Reason.RANGE),
        (CAMERA, 0x58, "<f", float("inf"), Reason.RANGE),
        (CAMERA, 0x30C, "<f", 0.0, Reason.RANGE),
        (CAMERA, 0x00, "<H", 7, Reason.CORRUPT),
        (COUNTS, 0x02, "<H", 0, Reason.RANGE),
        (COUNTS, 0x02, "<H", 4097, Reason.RANGE),
        (COUNTS, 0x02, "<H", 4096, Reason.TRUNCATED),
    ],
)
def test_a_field_that_cannot_be_is_refused(kind: int, at: int, layout: str, value: float, reason: Reason) -> None:
    assert reason_of(patched(fff_of(picture()), kind, at, layout, value)) is reason


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0x14, 99, Reason.UNSUPPORTED),
        (0x18, 0xFFFFFFFF, Reason.RANGE),
        (0x1C, 0xFFFFFFFF, Reason.RANGE),
        (0x1C, 1, Reason.UNSUPPORTED),
        (64 + 12, 0xFFFFFFF0, Reason.TRUNCATED),
        (64 + 16, 0xFFFFFFFF, Reason.TRUNCATED),
        (64 + 16, 40, Reason.TRUNCATED),
        (96 + 16, 10, Reason.TRUNCATED),
        (96, 0x00010009, Reason.UNSUPPORTED),
    ],
)
def test_a_directory_that_points_elsewhere_is_refused(at: int, value: int, reason: Reason) -> None:
    fff = bytearray(fff_of(picture()))
    struct.pack_into(">I", fff, at, value)
    assert reason_of(bytes(fff)) is reason


def test_a_segment_that_comes_twice_is_refused() -> None:
    data = picture(width=160, height=120)
    again = data.index(b"FLIR\0\x01\x01")
    assert reason_of(data[: again + 6] + b"\0" + data[again + 7 :]) is Reason.SEQUENCE


def test_a_complete_file_with_one_segment_more_is_refused() -> None:
    data = picture()
    begin, end = data.index(b"\xff\xe1"), data.index(b"\xff\xdb")
    assert reason_of(data[:end] + data[begin:end] + data[end:]) is Reason.SEQUENCE


def test_fill_bytes_between_segments_are_allowed() -> None:
    data = picture()
    assert image_of(data[:2] + b"\xff\xff" + data[2:]).data == image_of(data).data


def test_humidity_may_be_a_fraction_or_a_percentage() -> None:
    fff = fff_of(picture())
    percent = patched(fff, CAMERA, 0x3C, "<f", 45.0)
    assert image_of(percent).data == image_of(fff).data


def test_a_record_of_an_older_camera_may_end_after_the_calibration() -> None:
    whole = records(fff_of(picture()))[CAMERA]
    info = camera_info(Record(whole.subtype, whole.data[:0x310]))
    assert (info.raw_median, info.taken_at) == (None, None)
    with pytest.raises(ProtocolError):
        camera_info(Record(whole.subtype, whole.data[:0x30F]))


@settings(deadline=None)
@given(st.data())
def test_any_change_of_a_picture_gives_a_picture_or_one_fault(data: st.DataObject) -> None:
    whole = bytearray(picture(data.draw(st.sampled_from(FORMATS))))
    for _ in range(data.draw(st.integers(1, 4))):
        size = data.draw(st.sampled_from((1, 2, 4)))
        at = data.draw(st.integers(0, len(whole) - size))
        whole[at : at + size] = data.draw(st.sampled_from((b"\xff" * size, bytes(size), b"\x7f" * size)))
    step = read(bytes(whole))
    assert bool(step.samples) != bool(step.faults)


HOSTILE = pytest.mark.parametrize(
    "data",
    [b"\xff\xd8" + b"\xff\xe1\x00\x02" * 10_000_000, b"\xff\xd8" + b"\xff" * 40_000_000],
    ids=["segments", "fill"],
)


@HOSTILE
def test_a_file_of_nothing_but_markers_is_refused(data: bytes) -> None:
    (fault,) = read(data).faults
    assert fault.reason is Reason.OVERFLOW


@pytest.mark.alone
@HOSTILE
def test_no_file_of_markers_takes_long(data: bytes) -> None:
    assert seconds_of(lambda: read(data)) < HANG


def test_an_unknown_verb_is_refused() -> None:
    with pytest.raises(ValueError, match="no verb"):
        FlirHandheld(Random(1)).do("fly")
