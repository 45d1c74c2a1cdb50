"""What is looked at before a shift: what is passed, what fails, what nobody can tell, and what is shown to a device."""

from collections.abc import Mapping, Sequence
from dataclasses import replace as changed

import pytest

from devicehub.core import Setting
from devicehub.core.preflights import Asked, RefusedPreflightError
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.model.device import DeviceState
from devicehub.model.inspection import InspectionDesk
from devicehub.model.message import Kind
from devicehub.model.payload import PreflightCheckData, PreflightData
from devicehub.model.preflight import CheckKind, CheckReason, CheckVerdict, KnownSample, Needs, PreflightOutcome
from devicehub.model.reading import (
    Capability,
    Cause,
    Change,
    Input,
    Level,
    Measurement,
    Outcome,
    Peak,
    Quality,
    Result,
    Scan,
)
from devicehub.model.units import Unit
from tests.unit.core.bench import at, driver, ids, level, picture, said
from tests.unit.core.stations import StationBench

DESK = InspectionDesk("desk-1", ("dev",), 60.0)
SWAB = KnownSample("TNT swab", 60.0, outcome=Outcome.ALARM, finding="TNT")
ALL = Needs(due="2026-12-31", consumables=(("level", 5.0),))
FULL = (said(Capability("explosives", Level.FULL)), said(Capability("narcotics", Level.FULL)))


class Shift(StationBench):
    """A station with one desk and a device aside, whose devices test themselves unless `tells` is false."""

    def __init__(
        self, needs: Mapping[str, Needs], *, tells: bool = True, capabilities: Sequence[str] = ("explosives",)
    ) -> None:
        one = changed(driver(capabilities=tuple(capabilities)), self_tests=tells)
        setting = Setting(
            devices={"dev": one, "aside": one},
            scans=ScanPolicy(Publish.HASH, b"key"),
            desks=(DESK,),
            needs=needs,
            ids=ids(),
        )
        super().__init__(setting)

    def look(self, mono: float = 2.0, desk: str = "desk-1", *, samples: bool = True, dated: bool = True) -> str:
        self.tick(mono)
        try:
            self.hear(self.station.preflights.begin(Asked(desk, "op-1", "c-1", samples, dated), at(mono)))
        except RefusedPreflightError as error:
            return str(error)
        return ""

    def of(self, word: str) -> list[PreflightData]:
        found = [one.data for one in self.said if one.kind is Kind.EVENT and one.type == f"preflight.{word}"]
        return [data for data in found if isinstance(data, PreflightData)]

    @property
    def ended(self) -> PreflightData:
        return self.of("ended")[-1]

    def check(self, kind: CheckKind) -> PreflightCheckData:
        (found,) = [one for one in self.ended.checks if one.check is kind]
        return found


def test_a_desk_whose_devices_have_all_they_need_is_passed_at_once() -> None:
    one = Shift({"dev": ALL})
    one.give(level(9.0))
    assert one.look() == ""
    assert one.ended.outcome is PreflightOutcome.PASSED
    assert [check.verdict for check in one.ended.checks] == [CheckVerdict.PASSED] * 5
    assert (one.ended.by, one.ended.command, one.ended.devices) == ("op-1", "c-1", ("dev",))
    assert one.of("begun")[0].outcome is None


def test_a_device_of_which_the_configuration_says_nothing_is_never_passed() -> None:
    one = Shift({})
    one.give(level(9.0))
    one.look()
    unknown = {check.check for check in one.ended.checks if check.reason is CheckReason.NOT_CONFIGURED}
    assert unknown == {CheckKind.CONSUMABLE, CheckKind.CALIBRATION, CheckKind.SAMPLE}
    assert one.ended.outcome is PreflightOutcome.INCOMPLETE


def test_what_a_driver_cannot_tell_is_unknown_or_what_the_site_does_without_and_never_passed() -> None:
    one = Shift({"dev": Needs()}, tells=False, capabilities=())
    one.look()
    assert one.check(CheckKind.SELF_TEST).reason is CheckReason.NOT_TOLD
    assert one.check(CheckKind.DETECTION).reason is CheckReason.NOT_TOLD
    assert one.ended.outcome is PreflightOutcome.INCOMPLETE
    waived = Shift({"dev": Needs(waived=(CheckKind.SELF_TEST, CheckKind.DETECTION))}, tells=False, capabilities=())
    waived.look()
    assert waived.check(CheckKind.SELF_TEST).verdict is CheckVerdict.WAIVED
    assert waived.ended.outcome is PreflightOutcome.PASSED


def test_the_site_cannot_do_without_what_is_known_to_have_failed() -> None:
    one = Shift({"dev": Needs(waived=(CheckKind.SELF_TEST,))}, tells=False)
    one.give(said(Capability("explosives", Level.NONE, Cause.SELF_TEST_FAILED)))
    one.look()
    assert one.check(CheckKind.SELF_TEST).verdict is CheckVerdict.FAILED


@pytest.mark.parametrize(
    ("needs", "inputs", "kind", "verdict", "reason"),
    [
        (ALL, [level(4.9)], CheckKind.CONSUMABLE, CheckVerdict.FAILED, CheckReason.TOO_LITTLE),
        (ALL, [], CheckKind.CONSUMABLE, CheckVerdict.UNKNOWN, CheckReason.NO_VALUE),
        (ALL, [level(9.0), level(9.0, quality=Quality.BAD)], CheckKind.CONSUMABLE, CheckVerdict.UNKNOWN, CheckReason.NO_VALUE),
        (Needs(due="2026-11-23"), [], CheckKind.CALIBRATION, CheckVerdict.FAILED, CheckReason.OVERDUE),
        (Needs(due="2026-11-24"), [], CheckKind.CALIBRATION, CheckVerdict.PASSED, CheckReason.NONE),
        (ALL, [said(Capability("explosives", Level.DEGRADED, Cause.WARMING_UP))], CheckKind.DETECTION, CheckVerdict.FAILED, CheckReason.NOT_IN_FULL),
        (ALL, [said(Capability("explosives", Level.DEGRADED, Cause.WARMING_UP))], CheckKind.SELF_TEST, CheckVerdict.UNKNOWN, CheckReason.NOT_IN_FULL),
        (ALL, [said(Capability("explosives", Level.NONE, Cause.SELF_TEST_FAILED))], CheckKind.SELF_TEST, CheckVerdict.FAILED, CheckReason.SELF_TEST_FAILED),
        (ALL, [level(9.0), Change("dev", at(1.5), DeviceState.LOST, "unplugged")], CheckKind.STATE, CheckVerdict.FAILED, CheckReason.NOT_READY),
        (ALL, [level(9.0), Change("dev", at(1.5), DeviceState.LOST, "unplugged")], CheckKind.CONSUMABLE, CheckVerdict.UNKNOWN, CheckReason.NO_VALUE),
    ],
)  # fmt: skip
def test_what_is_looked_at(
    needs: Needs, inputs: list[Input], kind: CheckKind, verdict: CheckVerdict, reason: CheckReason
) -> None:
    one = Shift({"dev": needs})
    one.give(*inputs)
    one.look()
    assert (one.check(kind).verdict, one.check(kind).reason) == (verdict, reason)


def test_by_a_clock_that_may_be_wrong_no_calibration_has_passed_and_what_is_overdue_has_failed() -> None:
    for due, verdict, reason in (
        ("2026-12-31", CheckVerdict.UNKNOWN, CheckReason.CLOCK_UNSURE),
        ("2026-11-23", CheckVerdict.FAILED, CheckReason.OVERDUE),
    ):
        one = Shift({"dev": Needs(due=due)})
        one.look(dated=False)
        assert (one.check(CheckKind.CALIBRATION).verdict, one.check(CheckKind.CALIBRATION).reason) == (verdict, reason)


def test_a_known_sample_is_waited_for_and_found_by_what_the_screening_names() -> None:
    one = Shift({"dev": Needs(sample=SWAB)})
    one.look()
    assert one.of("ended") == []
    (begun,) = one.of("begun")
    assert begun.awaited == ("dev",)
    assert (begun.checks[-1].subject, begun.checks[-1].verdict) == ("TNT swab", CheckVerdict.UNKNOWN)
    one.give(said(Result(Outcome.ALARM, peaks=(Peak("RDX", 1.4, Unit.REDUCED_MOBILITY, 0.9),)), 10))
    assert one.of("ended") == [], "it named something else"
    one.give(said(Result(Outcome.ALARM, peaks=(Peak("TNT", 1.45, Unit.REDUCED_MOBILITY, 0.9),)), 20))
    assert one.ended.outcome is PreflightOutcome.PASSED
    assert one.check(CheckKind.SAMPLE).detail == "TNT"


@pytest.mark.parametrize(
    ("sample", "right", "wrong"),
    [
        (KnownSample("Cs-137", 60.0, channel="level", low=40.0, high=60.0), level(50.0, 3), level(39.9, 3)),
        (KnownSample("Cs-137", 60.0, channel="level", low=40.0), level(50.0, 3), level(50.0, 3, Quality.BAD)),
        (KnownSample("black body", 60.0, channel="image.max", low=5.0, high=9.0), said(picture(1, 7), 3), said(picture(1, 2), 3)),
        (KnownSample("label", 60.0, text="CHECK-1"), said(Scan("barcode", "]C1", b"CHECK-1\r"), 3), said(Scan("barcode", "]C1", b"CHECK-2"), 3)),
        (KnownSample("clean swab", 60.0, outcome=Outcome.CLEAR), said(Result(Outcome.CLEAR), 3), said(Result(Outcome.INCONCLUSIVE), 3)),
        (KnownSample("Cs-137", 60.0, channel="level", low=40.0), said(Measurement("level", 50.0), 3), said(Measurement("level", 50.0), 3, "aside")),
    ],
)  # fmt: skip
def test_each_kind_of_sample_is_found_by_what_is_right_alone(sample: KnownSample, right: Input, wrong: Input) -> None:
    for item, found in ((right, CheckVerdict.PASSED), (wrong, CheckVerdict.FAILED)):
        one = Shift({"dev": Needs(sample=sample)})
        one.look()
        one.give(item)
        one.tick(61.9)
        assert bool(one.of("ended")) == (found is CheckVerdict.PASSED)
        one.tick(62.0)
        assert one.check(CheckKind.SAMPLE).verdict is found


def test_what_was_said_before_it_began_proves_nothing() -> None:
    one = Shift({"dev": Needs(sample=SWAB)})
    one.look(5.0)
    one.give(said(Result(Outcome.ALARM, peaks=(Peak("TNT", 1.45, Unit.REDUCED_MOBILITY, 0.9),)), 4.9))
    assert one.of("ended") == []


def test_no_text_of_a_scan_is_told() -> None:
    one = Shift({"dev": Needs(sample=KnownSample("label", 60.0, text="CHECK-1"))})
    one.look()
    one.give(said(Scan("barcode", "]C1", b"CHECK-1"), 3))
    assert one.ended.outcome is PreflightOutcome.PASSED
    assert "CHECK-1" not in repr(one.ended)


def test_a_sample_that_nobody_shows_is_unknown_and_one_that_was_not_found_has_failed() -> None:
    one = Shift({"dev": Needs(sample=SWAB)})
    one.look(samples=False)
    assert (one.check(CheckKind.SAMPLE).verdict, one.check(CheckKind.SAMPLE).reason) == (CheckVerdict.UNKNOWN, CheckReason.NOT_SHOWN)  # fmt: skip
    one.look(3.0)
    one.tick(63.0)
    assert (one.check(CheckKind.SAMPLE).verdict, one.check(CheckKind.SAMPLE).reason) == (CheckVerdict.FAILED, CheckReason.NOT_FOUND)  # fmt: skip
    assert one.ended.outcome is PreflightOutcome.FAILED


def test_a_hub_that_stops_and_a_desk_that_goes_interrupt_it() -> None:
    stopped, gone = (Shift({"dev": Needs(sample=SWAB)}) for _ in range(2))
    for one in (stopped, gone):
        one.look()
    stopped.hear(stopped.station.finish(at(3)))
    gone.hear(gone.station.revise(Setting(devices=gone.setting.devices, ids=gone.setting.ids), (), at(3)))
    for one in (stopped, gone):
        assert one.ended.outcome is PreflightOutcome.INTERRUPTED
        assert one.check(CheckKind.SAMPLE).reason is CheckReason.ENDED


def test_what_cannot_be_done_is_refused_with_a_reason() -> None:
    one = Shift({"dev": Needs(sample=SWAB)})
    assert one.look(desk="desk-9") == "no desk 'desk-9'; desks: desk-1"
    assert one.look() == ""
    assert one.look(3.0) == "a preflight is under way at desk-1 already"


def test_devices_of_no_desk_are_looked_at_together() -> None:
    one = Shift({})
    one.look(desk="")
    assert (one.ended.desk, one.ended.devices) == ("", ("aside",))
