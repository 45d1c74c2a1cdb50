"""The book of one device: everything told once, nothing hidden by silence."""

from dataclasses import replace
from math import inf

import pytest

from devicehub.core.state import DeviceBook
from devicehub.model.device import DeviceState, EvidenceLevel
from devicehub.model.errors import Reason
from devicehub.model.message import Kind, Message
from devicehub.model.reading import Capability, Cause, Change, Dropped, Fault, Level, Measurement, Quality
from tests.unit.core.bench import at, body, driver, ids, keep_the_contract, kinds

FULL = {"level": "full"}


def book(*capabilities: str) -> DeviceBook:
    """A book whose first messages were sent."""
    one = DeviceBook("dev", driver(capabilities=capabilities or ("explosives", "narcotics")))
    one.births(at(0), ids())
    return one


def changed(
    one: DeviceBook, state: DeviceState, mono: float = 1.0, why: str = "", *facts: tuple[str, str]
) -> list[Message]:
    out = one.change(Change("dev", at(mono), state, why, facts), ids())
    keep_the_contract(out)
    return out


def tick(one: DeviceBook, mono: float) -> list[Message]:
    out = one.tick(at(mono), ids())
    keep_the_contract(out)
    return out


def levels(messages: list[Message]) -> list[tuple[str, str]]:
    """The one capability message's levels and causes."""
    (message,) = [one for one in messages if one.kind is Kind.CAPABILITY]
    items = body(message)["capabilities"]
    assert isinstance(items, list)
    return [(item["level"], item.get("cause", "")) for item in items]


def data(messages: list[Message], kind: Kind) -> dict[str, object]:
    (message,) = [one for one in messages if one.kind is kind]
    return body(message)


def test_at_birth_a_device_is_described_and_away_and_detects_nothing() -> None:
    births = DeviceBook("dev", driver()).births(at(0), ids())
    keep_the_contract(births)
    assert kinds(births) == ["describe", "device", "capability"]
    assert levels(births) == [("none", "not-connected")] * 2
    assert data(births, Kind.DEVICE)["state"] == "offline"


def test_a_change_is_told_once_with_an_event_for_what_people_wait_for() -> None:
    one = book()
    assert kinds(changed(one, DeviceState.BUSY, 1, "connected")) == ["device", "capability"]
    assert changed(one, DeviceState.BUSY, 2, "connected") == []
    assert kinds(changed(one, DeviceState.READY, 3)) == ["device", "capability", "device.ready"]
    assert kinds(changed(one, DeviceState.LOST, 4, "unplugged")) == ["device", "capability", "device.lost", "gap"]
    assert changed(one, DeviceState.LOST, 5, "unplugged") == []


def test_losses_are_counted_and_dated() -> None:
    one = book()
    for round_ in range(3):
        changed(one, DeviceState.READY, round_)
        lost = changed(one, DeviceState.LOST, round_ + 0.5, "unplugged")
    told = data(lost, Kind.DEVICE)
    assert (told["losses"], told["why"], told["state"]) == (3, "unplugged", "lost")
    assert str(told["since"]).endswith(".500Z")


def test_a_link_that_says_who_is_there_is_described_once() -> None:
    one = book()
    first = changed(one, DeviceState.BUSY, 1, "connected", ("serial", "7"))
    assert data(first, Kind.DESCRIBE)["serial"] == "7"
    assert "describe" not in kinds(changed(one, DeviceState.READY, 2, "", ("serial", "7")))
    changed(one, DeviceState.LOST, 3, "unplugged")
    another = changed(one, DeviceState.READY, 4, "", ("serial", "8"))
    assert data(another, Kind.DESCRIBE)["serial"] == "8"


def test_what_the_device_says_it_is_is_told_when_it_changes() -> None:
    one = book()
    assert kinds(one.identity((("firmware", "1"),), at(1), ids())) == ["describe"]
    assert one.identity((("firmware", "1"),), at(2), ids()) == []
    told = one.identity((("firmware", "2"), ("calibrated", "2026")), at(3), ids())
    assert data(told, Kind.DESCRIBE)["facts"] == {"firmware": "2", "calibrated": "2026"}


def test_a_ready_device_detects_what_its_driver_declares() -> None:
    assert levels(changed(book(), DeviceState.READY)) == [("full", "")] * 2


def test_the_devices_own_word_counts_for_one_capability() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    out = one.capability([Capability("narcotics", Level.DEGRADED, Cause.CONTAMINATED)], at(2), ids())
    assert levels(out) == [("full", ""), ("degraded", "contaminated")]
    assert one.capability([Capability("narcotics", Level.DEGRADED, Cause.CONTAMINATED)], at(3), ids()) == []


def test_silence_is_never_clear() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    one.heard(at(5), ids())
    assert [tick(one, second) for second in (6, 15)] == [[], []]
    assert levels(tick(one, 15.5)) == [("none", "stale")] * 2
    assert tick(one, 16) == [], "told once"
    one.heard(at(20), ids())
    assert levels(tick(one, 20.5)) == [("full", "")] * 2


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (DeviceState.LOST, "not-connected"),
        (DeviceState.OFFLINE, "not-connected"),
        (DeviceState.FAULTED, "fault"),
        (DeviceState.BUSY, "stale"),
    ],
)
def test_what_the_hub_knows_counts_before_the_devices_word(state: DeviceState, cause: str) -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    one.capability([Capability("narcotics", Level.DEGRADED, Cause.CONTAMINATED)], at(2), ids())
    assert levels(changed(one, state, 3, "why")) == [("none", cause)] * 2


def test_a_device_that_comes_back_is_not_held_to_what_it_said_before() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    one.capability([Capability("narcotics", Level.NONE, Cause.SELF_TEST_FAILED)], at(2), ids())
    changed(one, DeviceState.LOST, 3, "unplugged")
    assert levels(changed(one, DeviceState.READY, 60)) == [("full", "")] * 2


def test_errors_are_counted_by_reason_and_told_once_a_second_at_most() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    for _ in range(1000):
        one.refused(Fault("dev", at(2), Reason.CHECKSUM), ids())
    one.refused(Fault("dev", at(2), Reason.GARBAGE), ids())
    told = tick(one, 2.5)
    assert kinds(told) == ["device"]
    assert data(told, Kind.DEVICE)["errors"] == {"checksum": 1000, "garbage": 1}
    assert tick(one, 3.5) == []


def test_a_fault_counts_for_all_that_it_stands_for_and_its_text_is_told() -> None:
    one = book()
    one.refused(Fault("dev", at(2), Reason.CHECKSUM, "of a frame of 12 bytes", 500), ids())
    told = data(tick(one, 2.5), Kind.DEVICE)
    assert (told["errors"], told["last_fault"]) == ({"checksum": 500}, "checksum: of a frame of 12 bytes")
    one.refused(Fault("dev", at(3), Reason.LENGTH), ids())
    assert data(tick(one, 3.5), Kind.DEVICE)["last_fault"] == "length"
    one.refused(Fault("dev", at(4), Reason.GARBAGE, "\ud800" + "x" * 10_000), ids())
    text = str(data(tick(one, 4.5), Kind.DEVICE)["last_fault"])
    assert text.startswith("garbage: \\ud800xxx")
    assert len(text) == 200


@pytest.mark.parametrize("state", [DeviceState.LOST, DeviceState.FAULTED, DeviceState.OFFLINE])
def test_the_values_of_a_device_that_went_away_are_null_and_that_is_told_once(state: DeviceState) -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    one.latest(Measurement("level", 3.5))
    one.latest(Measurement("battery", 80.0))
    tick(one, 2)
    out = changed(one, state, 3, "why")
    assert data(out, Kind.STATE) == {"level": None, "battery": None}
    assert data(out, Kind.DEVICE).get("battery") is None
    assert "state" not in kinds(tick(one, 4))
    assert "state" not in kinds(changed(one, DeviceState.LOST, 5, "again"))


def test_a_change_tells_the_errors_too_and_they_are_not_told_again() -> None:
    one = book()
    one.refused(Fault("dev", at(2), Reason.CHECKSUM), ids())
    assert data(changed(one, DeviceState.READY, 3), Kind.DEVICE)["errors"] == {"checksum": 1}
    assert tick(one, 4) == []


def test_the_flat_state_is_told_when_a_value_came_and_holds_null_for_a_bad_one() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    one.latest(Measurement("level", 3.5))
    one.latest(Measurement("mode", 0.0, label="idle"))
    one.latest(Measurement("free", float("nan"), Quality.BAD))
    assert data(tick(one, 2), Kind.STATE) == {"level": 3.5, "mode": "idle", "free": None}
    assert tick(one, 3) == []
    one.latest(Measurement("level", 4.0, Quality.BAD))
    assert data(tick(one, 4), Kind.STATE)["level"] is None


def test_the_battery_is_part_of_the_device_and_its_noise_is_no_news() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    one.latest(Measurement("battery", 80.2))
    told = tick(one, 2)
    assert data(told, Kind.DEVICE)["battery"] == 80.0
    one.latest(Measurement("battery", 79.8))
    assert kinds(tick(one, 3)) == ["state"]
    one.latest(Measurement("battery", 79.0))
    assert data(tick(one, 4), Kind.DEVICE)["battery"] == 79.0


def test_readings_that_did_not_fit_are_a_gap_with_its_bounds() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    assert one.refused(Dropped("dev", at(5), at(2), 42), ids()) == []
    one.heard(at(8), ids())
    (message,) = one.missing(at(15), ids())
    keep_the_contract([message])
    told = body(message)
    assert (told["stream"], told["reason"], told["count"]) == ("dev", "overflow", 42)
    assert str(told["since"]) < str(told["until"])


def test_an_absence_is_a_gap_when_it_begins_and_when_it_ends() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    lost = changed(one, DeviceState.LOST, 3, "unplugged")
    back = changed(one, DeviceState.READY, 8)
    assert "until" not in data(lost, Kind.GAP)
    assert data(lost, Kind.GAP)["since"] == data(back, Kind.GAP)["since"]
    assert str(data(back, Kind.GAP)["until"]).endswith(":08.000Z")


def test_a_reader_that_waits_for_a_code_is_never_silent() -> None:
    one = DeviceBook("dev", replace(driver(), stale_after=inf))
    one.births(at(0), ids())
    changed(one, DeviceState.READY, 1)
    assert one.missing(at(1e6), ids()) == []


def test_what_is_missing_at_the_stop_is_told() -> None:
    one = book()
    changed(one, DeviceState.READY, 1)
    one.refused(Fault("dev", at(2), Reason.CHECKSUM), ids())
    assert data(one.finish(at(3), ids()), Kind.GAP)["faults"] == {"checksum": 1}


def test_a_device_under_another_configuration_was_missing_since_its_last_word_and_its_errors_count_on() -> None:
    old = book()
    changed(old, DeviceState.READY, 1)
    old.refused(Fault("dev", at(2), Reason.CHECKSUM), ids())
    changed(old, DeviceState.OFFLINE, 3, "read again")
    new = DeviceBook("dev", driver(), old)
    births = new.births(at(4), ids())
    assert data(births, Kind.DEVICE)["errors"] == {"checksum": 1}
    gap = data(changed(new, DeviceState.READY, 5), Kind.GAP)
    assert (str(gap["since"])[-7:], str(gap["until"])[-7:], gap["count"]) == ("01.000Z", "05.000Z", 1)


def test_a_description_says_what_the_tests_of_its_driver_rest_on() -> None:
    tested = replace(driver(), evidence=EvidenceLevel.SAMPLE_TESTED)
    assert data(DeviceBook("dev", tested).births(at(0), ids()), Kind.DESCRIBE)["evidence"] == "sample-tested"
    assert "evidence" not in data(DeviceBook("dev", driver()).births(at(0), ids()), Kind.DESCRIBE)
