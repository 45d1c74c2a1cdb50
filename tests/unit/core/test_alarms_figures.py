"""Floods, chattering points and figures, as they are told."""

from devicehub.core.alarms import STATISTICS_EVERY
from devicehub.model.alarm import AlarmCategory, Condition, Disposition, Limit, Verb
from devicehub.model.payload import FloodData
from devicehub.model.reading import DeviceAlarm
from tests.unit.core.bench import HIGH, core, level, said, step
from tests.unit.core.operators import act, alarm, closed, done, figures, tick

DAY = 86_400.0
WARM = Limit("level-high", "dev", "level", Condition.HIGH, 10.0, hysteresis=2.0, category=AlarmCategory.DEVICE)


def test_eleven_alarms_in_ten_minutes_are_told_once_as_a_flood_and_so_is_its_end() -> None:
    one = core()
    messages = [
        message
        for number in range(15)
        for message in step(one, said(DeviceAlarm(f"p-{number}", active=True), float(number))).messages
    ]
    (begin,) = [message for message in messages if message.type == "alarm.flood"]
    assert isinstance(begin.data, FloodData)
    assert (begin.data.what, begin.data.count, begin.data.first, begin.mono) == ("begin", 11, "dev/p-0", 10.0)
    assert [m.type for m in tick(one, 609.9)] == []
    (end,) = [message for message in tick(one, 610.5) if message.type == "alarm.flood"]
    assert isinstance(end.data, FloodData)
    assert (end.data.what, end.data.count, end.data.devices) == ("end", 15, {"dev": 15})


def test_a_point_that_comes_three_times_within_a_minute_says_so() -> None:
    one = core(WARM)
    told = [step(one, level(12.0, t), level(3.0, t + 1)).messages[2] for t in (1.0, 20.0, 40.0, 200.0)]
    assert [alarm(message).chattering for message in told] == [False, False, True, False]


def test_alarms_of_a_shelved_point_make_no_flood() -> None:
    one = core(WARM)
    done(one, act(Verb.SHELVE, seconds=3600.0), 0)
    messages = [m for t in range(30) for m in step(one, level(12.0, t), level(3.0, t + 0.5)).messages]
    assert not [message for message in messages if message.type == "alarm.flood"]


def test_figures_are_told_every_ten_minutes_while_there_is_something_to_tell() -> None:
    one = core(HIGH)
    assert figures(one, 0) == []
    assert figures(one, STATISTICS_EVERY) == []
    step(one, level(12.0, 601))
    closed(one, "level-high", 621)
    (data,) = figures(one, 1300)
    assert (data.standing, data.unacknowledged, data.stale, data.alarms) == (1, 0, 0, 1)
    assert (data.ack_p50_s, data.priorities) == (20.0, {"high": 1})
    (rate,) = data.false_alarms.items()
    assert (rate[0], rate[1].judged, rate[1].false, rate[1].rate) == ("dev/level-high", 1, 1, 1.0)
    assert figures(one, 1301) == []
    (data,) = figures(one, 601 + DAY + 1)
    assert data.stale == 1


def test_a_disposition_of_a_test_makes_no_false_alarm() -> None:
    one = core(HIGH)
    step(one, level(12.0, 1))
    done(one, act(Verb.ACK), 2)
    done(one, act(Verb.CONFIRM, disposition=Disposition.TEST), 3)
    assert figures(one, 3) == []
    (data,) = figures(one, 700)
    assert data.false_alarms == {}


def test_an_alarm_counts_when_it_is_announced_and_not_with_what_happens_to_it_then() -> None:
    one = core(WARM)
    assert figures(one, 0) == []
    step(one, level(12.0, 1))
    for verb in (Verb.COMMENT, Verb.SILENCE, Verb.ACK):
        done(one, act(verb), 2)
    (data,) = figures(one, 700)
    assert data.alarms == 1
    done(one, act(Verb.SHELVE, seconds=5.0), 701)
    step(one, level(3.0, 702), level(12.0, 703))
    assert alarm(tick(one, 706)[0]).state == "unack-active"
    (data,) = figures(one, 1400)
    assert data.alarms == 2, "announced when its shelving ended"
