"""What is heard of the alarms that stand, and that urgency and meaning can be told apart by ear."""

import io
import wave

import numpy as np
import pytest
from msgspec.structs import replace

from devicehub.model.alarm import AlarmCategory, AlarmState, Priority, Shelf
from devicehub.model.payload import AlarmData, ShelvingData, TimedData
from devicehub.sound.patterns import BURSTS, PITCH, RATE, URGENCY, Call, due, sound
from tests.standing import ALARM

HIGH = Call(Priority.HIGH, AlarmCategory.THREAT)
LATER = "2026-11-24T09:16:07.412Z"


def test_an_alarm_that_nobody_acknowledged_is_heard() -> None:
    assert due([ALARM], Priority.LOW) == HIGH
    assert due([replace(ALARM, state=AlarmState.RTN_UNACK, active=False)], Priority.LOW) == HIGH


@pytest.mark.parametrize(
    "quiet",
    [
        replace(ALARM, acknowledged=True),
        replace(ALARM, silenced=TimedData(LATER, 120.0)),
        replace(ALARM, shelved=ShelvingData(LATER, 120.0, Shelf.TIMED, "op-1147", "paint next door")),
        replace(ALARM, suppressed=True),
        replace(ALARM, out_of_service=True),
        replace(ALARM, enabled=False),
    ],
)
def test_what_people_put_aside_is_not(quiet: AlarmData) -> None:
    assert due([quiet], Priority.LOW) is None
    assert due([quiet, replace(ALARM, priority=Priority.LOW)], Priority.LOW) == replace(HIGH, priority=Priority.LOW)


def test_the_most_urgent_is_heard_and_a_detection_before_a_fault() -> None:
    fault = replace(ALARM, category=AlarmCategory.DEVICE)
    assert due([fault, ALARM], Priority.LOW) == HIGH
    assert due([ALARM, replace(fault, priority=Priority.CRITICAL)], Priority.LOW) == Call(
        Priority.CRITICAL, AlarmCategory.DEVICE
    )


def test_what_is_less_urgent_than_configured_is_not_heard() -> None:
    assert due([ALARM], Priority.CRITICAL) is None
    assert due([ALARM], Priority.HIGH) == HIGH


def pulses(call: Call) -> int:
    """How often the sound rises out of silence."""
    with wave.open(io.BytesIO(sound(call)), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert abs(len(samples) / RATE - call.burst.lasts) < 0.01
    windows = samples[: len(samples) // 220 * 220].reshape(-1, 220)
    loud = np.abs(windows.astype(float)).max(axis=1) > 2000
    return int(np.count_nonzero(loud[1:] & ~loud[:-1]) + loud[0])


@pytest.mark.parametrize("priority", list(Priority))
def test_the_sound_has_the_pulses_of_its_priority_within_what_the_standard_allows(priority: Priority) -> None:
    call = Call(priority, AlarmCategory.THREAT)
    assert pulses(call) == sum(call.burst.groups)
    assert 0.075 <= call.burst.pulse <= 0.25
    assert call.burst.lasts < call.burst.every


def test_the_more_urgent_the_more_pulses_and_the_sooner_again() -> None:
    bursts = [BURSTS[priority] for priority in URGENCY]
    assert [sum(one.groups) for one in bursts] == sorted((sum(one.groups) for one in bursts), reverse=True)
    assert [one.every for one in bursts] == sorted(one.every for one in bursts)


def test_a_fault_never_sounds_like_a_detection() -> None:
    assert {PITCH[AlarmCategory.DEVICE], PITCH[AlarmCategory.HUB]}.isdisjoint(
        {PITCH[AlarmCategory.THREAT], PITCH[AlarmCategory.TRAINING]}
    )
    assert sound(HIGH) != sound(replace(HIGH, category=AlarmCategory.DEVICE))
