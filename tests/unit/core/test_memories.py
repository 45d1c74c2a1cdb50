"""What a device had stored: told once, when it was and not when it came, and nothing goes by it."""

import pytest

from devicehub.core import memories
from devicehub.core.admission import Admission
from devicehub.model.message import Kind
from devicehub.model.reading import Identity, Measurement, Outcome, Peak, Result, Stored
from devicehub.model.units import Unit
from tests.unit.core.bench import HIGH, at, body, core, driver, kinds, said, step

SWAB = Result(Outcome.ALARM, "135", 5.0, (Peak("TNT", 1.451, Unit.REDUCED_MOBILITY, 2119.0),))


def test_a_record_is_history_with_the_time_that_it_was_and_the_offset_of_the_clocks() -> None:
    arrived = at(100.0)
    record = Stored("135", age=3600.0, sample=SWAB, clock=arrived.utc - 42.5)
    (message,) = step(core(), said(record, 100.0)).messages
    assert (message.kind, message.time, message.mono) == (Kind.RESULT, arrived.utc - 3600.0, 100.0)
    data = body(message)
    assert (data["outcome"], data["historical"]) == ("alarm", True)
    assert data["stored"] == {
        "record": "135", "age_s": 3600.0, "device_time": arrived.utc - 3642.5, "clock_offset_s": 42.5,
    }  # fmt: skip


def test_a_device_without_a_clock_gives_an_age_alone() -> None:
    (message,) = step(core(), said(Stored("135", 30.0, SWAB), 100.0)).messages
    assert body(message)["stored"] == {"record": "135", "age_s": 30.0}


def test_a_record_is_told_once_and_another_unit_has_records_of_its_own() -> None:
    one, record = core(), Stored("135", 30.0, SWAB)
    assert len(step(one, said(record, 1.0), said(record, 2.0)).messages) == 1
    assert step(one, said(record, 3.0)).messages == []
    told = step(one, said(Identity((("serial", "B"),)), 4.0), said(record, 5.0)).messages
    assert kinds(told) == ["describe", "result"]


def test_what_a_device_hands_over_once_is_remembered_nowhere() -> None:
    one = core()
    (message,) = step(one, said(Stored("7.1.level", 30.0, Measurement("level", 5.0), kept=False))).messages
    assert (message.record, body(message)["stored"]) == ("", {"record": "7.1.level", "age_s": 30.0})
    assert len(step(one, said(Stored("7.1.level", 31.0, Measurement("level", 5.0), kept=False))).messages) == 1


def test_of_each_device_so_many_records_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "REMEMBERED", 2)
    one = core()
    for number in range(3):
        step(one, said(Stored(str(number), 30.0, SWAB)))
    assert [len(step(one, said(Stored(str(number), 30.0, SWAB))).messages) for number in (2, 1)] == [0, 0]
    assert len(step(one, said(Stored("0", 30.0, SWAB))).messages) == 1


def test_what_an_earlier_run_told_is_not_told_again() -> None:
    first = core()
    (message,) = step(first, said(Stored("135", 30.0, SWAB))).messages
    second = core()
    second.remember([(message.device, message.record)])
    assert step(second, said(Stored("135", 90.0, SWAB))).messages == []


def test_no_limit_and_no_latest_value_goes_by_a_stored_measurement() -> None:
    one = core(HIGH)
    told = step(one, said(Stored("7", 600.0, Measurement("level", 99.0)))).messages
    assert kinds(told) == ["reading"]
    assert body(told[0])["historical"] is True
    assert not [message for message in one.tick(at(2.0)) if message.kind is Kind.STATE]


@pytest.mark.parametrize(("record", "age"), [("", 1.0), ("1", -1.0), ("1", float("nan")), ("x" * 129, 1.0)])
def test_a_record_without_a_name_or_an_age_is_not_taken(record: str, age: float) -> None:
    with pytest.raises(ValueError, match="record"):
        Admission(driver()).check(Stored(record, age, SWAB))
    Admission(driver()).check(Stored("1", 0.0, SWAB))
