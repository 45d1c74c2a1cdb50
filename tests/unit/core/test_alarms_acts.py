"""Acts of people on alarm points: told, on record, done once, or refused with a reason and without a trace."""

import msgspec
import pytest

from devicehub.alarm.acts import Act
from devicehub.core.alarms import StandingAlarm
from devicehub.core.hub import Core
from devicehub.model.alarm import AlarmCategory, Condition, Disposition, Letter, Limit, Verb
from devicehub.model.message import Kind
from devicehub.model.reading import DeviceAlarm
from tests.unit.core.bench import HIGH, LOW, at, body, core, keep_the_contract, kinds, level, said, step
from tests.unit.core.operators import act, alarm, closed, done, events, operate, tick

WARM = Limit("level-high", "dev", "level", Condition.HIGH, 10.0, hysteresis=2.0, category=AlarmCategory.DEVICE)
STUCK = msgspec.structs.replace(WARM, latch=True)


def raised(*limits: Limit) -> Core:
    """A core with one alarm, raised at second 1."""
    one = core(*limits)
    step(one, level(12.0, 1))
    return one


def test_an_acknowledgement_is_an_event_and_the_state_of_the_point_and_says_who() -> None:
    one = raised(HIGH)
    event, state = done(one, act(Verb.ACK, why="second swab under way"), 25)
    told = body(event)
    assert (event.kind, event.type, state.kind, state.data) == (Kind.EVENT, "alarm.acked", Kind.ALARM, event.data)
    assert (told["state"], told["letter"], told["revision"]) == ("ack-active", "C", 2)
    assert told["acked"] == {"at": "2026-11-24T06:00:25.000Z", "by": "op-1147", "note": "second swab under way"}


def test_every_act_is_on_record_from_what_to_what_by_whom_why_after_which_event() -> None:
    one = core(HIGH)
    _, first, _ = step(one, level(12.0, 1)).messages
    what = act(Verb.ACK, why="seen")
    event = done(one, what, 25)[0]
    assert body(event)["audit"] == {
        "verb": "ack",
        "by": "op-1147",
        "from": "unack-active",
        "to": "ack-active",
        "command": what.command,
        "mono_s": 25.0,
        "why": "seen",
        "previous": first.id,
    }
    told = body(event)
    assert (told["value"], told["limit"], told["rules_digest"]) == (12.0, 10.0, "sha256:" + "0" * 64)
    assert (event.causation, event.correlation, told["event"]) == (what.command, alarm(first).alarm, event.id)
    later = step(one, level(3.0, 30)).messages[1]
    assert "audit" not in body(later), "nobody's act"


def test_the_record_of_acts_is_a_chain_over_a_restart() -> None:
    one = raised(HIGH)
    event, state = done(one, act(Verb.ACK), 2)
    two = core(HIGH)
    two.resume([StandingAlarm("dev", "level-high", alarm(state))], at(3))
    last = done(two, act(Verb.CONFIRM, disposition=Disposition.TEST), 4)[0]
    audit = alarm(last).audit
    assert audit is not None
    assert audit.previous == event.id


def test_a_confirmation_says_what_it_was() -> None:
    one = raised(HIGH)
    done(one, act(Verb.ACK), 2)
    what = act(Verb.CONFIRM, disposition=Disposition.SECOND_TEST_NEGATIVE, why="swabbed again")
    told = body(done(one, what, 3)[0])
    assert told["disposition"] == {
        "code": "innocent.second-test-negative",
        "at": "2026-11-24T06:00:03.000Z",
        "by": "op-1147",
        "note": "swabbed again",
    }
    assert told["state"] == "ack-active", "its condition is still there"
    cleared = step(one, level(3.0, 9)).messages[1]
    assert (cleared.type, body(cleared)["disposition"]) == ("alarm.cleared", told["disposition"])


def test_the_same_command_twice_is_done_once() -> None:
    one = raised(HIGH)
    what = act(Verb.ACK)
    assert len(done(one, what, 2)) == 2
    assert done(one, what, 3) == []


def test_the_same_command_is_done_once_even_when_its_alarm_is_gone_by_then() -> None:
    one = raised(WARM)
    step(one, level(3.0, 2))
    standing = alarm(step(core(WARM), level(12.0, 1)).messages[-1]).alarm
    what = act(Verb.ACK, device="", point="", alarm=standing)
    done(one, what, 3)
    assert one.alarms.count() == 0
    assert done(one, what, 4) == []


def test_the_same_command_twice_is_done_once_with_a_restart_in_between() -> None:
    one, what = raised(HIGH), act(Verb.ACK)
    state = done(one, what, 2)[-1]
    two = core(HIGH)
    two.resume([StandingAlarm("dev", "level-high", alarm(state))], at(3))
    assert done(two, what, 4) == []


def test_an_alarm_can_be_named_by_its_id() -> None:
    one = core(HIGH)
    standing = alarm(step(one, level(12.0, 1)).messages[-1]).alarm
    assert events(done(one, act(Verb.ACK, device="", point="", alarm=standing), 2)) == [("acked", "ack-active")]


@pytest.mark.parametrize(
    ("what", "refusal"),
    [
        (act(Verb.ACK, "voc"), "unknown-alarm: no alarm point voc of dev"),
        (act(Verb.ACK, device="", point="", alarm="none"), "unknown-alarm: no alarm none stands there"),
        (act(Verb.ACK, revision=7), "wrong-revision: the alarm is at revision 1"),
        (act(Verb.CONFIRM, disposition=Disposition.TEST), "not-acknowledged: acknowledge the alarm first"),
        (act(Verb.SHELVE, seconds=60.0), "highly-managed: a detection is never shelved"),
        (act(Verb.SUPPRESS), "highly-managed: a detection is never suppressed"),
        (act(Verb.OUT_OF_SERVICE), "still-stands: close the detection first"),
        (act(Verb.UNSHELVE), "already: the point is not shelved"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.verb,
)
def test_a_refused_act_says_why_and_changes_nothing(what: Act, refusal: str) -> None:
    one = raised(HIGH)
    outcome = operate(one, what, 2)
    assert (outcome.refused, outcome.messages) == (refusal, [])
    assert alarm(done(one, act(Verb.ACK, revision=1), 3)[0]).revision == 2
    assert tick(one, 1e6) == [], "and left nothing that is due later"


def test_an_alarm_id_of_another_point_is_refused() -> None:
    one = core(HIGH, LOW)
    standing = alarm(step(one, level(12.0, 1)).messages[-1]).alarm
    assert operate(one, act(Verb.ACK, "level-low", alarm=standing), 2).refused.startswith("unknown-alarm")


def test_a_comment_is_told_and_stays_with_the_alarm() -> None:
    one = raised(HIGH)
    told = body(done(one, act(Verb.COMMENT, why="owner called"), 2)[0])
    assert (told["state"], told["revision"]) == ("unack-active", 2)
    returned = body(step(one, level(3.0, 3)).messages[1])
    assert (
        returned["comment"]
        == told["comment"]
        == {
            "at": "2026-11-24T06:00:02.000Z",
            "by": "op-1147",
            "note": "owner called",
        }
    )


def test_a_remark_for_the_record_alone_leaves_the_comment_that_somebody_wrote() -> None:
    one = raised(HIGH)
    assert "comment" not in body(done(one, act(Verb.COMMENT, why="step 1 done: stop", record_only=True), 2)[0])
    own = body(done(one, act(Verb.COMMENT, why="owner called"), 3)[0])["comment"]
    event, state = done(one, act(Verb.COMMENT, why="step 2 done: isolate", record_only=True), 4)
    audit = alarm(event).audit
    assert audit is not None
    assert (event.type, alarm(event).revision, audit.why) == ("alarm.commented", 4, "step 2 done: isolate")
    assert body(event)["comment"] == body(state)["comment"] == own


def test_a_latched_alarm_stays_until_it_is_reset() -> None:
    one = raised(STUCK)
    done(one, act(Verb.ACK), 2)
    assert operate(one, act(Verb.RESET), 3).refused.startswith("still-stands")
    assert events(step(one, level(3.0, 4)).messages) == [("returned", "latched")]
    assert events(done(one, act(Verb.RESET), 5)) == [("reset", "normal"), ("cleared", "normal")]


def test_a_shelved_point_is_told_of_although_no_alarm_stands() -> None:
    one = core(WARM)
    event, state = done(one, act(Verb.SHELVE, seconds=600.0), 1)
    told = body(event)
    assert (told["state"], told["letter"], told["active"], told["acknowledged"]) == ("shelved", "E", False, True)
    assert told["shelved"] == {
        "until": "2026-11-24T06:10:01.000Z",
        "left_s": 600.0,
        "kind": "timed",
        "by": "op-1147",
        "why": "because",
    }
    assert state.data == event.data
    assert one.alarms.count() == 0


def test_what_happens_to_a_shelved_point_is_on_record_and_shown_as_shelved() -> None:
    one = core(WARM)
    done(one, act(Verb.SHELVE, seconds=600.0), 1)
    assert events(step(one, level(12.0, 2)).messages) == [("raised", "shelved")]
    assert events(done(one, act(Verb.UNSHELVE), 3)) == [("unshelved", "unack-active")]
    assert events(done(one, act(Verb.ACK), 4)) == [("acked", "ack-active")]


def test_one_shot_shelving_ends_with_the_alarm() -> None:
    one = raised(WARM)
    done(one, act(Verb.SHELVE, one_shot=True), 2)
    assert events(done(one, act(Verb.ACK), 3)) == [("acked", "shelved")]
    messages = step(one, level(3.0, 4)).messages
    assert events(messages) == [("cleared", "shelved"), ("unshelved", "normal")]
    assert messages[-1].data is None
    assert events(step(one, level(12.0, 5)).messages) == [("raised", "unack-active")]


@pytest.mark.parametrize(
    ("on", "off", "word", "letter"),
    [
        (Verb.SUPPRESS, Verb.UNSUPPRESS, "suppressed", Letter.F),
        (Verb.OUT_OF_SERVICE, Verb.IN_SERVICE, "out-of-service", Letter.G),
    ],
)
def test_a_point_put_aside_shows_so_until_it_is_taken_back(on: Verb, off: Verb, word: str, letter: Letter) -> None:
    one = raised(WARM)
    event = done(one, act(on), 2)[0]
    assert (body(event)["state"], alarm(event).letter) == (word, letter)
    done(one, act(Verb.ACK), 3)
    messages = step(one, level(3.0, 4)).messages
    assert events(messages) == [("cleared", word)]
    assert alarm(messages[-1]).state == word, "still told of"
    assert events(step(one, level(12.0, 5)).messages) == [("raised", word)]
    (taken_back,) = events(done(one, act(off), 6))
    assert taken_back[1] == "unack-active"


def test_a_disabled_point_raises_nothing_and_looks_again_when_it_is_enabled() -> None:
    one = core(HIGH)
    assert events(done(one, act(Verb.DISABLE), 1)) == [("disabled", "out-of-service")]
    assert kinds(step(one, level(12.0, 2)).messages) == ["reading"]
    assert events(done(one, act(Verb.ENABLE), 3)) == [("enabled", "normal"), ("raised", "unack-active")]
    assert events(step(one, level(3.0, 4)).messages) == [("returned", "latched")]


def test_a_disabled_point_that_is_normal_when_it_is_enabled_is_forgotten() -> None:
    one = core(HIGH)
    done(one, act(Verb.DISABLE), 1)
    step(one, level(12.0, 2), level(3.0, 3))
    messages = done(one, act(Verb.ENABLE), 4)
    assert (events(messages), messages[-1].data) == ([("enabled", "normal")], None)


def test_a_devices_own_alarm_can_be_acknowledged_and_confirmed() -> None:
    one = core()
    step(one, said(DeviceAlarm("voc", active=True)))
    assert events(closed(one, "voc", 2)) == [("acked", "ack-active"), ("confirmed", "ack-active")]
    assert events(step(one, said(DeviceAlarm("voc", active=False), 3)).messages) == [("cleared", "normal")]


def test_an_act_comes_after_what_was_due_before_it() -> None:
    one = core(WARM)
    done(one, act(Verb.SHELVE, seconds=10.0), 1)
    step(one, level(12.0, 2))
    assert events(done(one, act(Verb.ACK), 20)) == [("unshelved", "unack-active"), ("acked", "ack-active")]


def test_first_out_is_the_alarm_that_came_when_nothing_stood() -> None:
    one = core(HIGH, LOW)
    first = step(one, said(DeviceAlarm("voc", active=True), 1)).messages
    second = step(one, level(12.0, 2)).messages
    assert alarm(first[0]).first_out
    assert not alarm(second[1]).first_out
    keep_the_contract(second)
