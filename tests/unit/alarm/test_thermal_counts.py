"""Limits in raw counts agree with converted values, to the last count."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.alarm.thermal.counts import Scale, between

gains = st.sampled_from([1 / 64, 0.01, 0.04, -1 / 64, -0.01, 1.0, 1e-9]) | st.floats(1e-6, 1e3) | st.floats(-1e3, -1e-6)
offsets = st.sampled_from([-273.15, 0.0]) | st.floats(-1e4, 1e4)
zeros = st.just(0.0) | st.floats(-500, 500)
least_most = st.sampled_from([(0, 65535), (-32768, 32767), (0, 255)])


@given(gains, offsets, zeros, least_most, st.data())
def test_counts_between_two_limits_are_those_whose_values_are(
    gain: float, offset: float, zero: float, ends: tuple[int, int], data: st.DataObject
) -> None:
    least, most = ends
    scale = Scale(gain, offset, least, most, zero)
    # A limit that is a count's own value is the case in which rounding shows.
    on_a_count = st.integers(least, most).map(scale.value)
    above, below = data.draw(st.tuples(*[on_a_count | st.floats(-1e5, 1e5)] * 2))
    above, below = data.draw(st.sampled_from([(above, below), (above, inf), (-inf, below)]))
    values = gain * np.arange(least, most + 1).astype(np.float64) + offset - zero
    expected = np.flatnonzero((values > above) & (values < below)) + least
    first, last = between(scale, above, below)
    assert (first, last) == (expected[0], expected[-1]) if expected.size else first > last


@pytest.mark.parametrize(
    ("above", "first"),
    [
        pytest.param(16.0375, 18508, id="between-counts"),
        pytest.param(18508 / 64 - 273.15, 18509, id="on-a-count"),
        pytest.param(-300.0, 0, id="below-all"),
        pytest.param(800.0, 65536, id="above-all"),
    ],
)
def test_the_first_count_of_a_p2_pro_above_a_limit(above: float, first: int) -> None:
    assert between(Scale(1 / 64, -273.15, 0, 65535), above, inf)[0] == first
