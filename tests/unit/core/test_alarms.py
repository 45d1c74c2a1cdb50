"""Alarm points: raised and cleared once, each message traceable to what caused it."""

from math import inf, nan

import pytest

from devicehub.core.alarms import DEVICE_POINTS, StandingAlarm
from devicehub.core.hub import Core
from devicehub.model.alarm import Condition, Limit
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
    raised, cleared = first[1].data, last[1].data
    assert isinstance(raised, AlarmData)
    assert isinstance(cleared, AlarmData)
    assert first[1].correlation == first[2].correlation == last[1].correlation == raised.alarm == cleared.alarm


def test_a_cleared_alarm_says_how_long_it_stood_and_deletes_its_point() -> None:
    one = core(HIGH)
    step(one, level(12.0, 1))
    assert kinds(step(one, level(9.0, 3)).messages) == ["reading"], "within the hysteresis"
    _, event, state = step(one, level(8.0, 5.25)).messages
    told = body(event)
    assert (told["state"], told["revision"], told["duration_s"], told["value"]) == ("normal", 2, 4.25, 8.0)
    assert told["raised"] != told["cleared"]
    assert (state.kind, state.data, state.point) == (Kind.ALARM, None, "level-high")
    assert one.alarms.count() == 0


def test_the_wall_clock_changes_no_duration() -> None:
    one = core(HIGH)
    step(one, level(12.0, 1))
    _, event, _ = step(one, Reading("dev", Stamp(utc=0.0, mono=3.0), Measurement("level", 0.0))).messages
    assert body(event)["duration_s"] == 2.0


def test_both_sides_of_a_channel_have_their_own_point() -> None:
    one = core(HIGH, LOW)
    points = [(m.type, m.point) for m in alarms(step(one, level(12.0), level(-12.0)).messages) if m.kind is Kind.EVENT]
    assert points == [("alarm.raised", "level-high"), ("alarm.cleared", "level-high"), ("alarm.raised", "level-low")]


def test_an_image_raises_through_its_statistics() -> None:
    one = core(HOT)
    frame, event, _ = step(one, said(picture(1, 61))).messages
    assert (frame.kind, event.causation, body(event)["unit"]) == (Kind.FRAME, frame.id, "Cel")
    assert kinds(step(one, said(picture(1, 60))).messages) == ["frame", "alarm.cleared", "alarm.cleared"]


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
    assert kinds(step(one, said(off, 3)).messages) == ["alarm.cleared", "alarm.cleared"]


def test_a_devices_own_alarm_of_a_limits_name_is_kept_apart() -> None:
    one = core(HIGH)
    messages = step(one, level(12.0), said(DeviceAlarm("level-high", active=True))).messages
    assert {m.point for m in alarms(messages)} == {"level-high", "device-level-high"}
    cleared = alarms(step(one, said(DeviceAlarm("level-high", active=False))).messages)
    assert {m.point for m in cleared} == {"device-level-high"}
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


def test_after_a_restart_a_normal_value_clears_it_under_its_first_name() -> None:
    one, left = core(HIGH), standing(HIGH)
    resumed(one, left, 11.0)
    _, event, state, *own = step(one, level(3.0, 21), said(DeviceAlarm("voc", active=False), 21)).messages
    told = body(event)
    assert (event.type, told["alarm"], told["revision"]) == ("alarm.cleared", left[0].data.alarm, 2)
    assert told["duration_s"] == 20.0, "from when it was raised in the run before"
    assert (state.kind, state.data) == (Kind.ALARM, None)
    assert kinds(own) == ["alarm.cleared", "alarm.cleared"]


@pytest.mark.parametrize("limits", [(), (LOW,)], ids=["gone", "another"])
def test_an_alarm_whose_limit_is_gone_is_ended(limits: tuple[Limit, ...]) -> None:
    one = core(*limits)
    messages = resumed(one, standing(HIGH), 11.0)
    assert [(m.type, m.kind, m.point) for m in messages] == [
        ("alarm.cleared", Kind.EVENT, "level-high"),
        ("alarm.cleared", Kind.ALARM, "level-high"),
    ]
    assert one.alarms.count() == 1, "the device's own still stands"


def test_an_alarm_of_a_device_that_is_gone_is_ended() -> None:
    (_, own) = standing(HIGH)
    gone = StandingAlarm("former", own.point, own.data)
    assert kinds(resumed(core(), (gone,), 2.0)) == ["alarm.cleared", "alarm.cleared"]


def test_a_limit_that_changed_is_held_against_the_next_value() -> None:
    higher = Limit("level-high", "dev", "level", Condition.HIGH, 50.0)
    one = core(higher)
    resumed(one, standing(HIGH), 2.0)
    assert kinds(step(one, level(12.0, 3)).messages) == ["reading", "alarm.cleared", "alarm.cleared"]


def test_two_long_points_that_limits_share_do_not_meet_in_one() -> None:
    """Both begin alike for longer than a segment is once `device-` stands before them."""
    points = ["x" * 63 + end for end in "ab"]
    one = core(*(Limit(point, "dev", "level", Condition.HIGH, 10.0) for point in points))
    for point in points:
        step(one, said(DeviceAlarm(point, active=True)))
    assert one.alarms.count() == 2
    (event, state) = step(one, said(DeviceAlarm(points[0], active=False))).messages
    assert event.point == state.point != points[0]
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
    assert alarms(step(one, said(DeviceAlarm("p-0", active=True))).messages)
