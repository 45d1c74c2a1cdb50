"""Thermal rules on pictures of real cameras, against float64 and a flood fill."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from devicehub.alarm.frames import statistics
from devicehub.alarm.thermal.judge import Finding, judge
from devicehub.alarm.thermal.scene import Part, Scene
from devicehub.model.reading import Image, Layout
from devicehub.model.thermal import Look, Region
from tests.drivers.seek_frames import Camera, recorded
from tests.drivers.test_flir_rjpeg import image_of
from tests.samples import sample
from tests.unit.alarm.scenes import rule
from tests.unit.alarm.test_thermal_spots import flooded

REGIONS = (
    None,
    Region("box", (40, 30, 80, 60)),
    Region("wedge", (20, 20, 120, 90), ((20.1, 20.2), (139.7, 30.6), (70.3, 109.9))),
)


def flir() -> Image:
    return image_of(sample("imaging", "thermimage_FLIR_SC660_rjpeg.jpg"))


def seek() -> Image:
    camera = Camera()
    for _ in range(4):
        camera.answer_start()
        camera.send(recorded("seek_compact_face_cal.bin"))
    image = camera.send(recorded("seek_compact_face_raw.bin"))[0]
    assert isinstance(image, Image)
    return image


def reference(image: Image) -> NDArray[np.float64]:
    kind = "<f4" if image.layout is Layout.F32LE else "<u2"
    raw = np.frombuffer(image.data, kind).reshape(image.height, image.width)
    return np.asarray(raw.astype(np.float64) * image.gain + image.offset)


def inside(region: Region | None, image: Image) -> NDArray[np.bool_]:
    """Pixel by pixel, by the sign of the cross product with each edge: the polygons here are convex."""
    if region is None:
        return np.ones((image.height, image.width), np.bool_)
    left, top, width, height = region.bbox
    corners = region.corners or ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    y, x = np.mgrid[: image.height, : image.width] + 0.5
    out = np.ones((image.height, image.width), np.bool_)
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        out &= (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) > 0
    return out


@pytest.mark.parametrize("camera", [flir, seek])
@pytest.mark.parametrize("region", REGIONS)
def test_the_statistics_of_a_region_are_those_of_float64(camera: Callable[[], Image], region: Region | None) -> None:
    image = camera()
    part = Scene(image).part(region)
    assert isinstance(part, Part)
    values = reference(image)[inside(region, image)]
    assert part.own.size == values.size
    assert (part.low, part.high) == (values.min(), values.max())
    ordered = np.sort(values)
    assert part.median == ordered[(ordered.size - 1) // 2]


@pytest.mark.parametrize("camera", [flir, seek])
def test_the_statistics_of_a_frame_are_those_of_float64_within_a_count(camera: Callable[[], Image]) -> None:
    image = camera()
    values, found = reference(image), statistics(image)
    assert found is not None
    count = 0.01 if image.layout is Layout.F32LE else image.gain  # K: a picture in floats has no counts
    shown = (found.min, found.p05, found.mean, found.p95, found.max)
    expected = (values.min(), *np.percentile(values, [5]), values.mean(), *np.percentile(values, [95]), values.max())
    assert np.abs(np.subtract(shown, expected)).max() <= count
    assert values[found.hot_y, found.hot_x] == values.max()


@pytest.mark.parametrize("camera", [flir, seek])
@pytest.mark.parametrize("share", [50, 90, 99, 99.9])
def test_the_spots_are_those_of_a_flood_fill(camera: Callable[[], Image], share: float) -> None:
    image = camera()
    values = reference(image)
    limit = float(np.percentile(values, share))
    found = judge(rule(Look.ABOVE, limit, area=5), Scene(image))
    assert isinstance(found, Finding)
    large = [one for one in flooded(values > limit) if len(one) >= 5]
    expected = sorted(map(len, large), reverse=True)
    assert [spot.area for spot in found.spots] == expected[: len(found.spots)]
    assert len(found.spots) == min(len(expected), 16)
    hottest = {max(float(values[pixel]) for pixel in one) for one in large}
    assert {spot.max for spot in found.spots} <= hottest
