"""When an event counts: what people did when they did it, all else not before it was recorded."""

import json

import pytest

from devicehub.exercise.facts import fact


def event(word: str, time: str, recorded: str) -> bytes:
    return json.dumps({"type": f"io.devicehub.{word}", "time": time, "recordedtime": recorded}).encode()


@pytest.mark.parametrize(
    ("word", "seconds"),
    [
        ("alarm.raised", 20.0),
        ("lane.changed", 20.0),
        ("result", 20.0),
        ("alarm.acked", 0.0),
        ("alarm.confirmed", 0.0),
        ("command", 0.0),
        ("hub.exercise", 0.0),
    ],
)
def test_what_the_hub_kept_to_itself_is_late_whatever_time_it_bears(word: str, seconds: float) -> None:
    at_once = fact(event(word, "2026-11-24T06:00:00.000Z", "2026-11-24T06:00:00.000Z"))
    kept = fact(event(word, "2026-11-24T06:00:00.000Z", "2026-11-24T06:00:20.000Z"))
    assert kept.at - at_once.at == seconds


def test_a_clock_that_was_set_back_in_between_makes_nothing_earlier() -> None:
    told = fact(event("alarm.raised", "2026-11-24T06:00:00.000Z", "2026-11-24T05:00:00.000Z"))
    assert told.at == fact(event("alarm.raised", "2026-11-24T06:00:00.000Z", "")).at
