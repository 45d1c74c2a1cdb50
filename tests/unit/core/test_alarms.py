"""Alarm points: raised and cleared once, each message traceable to what caused it."""

from math import inf, nan

import msgspec
import pytest

from devicehub.core.alarms import DEVICE_POINTS, StandingAlarm
from devicehub.core.hub import Core
from devicehub.model.alarm import AlarmCategory, Condition, Letter, Limit, Verb
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import DeviceAlarm, Measurement, Quality, Reading, Stamp
from tests.unit.core.bench import (
    FREE,
    HIGH,
    HOT,
    LOW,
    at,
    body,
    core,
    keep_the_contract,
    kinds,
    level,
    picture,
    said,
    step,
)
from tests.unit.core.operators import act, closed, done, events

WARM = Limit("level-high", "dev", "level", Condition.HIGH, 10.0, hysteresis=2.0, category=AlarmCategory.DEVICE)


def alarms(messages: list[Message]) -> list[Message]:
    return [one for one in messages if one.type.startswith("alarm.")]


def test_a_raised_alarm_is_an_event_and_the_state_of_its_point() -> None:
    _, event, state = step(core(HIGH), level(12.0)).messages
    assert (event.kind, state.kind, event.type, state.type) == (Kind.EVENT, Kind.ALARM, "alarm.raised", "alarm.raised")
    assert (event.device, event.point) == (state.device, state.point) == ("dev", "level-high")
    assert event.data == state.data
    told = body(event)
    assert (told["value"], told["limit"], told["unit"], told["state"]) == (12.0, 10.0, "ng", "unack-active")
    assert (told["condition"], told["revision"]) == ("high", 1)


def test_every_alarm_names_the_reading_behind_it_and_its_own_chain() -> None:
    one = core(HIGH)
    first = step(one, level(12.0, 1)).messages
    last = step(one, level(3.0, 5)).messages
    for reading, event, state in (first, last):
        assert event.causation == state.causation == reading.id
    raised, returned = first[1].data, last[1].data
    assert isinstance(raised, AlarmData)
    assert isinstance(returned, AlarmData)
    assert first[1].correlation == first[2].correlation == last[1].correlation == raised.alarm == returned.alarm


def test_an_acknowledged_alarm_ends_with_its_condition_says_how_long_it_stood_and_deletes_its_point() -> None:
    one = core(WARM)
    step(one, level(12.0, 1))
    done(one, act(Verb.ACK), 2)
    assert kinds(step(one, level(9.0, 3)).messages) == ["reading"], "within the hysteresis"
    _, event, state = step(one, level(8.0, 5.25)).messages
    told = body(event)
    assert (event.type, told["state"], told["revision"], told["duration_s"], told["value"]) == (
        "alarm.cleared",
        "normal",
        3,
        4.25,
        8.0,
    )
    assert told["raised"] != told["cleared"]
    assert (state.kind, state.data, state.point) == (Kind.ALARM, None, "level-high")
    assert one.alarms.count() == 0


def test_an_alarm_that_nobody_saw_stays_when_its_condition_ends_until_somebody_did() -> None:
    one = core(WARM)
    step(one, level(12.0, 1))
    _, event, state = step(one, level(3.0, 2)).messages
    assert (event.type, body(event)["state"], body(event)["letter"]) == ("alarm.returned", "rtn-unack", "D")
    assert state.data == event.data
    messages = done(one, act(Verb.ACK), 5)
    assert events(messages) == [("acked", "normal"), ("cleared", "normal")]
    assert (messages[-1].kind, messages[-1].data) == (Kind.ALARM, None)
    assert body(messages[1])["duration_s"] == 4.0


def test_a_detection_closes_with_acknowledgement_and_confirmation_only() -> None:
    one = core(HIGH)
    step(one, level(12.0, 1))
    assert events(step(one, level(3.0, 2)).messages) == [("returned", "latched")]
    messages = closed(one, "level-high", 9)
    assert events(messages) == [("acked", "latched"), ("confirmed", "normal"), ("cleared", "normal")]
    end = body(messages[-2])
    assert (end["revision"], end["duration_s"]) == (5, 8.0)
    assert one.alarms.count() == 0


def test_a_detection_that_comes_once_more_is_the_same_alarm_and_is_acknowledged_anew() -> None:
    one = core(HIGH)
    first = step(one, level(12.0, 1), level(3.0, 2)).messages
    done(one, act(Verb.ACK), 3)
    again = step(one, level(15.0, 4)).messages
    told = body(again[1])
    assert (again[1].type, told["state"], told["alarm"]) == ("alarm.raised", "unack-active", body(first[2])["alarm"])
    assert (told["activations"], told["value"], told["revision"]) == (2, 15.0, 4)
    assert "acked" not in told


def test_the_wall_clock_changes_no_duration() -> None:
    one = core(WARM)
    step(one, level(12.0, 1))
    one.operate(act(Verb.ACK), Stamp(utc=9e9, mono=2.0))
    _, event, _ = step(one, Reading("dev", Stamp(utc=0.0, mono=3.0), Measurement("level", 0.0))).messages
    assert body(event)["duration_s"] == 2.0


def test_both_sides_of_a_channel_have_their_own_point() -> None:
    one = core(HIGH, LOW)
    points = [(m.type, m.point) for m in alarms(step(one, level(12.0), level(-12.0)).messages) if m.kind is Kind.EVENT]
    assert points == [("alarm.raised", "level-high"), ("alarm.returned", "level-high"), ("alarm.raised", "level-low")]


def test_an_image_raises_through_its_statistics() -> None:
    one = core(HOT)
    frame, event, *_ = step(one, said(picture(1, 61))).messages
    assert (frame.kind, event.causation, body(event)["unit"]) == (Kind.FRAME, frame.id, "Cel")
    assert kinds(step(one, said(picture(1, 60))).messages) == ["frame", "alarm.returned", "alarm.returned"]


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e9])
def test_what_is_no_value_never_clears(value: float) -> None:
    one = core(HIGH)
    step(one, level(12.0))
    assert alarms(step(one, level(value), level(3.0, quality=Quality.BAD)).messages) == []
    assert one.alarms.count() == 1


@pytest.mark.parametrize(("value", "told"), [(1e9, 1e9), (inf, None)])
def test_a_bad_value_may_raise_and_says_that_it_is_bad(value: float, told: float | None) -> None:
    _, event, _ = step(core(FREE), said(Measurement("free", value, Quality.BAD))).messages
    assert (event.type, body(event).get("value"), body(event)["quality"]) == ("alarm.raised", told, "bad")


def test_a_devices_own_alarm_counts_at_its_edges() -> None:
    one = core()
    on, off = DeviceAlarm("voc", active=True, text="too much", value=nan), DeviceAlarm("voc", active=False)
    assert kinds(step(one, said(off)).messages) == []
    event, state = step(one, said(on, 1)).messages
    assert (event.type, state.kind, event.point, body(event)["condition"]) == (
        "alarm.raised",
        Kind.ALARM,
        "voc",
        "device",
    )
    assert body(event)["message"] == {"key": "alarm.device", "args": {"device": "dev", "text": "too much"}}
    assert kinds(step(one, said(on, 2)).messages) == []
    assert kinds(step(one, said(off, 3)).messages) == ["alarm.returned", "alarm.returned"]


def test_a_devices_momentary_alarm_stays_visible_until_somebody_has_closed_it() -> None:
    one = core()
    messages = step(one, said(DeviceAlarm("swab", active=True)), said(DeviceAlarm("swab", active=False))).messages
    assert events(messages) == [("raised", "unack-active"), ("returned", "latched")]
    assert one.alarms.count() == 1
    closed(one, "swab", 9)
    assert one.alarms.count() == 0


def test_a_devices_own_alarm_of_a_limits_name_is_kept_apart() -> None:
    one = core(HIGH)
    messages = step(one, level(12.0), said(DeviceAlarm("level-high", active=True))).messages
    assert {m.point for m in alarms(messages)} == {"level-high", "device-level-high"}
    returned = alarms(step(one, said(DeviceAlarm("level-high", active=False))).messages)
    assert {m.point for m in returned} == {"device-level-high"}
    closed(one, "device-level-high", 2)
    assert one.alarms.count() == 1


def standing(*limits: Limit) -> tuple[StandingAlarm, ...]:
    """What a core leaves behind that saw a value beyond every limit."""
    old = core(*limits)
    messages = step(old, level(12.0, 1), said(DeviceAlarm("voc", active=True), 1)).messages
    return tuple(
        StandingAlarm(m.device, m.point, m.data)
        for m in messages
        if m.kind is Kind.ALARM and isinstance(m.data, AlarmData)
    )


def resumed(one: Core, left: tuple[StandingAlarm, ...], mono: float) -> list[Message]:
    messages = one.resume(left, at(mono))
    keep_the_contract(messages)
    return messages


def test_after_a_restart_an_alarm_stands_without_being_announced_again() -> None:
    one, left = core(HIGH), standing(HIGH)
    assert resumed(one, left, 1.0) == []
    assert one.alarms.count() == 2
    assert kinds(step(one, level(12.0, 2), said(DeviceAlarm("voc", active=True), 2)).messages) == ["reading"]


def test_after_a_restart_a_normal_value_returns_it_under_its_first_name() -> None:
    one, left = core(HIGH), standing(HIGH)
    resumed(one, left, 11.0)
    own = step(one, said(DeviceAlarm("voc", active=False), 21)).messages
    _, event, state = step(one, level(3.0, 21)).messages
    told = body(event)
    assert (event.type, told["alarm"], told["revision"]) == ("alarm.returned", left[1].data.alarm, 2)
    assert state.data == event.data
    assert kinds(own) == ["alarm.returned", "alarm.returned"]
    assert body(closed(one, "level-high", 31)[-2])["duration_s"] == 30.0, "from when it was raised in the run before"


@pytest.mark.parametrize("limits", [(), (LOW,)], ids=["gone", "another"])
def test_an_alarm_whose_limit_is_gone_returns_and_is_closed_like_every_other(limits: tuple[Limit, ...]) -> None:
    one = core(*limits)
    messages = resumed(one, standing(HIGH), 11.0)
    assert [(m.type, m.kind, m.point) for m in messages] == [
        ("alarm.returned", Kind.EVENT, "level-high"),
        ("alarm.returned", Kind.ALARM, "level-high"),
    ]
    assert body(messages[0])["why"] == "its limit or device is no longer configured"
    assert one.alarms.count() == 2, "the device's own still stands too"
    closed(one, "level-high", 12)
    assert one.alarms.count() == 1


def test_an_acknowledged_alarm_whose_limit_is_gone_is_ended() -> None:
    old = core(WARM)
    step(old, level(12.0, 1))
    left = done(old, act(Verb.ACK), 2)[-1]
    assert isinstance(left.data, AlarmData)
    messages = resumed(core(), (StandingAlarm("dev", "level-high", left.data),), 3)
    assert kinds(messages) == ["alarm.cleared", "alarm.cleared"]
    assert messages[-1].data is None


def test_an_alarm_of_a_device_that_is_gone_returns() -> None:
    (own, _) = standing(HIGH)
    gone = StandingAlarm("former", own.point, own.data)
    assert kinds(resumed(core(), (gone,), 2.0)) == ["alarm.returned", "alarm.returned"]


def test_a_limit_that_changed_is_held_against_the_next_value() -> None:
    higher = Limit("level-high", "dev", "level", Condition.HIGH, 50.0)
    one = core(higher)
    resumed(one, standing(HIGH), 2.0)
    assert kinds(step(one, level(12.0, 3)).messages) == ["reading", "alarm.returned", "alarm.returned"]


def test_an_alarm_of_a_version_without_a_life_cycle_stands_unacknowledged_and_latched() -> None:
    """What that version wrote had no flags; those of today are left out at their default."""
    (_, left) = standing(HIGH)
    old = msgspec.structs.replace(left.data, event="", latched=False, letter=Letter.A)
    one = core(HIGH)
    resumed(one, (StandingAlarm("dev", "level-high", old),), 2.0)
    assert events(step(one, level(3.0, 3)).messages) == [("returned", "latched")]


def test_two_long_points_that_limits_share_do_not_meet_in_one() -> None:
    """Both begin alike for longer than a segment is once `device-` stands before them."""
    points = ["x" * 63 + end for end in "ab"]
    one = core(*(Limit(point, "dev", "level", Condition.HIGH, 10.0) for point in points))
    for point in points:
        step(one, said(DeviceAlarm(point, active=True)))
    assert one.alarms.count() == 2
    (event, state) = step(one, said(DeviceAlarm(points[0], active=False))).messages
    assert event.point == state.point != points[0]
    closed(one, event.point, 2)
    assert (one.alarms.count(), len(event.point)) == (1, 64)


def test_a_device_that_raises_ever_new_alarms_is_stopped_and_the_others_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = core()
    for number in range(DEVICE_POINTS + 50):
        step(one, said(DeviceAlarm(f"p-{number}", active=True)))
    assert one.alarms.count() == DEVICE_POINTS
    assert [record.message for record in caplog.records] == [
        f"device dev: {DEVICE_POINTS} of its alarms stand; further ones are not taken"
    ]
    assert alarms(step(one, said(DeviceAlarm("p", active=True), device="files")).messages)
    step(one, said(DeviceAlarm("p-0", active=False)))
    closed(one, "p-0", 2)
    assert alarms(step(one, said(DeviceAlarm("p-0", active=True))).messages)
