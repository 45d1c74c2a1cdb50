"""Measurements and spectra: what is impossible is BAD, what is no number is never published as one."""

import struct
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.core.measure import Judged, checked, finite, reading_data, spectrum_data
from devicehub.model.alarm import Condition, Limit
from devicehub.model.device import Channel, ChannelKind
from devicehub.model.payload import LimitsData
from devicehub.model.reading import Axis, Cause, Layout, Measurement, Quality, Spectrum
from devicehub.model.units import Unit

LEVEL = Channel(name="level", title="Level", unit=Unit.NANOGRAM, low=-1.0, high=5.0)
FREE = Channel(name="free", title="Free")
SCAN = Channel(name="scan", title="Scan", unit=Unit.PICOAMPERE, kind=ChannelKind.SPECTRUM)
AXIS = Axis(Unit.MILLISECOND, step=0.5, start=10.0, quadratic=0.25)


@pytest.mark.parametrize("value", [-1.0, 0.0, 5.0])
def test_a_possible_value_stays_as_it_is(value: float) -> None:
    measurement = Measurement("level", value, Quality.UNCERTAIN, Cause.WARMING_UP)
    assert checked(measurement, LEVEL) is measurement


@pytest.mark.parametrize(
    ("value", "cause"),
    [(-1.1, Cause.OUT_OF_RANGE), (5.1, Cause.OUT_OF_RANGE), (nan, Cause.NOT_A_NUMBER), (inf, Cause.NOT_A_NUMBER)],
)
def test_an_impossible_value_is_bad_and_says_why(value: float, cause: Cause) -> None:
    found = checked(Measurement("level", value), LEVEL)
    assert (found.quality, found.cause) == (Quality.BAD, cause)


@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_a_channel_without_limits_takes_every_number_and_nothing_else(value: float) -> None:
    assert checked(Measurement("free", value), FREE).quality is Quality.BAD
    assert checked(Measurement("free", 1e300), FREE).quality is Quality.GOOD


@given(st.floats() | st.none())
def test_only_numbers_are_finite(value: float | None) -> None:
    found = finite(value)
    assert found == value if found is not None else value is None or value in {inf, -inf} or value != value  # noqa: PLR0124 - NaN alone differs from itself


def test_the_payload_holds_null_for_whatever_is_no_number() -> None:
    data = reading_data(
        Measurement("level", nan, Quality.BAD, Cause.NOT_A_NUMBER, "", inf, -inf, nan), Judged(LEVEL), named=True
    )
    assert (data.value, data.uncertainty, data.confidence, data.device_time) == (None, None, None, None)
    assert (data.unit, data.channel) == (Unit.NANOGRAM, "level")


def test_the_tightest_limit_of_each_side_is_published() -> None:
    judged, high, low = Judged(LEVEL), Condition.HIGH, Condition.LOW
    for condition, value in ((high, 4.0), (low, 0.0), (high, 3.0), (low, -0.5), (Condition.RISE, 0.1)):
        judged = judged.with_limit(Limit("p", "dev", "level", condition, value))
    assert judged.limits == LimitsData(low=0.0, high=3.0)
    assert Judged(LEVEL).with_limit(Limit("p", "dev", "level", Condition.HIGH_HIGH, 4.0)).limits == LimitsData(high=4.0)


def test_a_spectrum_says_its_largest_value_and_where_it_stands() -> None:
    data = spectrum_data(Spectrum("scan", struct.pack("<4h", 1, -5, 9, 9), Layout.I16LE, AXIS, "negative"), SCAN)
    assert (data.n, data.max, data.apex, data.unit, data.mode) == (4, 9.0, 12.0, Unit.PICOAMPERE, "negative")


def test_a_spectrum_of_nothing_has_no_largest_value() -> None:
    data = spectrum_data(Spectrum("scan", b"", Layout.U16LE, AXIS), SCAN)
    assert (data.n, data.max, data.apex, data.quality) == (0, None, None, Quality.GOOD)


@pytest.mark.parametrize("values", [(nan, 1.0, 7.0), (inf, 2.0, 7.0), (-inf, nan, 7.0)])
def test_a_spectrum_with_a_value_that_is_none_is_bad_and_its_apex_is_a_number(values: tuple[float, ...]) -> None:
    data = spectrum_data(Spectrum("scan", struct.pack("<3f", *values), Layout.F32LE, AXIS), SCAN)
    assert (data.max, data.apex) == (7.0, 12.0)
    assert (data.quality, data.cause) == (Quality.BAD, Cause.NOT_A_NUMBER)


def test_a_spectrum_without_a_number_has_no_largest_value() -> None:
    data = spectrum_data(Spectrum("scan", struct.pack("<2f", nan, inf), Layout.F32LE, AXIS), SCAN)
    assert (data.n, data.max, data.apex, data.quality) == (2, None, None, Quality.BAD)


def test_an_apex_beyond_all_numbers_is_null() -> None:
    axis = Axis(Unit.MILLISECOND, step=1e308, start=1e308, quadratic=1e308)
    assert spectrum_data(Spectrum("scan", bytes([0, 0, 9]), Layout.U8, axis, live_time=nan), SCAN).apex is None
