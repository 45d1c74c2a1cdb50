"""The state of an alarm point: flags after OPC UA Part 9, and the letter and word that follow from them."""

from collections.abc import Iterator
from itertools import product

import pytest
from msgspec.structs import replace

from devicehub.alarm.acts import Act, done
from devicehub.alarm.lifecycle import Care, Life, derived, graded, raised, returned
from devicehub.model.alarm import AlarmCategory, AlarmState, Disposition, Letter, Priority, Shelf, Verb

DETECTION = Care.of(AlarmCategory.THREAT)
ORDINARY = Care.of(AlarmCategory.DEVICE)
LATCHING = Care.of(AlarmCategory.DEVICE, latch=True)
WORDS = {
    AlarmState.NORMAL: {Letter.A},
    AlarmState.UNACK_ACTIVE: {Letter.B},
    AlarmState.ACK_ACTIVE: {Letter.C},
    AlarmState.RTN_UNACK: {Letter.D},
    AlarmState.LATCHED: {Letter.B, Letter.C},
    AlarmState.SHELVED: {Letter.E},
    AlarmState.SUPPRESSED: {Letter.F},
    AlarmState.OUT_OF_SERVICE: {Letter.G},
}


def every_life() -> Iterator[Life]:
    """All 768 combinations of flags."""
    for flags in product((False, True), repeat=8):
        enabled, active, acked, confirmed, latched, suppressed, out_of_service, silenced = flags
        for shelf in Shelf:
            yield Life(enabled, active, acked, confirmed, latched, shelf, suppressed, out_of_service, silenced)


def letter_by_the_standard(life: Life) -> Letter:
    """The state of ISA-18.2 in the order of its diagram, told without looking at the code under test.

    Not in use beats put aside by design beats put aside by a person; a latched alarm is still an alarm.
    """
    in_alarm = life.active or life.latched
    rules = (
        (Letter.G, life.out_of_service or not life.enabled),
        (Letter.F, life.suppressed),
        (Letter.E, life.shelf in {Shelf.TIMED, Shelf.ONE_SHOT}),
        (Letter.B, in_alarm and not life.acked),
        (Letter.C, in_alarm and life.acked),
        (Letter.D, not life.acked),
        (Letter.C, not life.confirmed),
        (Letter.A, True),
    )
    return next(letter for letter, holds in rules if holds)


def test_letter_and_word_of_every_combination() -> None:
    lives = list(every_life())
    assert len(set(lives)) == 768
    for life in lives:
        letter, word = derived(life)
        assert letter is letter_by_the_standard(life), life
        assert letter in WORDS[word], life
        assert word is not AlarmState.LATCHED or not life.active, life
        assert (letter is Letter.A) is not life.told, life
        assert derived(replace(life, silenced=not life.silenced)) == (letter, word), "silence is no state"
    assert {derived(life)[1] for life in lives} == set(AlarmState)


# OPC 10000-9 v1.05.03, B.1.2, Table B.1: a condition that only keeps its latest state and demands a confirmation.
TABLE_B_1 = (
    #  what happens   active acked  confirmed retain
    ("raised", True, False, True, True),
    ("ack", True, True, False, True),
    ("returned", False, True, False, True),
    ("confirm", False, True, True, False),
    ("raised", True, False, True, True),
    ("returned", False, False, True, True),
    ("ack", False, True, False, True),
    ("confirm", False, True, True, False),
)
# The same without confirmation (5.7.2: ConfirmedState is optional), and with a latch that is reset (5.8.2, 5.8.11).
WITHOUT_CONFIRMATION = (
    ("raised", True, False, True, True),
    ("ack", True, True, True, True),
    ("returned", False, True, True, False),
    ("raised", True, False, True, True),
    ("returned", False, False, True, True),
    ("raised", True, False, True, True),
    ("returned", False, False, True, True),
    ("ack", False, True, True, False),
)
WITH_RESET = (
    ("raised", True, False, True, True),
    ("ack", True, True, True, True),
    ("returned", False, True, True, True),
    ("reset", False, True, True, False),
)
Trace = tuple[tuple[str, bool, bool, bool, bool], ...]


def stepped(life: Life, what: str, care: Care) -> Life:
    if what == "raised":
        return raised(life, care)
    if what == "returned":
        return returned(life)
    act = Act(verb=Verb(what), command="c", issuer="op", why="w", disposition=Disposition.NUISANCE)
    return done(act, life, care, 8 * 3600.0)


@pytest.mark.parametrize(
    ("trace", "care"),
    [(TABLE_B_1, DETECTION), (WITHOUT_CONFIRMATION, ORDINARY), (WITH_RESET, LATCHING)],
    ids=["table-b1", "without-confirmation", "with-reset"],
)
def test_traces_of_part_9(trace: Trace, care: Care) -> None:
    life = Life()
    assert (life.active, life.acked, life.confirmed, life.told) == (False, True, True, False), "row 0"
    for what, *expected in trace:
        life = stepped(life, what, care)
        assert [life.active, life.acked, life.confirmed, life.told] == expected, what


@pytest.mark.parametrize("latch", [False, True])
@pytest.mark.parametrize("category", AlarmCategory)
def test_a_detection_is_managed_and_latched_and_another_alarm_latched_where_asked_for(
    category: AlarmCategory, *, latch: bool
) -> None:
    threat = category is AlarmCategory.THREAT
    assert Care.of(category, latch=latch) == Care(managed=threat, latch=threat or latch)


def test_a_detection_confirmed_while_it_is_active_ends_with_its_condition() -> None:
    life = Life()
    for what in ("raised", "ack", "confirm"):
        life = stepped(life, what, DETECTION)
    assert derived(life) == (Letter.C, AlarmState.ACK_ACTIVE)
    assert derived(returned(life)) == (Letter.A, AlarmState.NORMAL)


def test_a_condition_that_comes_again_has_to_be_acknowledged_again() -> None:
    life = stepped(stepped(stepped(Life(), "raised", DETECTION), "returned", DETECTION), "ack", DETECTION)
    life = raised(replace(life, silenced=True), DETECTION)
    assert derived(life) == (Letter.B, AlarmState.UNACK_ACTIVE)
    assert not life.silenced


@pytest.mark.parametrize("told", Priority)
@pytest.mark.parametrize("wanted", Priority)
def test_priority_only_rises_until_it_is_acknowledged(told: Priority, wanted: Priority) -> None:
    order = list(reversed(Priority))
    acked, unacked = Life(active=True, acked=True), Life(active=True, acked=False)
    assert graded(told, wanted, acked) is wanted
    assert order.index(graded(told, wanted, unacked)) == max(order.index(told), order.index(wanted))
