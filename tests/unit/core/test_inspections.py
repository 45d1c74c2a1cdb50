"""Inspections of the pure core: what opens and ends them, what carries their id, and what their summary may say."""

import pytest

from devicehub.core import StandingAlarm
from devicehub.core.inspection import MOST
from devicehub.core.scans import Publish
from devicehub.model.alarm import AlarmCategory
from devicehub.model.device import DeviceState
from devicehub.model.inspection import Ending, InspectionDesk, InspectionOutcome, OpenedBy
from devicehub.model.message import Kind
from devicehub.model.payload import (
    AlarmData,
    CheckedData,
    InspectionData,
    ReadingData,
    ScanData,
)
from devicehub.model.reading import (
    Capability,
    Cause,
    Change,
    DeviceAlarm,
    Input,
    Level,
    Outcome,
    Quality,
    Result,
    Scan,
    Trigger,
)
from tests.unit.core.bench import at, level, picture, said
from tests.unit.core.searches import DESK, OTHER, TD3, Search, document


def test_a_document_opens_an_inspection_and_belongs_to_it() -> None:
    one = Search()
    one.give(level(1.0, 0.9), document(), level(2.0, 1.1))
    (opened,) = one.events("opened")
    readings = [(m.data.value, m.inspection) for m in one.said if isinstance(m.data, ReadingData)]
    (scan,) = [m for m in one.said if isinstance(m.data, ScanData)]
    assert readings == [(1.0, ""), (2.0, opened.inspection)]
    assert scan.inspection == opened.inspection
    assert isinstance(scan.data, ScanData)
    assert (opened.how, opened.device, opened.subject) == (OpenedBy.SCAN, "dev", scan.data.hash)


@pytest.mark.parametrize("publish", Publish)
def test_no_text_of_a_document_gets_into_an_inspection(publish: Publish) -> None:
    one = Search(publish)
    one.give(document())
    one.close(2)
    (opened,) = one.events("opened")
    assert bool(opened.subject) == (publish is not Publish.OFF)
    told = [repr(m) for m in one.said if m.kind is not Kind.SCAN]
    assert not [text for text in told for secret in ("ERIKSSON", "898902") if secret in text]


@pytest.mark.parametrize(
    "other",
    [
        said(Scan("barcode", "]Q0", b"a ticket")),
        document(quality=Quality.BAD),
        document(TD3.replace("L898902C36", "L898902C35").replace("<<<<<10", "<<<<<18")),
        said(Scan("barcode", "]Q0", TD3.encode()), device="aside"),
        said(Trigger("trigger")),
    ],
)
def test_what_is_not_configured_or_was_read_badly_opens_none(other: Input) -> None:
    one = Search()
    one.give(other)
    assert one.events("opened") == []


def test_the_same_document_read_again_goes_on_and_another_one_supersedes() -> None:
    one = Search()
    one.give(document(), document(mono=2))
    assert len(one.events("opened")) == 1
    one.give(level(1.0, 3), document(OTHER, 4), level(2.0, 5))
    one.close(6)
    first, second = one.events("ended")
    assert (first.reason, second.reason) == (Ending.SUPERSEDED, Ending.CLOSED)
    assert (first.checked, second.checked) == (
        (CheckedData("dev", values=1, scans=2),), (CheckedData("dev", values=1, scans=1),),
    )  # fmt: skip


def test_a_button_opens_one() -> None:
    one = Search()
    one.give(said(Trigger("sample")))
    assert one.events("opened")[0].how is OpenedBy.BUTTON


def test_a_symbology_opens_one() -> None:
    one = Search(desks=[InspectionDesk("desk-1", ("dev",), 60.0, symbologies=("]C1",))])
    one.give(said(Scan("barcode", "]Q0", b"1")), said(Scan("barcode", "]C1", b"2"), 2))
    assert one.events("opened")[0].opened.endswith("2.000Z")


def test_a_command_opens_and_closes_one_and_says_who_and_what_for() -> None:
    one = Search()
    assert one.open(1, reference="CASE-17") == ""
    one.give(level(1.0, 2))
    assert one.close(3) == ""
    data = one.ended
    assert (data.by, data.command, data.reference, data.closed_by, data.note) == (
        "op-1",
        "c-1",
        "CASE-17",
        "op-1",
        "done",
    )
    assert (data.duration_s, data.outcome) == (2.0, InspectionOutcome.NO_ALARM)
    assert [m.data for m in one.said if m.kind is Kind.INSPECTION][-1] is None, "nothing is retained"


def test_what_cannot_be_done_is_refused_with_a_reason() -> None:
    one = Search()
    assert one.close(1) == "no inspection is open at desk-1"
    assert one.close(1, inspection="X") == "no inspection X is open there"
    assert one.open(1, desk="desk-9") == "no desk 'desk-9'; there is desk-1"
    assert one.open(1, reference="x" * 65) == "reference must be at most 64 printable characters"
    assert Search(desks=()).open(1) == "no [[desk]] is configured"
    two = Search(desks=[DESK, InspectionDesk("desk-2", ("aside",), 60.0)])
    assert two.open(1) == "say which desk; there are desk-1, desk-2"


def test_it_ends_by_itself_at_its_time() -> None:
    one = Search()
    one.open(1)
    one.give(level(1.0, 60.9), level(2.0, 61.0))
    one.tick(61.5)
    assert (one.ended.reason, one.ended.duration_s, one.ended.checked) == (
        Ending.TIMED_OUT, 60.0, (CheckedData("dev", values=1),),
    )  # fmt: skip
    assert one.ended.ended == one.events("opened")[0].until


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([level(1.0, 2)], InspectionOutcome.NO_ALARM),
        ([said(Result(Outcome.CLEAR), 2)], InspectionOutcome.NO_ALARM),
        ([], InspectionOutcome.UNCHECKED),
        ([document(mono=2)], InspectionOutcome.UNCHECKED),
        ([level(1.0, 2, Quality.BAD)], InspectionOutcome.UNCHECKED),
        ([said(Result(Outcome.CLEAR), 2, "aside")], InspectionOutcome.UNCHECKED),
        ([said(Result(Outcome.INCONCLUSIVE, cause=Cause.UNCALIBRATED), 2)], InspectionOutcome.DOUBTFUL),
        ([said(Result(Outcome.CLEAR), 2), said(Result(Outcome.ABORTED), 3)], InspectionOutcome.DOUBTFUL),
        ([level(1.0, 2), said(Capability("explosives", Level.NONE, Cause.SATURATED), 3), said(Capability("explosives", Level.FULL), 4)],
         InspectionOutcome.DOUBTFUL),
        ([level(1.0, 2), Change("dev", at(3), DeviceState.LOST)], InspectionOutcome.DOUBTFUL),
        ([said(Result(Outcome.ALARM), 2)], InspectionOutcome.ALARM),
        ([level(12.0, 2), level(0.0, 3)], InspectionOutcome.ALARM),
    ],
)  # fmt: skip
def test_how_it_came_out(steps: list[Input], outcome: InspectionOutcome) -> None:
    one = Search(desks=[InspectionDesk("desk-1", ("dev",), 60.0)])
    one.open(1)
    one.give(*steps)
    one.close(5)
    assert one.ended.outcome is outcome


def test_a_detection_that_stood_before_is_part_of_it_as_such() -> None:
    one = Search()
    one.give(level(12.0, 0.7))
    one.open(1)
    one.give(level(1.0, 2))
    one.close(5)
    (alarm,) = one.ended.alarms
    assert (alarm.earlier, alarm.state, one.ended.outcome) == (True, "latched", InspectionOutcome.ALARM)


def test_a_device_that_could_not_detect_when_it_began_is_told_of() -> None:
    one = Search()
    one.give(said(Capability("explosives", Level.DEGRADED, Cause.WARMING_UP), 0.8))
    one.open(1)
    one.close(2)
    (blind,) = one.ended.blind
    assert (blind.capability, blind.level, blind.cause) == ("explosives", Level.DEGRADED, Cause.WARMING_UP)


def test_images_are_named_and_no_list_grows_without_end() -> None:
    one = Search()
    one.open(1)
    one.give(said(picture(1, 2), 2), said(Trigger("trigger"), 2))
    one.give(*(said(Result(Outcome.CLEAR, f"{number}"), 3) for number in range(MOST + 5)))
    one.close(4)
    (image,) = one.ended.images
    assert image.dataref.endswith(image.digest.removeprefix("sha256:"))
    assert (len(one.ended.results), one.ended.left_out, one.ended.outcome) == (MOST, 5, InspectionOutcome.DOUBTFUL)


def test_a_verdict_or_a_detection_for_which_there_is_no_room_is_in_the_summary_all_the_same() -> None:
    judged = Search()
    judged.open(1)
    judged.give(*(said(Result(Outcome.CLEAR), 2) for _ in range(MOST)), said(Result(Outcome.ALARM), 3))
    judged.close(4)
    assert (len(judged.ended.results), judged.ended.results[-1].outcome) == (MOST, Outcome.ALARM)
    assert (judged.ended.outcome, judged.ended.left_out) == (InspectionOutcome.ALARM, 1)
    met = Search()
    met.open(1)
    faults = [DeviceAlarm(f"fault-{number}", active=True, category=AlarmCategory.DEVICE) for number in range(MOST + 1)]
    met.give(*(said(one, 2) for one in faults))
    met.give(said(DeviceAlarm("gamma", active=True, category=AlarmCategory.THREAT), 3))
    met.close(4)
    assert (len(met.ended.alarms), met.ended.alarms[-1].point) == (MOST, "gamma")
    assert (met.ended.outcome, met.ended.left_out) == (InspectionOutcome.ALARM, 2)


def test_the_hub_s_end_and_a_desk_that_goes_end_it() -> None:
    one = Search()
    one.open(1)
    one.hear(one.station.finish(at(2)))
    assert one.ended.reason is Ending.HUB_ENDED
    two = Search()
    two.open(1)
    two.hear(two.station.revise(two.setting.__class__(devices=two.setting.devices, ids=two.setting.ids), (), at(2)))
    assert two.ended.reason is Ending.REMOVED


def test_what_a_killed_hub_left_open_is_ended_with_what_is_known_and_the_alarms_that_stand() -> None:
    one = Search()
    one.open(1)
    one.give(level(1.0, 2))
    one.tick(12)
    (*_, left) = [m.data for m in one.said if m.kind is Kind.INSPECTION]
    one.give(level(12.0, 13))
    (*_, alarm) = [m.data for m in one.said if m.kind is Kind.ALARM]
    assert isinstance(left, InspectionData)
    assert isinstance(alarm, AlarmData)
    again = Search()
    again.hear(again.station.resume([StandingAlarm("dev", "level-high", alarm)], at(0), [left]))
    assert (again.ended.inspection, again.ended.reason) == (left.inspection, Ending.INTERRUPTED)
    assert [(met.alarm, met.earlier) for met in again.ended.alarms] == [(alarm.alarm, False)]
    assert (again.ended.checked, again.ended.outcome) == ((CheckedData("dev", values=1),), InspectionOutcome.ALARM)
