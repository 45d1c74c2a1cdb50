"""Verdicts on runs of the reference instrument's simulator, which shares no code with the judge."""

from dataclasses import replace

import numpy as np
import pytest

from devicehub.alarm.mobility import Finding, Gas, Remark, RunResult, Verdict, judge_run, judge_runs, judge_scans
from simulators.trace import _ims_physics as physics
from tests.unit.alarm import plasmagrams as draw

POLARITY = {"negative": draw.NEGATIVE, "positive": draw.POSITIVE}


def alarms(result: RunResult) -> set[str]:
    return {match.substance for match in result.matches if match.finding is Finding.ALARM}


def test_a_clean_swab_is_clear_and_says_what_it_rests_on() -> None:
    result = draw.judged(draw.run())
    assert result.verdict is Verdict.CLEAR
    assert (result.remarks, result.matches, result.unmatched) == ((), (), ())
    assert [(one.scans, one.calibrated) for one in result.modes] == [(10, 10), (10, 10)]
    assert [one.calibrant_ms for one in result.modes] == pytest.approx([draw.drift(1.652), draw.drift(1.860)], rel=1e-3)
    assert result.library == "training 1"
    assert result.digest == draw.library().digest


@pytest.mark.parametrize("name", [one.name for one in physics.SUBSTANCES])
def test_every_substance_that_the_simulator_knows_alarms_under_its_name(name: str) -> None:
    result = draw.judged(draw.run({name: 20.0}))
    assert result.verdict is Verdict.ALARM
    assert name in alarms(result)
    (match,) = (one for one in result.matches if one.substance == name)
    (expected, _), *_ = physics.substance(name).ions
    assert match.k0 == pytest.approx(expected, abs=0.0005)
    assert match.scans >= draw.library().run.minimum_scans
    assert match.snr > 10


def test_two_substances_alarm_each_in_its_mode() -> None:
    result = draw.judged(draw.run({"RDX": 20.0, "cocaine": 10.0}))
    assert alarms(result) == {"RDX", "cocaine"}
    assert [one.verdict for one in result.modes] == [Verdict.ALARM, Verdict.ALARM]


def test_two_substances_alarm_side_by_side_in_one_mode() -> None:
    assert alarms(draw.judged(draw.run({"TNT": 20.0, "RDX": 20.0}))) == {"TNT", "RDX"}


def test_an_interferent_in_a_window_alarms_and_is_named() -> None:
    result = draw.judged(draw.run({"ascorbic acid": 60.0}))
    (match,) = result.matches
    assert (match.substance, match.finding) == ("TNT", Finding.ALARM)
    assert match.interferents == ("ascorbic acid", "citric acid", "malic acid", "tartaric acid")


def test_an_interferent_of_its_own_place_is_named_and_does_not_alarm() -> None:
    result = draw.judged(draw.run({"hand cream": 60.0}))
    assert result.verdict is Verdict.CLEAR
    (other,) = result.unmatched
    assert (other.name, other.mode) == ("hand cream", "positive")
    assert other.k0 == pytest.approx(1.290, abs=0.001)


@pytest.mark.parametrize("name", ["TNT", "PETN", "cocaine", "heroin"])
@pytest.mark.parametrize(("kelvin", "hectopascal"), [(5.0, 20.0), (-5.0, 20.0), (5.0, -20.0), (-5.0, -20.0)])
def test_wrong_sensors_change_no_verdict(name: str, kelvin: float, hectopascal: float) -> None:
    """The gas is as it is; what the sensors say of it is 5 K and 20 hPa off."""
    sensors = draw.known(Gas(draw.GAS.kelvin + kelvin, draw.GAS.hectopascal + hectopascal))
    for loads in ({}, {name: 10.0}):
        counts = draw.run(loads)
        right, wrong = draw.judged(counts), draw.judged(counts, sensors)
        assert wrong == right
        assert right.verdict is (Verdict.ALARM if loads else Verdict.CLEAR)


@pytest.mark.parametrize("name", ["TNT", "PETN", "cocaine", "heroin"])
@pytest.mark.parametrize(
    ("kelvin", "hectopascal"), [(5.0, 20.0), (-5.0, 20.0), (5.0, -20.0), (-5.0, -20.0), (1.0, 0.0)]
)
def test_an_absolute_mobility_would_have_missed_it(name: str, kelvin: float, hectopascal: float) -> None:
    """K0 from drift length, voltage and the same wrong sensors is out of the window; even with 1 K of error, at an edge."""
    found = draw.seen(draw.run({name: 10.0}))
    strongest = int(found.candidates.amplitude.argmax())
    relative, ms = float(found.candidates.k0[strongest]), float(found.candidates.ms[strongest])
    gas = Gas(draw.GAS.kelvin + kelvin, draw.GAS.hectopascal + hectopascal)
    absolute = 36.0 / (1400.0 * ms / 1e3) * (273.15 / gas.kelvin) * (gas.hectopascal / 1013.25)
    line = min(draw.library().lines, key=lambda one: abs(one.k0 - relative))
    assert abs(relative - line.k0) <= line.window
    if kelvin == 1.0:
        assert abs(absolute - line.k0) > 0.6 * line.window
    else:
        assert abs(absolute - line.k0) > line.window


def test_a_run_without_one_of_its_modes_is_never_clear() -> None:
    counts = draw.run()
    work = draw.batch(counts)
    only = replace(work, counts=work.counts[::2], fact=work.fact[::2], saturated=work.saturated[::2])
    seen = judge_scans(only, draw.library())
    result = judge_run(seen, draw.library())
    assert (result.verdict, result.remarks) == (Verdict.INCONCLUSIVE, (Remark.TOO_FEW_SCANS,))
    assert judge_run(seen, draw.library(), modes=("negative",)).verdict is Verdict.CLEAR
    assert judge_run(seen, draw.library(), modes=()).verdict is Verdict.INCONCLUSIVE


def test_several_runs_in_one_batch_are_judged_as_each_alone() -> None:
    loads: list[dict[str, float]] = [{}, {"TNT": 20.0}, {"hand cream": 60.0}, {"heroin": 30.0, "RDX": 5.0}, {}]
    runs = [draw.run(load, seed) for seed, load in enumerate(loads)]
    seen = draw.seen(np.concatenate(runs))
    together = judge_runs(seen, draw.library(), range(0, 100, 20))
    assert together == [draw.judged(one) for one in runs]


@pytest.mark.parametrize("starts", [[], [1], [0, 0], [0, 30, 20], [0, 101]])
def test_runs_that_do_not_follow_each_other_are_refused(starts: list[int]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        judge_runs(draw.seen(draw.run()), draw.library(), starts)


def test_arrays_that_do_not_fit_are_refused() -> None:
    work = draw.batch(draw.run())
    for wrong in (
        replace(work, fact=work.fact[1:]),
        replace(work, saturated=work.saturated[1:]),
        replace(work, counts=work.counts[0]),
        replace(work, step_ms=0.0),
        replace(work, start_ms=float("nan")),
        replace(work, counts=work.counts[:, :1]),
    ):
        with pytest.raises(ValueError, match="must"):
            judge_scans(wrong, draw.library())


def test_a_batch_without_scans_has_nothing_to_say() -> None:
    seen = judge_scans(draw.batch(np.zeros((0, 2000))), draw.library())
    assert judge_run(seen, draw.library()).verdict is Verdict.INCONCLUSIVE
