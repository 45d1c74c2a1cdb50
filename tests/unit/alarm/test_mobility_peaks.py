"""Fits, local maxima, level and noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.alarm.mobility.peaks import fit, quiet_level, tops

REACH = 15


def gaussian(
    centre: float, height: float, sigma: float, points: int = 200
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(height * np.exp(-0.5 * ((np.arange(points) - centre) / sigma) ** 2))


def one_fit(
    trace: np.ndarray[tuple[int], np.dtype[np.float64]], level: float = 0.0, full: float = np.inf
) -> tuple[float, float, float, bool]:
    at = np.array([int(trace.argmax())])
    found = fit(trace[None], np.array([0]), at, np.array([level]), (REACH, full))
    return float(found.centre[0]), float(found.amplitude[0]), float(found.fwhm[0]), bool(found.valid[0])


@given(st.floats(60, 140), st.floats(8, 19), st.floats(200, 60000), st.floats(0, 2000))
def test_a_clean_gaussian_is_found_to_a_fraction_of_a_sample(
    centre: float, sigma: float, height: float, level: float
) -> None:
    found = one_fit(gaussian(centre, height, sigma) + level, level)
    assert found[0] == pytest.approx(centre, abs=1e-6)
    assert found[1] == pytest.approx(height, rel=1e-6)
    assert found[2] == pytest.approx(sigma * 2.354820, rel=1e-6)


@given(st.floats(60, 140), st.floats(8, 19), st.floats(500, 60000))
def test_whole_counts_cost_less_than_two_hundredths_of_a_sample(centre: float, sigma: float, height: float) -> None:
    found = one_fit(np.rint(gaussian(centre, height, sigma) + 400.0), 400.0)
    assert abs(found[0] - centre) < 0.02


def test_noise_costs_what_theory_allows() -> None:
    """The Cramer-Rao bound for the centre is sigma / SNR * sqrt(2 / (sigma * sqrt(pi))), with all samples used."""
    chance = np.random.default_rng(5)
    centre, sigma, height, noise = 100.3, 12.0, 600.0, 12.0
    errors = [
        one_fit(gaussian(centre, height, sigma) + noise * chance.standard_normal(200))[0] - centre for _ in range(400)
    ]
    bound = sigma / (height / noise) * np.sqrt(2 / (sigma * np.sqrt(np.pi)))
    assert abs(np.mean(errors)) < bound
    assert bound < np.std(errors) < 4 * bound


def test_a_clipped_peak_is_fitted_by_its_flanks() -> None:
    trace = np.minimum(gaussian(100.4, 3000.0, 12.0), 2500.0)
    plateau = np.array([int(np.flatnonzero(trace == 2500.0).mean())])
    found = fit(trace[None], np.array([0]), plateau, np.zeros(1), (REACH, 2500.0))
    assert found.valid[0]
    assert found.centre[0] == pytest.approx(100.4, abs=1e-6)
    assert found.amplitude[0] == pytest.approx(3000.0, rel=1e-6)


@pytest.mark.parametrize("centre", [3.0, 196.0])
def test_a_peak_at_the_end_of_the_trace_is_not_fitted(centre: float) -> None:
    assert one_fit(gaussian(centre, 500.0, 12.0)) == (0.0, 0.0, 0.0, False)


@pytest.mark.parametrize(
    "trace", [np.zeros(200), np.full(200, 7.0), 200.0 + gaussian(100, -100.0, 9.0), np.full(200, 9e9), np.arange(200.0)]
)
def test_what_is_no_peak_is_not_fitted(trace: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    found = fit(trace[None], np.array([0]), np.array([100]), np.zeros(1), (REACH, 1e9))
    assert not found.valid[0]
    assert (found.centre[0], found.amplitude[0], found.fwhm[0]) == (0.0, 0.0, 0.0)


def test_a_trace_shorter_than_the_reach_has_no_peaks() -> None:
    assert not fit(np.ones((1, 20)), np.array([0]), np.array([10]), np.zeros(1), (REACH, np.inf)).valid.any()


def test_tops_are_highest_within_their_reach() -> None:
    trace = np.zeros((2, 100))
    trace[0, [10, 30, 44, 90]] = 5.0, 9.0, 8.0, 2.0
    trace[1, 99] = 3.0
    rows, columns = tops(trace, np.array([2.5, 2.5]), 14)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 10), (0, 30), (1, 99)]


def test_a_plateau_is_one_top_in_its_middle() -> None:
    trace = np.zeros((1, 100), dtype=np.uint16)
    trace[0, 40:61] = 65535
    assert [part.tolist() for part in tops(trace, np.zeros(1), 5)] == [[0], [50]]


@given(
    st.lists(st.integers(0, 9), min_size=3, max_size=60),
    st.integers(1, 12),
    st.integers(-1, 10),
    st.sampled_from([np.uint16, np.int32, np.float64]),
)
def test_tops_are_what_a_search_sample_by_sample_finds(
    values: list[int], reach: int, above: int, kind: type[np.generic]
) -> None:
    groups: list[list[int]] = []
    for at, value in enumerate(values):
        if value > above and value == max(values[max(0, at - reach) : at + reach + 1]):
            if groups and at - groups[-1][-1] <= reach:
                groups[-1].append(at)
            else:
                groups.append([at])
    _, found = tops(np.array([values], dtype=kind), np.array([float(above)]), reach)
    assert found.tolist() == [(group[0] + group[-1]) // 2 for group in groups]


@pytest.mark.parametrize("limit", [-5.0, -1.0, 0.0, 3.5, 4.0, 65534.0, 65535.0, 70000.0, np.inf])
def test_whole_counts_are_compared_as_if_they_were_not(limit: float) -> None:
    values = np.array([[0, 4, 0, 0, 5, 0, 0, 65535, 0]])
    whole = tops(values.astype(np.uint16), np.array([limit]), 1)
    real = tops(values.astype(np.float64), np.array([limit]), 1)
    assert [part.tolist() for part in whole] == [part.tolist() for part in real]


@pytest.mark.parametrize("kind", [np.uint16, np.float64])
def test_level_and_noise_are_those_of_the_trace(kind: type[np.generic]) -> None:
    chance = np.random.default_rng(3)
    counts = np.rint(chance.normal(400.0, 12.0, (500, 300))).astype(kind)
    level, noise = quiet_level(counts, 0, 300)
    assert level.mean() == pytest.approx(400.0, abs=0.5)
    assert noise.mean() == pytest.approx(12.0, abs=0.5)
    assert noise.std() < 2.5


def test_a_spike_in_the_quiet_stretch_moves_neither() -> None:
    counts = np.full((1, 300), 400.0)
    counts[0, ::7] = 402.0
    calm = quiet_level(counts, 0, 300)
    counts[0, 100:110] = 60000.0
    spiked = quiet_level(counts, 0, 300)
    assert (calm[0][0], calm[1][0]) == (spiked[0][0], spiked[1][0])


def test_a_perfectly_flat_trace_still_has_the_noise_of_its_converter() -> None:
    assert quiet_level(np.full((1, 100), 9.0), 0, 100)[1].tolist() == [0.5]
