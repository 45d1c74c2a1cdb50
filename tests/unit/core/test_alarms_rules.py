"""Rules that change while alarms stand: what is still watched stands on, what is not returns, and nothing is lost."""

import msgspec

from devicehub.core.hub import Core
from devicehub.model.alarm import AlarmCategory, Condition, Limit, Priority, Verb
from devicehub.model.message import Message
from devicehub.model.reading import DeviceAlarm
from tests.unit.core.bench import HIGH, LOW, at, body, core, keep_the_contract, kinds, level, said, step
from tests.unit.core.operators import act, alarm, closed, done, events, tick

RULES = "sha256:" + "1" * 64
WARM = Limit("level-high", "dev", "level", Condition.HIGH, 10.0, hysteresis=2.0, category=AlarmCategory.DEVICE)
SLOW = msgspec.structs.replace(WARM, on_delay_s=5.0, off_delay_s=8.0)


def revised(one: Core, mono: float, *limits: Limit, lost: tuple[str, ...] = ()) -> list[Message]:
    """The messages of other limits."""
    messages = one.alarms.revise(limits, RULES, lost, at(mono))
    keep_the_contract(messages)
    return messages


def test_an_alarm_under_a_limit_that_stays_stands_on_and_is_not_raised_again() -> None:
    one = core(WARM)
    step(one, level(12.0, 1))
    assert revised(one, 2, LOW, msgspec.structs.replace(WARM, limit=11.0)) == []
    assert kinds(one.step([level(13.0, 3)]).messages) == ["reading"]


def test_an_alarm_whose_limit_goes_returns_and_says_why() -> None:
    one = core(HIGH)
    step(one, level(12.0, 1))
    messages = revised(one, 2)
    assert events(messages) == [("returned", "latched")]
    assert body(messages[0])["why"] == "its limit or device is no longer configured"
    assert events(closed(one, "level-high", 3))[-1] == ("cleared", "normal")


def test_a_point_that_was_only_put_aside_goes_with_its_limit() -> None:
    one = core(WARM)
    done(one, act(Verb.SHELVE, seconds=600.0), 1)
    messages = revised(one, 2)
    assert (events(messages), messages[-1].data) == ([("removed", "normal")], None)
    assert tick(one, 1e6) == []


def test_a_limit_under_an_old_name_on_another_channel_is_another_point() -> None:
    one = core(WARM)
    step(one, level(12.0, 1))
    messages = revised(one, 2, msgspec.structs.replace(WARM, channel="free"))
    assert events(messages) == [("returned", "rtn-unack")]


def test_a_device_that_is_lost_ends_the_conditions_of_its_own_alarms() -> None:
    one = core()
    step(one, said(DeviceAlarm("voc", active=True)))
    assert revised(one, 2) == []
    assert events(revised(one, 3, lost=("dev",))) == [("returned", "latched")]


def test_an_edge_that_waits_goes_on_waiting_under_a_limit_that_stays() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1))
    assert revised(one, 2, SLOW) == []
    assert events(tick(one, 6)) == [("raised", "unack-active")]
    step(one, level(3.0, 7))
    assert revised(one, 8, SLOW) == []
    assert events(tick(one, 15)) == [("returned", "rtn-unack")]
    assert events(step(one, level(12.0, 16)).messages) == []
    assert events(tick(one, 21)) == [("raised", "unack-active")], "the value counts as one that was back inside"


def test_an_edge_that_waits_goes_with_its_limit() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1))
    assert revised(one, 2) == []
    assert tick(one, 99) == []


def test_a_higher_priority_is_told_at_once_and_a_lower_one_after_the_acknowledgement() -> None:
    one = core(WARM)
    step(one, level(12.0, 1))
    (event, _) = revised(one, 2, msgspec.structs.replace(WARM, priority=Priority.CRITICAL))
    assert (event.type, alarm(event).priority) == ("alarm.regraded", Priority.CRITICAL)
    assert revised(one, 3, WARM) == []
    done(one, act(Verb.ACK), 4)
    assert alarm(revised(one, 5, WARM)[0]).priority is Priority.HIGH


def test_an_alarm_that_is_raised_afterwards_names_the_new_rules() -> None:
    one = core()
    revised(one, 1, WARM)
    step(one, said(DeviceAlarm("voc", active=True), 2))
    assert (
        alarm(
            one.alarms.on_device(said(DeviceAlarm("o2", active=True), 3), DeviceAlarm("o2", active=True))[0]
        ).rules_digest
        == RULES
    )
