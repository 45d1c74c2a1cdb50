"""Whatever happens to the calibrant of a mode, that mode is neither clear nor an alarm."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.alarm.mobility import Finding, RunResult, Verdict
from tests.unit.alarm import plasmagrams as draw

MS = draw.START + draw.STEP * np.arange(draw.POINTS)
CALIBRANT = (1.652, 1.860)
LOADS = st.lists(st.tuples(st.sampled_from([1.57, 1.451, 1.387, 1.314, 1.2, 1.93]), st.floats(100, 30000)), max_size=4)
SHIFT = st.one_of(st.floats(-0.05, -0.004), st.floats(0.004, 0.05))


def damaged(kind: str, amount: float, seed: int, peaks: list[tuple[float, float]]) -> draw.Counts:
    """A run of ten negative scans, in each of which the calibrant has come to harm in the same way, and ten good
    positive ones."""
    chance = np.random.default_rng(seed)
    counts = draw.series(draw.NEGATIVE, [peaks for _ in range(10)])
    centre = draw.drift(CALIBRANT[draw.NEGATIVE])
    peak = draw.gaussian(MS, centre, 6000.0)
    around = np.abs(MS - centre) < 0.6
    for row in range(0, 20, 2):
        if kind == "faint":
            counts[row] -= peak * (1 - 0.03 * amount)
        elif kind == "too strong":
            counts[row] += peak * (7 + 3 * amount)
        elif kind == "level":
            counts[row, around] = 400.0 + 65000.0 * amount
        elif kind == "noise":
            counts[row, around] = 400.0 + 150 * amount * chance.standard_normal(int(around.sum()))
        elif kind == "spike":
            counts[row] -= peak
            counts[row, np.flatnonzero(around)[len(np.flatnonzero(around)) // 2]] += 60000.0 * amount
        elif kind == "not a number":
            counts[row, np.flatnonzero(around)[int(amount * 119)]] = np.nan
        else:
            counts[row] -= peak * (1.5 + amount)
    return counts


def harmless(result: RunResult) -> bool:
    """The mode is uncalibrated, and the run is nothing else."""
    return (
        result.modes[draw.NEGATIVE].verdict is Verdict.UNCALIBRATED
        and result.verdict is Verdict.UNCALIBRATED
        and not any(match.finding is Finding.ALARM for match in result.matches)
    )


def test_what_is_damaged_below_is_judged_when_it_is_whole() -> None:
    good = draw.series(draw.NEGATIVE, [[] for _ in range(10)])
    assert draw.judged(good).verdict is Verdict.CLEAR
    assert draw.judged(draw.series(draw.NEGATIVE, [[(1.451, 1000.0)] for _ in range(10)])).verdict is Verdict.ALARM


@given(
    st.sampled_from(["faint", "too strong", "level", "noise", "spike", "not a number", "inverted"]),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
    LOADS,
)
@settings(deadline=None, max_examples=200)
def test_a_damaged_calibrant_gives_no_verdict(
    kind: str, amount: float, seed: int, peaks: list[tuple[float, float]]
) -> None:
    assert harmless(draw.judged(damaged(kind, amount, seed, peaks)))


@given(SHIFT, st.floats(1000, 30000), LOADS)
@settings(deadline=None, max_examples=100)
def test_a_calibrant_out_of_place_gives_no_verdict(
    shift: float, height: float, peaks: list[tuple[float, float]]
) -> None:
    counts = draw.series(draw.NEGATIVE, [peaks for _ in range(10)])
    centre = draw.drift(CALIBRANT[draw.NEGATIVE])
    counts[::2] += draw.gaussian(MS, centre * (1 + shift), height) - draw.gaussian(MS, centre, 6000.0)
    assert harmless(draw.judged(counts))


@given(st.sets(st.integers(0, 9)), LOADS)
@settings(deadline=None, max_examples=100)
def test_a_run_is_clear_only_if_enough_scans_are_calibrated(gone: set[int], peaks: list[tuple[float, float]]) -> None:
    counts = draw.series(draw.NEGATIVE, [peaks for _ in range(10)])
    for number in gone:
        counts[2 * number] -= draw.gaussian(MS, draw.drift(CALIBRANT[draw.NEGATIVE]), 6000.0)
    result = draw.judged(counts)
    mode = result.modes[draw.NEGATIVE]
    assert mode.calibrated == 10 - len(gone)
    if len(gone) > 2:
        assert mode.verdict in {Verdict.UNCALIBRATED, Verdict.ALARM}
    if mode.verdict is Verdict.ALARM:
        assert mode.calibrated >= 3


@given(st.binary(min_size=2 * 16, max_size=2 * 2000), st.integers(1, 6))
@settings(deadline=None, max_examples=100)
def test_any_bytes_get_a_verdict_and_no_calibrant_no_clear(content: bytes, rows: int) -> None:
    values = np.frombuffer(content[: len(content) // 2 * 2], dtype="<u2").astype(np.float64)
    counts = np.stack([np.roll(values, 7 * row) for row in range(rows)])
    result = draw.judged(counts)
    assert result.verdict is not Verdict.CLEAR or all(mode.calibrated for mode in result.modes)
