"""The heartbeat: what must come back, what proves that it does, and when a broker is known to have forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from devicehub.deliver.heartbeat import Finding, Heartbeat

WITHIN = 5.0


def connected() -> Heartbeat:
    heartbeat = Heartbeat()
    heartbeat.connected()
    return heartbeat


def test_what_comes_back_in_time_is_no_finding_and_its_way_is_measured() -> None:
    heartbeat = connected()
    heartbeat.said("a", 1.0, WITHIN)
    assert heartbeat.heard("a", 1.25, retained=True) == []
    assert heartbeat.round_trip == 0.25
    assert heartbeat.look(100.0) == []


def test_silence_is_found_when_it_is_due_and_once() -> None:
    heartbeat = connected()
    heartbeat.said("a", 1.0, WITHIN)
    assert heartbeat.look(5.9) == []
    assert heartbeat.look(6.0) == [Finding.SILENT]
    heartbeat.said("b", 10.0, WITHIN)
    assert heartbeat.look(20.0) == []
    assert heartbeat.silent
    assert heartbeat.round_trip is None


def test_one_that_comes_back_late_ends_the_silence() -> None:
    heartbeat = connected()
    heartbeat.said("a", 0.0, WITHIN)
    assert heartbeat.look(6.0) == [Finding.SILENT]
    assert heartbeat.heard("a", 7.0, retained=True) == [Finding.BACK]
    assert not heartbeat.silent


def test_a_later_one_that_comes_back_speaks_for_an_earlier_one() -> None:
    heartbeat = connected()
    heartbeat.said("a", 0.0, WITHIN)
    heartbeat.said("b", 4.0, WITHIN)
    assert heartbeat.heard("b", 4.5, retained=True) == []
    assert heartbeat.look(5.1) == []


def test_what_others_say_proves_nothing() -> None:
    heartbeat = connected()
    heartbeat.said("a", 0.0, WITHIN)
    assert heartbeat.heard("somebody-else", 1.0, retained=True) == []
    assert heartbeat.look(6.0) == [Finding.SILENT]


def test_nothing_is_due_while_there_is_no_connection() -> None:
    heartbeat = connected()
    heartbeat.said("a", 0.0, WITHIN)
    heartbeat.lost()
    assert heartbeat.look(100.0) == []


def test_one_of_an_earlier_connection_proves_nothing_about_this_one() -> None:
    heartbeat = connected()
    heartbeat.said("a", 0.0, WITHIN)
    heartbeat.connected()
    heartbeat.said("b", 10.0, WITHIN)
    heartbeat.heard("a", 11.0, retained=True)
    assert heartbeat.look(15.0) == [Finding.SILENT]


def left_at_broker() -> Heartbeat:
    """A status of ours was seen at the broker, and then there is another connection."""
    heartbeat = connected()
    heartbeat.said("a", 0.0, WITHIN)
    heartbeat.heard("a", 0.1, retained=True)
    heartbeat.connected()
    heartbeat.said("b", 10.0, WITHIN)
    return heartbeat


def test_a_broker_that_first_shows_what_was_left_there_remembers() -> None:
    heartbeat = left_at_broker()
    assert heartbeat.heard("will", 10.1, retained=True) == []
    assert heartbeat.heard("b", 10.2, retained=True) == []


def test_a_broker_that_has_only_what_it_just_got_forgot() -> None:
    assert left_at_broker().heard("b", 10.1, retained=True) == [Finding.FORGOT]


def test_a_topic_that_expires_says_nothing_about_memory() -> None:
    heartbeat = left_at_broker()
    heartbeat.said("health", 10.0, WITHIN)
    assert heartbeat.heard("health", 10.1, retained=False) == []
    assert heartbeat.heard("b", 10.2, retained=True) == [Finding.FORGOT]


def test_nothing_is_said_of_memory_where_nothing_of_ours_was_seen_before() -> None:
    heartbeat = connected()
    heartbeat.connected()
    heartbeat.said("b", 0.0, WITHIN)
    assert heartbeat.heard("b", 0.1, retained=True) == []


@given(st.lists(st.tuples(st.sampled_from(["say", "hear", "look", "connect", "lose"]), st.floats(0.0, 9.0))))
def test_silence_and_its_end_take_turns_and_nothing_is_silent_that_was_answered_in_time(
    steps: list[tuple[str, float]],
) -> None:
    heartbeat, now, names = connected(), 0.0, 0
    found: list[Finding] = []
    unanswered: float | None = None
    for what, pause in steps:
        now += pause
        match what:
            case "say":
                names += 1
                heartbeat.said(str(names), now, WITHIN)
                unanswered = now if unanswered is None else unanswered
            case "hear" if names and unanswered is not None:
                found += heartbeat.heard(str(names), now, retained=False)
                unanswered = None
            case "look":
                new = heartbeat.look(now)
                assert new == [] or (unanswered is not None and now >= unanswered + WITHIN)
                found += new
                unanswered = None if unanswered is not None and now >= unanswered + WITHIN else unanswered
            case "connect":
                heartbeat.connected()
                unanswered = None
            case _:
                heartbeat.lost()
                unanswered = None
    turns = [one for one in found if one is not Finding.FORGOT]
    assert turns == [Finding.SILENT if place % 2 == 0 else Finding.BACK for place in range(len(turns))]
