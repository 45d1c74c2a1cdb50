"""Relative size as a measure of focus."""

from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.reading import Cause, Quality
from devicehub.wire.sharpness import RelativeSize
from simulators.endoscope._camera import picture


def test_it_falls_with_blur_and_collapses_in_the_dark() -> None:
    measure = RelativeSize(settle=0)
    views = [(0.0, False), (1.0, False), (2.0, False), (8.0, False), (0.0, True)]
    sizes = [len(picture(640, 480, (0, 0), blur, dark=dark, tables=True)) for blur, dark in views]
    values = [measure.measure(float(i), size).value for i, size in enumerate(sizes)]
    assert values[0] == 100
    assert values == sorted(values, reverse=True)
    assert values[-1] < 25


def test_the_maximum_is_forgotten_after_the_window() -> None:
    measure = RelativeSize(window=20, settle=0)
    measure.measure(0, 1000)
    assert measure.measure(20, 500).value == 50
    assert measure.measure(20.1, 500).value == 100


def test_the_first_second_is_uncertain() -> None:
    measure = RelativeSize()
    assert (measure.measure(5, 10).quality, measure.measure(5.9, 10).cause) == (Quality.UNCERTAIN, Cause.WARMING_UP)
    assert measure.measure(6.0, 10).quality is Quality.GOOD


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6), max_size=200), st.floats(0.01, 30))
def test_it_is_the_share_of_the_largest_frame_in_the_window(sizes: list[int], window: float) -> None:
    measure = RelativeSize(window=window, settle=0)
    for now, size in enumerate(sizes):
        recent = [sizes[at] for at in range(now + 1) if at >= now - window]
        assert measure.measure(float(now), size).value == 100.0 * size / max(*recent, 1)


def test_it_is_reported_once_a_second() -> None:
    measure = RelativeSize()
    assert [len(measure.report(at / 4, 10)) for at in range(9)] == [1, 0, 0, 0, 1, 0, 0, 0, 1]
