"""Plasmagrams as a driver gives them to the hub's verdict: never clear without a calibrant, and every run is told of."""

from dataclasses import replace
from itertools import chain, repeat

import msgspec
import numpy as np
import pytest

from devicehub.alarm.mobility import SubstanceLibrary
from devicehub.core.runs import MOST_SCANS, SILENCE, Able, Found, Judged, MobilityRules, Screening
from devicehub.core.verdicts import UNSEEN
from devicehub.model.payload import Source
from devicehub.model.reading import Cause, Level, Outcome
from tests.unit.alarm.plasmagrams import SCANS, drawn, library
from tests.unit.core.swabs import (
    at,
    bad,
    blanks,
    ended,
    feed,
    judged,
    screening,
    spectra,
    spectrum,
    swab,
    verdict,
    without_calibrant,
)

FULL = (Level.FULL, Cause.NONE)


def able(one: Screening) -> dict[str, tuple[Level, Cause]]:
    return dict(one.abilities())


def test_a_clean_run_is_clear_and_says_by_which_library_and_how_many_scans() -> None:
    data = verdict(swab())
    assert (data.outcome, data.cause, data.source, data.sample_id) == (Outcome.CLEAR, Cause.NONE, Source.HUB, "7")
    assert (data.duration_s, data.scans, data.sent) == (5.0, SCANS, SCANS)
    assert (data.library, data.library_digest) == ("training 1", library().digest)
    assert [(mode.mode, mode.outcome, mode.scans, mode.calibrated) for mode in data.modes] == [
        ("negative", Outcome.CLEAR, 10, 10),
        ("positive", Outcome.CLEAR, 10, 10),
    ]


def test_a_substance_alarms_while_its_run_goes_on_and_its_peak_is_told() -> None:
    one = screening()
    words = feed(one, swab("TNT"))
    (found,) = [word for word in words if isinstance(word, Found)]
    assert (found.match.substance, found.message, found.at) == ("TNT", "scan-4", at(1.0)), "its third scan in a row"
    (data,) = judged(one.result(ended(), at(5.0), "r"))
    assert data.outcome is Outcome.ALARM
    (peak,) = data.peaks
    assert (peak.name, peak.substance, peak.group, peak.mode) == ("TNT [M-H]-", "TNT", "explosives", "negative")
    assert (peak.finding, peak.scans) == ("alarm", 10)
    assert peak.position == pytest.approx(1.451, abs=0.002)
    assert peak.confidence is not None
    assert 0.5 < peak.confidence <= 1
    assert "ascorbic acid" in peak.interferents


@pytest.mark.parametrize("substance", ["", "TNT"])
def test_without_a_calibrant_a_run_is_inconclusive_whatever_the_device_says(substance: str) -> None:
    one = screening()
    data = verdict(without_calibrant(substance), one)
    assert (data.outcome, data.cause) == (Outcome.INCONCLUSIVE, Cause.UNCALIBRATED)
    assert [(mode.outcome, mode.calibrated) for mode in data.modes] == [(Outcome.INCONCLUSIVE, 0)] * 2
    assert able(one) == {"explosives": UNSEEN, "narcotics": UNSEEN}


def test_a_device_that_does_not_say_what_its_calibrant_is_has_none() -> None:
    silent = [msgspec.structs.replace(one, drift=None) for one in swab()]
    assert verdict(silent).cause is Cause.UNCALIBRATED


def test_a_device_on_another_scale_is_uncalibrated() -> None:
    other = [
        msgspec.structs.replace(one, drift=msgspec.structs.replace(one.drift, calibrant="caffeine"))
        for one in swab()
        if one.drift is not None
    ]
    data = verdict(other)
    assert (data.outcome, set(data.causes)) == (Outcome.INCONCLUSIVE, {Cause.UNCALIBRATED, Cause.OTHER_SCALE})


def test_nothing_can_be_detected_until_a_calibrant_was_seen_and_everything_then() -> None:
    one = screening()
    assert able(one) == {"explosives": UNSEEN, "narcotics": UNSEEN}
    negative, positive = blanks()
    assert feed(one, [negative]) == [Able(at(0), (("explosives", FULL), ("narcotics", UNSEEN)))]
    assert feed(one, [positive]) == [Able(at(0), (("explosives", FULL), ("narcotics", FULL)))]
    assert feed(one, blanks()) == [], "no news"


def test_what_a_blank_still_shows_does_not_alarm_in_the_next_run_and_does_not_clear_it_either() -> None:
    one = screening()
    feed(one, blanks("TNT", 2.0))
    assert able(one)["explosives"] == (Level.DEGRADED, Cause.CONTAMINATED)
    assert able(one)["narcotics"] == FULL
    data = verdict(swab("TNT", 0.7), one)
    assert (data.outcome, data.cause, data.peaks[0].finding) == (
        Outcome.INCONCLUSIVE,
        Cause.CARRY_OVER,
        "carried-over",
    )
    feed(one, blanks())
    assert able(one)["explosives"] == FULL


def test_a_saturated_run_is_not_clear_and_degrades_what_can_be_detected() -> None:
    one = screening()
    data = verdict([bad(scan, Cause.SATURATED) for scan in swab()], one)
    assert (data.outcome, data.cause) == (Outcome.INCONCLUSIVE, Cause.SATURATED)
    assert able(one) == dict.fromkeys(("explosives", "narcotics"), (Level.DEGRADED, Cause.SATURATED))


def test_a_strong_peak_that_nothing_explains_is_listed_in_a_clear_run() -> None:
    strange = [drawn(0, [(1.10, 4000.0)], seed=2 * n) if n % 2 == 0 else drawn(1, (), seed=n) for n in range(SCANS)]
    data = verdict(spectra(np.stack(strange)))
    (peak,) = data.peaks
    assert (data.outcome, peak.finding, peak.name, peak.substance) == (Outcome.CLEAR, "unmatched", "", "")
    assert (peak.mode, peak.scans) == ("negative", 10)
    assert peak.position == pytest.approx(1.10, abs=0.002)


def test_what_the_device_itself_calls_bad_is_not_clear() -> None:
    doubted = [bad(scan, Cause.NO_REACTANT) if scan.index in range(6) else scan for scan in swab()]
    data = verdict(doubted)
    assert (data.outcome, data.cause) == (Outcome.INCONCLUSIVE, Cause.NO_REACTANT)
    assert verdict([bad(scan, Cause.NO_REACTANT) for scan in swab("TNT")]).outcome is Outcome.ALARM, "BAD may raise"


def test_scans_that_are_lost_are_missed() -> None:
    assert verdict(swab()[4:]).outcome is Outcome.CLEAR, "a fifth may be lost"
    data = verdict(swab()[5:])
    assert (data.outcome, data.cause, data.scans, data.sent) == (Outcome.INCONCLUSIVE, Cause.INCOMPLETE, 15, SCANS)


def test_a_scan_that_comes_often_counts_once() -> None:
    scans = list(swab("TNT"))
    once = [one for one in scans if one.index not in {0, 2, 4, 6, 8, 10, 12, 14, 16}]
    repeated = [*once[:-2], *repeat(once[-2], 9), once[-1]]
    assert not any(isinstance(word, Found) for word in feed(screening(), repeated))


def test_a_mode_that_did_not_come_at_all_is_not_clear() -> None:
    assert verdict(swab()[::2], end=ended(scans=10)).cause is Cause.INCOMPLETE
    only = MobilityRules(library(), modes=("negative",))
    assert verdict(swab()[::2], Screening(only), ended(scans=10)).outcome is Outcome.CLEAR


@pytest.mark.parametrize(("substance", "outcome"), [("", Outcome.ABORTED), ("TNT", Outcome.ALARM)])
def test_a_run_that_is_aborted_is_told_so_unless_it_alarms(substance: str, outcome: Outcome) -> None:
    end = ended(outcome=Outcome.ABORTED, scans=12)
    data = verdict(swab(substance)[:12], end=end)
    assert (data.outcome, data.cause) == (outcome, Cause.NONE)
    faulty = verdict(swab(substance)[:12], end=ended(outcome=Outcome.ABORTED, cause=Cause.FAULT, scans=12))
    assert (faulty.outcome, faulty.cause) == (outcome, Cause.FAULT)


def test_a_device_that_is_pulled_out_takes_its_run_with_it() -> None:
    one = screening()
    feed(one, swab()[:12])
    (data,) = judged(one.away(at(3.0)))
    assert (data.outcome, data.cause, data.scans, data.duration_s) == (
        Outcome.ABORTED,
        Cause.NOT_CONNECTED,
        12,
        2.75,
    )
    assert able(one) == {"explosives": UNSEEN, "narcotics": UNSEEN}


def test_the_rest_of_a_run_that_was_told_as_aborted_is_told_only_if_it_alarms() -> None:
    one = screening()
    feed(one, swab("TNT")[:3])
    assert [data.outcome for data in judged(one.away(at(1.0)))] == [Outcome.ABORTED]
    words = feed(one, swab("TNT")[3:], begin=2.0) + one.result(ended(), at(9.0), "r")
    assert [type(word) for word in words] == [Found, Judged, Able]
    feed(one, swab(run="8")[:3], begin=20.0)
    one.away(at(21.0))
    assert judged(feed(one, swab(run="8")[3:], begin=22.0) + one.result(ended("8"), at(29.0), "r")) == []


def test_a_run_of_which_nothing_is_heard_any_more_ends() -> None:
    one = screening()
    feed(one, swab()[:4])
    assert one.tick(at(0.75 + SILENCE)) == []
    (data,) = judged(one.tick(at(0.76 + SILENCE)))
    assert (data.outcome, data.cause) == (Outcome.ABORTED, Cause.STALE)
    assert one.tick(at(1000.0)) == []


def test_the_next_run_ends_one_that_has_no_end() -> None:
    one = screening()
    words = feed(one, chain(swab()[:4], swab(run="8"))) + one.result(ended("8"), at(9.0), "r")
    assert [(data.sample_id, data.outcome, data.cause) for data in judged(words)] == [
        ("7", Outcome.ABORTED, Cause.INCOMPLETE),
        ("8", Outcome.CLEAR, Cause.NONE),
    ]


def test_a_run_of_which_no_scan_came_is_told_unless_it_is_an_old_one() -> None:
    one = screening()
    (data,) = judged(one.result(ended("9"), at(1.0), "r"))
    assert (data.outcome, data.cause, data.scans, data.modes) == (Outcome.INCONCLUSIVE, Cause.INCOMPLETE, 0, ())
    assert one.result(ended("9"), at(2.0), "r") == [], "told already"
    assert one.result(ended("5", cause=Cause.STALE), at(3.0), "r") == []


def test_a_blank_while_a_run_has_no_end_tells_nothing() -> None:
    one = screening()
    feed(one, blanks())
    feed(one, swab())
    assert feed(one, blanks("TNT")) == []
    assert judged(one.result(ended(), at(9.0), "r"))[0].outcome is Outcome.CLEAR
    assert able(one)["explosives"] == FULL


def test_a_run_without_end_does_not_fill_the_memory_and_is_not_clear() -> None:
    one = screening()
    short = [np.asarray(drawn(mode, (), seed=mode, points=1000)) for mode in (0, 1)]
    rows = [spectrum(np.rint(short[index % 2]), index) for index in range(MOST_SCANS + 500)]
    data = verdict(rows, one, ended(scans=len(rows)))
    assert (data.outcome, data.cause, data.scans) == (Outcome.INCONCLUSIVE, Cause.INCOMPLETE, MOST_SCANS + 500)
    assert sum(mode.scans for mode in data.modes) == MOST_SCANS


def test_plasmagrams_of_no_run_are_judged_singly_where_that_is_configured_and_only_there() -> None:
    loose = [msgspec.structs.replace(one, run="", index=None) for one in swab("TNT")]
    assert feed(screening(), loose) == []
    rules = MobilityRules(_at_once(), single=True)
    words = feed(Screening(rules), loose, settle=False)
    found = [word for word in words if isinstance(word, Judged)]
    outcomes = [word.data.outcome for word in found]
    assert (len(found), outcomes.count(Outcome.ALARM), outcomes.count(Outcome.CLEAR)) == (20, 10, 10)
    assert all("TNT" not in word.over for word in found), "a scan of the other mode ends nothing"


def test_a_single_plasmagram_that_cannot_be_judged_ends_no_alarm() -> None:
    one = Screening(MobilityRules(_at_once(), single=True))
    (loose, *_) = [msgspec.structs.replace(scan, run="", index=None) for scan in without_calibrant()]
    (word,) = [word for word in feed(one, [loose]) if isinstance(word, Judged)]
    assert (word.data.outcome, word.data.cause, word.over) == (Outcome.INCONCLUSIVE, Cause.UNCALIBRATED, ())


def _at_once() -> SubstanceLibrary:
    """The shipped library, where one scan is enough."""
    shipped = library()
    rules = [replace(one, minimum_scans=1) for one in shipped.substances]
    return replace(shipped, substances=tuple(rules), run=replace(shipped.run, minimum_scans=1))
