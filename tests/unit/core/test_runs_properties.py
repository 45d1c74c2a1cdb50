"""Whatever happens to the scans of a run, its verdict is one that they can bear, and each run is told of once."""

from collections.abc import Callable, Sequence
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.core.runs import SILENCE, Found, Judged, Screening, Word
from devicehub.model.payload import ResultData
from devicehub.model.reading import Cause, Outcome, Spectrum
from tests.unit.alarm.plasmagrams import SCANS
from tests.unit.core.swabs import at, blanks, ended, screening, swab, verdict, without_calibrant

SUBSTANCES = st.sampled_from(["", "TNT", "cocaine"])
PLACES = st.integers(0, SCANS - 1)
FEW = settings(max_examples=60, deadline=None)


def steps(one: Screening, scans: Sequence[Spectrum], cuts: set[int]) -> list[Word]:
    """Give scans; a step ends before each place in `cuts`."""
    out: list[Word] = []
    for number, scan in enumerate(scans):
        out += one.settle() if number in cuts else []
        out += one.take(scan, at(number / 4), "m")
    return out


@FEW
@given(SUBSTANCES, st.sets(PLACES))
def test_how_scans_fall_into_steps_changes_no_verdict(substance: str, cuts: set[int]) -> None:
    one = screening()
    words = steps(one, swab(substance), cuts) + one.result(ended(), at(9.0), "r")
    early = {word.match.substance for word in words if isinstance(word, Found)}
    (data,) = [word.data for word in words if isinstance(word, Judged)]
    assert data == verdict(swab(substance))
    assert early <= {peak.substance for peak in data.peaks if peak.finding == "alarm"}
    assert [word for word in words if isinstance(word, Found)] == [] or data.outcome is Outcome.ALARM


@FEW
@given(SUBSTANCES, st.lists(PLACES, max_size=30))
def test_scans_that_come_twice_change_nothing(substance: str, again: list[int]) -> None:
    repeated = [scan for index, scan in enumerate(swab(substance)) for _ in range(1 + again.count(index))]
    assert verdict(repeated) == verdict(swab(substance))


@FEW
@given(SUBSTANCES, st.sets(PLACES))
def test_lost_scans_make_no_alarm_of_what_was_none_and_no_clear_of_what_was_not_seen(
    substance: str, lost: set[int]
) -> None:
    kept = [scan for scan in swab(substance) if scan.index not in lost]
    data = verdict(kept)
    assert data.outcome is not Outcome.ALARM or substance
    assert (data.scans, data.sent) == (len(kept), SCANS)
    if data.outcome is Outcome.CLEAR:
        assert len(kept) >= 0.8 * SCANS
        assert not substance
    seen = [scan for scan in kept if scan.mode == ("positive" if substance == "cocaine" else "negative")]
    if substance and len(seen) >= 6:
        assert data.outcome is Outcome.ALARM, "more than half of its scans"


@FEW
@given(SUBSTANCES, st.randoms(use_true_random=False))
def test_the_order_of_the_polarities_does_not_matter(substance: str, random: Random) -> None:
    modes = {mode: [scan for scan in swab(substance) if scan.mode == mode] for mode in ("negative", "positive")}
    order = [scan.mode for scan in swab()]
    random.shuffle(order)
    mixed = [msgspec.structs.replace(modes[mode].pop(0), index=index) for index, mode in enumerate(order)]
    assert verdict(mixed) == verdict(swab(substance))


@FEW
@given(st.sampled_from(["", "TNT"]), st.integers(0, SCANS), st.sampled_from(["away", "silence", "aborted", "next"]))
def test_a_run_that_ends_anywhere_is_told_once_and_is_never_clear(substance: str, length: int, how: str) -> None:
    one = screening()
    words = steps(one, swab(substance)[:length], set(range(length)))
    ends: dict[str, Callable[[], list[Word]]] = {
        "away": lambda: one.away(at(10.0)),
        "silence": lambda: one.tick(at(100.0 + SILENCE)),
        "aborted": lambda: one.result(ended(outcome=Outcome.ABORTED, scans=length), at(10.0), "r"),
        "next": lambda: one.take(swab(run="8")[0], at(10.0), "m"),
    }
    told = [word.data for word in words + ends[how]() if isinstance(word, Judged)]
    assert len(told) == (1 if length or how == "aborted" else 0)
    assert all(data.outcome in {Outcome.ABORTED, Outcome.ALARM} for data in told)
    assert all(data.outcome is Outcome.ABORTED for data in told if not substance or length < 5)


class Life:
    """A device at whose line anything may happen. Each run is of the same swab."""

    def __init__(self, scans: Callable[[str], Sequence[Spectrum]]) -> None:
        self.one = screening()
        self.scans = scans
        self.run, self.index, self.time = 1, 0, 0.0
        self.begun: set[str] = set()
        self.told: list[ResultData] = []

    def do(self, act: str) -> None:
        self.time += 0.25
        one, now, name = self.one, at(self.time), str(self.run)
        words: list[Word] = []
        match act:
            case "scan" | "twice" | "lost":
                words = self._scan(("lost", "scan", "twice").index(act))
            case "blank":
                words = [word for blank in blanks() for word in one.take(blank, now, "m")]
            case "step":
                words = one.settle()
            case "away":
                words = one.away(now)
            case "silence":
                self.time += SILENCE + 1
                words = one.tick(at(self.time))
            case "end":
                self.begun.add(name)
                words = one.result(ended(name, scans=self.index), now, "r")
                self.run, self.index = self.run + 1, 0
            case "next":
                self.run, self.index = self.run + 1, 0
        self.told += [word.data for word in words if isinstance(word, Judged)]

    def _scan(self, times: int) -> list[Word]:
        """The next scan, which comes so many times."""
        if self.index >= SCANS:
            return []
        name = str(self.run)
        scan = msgspec.structs.replace(self.scans("7")[self.index], run=name)
        self.index += 1
        self.begun |= {name} if times else set()
        return [word for _ in range(times) for word in self.one.take(scan, at(self.time), "m")]


ACTS = st.lists(
    st.sampled_from([*["scan"] * 12, *["step"] * 4, "twice", "lost", "blank", "away", "silence", "end", "next"]),
    max_size=80,
)


@FEW
@given(ACTS)
def test_every_run_is_told_of_and_only_one_without_holes_is_clear(acts: list[str]) -> None:
    life = Life(lambda run: swab(run=run))
    for act in [*acts, "away"]:
        life.do(act)
    names = [data.sample_id for data in life.told]
    assert sorted(names) == sorted(life.begun), "each once"
    for data in life.told:
        assert data.outcome is not Outcome.ALARM
        if data.outcome is Outcome.CLEAR:
            assert (data.scans or 0) >= 0.8 * (data.sent or SCANS)
            assert all(mode.scans >= 3 for mode in data.modes)


@FEW
@given(ACTS)
def test_without_a_calibrant_nothing_that_happens_makes_a_run_clear_or_an_alarm(acts: list[str]) -> None:
    life = Life(lambda _: without_calibrant("TNT"))
    for act in [*acts, "end", "away"]:
        life.do(act)
    assert {data.outcome for data in life.told} <= {Outcome.INCONCLUSIVE, Outcome.ABORTED}
    assert all(data.cause is not Cause.NONE for data in life.told)
