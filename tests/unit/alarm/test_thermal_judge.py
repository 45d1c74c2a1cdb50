"""What one frame says to one rule."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from devicehub.alarm.thermal.judge import MOST_SPOTS, Finding, judge
from devicehub.alarm.thermal.scene import Scene
from devicehub.model.reading import Image, Layout
from devicehub.model.thermal import Look, Region, ThermalRule, Unjudged
from tests.unit.alarm.scenes import GAIN, OFFSET, Patch, counts, rule, scene

LEFT = Region("left", (0, 0, 32, 48))
RIGHT = Region("right", (32, 0, 32, 48))
TRIANGLE = Region("triangle", (0, 0, 20, 20), ((0.0, 0.0), (20.0, 0.0), (0.0, 20.0)))
WARM: dict[Patch, float] = {(10, 12, 5, 4): 40.0}
COLD: dict[Patch, float] = {(10, 12, 5, 4): 10.0}


def seen(one: ThermalRule, image: Image) -> Finding:
    found = judge(one, Scene(image))
    assert isinstance(found, Finding)
    return found


@pytest.mark.parametrize("layout", [Layout.U16LE, Layout.F32LE])
@pytest.mark.parametrize(
    ("one", "patches", "score"),
    [
        pytest.param(rule(), WARM, 40.0, id="above"),
        pytest.param(rule(), COLD, 20.0, id="above-not-met"),
        pytest.param(rule(Look.BELOW, 15.0), COLD, -10.0, id="below"),
        pytest.param(rule(Look.BELOW, 15.0), WARM, -20.0, id="below-not-met"),
        pytest.param(rule(Look.INTERVAL, 28.0, high=44.0), WARM, 4.0, id="interval"),
        pytest.param(rule(Look.INTERVAL, 21.0, high=39.0, hysteresis=0.5), WARM, -0.5, id="interval-passed-over"),
        pytest.param(rule(Look.DELTA, 3.0, region=LEFT, reference=RIGHT), WARM, 20.0, id="hotter"),
        pytest.param(rule(Look.DELTA, 3.0, region=RIGHT, reference=LEFT), WARM, 0.0, id="hotter-elsewhere"),
        pytest.param(rule(Look.DELTA, -3.0, region=LEFT, reference=RIGHT), COLD, 10.0, id="colder"),
        pytest.param(rule(region=TRIANGLE), {(15, 15, 4, 4): 40.0}, 20.0, id="outside-a-polygon"),
        pytest.param(rule(region=TRIANGLE), {(2, 2, 4, 4): 40.0}, 40.0, id="inside-a-polygon"),
    ],
)
def test_the_score_of_a_rule(one: ThermalRule, patches: dict[Patch, float], score: float, layout: Layout) -> None:
    assert seen(one, scene(patches, layout=layout)).score == pytest.approx(score, abs=2 * GAIN)


def test_a_spot_is_told_with_its_place_and_size() -> None:
    (spot,) = seen(rule(Look.DELTA, 3.0, reference=RIGHT), scene(WARM)).spots
    assert (spot.bbox, spot.area, spot.x, spot.y) == ((10, 12, 5, 4), 20, 12.5, 14.0)
    assert spot.max == pytest.approx(40.0, abs=GAIN)
    assert spot.delta == pytest.approx(20.0, abs=2 * GAIN)


def test_a_spot_in_a_region_has_its_place_in_the_image() -> None:
    (spot,) = seen(rule(region=RIGHT), scene({(40, 5, 3, 2): 35.0})).spots
    assert (spot.bbox, spot.delta) == ((40, 5, 3, 2), None)


def test_as_many_pixels_as_asked_for_have_to_hang_together_beyond_the_limit() -> None:
    scattered: dict[Patch, float] = {(4 * n, 5, 1, 1): 50.0 for n in range(10)}
    assert seen(rule(area=2), scene(scattered)).score <= 30.0
    peak: dict[Patch, float] = {(10, 12, 5, 4): 29.8, (11, 13, 1, 1): 60.0}
    assert seen(rule(area=5, hysteresis=1.0), scene(peak)).score == pytest.approx(29.8, abs=GAIN)
    assert seen(rule(area=20), scene(WARM)).score == pytest.approx(40.0, abs=GAIN)
    assert seen(rule(area=21), scene(WARM)).score <= 30.0


def test_between_limit_and_hysteresis_nothing_comes_and_nothing_ends() -> None:
    found = seen(rule(hysteresis=2.0), scene({(10, 12, 5, 4): 29.0}))
    assert 28.0 < found.score <= 30.0
    assert found.spots == ()


@pytest.mark.parametrize("limit", [6.0, -6.0])
def test_an_anomaly_is_seen_beside_a_larger_object_and_the_object_is_none(limit: float) -> None:
    mug: dict[Patch, float] = {(64, 0, 64, 96): 45.0}
    small: dict[Patch, float] = {(20, 20, 5, 5): 20.0 + limit / 2}
    one = rule(Look.ANOMALY, limit, hysteresis=1.0, area=9, region=Region("inner", (0, 0, 60, 96)))
    quiet, spotted = (scene(p, size=(128, 96), noise=6, serial=1) for p in (mug, mug | small))
    assert seen(one, quiet).score <= one.on
    (spot,) = seen(one, spotted).spots
    assert spot.bbox == (20, 20, 5, 5)
    assert spot.delta == pytest.approx(limit / 2, abs=0.3)


def test_a_slope_is_no_anomaly() -> None:
    raw = (counts(20.0) + 2.0 * np.arange(96)[:, None] + np.zeros(128)).astype("<u2")
    image = Image("image", raw.tobytes(), Layout.U16LE, 128, 96, GAIN, OFFSET)
    assert seen(rule(Look.ANOMALY, 6.0), image).score <= 6.0


def test_only_the_largest_spots_are_told() -> None:
    many: dict[Patch, float] = {(3 * n, 6 * row, 1 + n % 2, 1): 50.0 for n in range(20) for row in range(6)}
    told = seen(rule(), scene(many)).spots
    assert len(told) == MOST_SPOTS
    assert {spot.area for spot in told} == {2}


@pytest.mark.parametrize(
    ("region", "reference"), [(Region("far", (60, 0, 10, 10)), None), (None, Region("far", (0, 40, 5, 20)))]
)
def test_a_region_that_is_not_wholly_in_the_image_is_not_judged(
    region: Region | None, reference: Region | None
) -> None:
    one = rule(Look.DELTA, 3.0, region=region, reference=reference or LEFT)
    assert judge(one, Scene(scene())) is Unjudged.OUTSIDE


def test_pixels_that_are_no_numbers_hide_what_is_there_and_it_is_said() -> None:
    raw = np.full((8, 8), 20.0, "<f4")
    raw[0, 0] = nan
    image = Image("image", raw.tobytes(), Layout.F32LE, 8, 8)
    assert seen(rule(), image) == Finding(20.0, whole=False)
    assert not seen(rule(Look.ANOMALY, 6.0), image).whole
    raw[0, 0] = inf
    assert seen(rule(), replace(image, data=raw.tobytes())) == Finding(20.0, whole=False), "nor is infinity"
    nothing = replace(image, data=np.full((8, 8), nan, "<f4").tobytes())
    assert judge(rule(), Scene(nothing)) is Unjudged.NO_PIXELS


def test_counts_beyond_all_numbers_are_no_values() -> None:
    image = Image("image", np.array([1, 2**32 - 1], "<u4").tobytes(), Layout.U32LE, 2, 1, gain=1e300)
    assert seen(rule(), image) == Finding(1e300, seen(rule(), image).spots, whole=False)


@given(
    st.sampled_from([1 / 64, 0.01, -0.01, 0.5]),
    st.floats(-300, 100),
    st.lists(st.integers(0, 65535), min_size=1, max_size=12),
    st.sampled_from([Look.ABOVE, Look.BELOW]),
    st.data(),
)
def test_counts_and_converted_values_give_the_same_score(
    gain: float, offset: float, raw: list[int], look: Look, data: st.DataObject
) -> None:
    values = [gain * one + offset for one in raw]
    limit = data.draw(st.sampled_from(values) | st.floats(-300, 700))
    image = Image("image", np.array(raw, "<u2").tobytes(), Layout.U16LE, len(raw), 1, gain, offset)
    one = rule(look, limit)
    score = max(values) if look is Look.ABOVE else -min(values)
    found = seen(one, image)
    assert found.score == score
    assert bool(found.spots) == (score > one.on)
    assert sum(spot.area for spot in found.spots) == (
        sum(one.sign * value > one.on for value in values) if len(found.spots) < MOST_SPOTS else inf
    )
