"""What is missing of one device: each absence and each burst once, with its bounds, and nothing counted twice."""

from collections.abc import Iterable
from datetime import datetime
from math import inf

from devicehub.core.gaps import GRACE, QUIET, DeviceGaps
from devicehub.model.device import DeviceState
from devicehub.model.errors import Reason
from devicehub.model.payload import GapData
from devicehub.model.reading import Change, Dropped, Fault, Stamp
from tests.unit.core.bench import at

PATIENCE = 15.0
Told = tuple[str, float | None, float | None, int | None]


def mono(text: str | None) -> float | None:
    """The monotonic second of a bench's instant."""
    return None if text is None else round(datetime.fromisoformat(text).timestamp() - at(0).utc, 3)


def told(gaps: Iterable[GapData]) -> list[Told]:
    return [(str(gap.reason), mono(gap.since), mono(gap.until), gap.count) for gap in gaps]


def change(state: DeviceState, when: float) -> Change:
    return Change("dev", at(when), state, "why")


def fault(when: float, count: int = 1, reason: Reason = Reason.CHECKSUM, since: Stamp | None = None) -> Fault:
    return Fault("dev", at(when), reason, "", count, since)


def present(when: float = 0.0, patience: float = PATIENCE) -> DeviceGaps:
    """The gaps of a device that is there since `when`."""
    gaps = DeviceGaps("dev", patience)
    gaps.begin(at(0))
    assert gaps.change(change(DeviceState.READY, when)) == []
    return gaps


def test_a_device_that_is_heard_soon_after_the_start_was_not_missing() -> None:
    gaps = DeviceGaps("dev", PATIENCE)
    gaps.begin(at(0))
    assert gaps.tick(at(GRACE)) == gaps.change(change(DeviceState.READY, GRACE)) == gaps.finish(at(12)) == []


def test_a_device_that_is_not_there_at_the_start_is_told_once_and_ends_when_it_comes() -> None:
    gaps = DeviceGaps("dev", PATIENCE)
    gaps.begin(at(1))
    assert gaps.change(change(DeviceState.OFFLINE, 2)) == []
    assert told(gaps.tick(at(12))) == [("disconnected", 1, None, None)]
    assert gaps.tick(at(13)) == gaps.change(change(DeviceState.BUSY, 20)) == gaps.heard(at(21)) == []
    assert told(gaps.change(change(DeviceState.READY, 30))) == [("disconnected", 1, 30, None)]


def test_an_absence_is_told_at_once_from_the_last_word_and_again_with_its_end() -> None:
    gaps = present()
    gaps.heard(at(5))
    assert told(gaps.change(change(DeviceState.LOST, 8))) == [("disconnected", 5, None, None)]
    assert gaps.change(change(DeviceState.FAULTED, 9)) == gaps.tick(at(100)) == [], "it is one absence"
    assert told(gaps.change(change(DeviceState.READY, 200))) == [("disconnected", 5, 200, None)]


def test_a_driver_that_fails_is_named() -> None:
    assert told(present(3).change(change(DeviceState.FAULTED, 8))) == [("faulted", 3, None, None)]


def test_a_protocols_own_word_while_the_device_is_away_ends_nothing() -> None:
    gaps = present()
    gaps.change(change(DeviceState.LOST, 8))
    assert gaps.heard(at(9)) == []
    assert told(gaps.change(change(DeviceState.READY, 10))) == [("disconnected", 0, 10, None)]


def test_silence_on_an_open_link_is_told_when_patience_ends_and_again_at_the_next_word() -> None:
    gaps = present()
    gaps.heard(at(5))
    assert gaps.tick(at(5 + PATIENCE)) == []
    assert told(gaps.tick(at(21))) == [("silent", 5, None, None)]
    assert gaps.tick(at(22)) == []
    assert told(gaps.heard(at(50))) == [("silent", 5, 50, None)]
    assert gaps.tick(at(51)) == []


def test_silence_that_nobody_looked_for_in_time_is_told_at_its_end() -> None:
    gaps = present()
    assert told(gaps.heard(at(50))) == [("silent", 0, 50, None)]


def test_a_silent_device_that_is_lost_then_was_missing_once() -> None:
    gaps = present()
    gaps.tick(at(20))
    assert gaps.change(change(DeviceState.LOST, 30)) == []
    assert told(gaps.change(change(DeviceState.READY, 40))) == [("silent", 0, 40, None)]


def test_one_that_speaks_only_when_used_is_never_silent() -> None:
    assert present(patience=inf).tick(at(1e6)) == []


def test_a_burst_of_faults_is_told_once_it_has_ended_with_its_bounds_and_its_kinds() -> None:
    gaps = present()
    for tenth in range(100):
        gaps.heard(at(1 + tenth / 10))
        assert gaps.count(fault(1 + tenth / 10)) == []
    gaps.count(fault(11, 7, Reason.GARBAGE))
    gaps.heard(at(20))
    assert gaps.tick(at(11 + QUIET - 1)) == []
    (gap,) = gaps.tick(at(11 + QUIET))
    assert told([gap]) == [("faults", 1, 11, 107)]
    assert gap.faults == {"checksum": 100, "garbage": 7}
    assert gaps.tick(at(22)) == []


def test_a_single_fault_is_a_burst_of_one() -> None:
    gaps = present(patience=inf)
    gaps.count(fault(3))
    assert told(gaps.tick(at(13))) == [("faults", 3, 3, 1)]


def test_a_flood_of_an_hour_is_a_record_a_minute() -> None:
    gaps, records = present(), list[GapData]()
    for tenth in range(36_000):
        gaps.heard(at(tenth / 10))
        records += gaps.count(fault(tenth / 10, 50))
    records += gaps.finish(at(3600))
    assert len(records) == 60
    assert sum(gap.count or 0 for gap in records) == 36_000 * 50


def test_garbage_alone_is_silence_and_counted_in_it() -> None:
    gaps = present()
    gaps.heard(at(1))
    for second in range(2, 16):
        assert gaps.count(fault(second)) == []
    assert told(gaps.tick(at(17))) == [("silent", 1, None, None)]
    gaps.count(fault(18, 6))
    (gap,) = gaps.heard(at(30))
    assert told([gap]) == [("silent", 1, 30, 20)]
    assert gap.faults == {"checksum": 20}


def test_a_burst_that_ends_in_an_absence_is_two_records_that_meet() -> None:
    gaps = present()
    gaps.count(fault(1, 3))
    gaps.heard(at(2))
    gaps.count(fault(3, 4))
    opened = gaps.change(change(DeviceState.LOST, 4))
    assert told(opened) == [("faults", 1, 1, 3), ("disconnected", 2, None, None)]
    assert told(gaps.change(change(DeviceState.READY, 9))) == [("disconnected", 2, 9, 4)]


def test_readings_without_room_are_told_from_the_first_to_the_last() -> None:
    gaps = present()
    gaps.heard(at(2))
    assert gaps.dropped(Dropped("dev", at(12), at(3), 42)) == []
    gaps.heard(at(13))
    assert told(gaps.tick(at(22))) == [("overflow", 3, 12, 42)]


def test_a_device_that_overflowed_and_was_lost_was_heard_until_the_overflow_ended() -> None:
    gaps = present()
    gaps.dropped(Dropped("dev", at(12), at(3), 42))
    assert told(gaps.change(change(DeviceState.LOST, 14))) == [
        ("overflow", 3, 12, 42),
        ("disconnected", 12, None, None),
    ]


def test_a_silent_device_that_is_refused_when_it_speaks_again_was_silent_until_then() -> None:
    gaps = present()
    gaps.tick(at(20))
    assert told(gaps.dropped(Dropped("dev", at(35), at(30), 5))) == [("silent", 0, 30, None)]
    assert told(gaps.finish(at(36))) == [("overflow", 30, 35, 5)]


def test_a_stop_ends_what_is_open() -> None:
    gaps = present()
    gaps.change(change(DeviceState.LOST, 5))
    gaps.count(fault(6))
    assert told(gaps.finish(at(9))) == [("disconnected", 0, 9, 1)]
