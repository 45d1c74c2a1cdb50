"""What time brings to alarms: delays, ends of shelving and silence, announcing again. No wall clock has a say."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.core.alarms import StandingAlarm
from devicehub.core.hub import Core
from devicehub.model.alarm import AlarmCategory, Condition, Limit, Priority, Verb
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Change, DeviceAlarm, Measurement, Quality, Reading, Stamp
from tests.unit.core.bench import HIGH, at, body, core, kinds, level, said, step
from tests.unit.core.operators import act, alarm, done, events, tick

DAY = 86_400.0
WARM = Limit("level-high", "dev", "level", Condition.HIGH, 10.0, hysteresis=2.0, category=AlarmCategory.DEVICE)
SLOW = msgspec.structs.replace(WARM, on_delay_s=5.0, off_delay_s=8.0)
NAGGING = msgspec.structs.replace(WARM, realarm_s=60.0)


def restarted(state: Message, now: Stamp, *limits: Limit) -> Core:
    """A core that goes on from a published state."""
    one = core(*limits)
    assert one.resume([StandingAlarm(state.device, state.point, alarm(state))], now) == []
    return one


def test_an_alarm_comes_when_its_condition_has_lasted() -> None:
    one = core(SLOW)
    assert kinds(step(one, level(12.0, 1)).messages) == ["reading"]
    assert tick(one, 5.9) == []
    event, _ = tick(one, 6.4)
    assert (event.type, event.mono, event.time, body(event)["value"]) == ("alarm.raised", 6.0, at(6).utc, 12.0)


def test_a_condition_that_did_not_last_is_no_alarm() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1), level(3.0, 3), level(12.0, 5))
    assert tick(one, 9.9) == []
    assert events(tick(one, 10)) == [("raised", "unack-active")], "the delay began anew"


def test_a_condition_goes_when_it_has_been_gone_long_enough() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1))
    tick(one, 6)
    step(one, level(3.0, 7))
    step(one, level(12.0, 14))
    assert tick(one, 30) == [], "it came back"
    step(one, level(3.0, 40))
    (event, _) = tick(one, 99)
    assert (event.type, event.mono) == ("alarm.returned", 48.0)


def test_a_delay_that_is_over_counts_before_the_next_value() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1))
    assert events(step(one, level(3.0, 7)).messages) == [("raised", "unack-active")]


def test_a_point_that_is_enabled_while_its_condition_has_not_lasted_waits_on() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1))
    done(one, act(Verb.DISABLE), 2)
    assert events(done(one, act(Verb.ENABLE), 3)) == [("enabled", "normal")]
    assert events(tick(one, 6)) == [("raised", "unack-active")]


def test_a_device_that_goes_away_takes_no_alarm_with_it() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1))
    tick(one, 6)
    step(one, level(3.0, 7))
    event = step(one, Change("dev", at(8), DeviceState.LOST)).messages[-2]
    assert (event.type, body(event)["quality"], body(event)["state"]) == ("alarm.quality", "undefined", "unack-active")
    assert tick(one, 99) == [], "the value of before says nothing any more"
    assert events(step(one, level(3.0, 100)).messages) == [("quality", "unack-active")]
    assert events(tick(one, 108)) == [("returned", "rtn-unack")]


def test_a_delay_that_began_before_its_device_went_away_still_raises() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1), Change("dev", at(2), DeviceState.LOST))
    assert events(tick(one, 6)) == [("raised", "unack-active")]


def test_an_edge_and_the_loss_of_its_device_in_one_step_come_in_that_order() -> None:
    one = core(HIGH)
    messages = step(one, level(12.0, 1), Change("dev", at(1.5), DeviceState.LOST)).messages
    assert events(messages) == [("raised", "unack-active"), ("quality", "unack-active")]


def test_when_a_device_is_back_its_first_value_says_how_it_is() -> None:
    one = core(HIGH)
    step(one, level(12.0, 1), Change("dev", at(2), DeviceState.OFFLINE))
    assert events(step(one, Change("dev", at(3), DeviceState.READY)).messages) == []
    reading, event, state = step(one, level(13.0, 4)).messages
    assert (event.type, "quality" in body(event), event.causation) == ("alarm.quality", False, reading.id)
    assert state.data == event.data
    assert kinds(step(one, level(13.0, 5)).messages) == ["reading"]


def test_a_devices_own_alarm_is_unknown_while_it_is_away_and_known_when_it_says_so_again() -> None:
    one = core()
    step(one, said(DeviceAlarm("voc", active=True), 1))
    assert events(step(one, Change("dev", at(2), DeviceState.FAULTED)).messages) == [("quality", "unack-active")]
    event, _ = step(one, said(DeviceAlarm("voc", active=True), 3)).messages
    assert "quality" not in body(event)


def test_a_value_that_cannot_be_trusted_raises_and_starts_no_end() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1, Quality.BAD))
    event, _ = tick(one, 6)
    assert body(event)["quality"] == "bad"
    step(one, level(3.0, 7, Quality.BAD))
    assert tick(one, 99) == []


def test_shelving_ends_by_itself() -> None:
    one = core(WARM)
    step(one, level(12.0, 1))
    done(one, act(Verb.SHELVE, seconds=30.0), 2)
    assert tick(one, 31.9) == []
    event, state = tick(one, 33)
    assert (event.type, event.mono, body(event)["state"]) == ("alarm.unshelved", 32.0, "unack-active")
    assert state.data == event.data
    assert tick(one, 1e6) == []


def test_one_shot_shelving_of_an_alarm_that_never_ends_ends_after_the_longest_time() -> None:
    one = core(WARM)
    done(one, act(Verb.SHELVE, one_shot=True), 0)
    assert tick(one, 8 * 3600 - 1) == []
    (event, state) = tick(one, 8 * 3600)
    assert (event.type, body(event)["state"], state.data) == ("alarm.unshelved", "normal", None)


def test_silence_ends_by_itself_and_with_the_next_coming() -> None:
    one = core(WARM)
    step(one, level(12.0, 1))
    told = body(done(one, act(Verb.SILENCE), 2)[0])
    assert told["silenced"] == {"until": "2026-11-24T06:02:02.000Z", "left_s": 120.0}
    assert "silenced" not in body(tick(one, 122)[0])
    done(one, act(Verb.SILENCE), 130)
    again = step(one, level(3.0, 131), level(12.0, 132)).messages[-2]
    assert "silenced" not in body(again)
    assert tick(one, 1e6) == []


def test_a_condition_that_lasts_is_announced_again() -> None:
    one = core(NAGGING)
    step(one, level(12.0, 1))
    done(one, act(Verb.ACK), 21)
    assert tick(one, 60.9) == []
    event, _ = tick(one, 61)
    assert (event.type, body(event)["state"]) == ("alarm.realarmed", "unack-active")
    assert "acked" not in body(event)
    assert events(tick(one, 121)) == [("realarmed", "unack-active")]
    step(one, level(3.0, 122))
    assert tick(one, 1e6) == []


def test_a_shelved_condition_is_not_announced_again_until_it_is_taken_back() -> None:
    one = core(NAGGING)
    step(one, level(12.0, 1))
    done(one, act(Verb.SHELVE, seconds=100.0), 2)
    assert tick(one, 61.5) == []
    assert events(tick(one, 103)) == [("unshelved", "unack-active")]


@pytest.mark.parametrize("jump", [DAY, -DAY, -1_795_500_000.0], ids=["forward", "back", "1970"])
def test_a_wall_clock_that_jumps_changes_nothing(jump: float) -> None:
    """The same life with and without a jump at second 3: every event at the same monotonic time."""

    def life(jump: float) -> list[tuple[str, float, object]]:
        one = core(NAGGING, msgspec.structs.replace(SLOW, name="slow"))
        out = [*step(one, level(12.0, 1)).messages, *done(one, act(Verb.SHELVE, seconds=40.0), 2)]
        for second in range(3, 200):
            now = Stamp(at(second).utc + jump, float(second))
            value = 12.0 if second < 110 else 3.0
            out += one.step([Reading("dev", now, Measurement("level", value))]).messages
            out += one.tick(now)
            if second == 70:
                out += one.operate(act(Verb.SILENCE, "slow"), now).messages
        events = [m for m in out if m.kind is Kind.EVENT]
        return [(m.type, m.mono, body(m).get("duration_s")) for m in events]

    assert life(jump) == life(0.0)


@pytest.mark.parametrize(("jump", "ends"), [(0.0, 32.0), (-DAY, 37.0), (DAY, 12.0)], ids=["no", "back", "forward"])
def test_over_a_restart_shelving_never_gets_longer_whatever_the_wall_clock_says(jump: float, ends: float) -> None:
    """Shelved at 2 for 30 s; written again at 7; the hub is away from 7 to 12."""
    one = core(WARM)
    step(one, level(12.0, 1))
    done(one, act(Verb.SHELVE, seconds=30.0), 2)
    state = done(one, act(Verb.COMMENT), 7)[-1]
    two = restarted(state, Stamp(at(12).utc + jump, 12.0), WARM)
    assert tick(two, ends - 0.1) == []
    assert events(tick(two, ends)) == [("unshelved", "unack-active")]


def test_over_a_restart_announcing_again_counts_on() -> None:
    one = core(NAGGING)
    step(one, level(12.0, 1))
    tick(one, 61)
    state = done(one, act(Verb.ACK), 71)[-1]
    two = restarted(state, at(100), NAGGING)
    assert tick(two, 120.9) == []
    assert events(tick(two, 121)) == [("realarmed", "unack-active")]


def test_a_delay_begins_anew_after_a_restart() -> None:
    one = core(SLOW)
    step(one, level(12.0, 1))
    state = tick(one, 6)[-1]
    step(one, level(3.0, 7))
    two = restarted(state, at(10), SLOW)
    assert tick(two, 99) == []
    step(two, level(3.0, 100))
    assert events(tick(two, 108)) == [("returned", "rtn-unack")]


def test_priority_rises_at_once_and_falls_when_somebody_has_seen_it() -> None:
    one = core(WARM)
    state = step(one, level(12.0, 1)).messages[-1]
    lower, higher = (msgspec.structs.replace(WARM, priority=one) for one in (Priority.LOW, Priority.CRITICAL))
    restarted(state, at(2), lower)
    two = core(higher)
    (event, _) = two.resume([StandingAlarm("dev", "level-high", alarm(state))], at(2))
    assert (event.type, alarm(event).priority) == ("alarm.regraded", Priority.CRITICAL)
    acked = done(two, act(Verb.ACK), 3)[-1]
    three = core(lower)
    (event, _) = three.resume([StandingAlarm("dev", "level-high", alarm(acked))], at(4))
    assert alarm(event).priority is Priority.LOW


times = st.lists(st.floats(0.1, 4.0), min_size=1, max_size=12)
values = st.sampled_from([12.0, 9.0, 3.0, float("nan")])


@given(st.data())
def test_neither_batches_nor_ticks_change_what_is_told_or_when(data: st.DataObject) -> None:
    """One value a step with a tick after each, or all in one batch: the same events at the same instants."""
    gaps = data.draw(times)
    moments = [sum(gaps[: place + 1]) for place in range(len(gaps))]
    readings = [level(data.draw(values), moment) for moment in moments]
    whole, single = core(SLOW, NAGGING), core(SLOW, NAGGING)
    end = moments[-1] + 100.0
    one = [*whole.step(readings).messages, *tick(whole, end)]
    two: list[Message] = []
    for reading, (now, until) in zip(readings, pairwise([*moments, end]), strict=True):
        two += single.step([reading]).messages
        for part in range(4):
            two += tick(single, now + (until - now) * part / 4)
    two += tick(single, end)

    def told(messages: list[Message]) -> list[tuple[str, float, str]]:
        return [(m.type, round(m.mono, 6), str(alarm(m).state)) for m in messages if isinstance(m.data, AlarmData)]

    assert told(one) == told(two)
