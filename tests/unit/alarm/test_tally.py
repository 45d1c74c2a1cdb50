"""How well alarms do: floods, chattering points, answer times, false alarms."""

import pytest

from devicehub.alarm.tally import Flood, Tally
from devicehub.model.alarm import Disposition, Priority


def flooded(tally: Tally, times: list[float], device: str = "d") -> list[Flood]:
    """Alarms of ever other points of a device."""
    return [
        flood
        for number, now in enumerate(times)
        for flood in tally.announced((device, f"{now}-{number}"), Priority.HIGH, now)
    ]


def test_ten_alarms_in_ten_minutes_are_no_flood_and_eleven_are() -> None:
    tally = Tally()
    assert flooded(tally, [float(second) for second in range(10)]) == []
    (flood,) = flooded(tally, [599.9], "late")
    assert (flood.over, flood.count, flood.since, flood.first) == (False, 11, 0.0, ("d", "0.0-0"))
    assert flood.devices == (("d", 10), ("late", 1))
    assert tally.flooded


def test_eleven_alarms_in_more_than_ten_minutes_are_no_flood() -> None:
    assert flooded(Tally(), [float(minute * 61) for minute in range(11)]) == []


def test_a_flood_ends_once_when_fewer_than_five_came_in_ten_minutes() -> None:
    tally = Tally()
    flooded(tally, [float(second) for second in range(20)])
    assert list(tally.passed(614.9)) == []
    (end,) = tally.passed(615.0)
    assert (end.over, end.count, end.first) == (True, 20, ("d", "0.0-0"))
    assert list(tally.passed(700.0)) == []
    assert (tally.floods, tally.peak, tally.flooded) == (1, 20, False)
    (second,) = flooded(tally, [5000.0 + second for second in range(11)])
    assert (second.count, second.since) == (11, 5000.0)
    assert tally.floods == 2


@pytest.mark.parametrize(("times", "chatters"), [([0, 59, 60], True), ([0, 30, 60.5], False), ([0, 1], False)])
def test_a_point_that_comes_three_times_within_a_minute_chatters(times: list[float], *, chatters: bool) -> None:
    tally = Tally()
    assert [tally.came(("d", "p"), now) for now in times][-1] is chatters
    assert tally.came(("d", "other"), times[-1]) is False
    assert tally.chattering(times[-1]) == int(chatters)
    assert tally.chattering(times[-1] + 3601) == 0


def test_answer_times_are_nearest_ranks() -> None:
    tally = Tally()
    assert tally.answer_times() == (None, None)
    for seconds in range(100, -1, -1):
        tally.acknowledged(float(seconds))
    assert tally.answer_times() == (50.0, 95.0)


def test_a_false_alarm_rate_leaves_tests_and_open_cases_out() -> None:
    tally = Tally()
    told = [
        *(Disposition.CONFIRMED_THREAT, Disposition.NUISANCE, Disposition.KNOWN_CAUSE),
        *(Disposition.SECOND_TEST_NEGATIVE, Disposition.TEST, Disposition.UNRESOLVED),
    ]
    for disposition in told:
        tally.settled(("d", "p"), disposition)
    tally.settled(("d", "tested-only"), Disposition.TEST)
    assert list(tally.rates(9)) == [(("d", "p"), 4, 3)]


def test_what_is_remembered_of_ever_new_points_is_bounded() -> None:
    tally = Tally()
    for number in range(5000):
        tally.settled(("d", str(number)), Disposition.NUISANCE)
    names = {point for (_, point), _, _ in tally.rates(9999)}
    assert len(names) == 4096
    assert "4999" in names
    assert len(list(tally.rates(50))) == 50


def test_the_rules_that_were_wrong_most_often_come_first() -> None:
    tally = Tally()
    for point, wrong in (("a", 1), ("b", 3), ("c", 2)):
        for _ in range(wrong):
            tally.settled(("dev", point), Disposition.NUISANCE)
    assert [(point, false) for (_, point), _, false in tally.rates(2)] == [("b", 3), ("c", 2)]
