"""When nothing can be said, and when a rule is not met."""

from dataclasses import replace

import numpy as np
import pytest

from devicehub.alarm.mobility import Finding, Line, Remark, Verdict, judge_run, judge_scans
from tests.unit.alarm import plasmagrams as draw

TNT, UNKNOWN = (1.451, 2000.0), (1.520, 2000.0)
NEGATIVE = draw.NEGATIVE


def test_without_the_calibrant_a_run_is_uncalibrated_whatever_is_in_it() -> None:
    for loads in ({}, {"TNT": 20.0}, {"TNT": 400.0, "cocaine": 10.0}):
        source = draw.chemistry(3, loads)
        source.calibrant = {0: 0.0, 1: 0.0}
        result = draw.judged(draw.traces(source))
        assert result.verdict is Verdict.UNCALIBRATED
        assert Remark.UNCALIBRATED in result.remarks
        assert result.matches == ()
        assert result.unmatched == ()


def test_a_calibrant_missing_in_one_mode_leaves_the_other_its_alarm() -> None:
    source = draw.chemistry(3, {"cocaine": 10.0})
    source.calibrant[draw.NEGATIVE] = 0.0
    result = draw.judged(draw.traces(source))
    assert result.verdict is Verdict.ALARM
    assert [one.verdict for one in result.modes] == [Verdict.UNCALIBRATED, Verdict.ALARM]
    source.loads = {}
    assert draw.judged(draw.traces(source)).verdict is Verdict.UNCALIBRATED


def test_a_substance_is_not_taken_for_the_missing_calibrant() -> None:
    """2,4-DNT is within the sensors' error of the calibrant; the reactant ion tells them apart."""
    rows = []
    for number in range(10):
        dnt = draw.drawn(NEGATIVE, [(1.57, 5000.0)], seed=number)
        ms = draw.START + draw.STEP * np.arange(draw.POINTS)
        rows += [dnt - draw.gaussian(ms, draw.drift(1.652), 6000.0), draw.drawn(1, (), seed=100 + number)]
    result = draw.judged(np.stack(rows))
    assert [one.verdict for one in result.modes] == [Verdict.UNCALIBRATED, Verdict.CLEAR]


def test_without_the_reactant_ion_a_run_is_inconclusive() -> None:
    ms = draw.START + draw.STEP * np.arange(draw.POINTS)
    counts = draw.series(NEGATIVE, [[] for _ in range(10)])
    for row in range(20):
        counts[row] -= draw.gaussian(ms, draw.drift((2.750, 2.300)[row % 2]), 20000.0)
    result = draw.judged(counts)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.remarks == (Remark.NO_REACTANT,)
    assert [one.calibrated for one in result.modes] == [10, 10]


def test_without_any_reactant_ion_not_even_an_alarm_is_given() -> None:
    ms = draw.START + draw.STEP * np.arange(draw.POINTS)
    counts = draw.series(NEGATIVE, [[TNT] for _ in range(10)])
    counts[::2] -= draw.gaussian(ms, draw.drift(2.750), 20000.0)
    result = draw.judged(counts)
    assert (result.verdict, result.matches) == (Verdict.INCONCLUSIVE, ())


def test_a_source_that_is_off_is_uncalibrated() -> None:
    source = draw.chemistry(3)
    source.charge = {0: 0.0, 1: 0.0}
    assert draw.judged(draw.traces(source)).verdict is Verdict.UNCALIBRATED


def test_a_load_that_takes_the_charge_is_saturated_and_still_alarms() -> None:
    result = draw.judged(draw.run({"TNT": 400.0}))
    assert result.verdict is Verdict.ALARM
    assert Remark.SATURATED in result.remarks
    assert Remark.NO_REACTANT not in result.remarks


def test_an_unknown_that_takes_the_charge_is_never_clear() -> None:
    result = draw.judged(draw.run({"hand cream": 4000.0}))
    assert (result.verdict, result.remarks) == (Verdict.INCONCLUSIVE, (Remark.SATURATED,))


def test_a_load_that_takes_even_the_calibrants_charge_is_uncalibrated_and_saturated() -> None:
    result = draw.judged(draw.run({"TNT": 3000.0}))
    assert result.modes[0].verdict is Verdict.UNCALIBRATED
    assert Remark.SATURATED in result.remarks


def test_the_instruments_word_of_saturation_forbids_clear() -> None:
    seen = judge_scans(draw.batch(draw.run(), saturated=[7]), draw.library())
    result = judge_run(seen, draw.library())
    assert (result.verdict, result.remarks) == (Verdict.INCONCLUSIVE, (Remark.SATURATED,))


def test_a_sample_at_full_scale_forbids_clear_wherever_it_stands() -> None:
    for column in (0, 300, 466, 1000, 1999):
        counts = draw.run()
        counts[4, column] = 65535
        result = draw.judged(counts)
        assert (result.verdict, result.remarks) == (Verdict.INCONCLUSIVE, (Remark.SATURATED,))
        assert draw.seen(counts).saturated.tolist() == [row == 4 for row in range(20)]


def test_a_strong_peak_that_nobody_knows_is_reported_with_its_mobility() -> None:
    result = draw.judged(draw.series(NEGATIVE, [[UNKNOWN] for _ in range(10)]))
    assert result.verdict is Verdict.CLEAR
    (peak,) = result.unmatched
    assert peak.k0 == pytest.approx(1.520, abs=0.001)
    assert peak.amplitude == pytest.approx(2000, rel=0.05)
    assert (peak.name, peak.scans, peak.broad, peak.mode) == ("", 10, False, "negative")


def test_two_unknown_peaks_are_two_and_the_strongest_is_first() -> None:
    result = draw.judged(draw.series(NEGATIVE, [[UNKNOWN, (1.05, 4000.0)] for _ in range(5)]))
    assert [round(peak.k0, 2) for peak in result.unmatched] == [1.05, 1.52]


def test_an_unknown_is_told_for_its_own_mode_only() -> None:
    counts = draw.series(NEGATIVE, [[UNKNOWN] for _ in range(5)])
    ms = draw.START + draw.STEP * np.arange(draw.POINTS)
    counts[1::2] += draw.gaussian(ms, draw.drift(1.160), 2000.0)
    assert [peak.mode for peak in draw.judged(counts).unmatched] == ["negative"]


def test_a_weak_or_a_passing_unknown_is_not_reported() -> None:
    weak = [[(1.520, 100.0)] for _ in range(10)]
    passing = [[UNKNOWN] if number in {3, 4} else [] for number in range(10)]
    for scans in (weak, passing):
        assert draw.judged(draw.series(NEGATIVE, scans)).unmatched == ()


def test_two_ions_too_near_to_tell_apart_are_one_broad_unknown() -> None:
    result = draw.judged(draw.series(NEGATIVE, [[(1.465, 3000.0), (1.437, 3000.0)] for _ in range(5)]))
    (peak,) = result.unmatched
    assert peak.broad
    assert result.matches == ()


def test_a_signal_without_the_shape_of_a_peak_is_reported() -> None:
    counts = draw.series(NEGATIVE, [[] for _ in range(5)])
    counts[::2, 1000:1100] += 3000.0
    counts[::2, 1040:1060] -= 20.0 * (10.0 - np.abs(np.arange(20) - 9.5))
    result = draw.judged(counts)
    assert result.unmatched
    assert all(peak.broad for peak in result.unmatched)


@pytest.mark.parametrize(
    ("scans", "finding", "longest"),
    [
        ({2, 3, 4}, Finding.ALARM, 3),
        ({2, 3}, Finding.BRIEF, 2),
        ({0, 1, 3, 4, 6, 7}, Finding.BRIEF, 2),
        ({7, 8, 9}, Finding.ALARM, 3),
        ({5}, Finding.BRIEF, 1),
    ],
)
def test_a_substance_must_be_there_in_consecutive_scans(scans: set[int], finding: Finding, longest: int) -> None:
    result = draw.judged(draw.series(NEGATIVE, [[TNT] if number in scans else [] for number in range(10)]))
    (match,) = result.matches
    assert (match.finding, match.scans) == (finding, longest)
    assert match.scan in scans
    assert result.verdict is (Verdict.ALARM if finding is Finding.ALARM else Verdict.CLEAR)


def test_a_rule_may_ask_for_more_scans_than_the_run() -> None:
    counts = draw.series(NEGATIVE, [[TNT] if number < 4 else [] for number in range(10)])
    assert draw.judged(counts, among=draw.with_rule(minimum_scans=4)).verdict is Verdict.ALARM
    assert draw.judged(counts, among=draw.with_rule(minimum_scans=5)).verdict is Verdict.CLEAR


def test_a_scan_that_cannot_be_used_neither_counts_nor_interrupts() -> None:
    counts = draw.series(NEGATIVE, [[TNT] if number in {2, 3, 5} else [] for number in range(10)])
    counts[8] = 400.0
    (match,) = draw.judged(counts).matches
    assert (match.finding, match.scans) == (Finding.ALARM, 3)


def test_a_peak_below_the_threshold_is_told_and_does_not_alarm() -> None:
    result = draw.judged(draw.series(NEGATIVE, [[(1.451, 115.0)] for _ in range(10)]))
    assert result.verdict is Verdict.CLEAR
    assert [(match.substance, match.finding) for match in result.matches] == [("TNT", Finding.PARTIAL)]


@pytest.mark.parametrize(("k0", "alarm"), [(1.4478, True), (1.4542, True), (1.4460, False), (1.4560, False)])
def test_a_window_ends_where_it_ends(k0: float, *, alarm: bool) -> None:
    result = draw.judged(draw.series(NEGATIVE, [[(k0, 4000.0)] for _ in range(6)]))
    assert result.verdict is (Verdict.ALARM if alarm else Verdict.CLEAR)
    assert bool(result.unmatched) is not alarm


def test_any_one_of_several_peaks_is_enough_where_the_rule_says_so() -> None:
    for k0 in (1.387, 1.314):
        (match,) = draw.judged(draw.series(NEGATIVE, [[(k0, 1000.0)] for _ in range(5)])).matches
        assert (match.substance, match.finding) == ("RDX", Finding.ALARM)


def test_every_required_peak_is_needed() -> None:
    both = draw.with_rule(required=("TNT [M-H]-", "RDX.NO3-"))
    for second, finding in ((1000.0, Finding.ALARM), (120.0, Finding.PARTIAL), (0.0, Finding.PARTIAL)):
        counts = draw.series(NEGATIVE, [[TNT, (1.314, second)] for _ in range(5)])
        found = {match.substance: match.finding for match in draw.judged(counts, among=both).matches}
        assert found["TNT"] is finding


def test_beside_an_exclusion_peak_a_run_is_neither_alarm_nor_clear() -> None:
    against = Line("against", "negative", 1.350, 0.004, "test", "training")
    library = draw.with_lines([against])
    rules = [replace(one, exclusion=("against",)) if one.name == "TNT" else one for one in library.substances]
    library = replace(library, substances=tuple(rules))
    counts = draw.series(NEGATIVE, [[TNT, (1.350, 500.0)] for _ in range(6)])
    result = draw.judged(counts, among=library)
    assert (result.verdict, result.remarks) == (Verdict.INCONCLUSIVE, (Remark.EXCLUDED,))
    assert [(match.substance, match.finding, match.scans) for match in result.matches] == [("TNT", Finding.EXCLUDED, 6)]
    assert draw.judged(draw.series(NEGATIVE, [[TNT] for _ in range(6)]), among=library).verdict is Verdict.ALARM


def test_an_exclusion_peak_that_comes_late_does_not_undo_an_alarm() -> None:
    library = draw.with_rule(exclusion=("RDX.NO3-",))
    counts = draw.series(NEGATIVE, [[TNT] if number < 3 else [TNT, (1.314, 900.0)] for number in range(8)])
    assert draw.judged(counts, among=library).verdict is Verdict.ALARM


def test_values_that_are_no_numbers_leave_a_scan_uncalibrated() -> None:
    for wrong in (np.nan, np.inf, -np.inf):
        counts = draw.run({"TNT": 20.0})
        counts[:, 700] = wrong
        result = draw.judged(counts)
        assert result.verdict is Verdict.UNCALIBRATED
        assert Remark.DAMAGED in result.remarks
        counts = draw.run()
        counts[4, 700] = wrong
        assert draw.judged(counts).verdict is Verdict.INCONCLUSIVE


def test_an_instrument_with_another_calibrant_or_scale_is_uncalibrated() -> None:
    given = draw.known()
    for changed in (
        replace(given[0], calibrant="hexachloroethane"),
        replace(given[0], calibrant_k0=1.652 * 1.054),
        replace(given[0], calibrant_k0=float("nan")),
    ):
        result = draw.judged(draw.run({"TNT": 20.0}), (changed, given[1]))
        assert result.verdict is Verdict.UNCALIBRATED
        assert Remark.OTHER_SCALE in result.remarks
        assert result.matches == ()
    spelt = replace(given[0], calibrant=" 4-Nitrobenzonitrile ")
    assert draw.judged(draw.run({"TNT": 20.0}), (spelt, given[1])).verdict is Verdict.ALARM


def test_a_mode_that_the_library_does_not_know_is_not_judged() -> None:
    given = draw.known()
    result = draw.judged(draw.run({"TNT": 20.0}), (replace(given[0], mode="neutral"), given[1]))
    assert (result.verdict, result.modes[0].scans) == (Verdict.INCONCLUSIVE, 0)


def test_a_trace_that_ends_before_the_last_window_is_never_clear() -> None:
    counts = draw.run()[:, :1500]
    work = replace(draw.batch(draw.run()), counts=np.ascontiguousarray(counts.astype(np.uint16)))
    result = judge_run(judge_scans(work, draw.library()), draw.library())
    assert (result.verdict, result.remarks) == (Verdict.INCONCLUSIVE, (Remark.BLIND,))
    assert [one.verdict for one in result.modes] == [Verdict.CLEAR, Verdict.INCONCLUSIVE]


@pytest.mark.parametrize(("after", "verdict"), [(0.10, Verdict.INCONCLUSIVE), (0.25, Verdict.CLEAR)])
def test_a_window_too_near_the_end_to_fit_a_peak_is_never_clear(after: float, verdict: Verdict) -> None:
    """The slowest window is heroin's; a fit reaches 0.15 ms."""
    points = round((draw.drift(1.040 - 0.004) + after - draw.START) / draw.STEP) + 1
    counts = draw.series(NEGATIVE, [[] for _ in range(10)])[:, :points]
    work = replace(draw.batch(np.ascontiguousarray(counts)), step_ms=draw.STEP)
    assert judge_run(judge_scans(work, draw.library()), draw.library()).verdict is verdict


def test_a_run_of_fewer_scans_than_an_alarm_needs_is_never_clear() -> None:
    result = draw.judged(draw.series(NEGATIVE, [[], []]))
    assert (result.verdict, result.remarks) == (Verdict.INCONCLUSIVE, (Remark.TOO_FEW_SCANS,))
    assert draw.judged(draw.series(NEGATIVE, [[], [], []])).verdict is Verdict.CLEAR


def test_a_window_beneath_a_reference_peak_is_never_clear() -> None:
    hidden = Line("hidden", "negative", 1.640, 0.004, "test", "training")
    rule = replace(draw.library().substances[0], name="hidden", required=("hidden",))
    result = draw.judged(draw.run(), among=draw.with_lines([hidden], [rule]))
    assert (result.verdict, result.remarks) == (Verdict.INCONCLUSIVE, (Remark.BLIND,))


@pytest.mark.parametrize("points", [2, 16, 64, 250])
def test_a_trace_too_coarse_for_a_peak_is_uncalibrated(points: int) -> None:
    counts = draw.traces(draw.chemistry(1, {"TNT": 20.0}, points))
    assert draw.judged(counts).verdict is Verdict.UNCALIBRATED


@pytest.mark.parametrize("points", [400, 500, 1000])
def test_a_coarser_trace_gives_the_same_verdicts(points: int) -> None:
    for loads, verdict in (({}, Verdict.CLEAR), ({"TNT": 20.0}, Verdict.ALARM), ({"heroin": 20.0}, Verdict.ALARM)):
        assert draw.judged(draw.traces(draw.chemistry(1, loads, points))).verdict is verdict
