"""Raw counts to temperatures: published values, and properties that hold for every camera."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.wire.radiometry import (
    AirConstants,
    Planck,
    Surroundings,
    balance,
    celsius,
    celsius_table,
    centikelvin,
    counts_of,
    kelvin64,
    raw_of,
    transmission,
)

SC660 = Planck(r1=21106.77, b=1501, f=1, o=-7340, r2=0.012545258)
FLIR_ONE = Planck(r1=16528.178, b=1427.5, f=1.0, o=-1307.0, r2=0.012258549)
ALL_20 = Surroundings(reflected=20, air=20, window=20, humidity=0.5)

cameras = st.sampled_from([SC660, FLIR_ONE, Planck(r1=13799.269, b=1374.5, f=1.35, o=-6646, r2=0.022241818)])
surroundings = st.builds(
    Surroundings,
    emissivity=st.floats(0.3, 1.0),
    reflected=st.floats(-20, 60),
    distance=st.floats(0, 50),
    air=st.floats(-20, 45),
    humidity=st.floats(0, 1),
    window=st.floats(-20, 45),
    window_transmission=st.floats(0.5, 1.0),
    constants=st.just(AirConstants()),
)


def test_a_black_body_at_23_cel_gives_the_published_counts() -> None:
    assert float(counts_of(SC660, 23.0)) == pytest.approx(17994.063489, abs=1e-6)


@pytest.mark.parametrize(
    ("raw", "around", "expected"),
    [
        (17994.06, replace(ALL_20, emissivity=0.95, distance=1, window_transmission=0.96), 23.312234),
        (18109, replace(ALL_20, emissivity=1.0), 23.624326),
        (18109, replace(ALL_20, emissivity=0.95, distance=1, window_transmission=0.96), 24.000221),
        (17171, replace(ALL_20, emissivity=0.95, distance=1), 18.303555),
        (18272, replace(ALL_20, emissivity=0.95, distance=1), 24.773673),
        (24931, replace(ALL_20, emissivity=0.95, distance=1), 57.073980),
    ],
)
def test_the_planck_chain_gives_the_temperatures_thermimage_publishes(
    raw: float, around: Surroundings, expected: float
) -> None:
    assert float(celsius(raw, SC660, around)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("raw", "expected"), [(2900, 19.16443), (3000, 21.56698), (3500, 32.80822), (4000, 43.01281)])
def test_flir_one_counts_are_multiplied_by_four_before_the_chain(raw: int, expected: float) -> None:
    assert float(celsius(raw * 4, FLIR_ONE, ALL_20)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("distance", "expected"), [(0, 1.0), (1, 0.995722), (5, 0.990403), (20, 0.980699)])
def test_air_absorbs_more_over_a_longer_way(distance: float, expected: float) -> None:
    assert transmission(replace(ALL_20, distance=distance)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (16202, -19.99375),
        (17482, 0.00625),
        (18000, 8.1),
        (18508, 16.0375),
        (19000, 23.725),
        (19082, 25.00625),
        (19850, 37.00625),
        (20000, 39.35),
        (20032, 39.85),
        (20332, 44.5375),
        (23882, 100.00625),
        (55882, 600.00625),
    ],
)
def test_64ths_of_a_kelvin(raw: int, expected: float) -> None:
    assert kelvin64(raw) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("raw", "expected"), [(27315, 0.0), (29815, 25.0), (31015, 37.0), (37315, 100.0)])
def test_lepton_hundredths_of_a_kelvin(raw: int, expected: float) -> None:
    assert centikelvin(raw) == expected


def test_linear_counts_convert_whole_frames_too() -> None:
    frame = np.array([[19082.0, 20032.0]])
    assert kelvin64(frame) == pytest.approx(np.array([[25.00625, 39.85]]))
    assert centikelvin(np.array([29815.0])) == pytest.approx(np.array([25.0]))


@given(cameras, surroundings, st.floats(-40, 500))
def test_temperature_to_counts_and_back_is_the_same_temperature(
    planck: Planck, around: Surroundings, target: float
) -> None:
    assert float(celsius(raw_of(target, planck, around), planck, around)) == pytest.approx(target, abs=1e-4)


@given(cameras, surroundings, st.integers(0, 65535))
def test_the_table_holds_what_the_chain_computes_to_a_millikelvin(
    planck: Planck, around: Surroundings, raw: int
) -> None:
    direct = float(celsius(float(raw), planck, around))
    assert float(celsius_table(planck, around)[raw]) == pytest.approx(direct, rel=1e-6, abs=5.5e-4, nan_ok=True)


@given(cameras, surroundings)
def test_more_counts_are_never_colder(planck: Planck, around: Surroundings) -> None:
    table = celsius_table(planck, around)
    warm = table[~np.isnan(table)]
    assert warm.size
    assert (np.diff(warm) >= 0).all()
    # No solution lies below the coldest counts only, never between numbers.
    assert not np.isnan(table[65536 - warm.size :]).any()


def test_the_table_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        celsius_table(SC660, ALL_20)[0] = 1.0


@pytest.mark.parametrize("emissivity", [0.0, -0.5])
def test_an_impossible_emissivity_gives_no_number(emissivity: float) -> None:
    around = replace(ALL_20, emissivity=emissivity)
    assert np.isnan(celsius(np.array([1.0, 18000.0, 65535.0]), SC660, around)).all()
    assert np.isnan(balance(30.0, emissivity, 20.0))


def test_counts_below_every_possible_source_give_no_number() -> None:
    # With F above 1 the formula has a second branch there, which gives numbers.
    i7 = Planck(r1=13799.269, b=1374.5, f=1.35, o=-6646, r2=0.022241818)
    assert np.isnan(celsius(-5e6, i7, ALL_20))


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.builds(Planck, r1=anything, b=anything, f=anything, o=anything, r2=anything),
    st.builds(Surroundings, emissivity=anything, distance=anything, air=anything, window_transmission=anything),
)
def test_any_parameters_give_possible_temperatures_or_nan(planck: Planck, around: Surroundings) -> None:
    values = celsius(np.array([0.0, 18000.0, 65535.0]), planck, around)
    assert not np.isinf(values).any()
    assert (np.isnan(values) | (values > -273.15 - 1e-9)).all()


@pytest.mark.parametrize(
    ("apparent", "emissivity", "reflected", "expected"),
    [
        (30, 0.95, 20, 30.500),
        (30, 0.90, 20, 31.052),
        (30, 0.60, 20, 36.154),
        (30, 0.30, 20, 50.112),
        (15, 0.30, 20, 2.198),
    ],
)
def test_the_broad_band_balance_estimates(
    apparent: float, emissivity: float, reflected: float, expected: float
) -> None:
    assert float(balance(apparent, emissivity, reflected)) == pytest.approx(expected, abs=5e-4)


def test_a_balance_without_a_solution_is_not_a_number() -> None:
    assert np.isnan(balance(10.0, 0.10, 20.0))
    assert np.isnan(balance(np.array([10.0, 30.0]), 0.10, 20.0)).tolist() == [True, False]


@given(st.floats(-20, 400), st.floats(0.3, 1.0), st.floats(-20, 60), st.floats(-20, 45), st.floats(0.5, 1.0))
def test_the_balance_undoes_the_radiation_law(
    target: float, emissivity: float, reflected: float, air: float, tau: float
) -> None:
    zero = 273.15
    leaving = emissivity * (target + zero) ** 4 + (1 - emissivity) * (reflected + zero) ** 4
    apparent = (tau * leaving + (1 - tau) * (air + zero) ** 4) ** 0.25 - zero
    assert float(balance(apparent, emissivity, reflected, air=air, tau=tau)) == pytest.approx(target, abs=1e-6)
