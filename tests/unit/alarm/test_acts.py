"""What a person may do to an alarm point, and with which word it is refused otherwise."""

import pytest

from devicehub.alarm.acts import SHELVE_MOST, SILENCE, Act, Refusal, RefusedActError, act_of, done, lasting
from devicehub.alarm.lifecycle import Care, Life, acknowledged, confirmed, raised, returned
from devicehub.model.alarm import AlarmCategory, Disposition, Shelf, Verb

DETECTION, ORDINARY = Care.of(AlarmCategory.THREAT), Care.of(AlarmCategory.HUB)
LATCHING = Care.of(AlarmCategory.HUB, latch=True)
REST, UNACK = Life(), raised(Life(), ORDINARY)
FOUND = raised(Life(), DETECTION)
SEEN = acknowledged(FOUND, DETECTION)
HELD = raised(Life(), LATCHING)
UTC = 1_795_500_000.0
WORDS = "(?!None)[a-z`][a-z0-9 ,.:`-]*"


def act(verb: Verb, **more: object) -> Act:
    given: dict[str, object] = {"command": "c", "issuer": "op", "device": "d", "point": "p", "why": "because"} | more
    return Act(verb=verb, **given)  # type: ignore[arg-type]  # fields by name


CHANGES = [
    (act(Verb.ACK), UNACK, ORDINARY, Life(active=True)),
    (act(Verb.ACK), returned(UNACK), ORDINARY, REST),
    (act(Verb.ACK), FOUND, DETECTION, Life(active=True, confirmed=False, latched=True)),
    (act(Verb.CONFIRM, disposition=Disposition.TEST), SEEN, DETECTION, Life(active=True)),
    (act(Verb.RESET), returned(acknowledged(HELD, LATCHING)), LATCHING, REST),
    (act(Verb.SHELVE, seconds=60.0), REST, ORDINARY, Life(shelf=Shelf.TIMED)),
    (act(Verb.SHELVE, one_shot=True), REST, ORDINARY, Life(shelf=Shelf.ONE_SHOT)),
    (act(Verb.SHELVE, seconds=SHELVE_MOST), REST, ORDINARY, Life(shelf=Shelf.TIMED)),
    (act(Verb.UNSHELVE, why=""), Life(shelf=Shelf.TIMED), ORDINARY, REST),
    (act(Verb.SILENCE, why=""), Life(active=True), ORDINARY, Life(active=True, silenced=True)),
    (act(Verb.SUPPRESS), REST, ORDINARY, Life(suppressed=True)),
    (act(Verb.UNSUPPRESS, why=""), Life(suppressed=True), ORDINARY, REST),
    (act(Verb.OUT_OF_SERVICE), REST, DETECTION, Life(out_of_service=True)),
    (act(Verb.IN_SERVICE), Life(out_of_service=True), DETECTION, REST),
    (act(Verb.DISABLE), REST, ORDINARY, Life(enabled=False)),
    (act(Verb.ENABLE), Life(enabled=False), ORDINARY, REST),
    (act(Verb.COMMENT), UNACK, ORDINARY, UNACK),
]
REFUSED = [
    (act(Verb.ACK), REST, ORDINARY, Refusal.NOTHING_STANDS),
    (act(Verb.ACK), SEEN, DETECTION, Refusal.ALREADY),
    (act(Verb.CONFIRM, disposition=Disposition.TEST), REST, DETECTION, Refusal.NOTHING_STANDS),
    (act(Verb.CONFIRM, disposition=Disposition.TEST), FOUND, DETECTION, Refusal.NOT_ACKNOWLEDGED),
    (act(Verb.CONFIRM), SEEN, DETECTION, Refusal.DISPOSITION_MISSING),
    (act(Verb.CONFIRM, disposition=Disposition.TEST), confirmed(SEEN), DETECTION, Refusal.ALREADY),
    (act(Verb.CONFIRM, disposition=Disposition.TEST), UNACK, ORDINARY, Refusal.NOT_CONFIRMABLE),
    (act(Verb.RESET), REST, LATCHING, Refusal.NOTHING_STANDS),
    (act(Verb.RESET), HELD, LATCHING, Refusal.STILL_STANDS),
    (act(Verb.RESET), returned(HELD), LATCHING, Refusal.NOT_ACKNOWLEDGED),
    (act(Verb.RESET), UNACK, ORDINARY, Refusal.ALREADY),
    (act(Verb.RESET), returned(SEEN), DETECTION, Refusal.HIGHLY_MANAGED),
    (act(Verb.SHELVE, seconds=60.0), FOUND, DETECTION, Refusal.HIGHLY_MANAGED),
    (act(Verb.SHELVE, seconds=60.0), REST, DETECTION, Refusal.HIGHLY_MANAGED),
    (act(Verb.SHELVE, seconds=60.0, why=""), UNACK, ORDINARY, Refusal.REASON_MISSING),
    (act(Verb.SHELVE), UNACK, ORDINARY, Refusal.DURATION_MISSING),
    (act(Verb.SHELVE, seconds=SHELVE_MOST + 1), UNACK, ORDINARY, Refusal.TOO_LONG),
    (act(Verb.SHELVE, seconds=60.0), Life(shelf=Shelf.TIMED), ORDINARY, Refusal.ALREADY),
    (act(Verb.UNSHELVE), UNACK, ORDINARY, Refusal.ALREADY),
    (act(Verb.SILENCE), REST, ORDINARY, Refusal.NOTHING_STANDS),
    (act(Verb.SILENCE, seconds=601.0), UNACK, ORDINARY, Refusal.TOO_LONG),
    (act(Verb.SILENCE), Life(active=True, silenced=True), ORDINARY, Refusal.ALREADY),
    (act(Verb.SUPPRESS), REST, DETECTION, Refusal.HIGHLY_MANAGED),
    (act(Verb.SUPPRESS, why=""), REST, ORDINARY, Refusal.REASON_MISSING),
    (act(Verb.SUPPRESS), Life(suppressed=True), ORDINARY, Refusal.ALREADY),
    (act(Verb.UNSUPPRESS), REST, ORDINARY, Refusal.ALREADY),
    (act(Verb.OUT_OF_SERVICE), FOUND, DETECTION, Refusal.STILL_STANDS),
    (act(Verb.OUT_OF_SERVICE, why=""), REST, ORDINARY, Refusal.REASON_MISSING),
    (act(Verb.OUT_OF_SERVICE), Life(out_of_service=True), ORDINARY, Refusal.ALREADY),
    (act(Verb.IN_SERVICE), REST, ORDINARY, Refusal.ALREADY),
    (act(Verb.DISABLE), UNACK, ORDINARY, Refusal.STILL_STANDS),
    (act(Verb.DISABLE), Life(enabled=False), ORDINARY, Refusal.ALREADY),
    (act(Verb.ENABLE), REST, ORDINARY, Refusal.ALREADY),
    (act(Verb.COMMENT), REST, ORDINARY, Refusal.NOTHING_STANDS),
    (act(Verb.COMMENT, why=""), UNACK, ORDINARY, Refusal.REASON_MISSING),
]


@pytest.mark.parametrize(
    ("what", "life", "care", "after"), CHANGES, ids=[f"{c[0].verb}-{i}" for i, c in enumerate(CHANGES)]
)
def test_what_an_act_changes(what: Act, life: Life, care: Care, after: Life) -> None:
    assert done(what, life, care, SHELVE_MOST) == after


@pytest.mark.parametrize(
    ("what", "life", "care", "refusal"), REFUSED, ids=[f"{c[0].verb}-{c[3]}-{i}" for i, c in enumerate(REFUSED)]
)
def test_what_is_refused_says_why(what: Act, life: Life, care: Care, refusal: Refusal) -> None:
    with pytest.raises(RefusedActError, match=rf"^{refusal}: {WORDS}$") as caught:
        done(what, life, care, SHELVE_MOST)
    assert caught.value.refusal is refusal


def test_every_act_is_done_once_and_refused_once_in_these_tables() -> None:
    assert {case[0].verb for case in CHANGES} == {case[0].verb for case in REFUSED} == set(Verb)


def test_what_has_no_duration_lasts_the_longest_shelving_or_the_usual_silence() -> None:
    assert lasting(act(Verb.SHELVE, one_shot=True), 7.0) == 7.0
    assert lasting(act(Verb.SILENCE), 7.0) == SILENCE
    assert lasting(act(Verb.SILENCE, seconds=5.0), 7.0) == 5.0


def test_an_act_is_read_from_the_arguments_of_a_command() -> None:
    arguments = {"device": "d", "point": "p", "revision": 3, "why": " seen ", "disposition": "nuisance"}
    assert act_of("confirm", "c", " op ", arguments, UTC) == act(
        Verb.CONFIRM, revision=3, why="seen", disposition=Disposition.NUISANCE
    )


def test_what_is_empty_or_zero_was_not_said() -> None:
    given = {"alarm": "a", "device": "", "point": "", "revision": 0, "disposition": "", "seconds": 0.0, "until": ""}
    assert act_of("ack", "c", "op", given, UTC) == Act(verb=Verb.ACK, command="c", issuer="op", alarm="a")


def test_until_is_counted_in_seconds_from_now() -> None:
    arguments = {"device": "d", "point": "p", "why": "w", "until": "2026-11-24T08:00:00Z"}
    assert act_of("shelve", "c", "op", arguments, 1_795_507_200.0 - 90).seconds == 90.0


@pytest.mark.parametrize(
    ("verb", "arguments", "issuer"),
    [
        ("explode", {}, "op"),
        ("ack", {"hue": 1}, "op"),
        ("ack", {"device": 7, "point": "p"}, "op"),
        ("ack", {"device": "d"}, "op"),
        ("ack", {}, "op"),
        ("ack", {"device": "d", "point": "p"}, " "),
        ("confirm", {"disposition": "whatever"}, "op"),
        ("shelve", {"seconds": -1.0}, "op"),
        ("shelve", {"seconds": float("inf")}, "op"),
        ("shelve", {"seconds": float("nan")}, "op"),
        ("shelve", {"until": "2026-11-24T08:00:00"}, "op"),
        ("shelve", {"until": "2020-11-24T08:00:00Z"}, "op"),
        ("shelve", {"until": "2026-11-24T08:00:00Z", "seconds": 5.0}, "op"),
        ("shelve", {"until": "soon"}, "op"),
        ("comment", {"why": "x" * 501}, "op"),
        ("ack", {"alarm": "x" * 65}, "op"),
    ],
)
def test_what_is_no_act(verb: str, arguments: dict[str, object], issuer: str) -> None:
    whole = arguments if verb in {"explode", "ack"} else {"device": "d", "point": "p", **arguments}
    with pytest.raises(RefusedActError, match=r"^invalid: (?!None|XX)\S"):
        act_of(verb, "c", issuer, whole, UTC)


def test_what_is_just_an_act() -> None:
    longest = act_of("ack", "c", "op", {"device": "d" * 64, "point": "p" * 64}, UTC)
    assert (longest.device, longest.point) == ("d" * 64, "p" * 64)
    assert act_of("silence", "c", "op", {"device": "d", "point": "p", "seconds": 0.5}, UTC).seconds == 0.5
    assert act_of("shelve", "c", "op", {"device": "d", "point": "p", "why": "w", "one_shot": True}, UTC).one_shot
    assert act_of("comment", "c", "op", {"alarm": "a", "why": "w", "record_only": True}, UTC).record_only
