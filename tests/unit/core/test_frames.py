"""Images: their summary, their statistics as channels, and what is kept of them."""

import hashlib
import struct
from math import inf, isnan, nan

import pytest

from devicehub.core.frames import capture_data, digest, evidence, evidence_name, frame_data, statistic_measurements
from devicehub.model.device import Channel, ChannelKind
from devicehub.model.payload import SpotData
from devicehub.model.reading import Cause, Image, Layout, Quality, Shutter
from devicehub.model.units import Unit

CHANNEL = Channel(name="image", title="Image", unit=Unit.CELSIUS, kind=ChannelKind.IMAGE)
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


def raw(*values: int) -> Image:
    return Image("image", struct.pack(f"<{len(values)}H", *values), Layout.U16LE, len(values), 1, gain=0.5, offset=-1.0)


def test_the_summary_is_in_the_channels_unit_and_names_the_pixels() -> None:
    image = raw(0, 10, 4)
    data = frame_data(image, CHANNEL, 7, 1.26)
    assert (data.n, data.width, data.height, data.unit) == (7, 3, 1, Unit.CELSIUS)
    assert (data.min, data.max, data.hot) == (-1.0, 4.0, SpotData(1, 0, 4.0))
    assert data.mean == pytest.approx(4 / 3)
    assert data.digest == "sha256:" + hashlib.sha256(image.data).hexdigest()
    assert data.shutter_age_s == 1.3


def test_the_devices_own_number_counts_before_the_hubs() -> None:
    assert frame_data(Image("image", b"\x01", Layout.U8, 1, 1, counter=0), CHANNEL, 7, None).n == 0


def test_an_encoded_image_has_a_size_and_no_statistics() -> None:
    data = frame_data(Image("image", JPEG, Layout.JPEG, 640, 480), CHANNEL, 1, None)
    assert (data.bytes, data.max, data.hot) == (len(JPEG), None, None)


def test_what_is_no_number_is_null() -> None:
    image = Image("image", b"\x01", Layout.U8, 1, 1, emissivity=nan, device_time=inf)
    data = frame_data(image, CHANNEL, 1, None)
    assert (data.emissivity, data.device_time) == (None, None)


@pytest.mark.parametrize("gain", [1e308, -1e308])
def test_pixels_beyond_all_numbers_have_no_statistics(gain: float) -> None:
    image = Image("image", struct.pack("<2I", 2**32 - 1, 5), Layout.U32LE, 2, 1, gain=gain)
    data = frame_data(image, CHANNEL, 1, None)
    assert (data.min, data.mean, data.max, data.p05, data.p95) == (None,) * 5


def test_statistics_are_channels_of_their_own() -> None:
    image = raw(0, 10, 4)
    found = statistic_measurements(image, frame_data(image, CHANNEL, 1, None))
    assert [one.channel for one in found] == ["image.min", "image.mean", "image.max", "image.p05", "image.p95"]
    assert (found[0].value, found[2].value) == (-1.0, 4.0)
    assert {one.quality for one in found} == {Quality.GOOD}


def test_their_quality_is_that_of_the_image() -> None:
    image = Image("image", b"\x01", Layout.U8, 1, 1, quality=Quality.UNCERTAIN, cause=Cause.SATURATED)
    found = statistic_measurements(image, frame_data(image, CHANNEL, 1, None))
    assert {(one.quality, one.cause) for one in found} == {(Quality.UNCERTAIN, Cause.SATURATED)}


def test_an_image_without_a_number_gives_bad_values_that_clear_nothing() -> None:
    image = Image("image", struct.pack("<f", nan), Layout.F32LE, 1, 1)
    found = statistic_measurements(image, frame_data(image, CHANNEL, 1, None))
    assert {one.quality for one in found} == {Quality.BAD}
    assert all(isnan(one.value) for one in found)


@pytest.mark.parametrize("image", [Image("image", JPEG, Layout.JPEG, 1, 1), raw(1)], ids=["jpeg", "closed shutter"])
def test_what_shows_no_scene_gives_no_statistics(image: Image) -> None:
    shut = Image("image", image.data, image.layout, 1, 1, shutter=Shutter.CLOSED)
    assert statistic_measurements(shut, frame_data(shut, CHANNEL, 1, None)) == []


def test_evidence_is_what_the_device_sent() -> None:
    computed = Image("image", b"\x00" * 4, Layout.F32LE, 1, 1, original=JPEG)
    assert evidence(computed) == JPEG
    data = capture_data(computed, "button")
    assert (data.digest, data.size, data.media_type, data.trigger) == (digest(JPEG), len(JPEG), "image/jpeg", "button")
    assert data.dataref == evidence_name(data.digest)
    assert data.dataref == f"{data.digest[7:9]}/{data.digest[7:]}"


def test_raw_evidence_names_its_layout() -> None:
    assert capture_data(raw(1, 2), "button").media_type == "application/x-devicehub-raw;layout=u16le"


def test_of_raw_evidence_that_pixels_were_computed_from_no_layout_is_said() -> None:
    computed = Image("image", b"\x00" * 4, Layout.F32LE, 1, 1, original=b"EFBE")
    assert capture_data(computed, "button").media_type == "application/octet-stream"
