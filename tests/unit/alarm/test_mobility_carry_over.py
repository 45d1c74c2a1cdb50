"""One run after another in the same instrument."""

import numpy as np
import pytest

from devicehub.alarm.mobility import Finding, MobilityJudge, Remark, RunResult, ScanBatch, Verdict
from simulators.trace import _ims_physics as physics
from tests.unit.alarm import plasmagrams as draw


class Lane:
    """An instrument of the simulator and the judge behind it."""

    def __init__(self, seed: int = 4) -> None:
        self.source = draw.chemistry(seed)
        self.judge = MobilityJudge(draw.library())

    def swab(self, **loads: float) -> RunResult:
        self.source.loads = {physics.substance(name.replace("_", " ")): mass for name, mass in loads.items()}
        result = self.judge.run(draw.batch(draw.traces(self.source)))
        self.source.settle()
        return result

    def blank(self) -> tuple[tuple[str, float], ...]:
        return self.judge.blank(draw.batch(draw.traces(self.source, scans=2, idle=True))).residue


def test_what_a_swab_leaves_behind_does_not_alarm_on_the_next() -> None:
    lane = Lane()
    assert lane.swab(TNT=100.0).verdict is Verdict.ALARM
    ((name, counts),) = lane.blank()
    assert name == "TNT"
    assert counts > 300
    after = lane.swab()
    assert (after.verdict, after.remarks) == (Verdict.INCONCLUSIVE, (Remark.CARRY_OVER,))
    assert [(match.substance, match.finding) for match in after.matches] == [("TNT", Finding.CARRIED_OVER)]


def test_without_a_blank_the_end_of_the_run_before_is_what_is_known() -> None:
    lane = Lane()
    assert lane.swab(TNT=100.0).verdict is Verdict.ALARM
    assert lane.swab().verdict is Verdict.INCONCLUSIVE


def test_a_judge_without_a_memory_would_have_alarmed() -> None:
    lane = Lane()
    lane.swab(TNT=100.0)
    assert draw.judged(draw.traces(lane.source)).verdict is Verdict.ALARM


def test_more_of_the_same_alarms_in_spite_of_the_residue() -> None:
    lane = Lane()
    lane.swab(TNT=100.0)
    lane.blank()
    assert lane.swab(TNT=100.0).verdict is Verdict.ALARM


def test_another_substance_alarms_in_spite_of_the_residue() -> None:
    lane = Lane()
    lane.swab(TNT=100.0)
    lane.blank()
    after = lane.swab(RDX=20.0)
    assert after.verdict is Verdict.ALARM
    assert [(match.substance, match.finding) for match in after.matches if match.finding is Finding.ALARM] == [
        ("RDX", Finding.ALARM)
    ]
    assert Remark.CARRY_OVER in after.remarks


def test_when_the_residue_has_gone_a_run_is_clear_again() -> None:
    lane = Lane()
    lane.swab(TNT=100.0)
    assert lane.blank()
    lane.source.decay(600.0, 90.0)
    assert lane.blank() == ()
    assert lane.swab().verdict is Verdict.CLEAR
    assert lane.swab(TNT=5.0).verdict is Verdict.ALARM


def test_what_was_gone_before_the_end_of_a_run_is_not_held_against_the_next() -> None:
    judge = MobilityJudge(draw.library())
    tnt = [(1.451, 2000.0)]
    gone = draw.batch(draw.series(draw.NEGATIVE, [tnt if number < 5 else [] for number in range(10)]))
    assert [judge.run(gone).verdict for _ in range(2)] == [Verdict.ALARM, Verdict.ALARM]
    stays = draw.batch(draw.series(draw.NEGATIVE, [tnt for _ in range(10)]))
    assert [judge.run(stays).verdict for _ in range(2)] == [Verdict.ALARM, Verdict.INCONCLUSIVE]


def test_a_residue_below_the_threshold_is_no_contamination_but_is_remembered() -> None:
    judge = MobilityJudge(draw.library())
    faint = draw.series(draw.NEGATIVE, [[(1.451, 110.0)]])
    assert not judge.blank(draw.batch(faint)).contaminated
    assert judge.run(draw.batch(draw.series(draw.NEGATIVE, [[(1.451, 250.0)]] * 5))).verdict is Verdict.INCONCLUSIVE
    assert judge.run(draw.batch(draw.series(draw.NEGATIVE, [[(1.451, 2500.0)]] * 5))).verdict is Verdict.ALARM


def test_a_blank_that_cannot_be_judged_changes_nothing_that_is_known() -> None:
    lane = Lane()
    lane.swab(TNT=100.0)
    known = lane.blank()
    lane.source.calibrant = {0: 0.0, 1: 0.0}
    blank = lane.judge.blank(draw.batch(draw.traces(lane.source, scans=2, idle=True)))
    assert blank.residue == known
    assert blank.contaminated
    assert [one.verdict for one in blank.modes] == [Verdict.UNCALIBRATED, Verdict.UNCALIBRATED]


@pytest.mark.parametrize("scans", [2, 6])
def test_a_clean_blank_has_nothing_to_say(scans: int) -> None:
    judge = MobilityJudge(draw.library())
    blank = judge.blank(draw.batch(draw.traces(draw.chemistry(1), scans=scans, idle=True)))
    assert not blank.contaminated
    assert blank.digest == draw.library().digest
    assert [one.calibrated for one in blank.modes] == [scans // 2, scans // 2]


def test_an_instrument_with_one_mode_is_judged_by_that_mode() -> None:
    counts = draw.run()
    work = draw.batch(counts)
    negative = ScanBatch(
        work.counts[::2], work.start_ms, work.step_ms, work.facts, work.fact[::2], np.zeros(10, dtype=np.bool_)
    )
    assert MobilityJudge(draw.library(), ("negative",)).run(negative).verdict is Verdict.CLEAR
    assert MobilityJudge(draw.library()).run(negative).verdict is Verdict.INCONCLUSIVE
