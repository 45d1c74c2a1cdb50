"""Conditions other than a level, through the whole core: what is told of them, and what of them survives a restart."""

from collections.abc import Iterable
from math import nan

import pytest

from devicehub.core.alarms import StandingAlarm
from devicehub.core.hub import Core
from devicehub.model.alarm import AlarmCategory, Condition, Limit, Priority, Verb
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Change, Measurement, Quality, Reading
from tests.unit.core.bench import at, body, core, keep_the_contract, kinds, level, picture, said, step
from tests.unit.core.operators import act, done


def limit(condition: Condition, value: float = 10.0, **more: object) -> Limit:
    return Limit("point", "dev", "level", condition, value, category=AlarmCategory.DEVICE, **more)  # type: ignore[arg-type]  # fields by name


OUTER = limit(Condition.HIGH_HIGH, 20.0, priority=Priority.CRITICAL)
RISE = limit(Condition.RISE, 2.0, window_s=5.0)
APART = limit(Condition.DEVIATION, 3.0, window_s=5.0, reference="files/level")
STALE = limit(Condition.STALE, 30.0, window_s=30.0)
BUSY = Limit("busy", "dev", "mode", Condition.STATE, 0.0, states=("busy",), category=AlarmCategory.DEVICE)


def mode(label: str, mono: float) -> Reading:
    return said(Measurement("mode", float(("idle", "busy").index(label)), label=label), mono)


def told(messages: Iterable[Message]) -> list[tuple[str, dict[str, object]]]:
    return [(one.type, body(one)) for one in messages if one.kind is Kind.EVENT and one.type.startswith("alarm.")]


def only(messages: Iterable[Message], *keys: str) -> list[tuple[str, tuple[object, ...]]]:
    return [(word, tuple(data.get(key) for key in keys)) for word, data in told(messages)]


def test_the_event_says_which_level_was_passed() -> None:
    inner = Limit("inner", "dev", "level", Condition.HIGH, 10.0)
    found = only(step(core(inner, OUTER), level(25.0)).messages, "condition", "limit", "priority", "value")
    assert found == [
        ("alarm.raised", ("high", 10.0, "high", 25.0)),
        ("alarm.raised", ("high-high", 20.0, "critical", 25.0)),
    ]


def test_a_rate_is_told_in_no_unit_of_ours() -> None:
    found = step(core(RISE), level(0.0, 0), level(12.5, 5)).messages
    assert only(found, "condition", "value", "limit", "unit") == [("alarm.raised", ("rise", 2.5, 2.0, None))]


def test_a_deviation_names_its_reference_which_may_be_of_another_device() -> None:
    one = core(APART)
    step(one, said(Measurement("level", 4.0), 1, "files"))
    ((word, data),) = told(step(one, level(8.0, 2)).messages)
    assert (word, data["condition"], data["value"]) == ("alarm.raised", "deviation", 4.0)
    assert data["message"] == {
        "key": "alarm.limit",
        "args": {"device": "dev", "channel": "level", "reference": "files/level"},
    }


def test_a_channel_without_a_limit_of_its_own_may_be_a_reference_as_may_an_image() -> None:
    hot = Limit("hot", "dev", "image.max", Condition.DEVIATION, 5.0, window_s=5.0, reference="image.min")
    found = step(core(hot), said(picture(10, 12), 1), said(picture(10, 19), 2), said(picture(10, 19), 3)).messages
    assert only(found, "value") == [("alarm.raised", (9.0,))]


def test_a_state_is_told_with_its_number_and_no_limit() -> None:
    one = core(BUSY)
    ((word, data),) = told(step(one, mode("idle", 1), mode("busy", 2), mode("busy", 3)).messages)
    assert (word, data["condition"], data["value"], data.get("limit")) == ("alarm.raised", "state", 1.0, None)
    assert data["message"] == {"key": "alarm.limit", "args": {"device": "dev", "channel": "mode", "states": "busy"}}
    assert kinds(step(one, mode("idle", 4)).messages)[1] == "alarm.returned"


def test_silence_is_an_alarm_as_of_its_own_instant() -> None:
    one = core(STALE)
    step(one, level(1.0, 100))
    assert told(one.tick(at(130.0))) == []
    messages = one.tick(at(130.9))
    keep_the_contract(messages)
    (event,) = [message for message in messages if message.type == "alarm.raised" and message.kind is Kind.EVENT]
    assert event.mono == pytest.approx(130.0)
    assert event.time == pytest.approx(at(130.0).utc)
    data = body(event)
    assert (data["condition"], data.get("value"), data["limit"], data["unit"], data["quality"]) == (
        "stale",
        None,
        30.0,
        "s",
        "bad",
    )
    bad = step(one, level(1.0, 140, Quality.BAD), level(nan, 141)).messages
    assert told(bad) == [], "a value that is bad is no end of a silence"
    assert only(step(one, level(1.0, 142)).messages, "quality") == [("alarm.returned", (None,))], "good is not written"


def test_a_device_that_never_says_anything_grows_stale_too() -> None:
    one = core(STALE)
    assert told(one.tick(at(100.0))) == []
    assert [word for word, _ in told(one.tick(at(131.0)))] == ["alarm.raised"]


def test_a_silence_has_the_delays_of_any_limit() -> None:
    one = core(limit(Condition.STALE, 30.0, window_s=30.0, on_delay_s=10.0))
    step(one, level(1.0, 100))
    assert told(one.tick(at(139.0))) == []
    ((word, _),) = told(one.tick(at(141.0)))
    assert word == "alarm.raised"


def test_a_device_that_is_away_keeps_its_alarm_until_it_speaks_again() -> None:
    one = core(BUSY)
    step(one, mode("busy", 1))
    gone = step(one, Change("dev", at(2), DeviceState.LOST)).messages
    assert only(gone, "quality") == [("alarm.quality", ("undefined",))]
    assert only(step(one, mode("busy", 5)).messages, "quality") == [("alarm.quality", (None,))], "good is not written"


@pytest.mark.parametrize(
    ("point", "before", "after"),
    [
        (OUTER, [level(25.0, 1)], [level(25.0, 1), level(1.0, 2)]),
        (RISE, [level(0.0, 0), level(20.0, 5)], [level(20.0, 1), level(20.0, 6)]),
        (APART, [said(Measurement("level", 4.0), 1, "files"), level(9.0, 1)], [
            level(9.0, 1), said(Measurement("level", 4.0), 2, "files"), level(4.0, 2),
        ]),
        (STALE, [level(1.0, 0), level(1.0, 40, Quality.BAD)], [level(1.0, 1)]),
        (BUSY, [mode("busy", 1)], [mode("busy", 1), mode("idle", 2)]),
    ],
    ids=["high-high", "rise", "deviation", "stale", "state"],
)  # fmt: skip
def test_after_a_restart_it_stands_unannounced_and_ends_with_its_condition(
    point: Limit, before: list[Reading], after: list[Reading]
) -> None:
    one = core(point)
    step(one, *before)
    (kept,) = [record for record in done(one, act(Verb.ACK, point=point.name), 50) if record.kind is Kind.ALARM]
    assert isinstance(kept.data, AlarmData)
    assert kept.data.active
    again: Core = core(point)
    assert again.resume([StandingAlarm("dev", point.name, kept.data)], at(0)) == []
    assert [word for word, _ in told(step(again, *after).messages)] == ["alarm.cleared"]
