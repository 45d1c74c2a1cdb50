"""The core as a whole: inputs of all devices in, messages in order out, and none that breaks the contract."""

import pytest

from devicehub.core.scans import Publish
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind, Message
from devicehub.model.reading import (
    Axis,
    Change,
    Image,
    Layout,
    Measurement,
    Outcome,
    Peak,
    Reading,
    Result,
    Scan,
    Shutter,
    Spectrum,
    Trigger,
)
from devicehub.model.units import Unit
from tests.unit.core.bench import HIGH, LOW, at, body, core, keep_the_contract, kinds, level, picture, said, step


def of(messages: list[Message], kind: Kind) -> list[Message]:
    return [one for one in messages if one.kind is kind]


def test_messages_come_in_the_order_of_what_was_said_and_alarms_behind_them() -> None:
    messages = step(core(HIGH), level(12.0, 1), said(Trigger("button"), 1.5), level(13.0, 2)).messages
    assert kinds(messages) == ["reading", "device.trigger", "reading", "alarm.raised", "alarm.raised"]
    assert [m.time for m in messages] == [at(1).utc, at(1.5).utc, at(2).utc, at(1).utc, at(1).utc]


def test_every_message_has_an_id_of_its_own() -> None:
    messages = step(core(HIGH, LOW), level(12.0), level(-12.0), said(picture(1))).messages
    assert len({m.id for m in messages}) == len(messages)


def test_a_reading_carries_the_limits_in_force() -> None:
    (message,) = step(core(HIGH, LOW), level(1.0)).messages
    assert body(message)["limits"] == {"low": -10.0, "high": 10.0}
    assert (message.device, message.point) == ("dev", "level")


def test_in_batch_mode_the_readings_of_one_instant_are_one_message() -> None:
    one = core(batch=True)
    messages = step(one, level(1, 1), said(Trigger("button"), 1), said(Measurement("free", 2), 1), level(3, 2)).messages
    assert kinds(messages) == ["reading", "device.trigger", "reading"]
    first, _, last = messages
    assert isinstance(first.data, tuple)
    assert [(one.channel, one.value) for one in first.data] == [("level", 1), ("free", 2)]
    assert (first.device, first.point) == ("dev", "")
    assert isinstance(last.data, tuple)
    assert len(last.data) == 1


def test_in_batch_mode_devices_are_not_mixed() -> None:
    messages = step(core(batch=True), level(1), said(Measurement("level", 2), 1, "files")).messages
    assert [m.device for m in messages] == ["dev", "files"]


def test_in_batch_mode_an_alarm_names_the_message_that_carries_its_reading() -> None:
    messages = step(core(HIGH, batch=True), said(Measurement("free", 2), 1), level(12.0, 1)).messages
    (reading,) = of(messages, Kind.READING)
    assert {m.causation for m in messages if m.type == "alarm.raised"} == {reading.id}


def test_a_spectrum_is_a_reading_of_its_channel() -> None:
    (message,) = step(
        core(), said(Spectrum("plasmagram", b"\x01\x05", Layout.U8, Axis(Unit.MILLISECOND, 1.0)))
    ).messages
    assert (message.kind, message.type, message.point, body(message)["max"]) == (
        Kind.READING,
        "spectrum",
        "plasmagram",
        5.0,
    )


@pytest.mark.parametrize(
    ("policy", "texts"), [(Publish.OFF, []), (Publish.HASH, [None]), (Publish.TEXT, ["P<UTO"])], ids=str
)
def test_of_a_scan_leaves_what_the_policy_says(policy: Publish, texts: list[str | None]) -> None:
    messages = step(core(publish=policy), said(Scan("barcode", "pdf417", b"P<UTO"))).messages
    assert [body(m).get("text") for m in messages] == texts
    assert all(m.kind is Kind.SCAN for m in messages)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_finished_screening_is_published_clear_ones_too(outcome: Outcome) -> None:
    result = Result(outcome, "7", 8.0, (Peak("TNT", 1.45, Unit.REDUCED_MOBILITY, 0.7, float("nan")),))
    (message,) = step(core(), said(result)).messages
    assert (message.kind, body(message)["outcome"], body(message)["sample_id"]) == (Kind.RESULT, outcome, "7")


def test_a_trigger_captures_the_image_on_the_screen() -> None:
    one, image = core(), picture(1, 2)
    step(one, said(picture(9)), said(image, 2))
    outcome = step(one, said(Trigger("button"), 3))
    assert kinds(outcome.messages) == ["device.trigger", "capture"]
    assert outcome.captures == [image]
    assert body(outcome.messages[1])["trigger"] == "button"


def test_a_trigger_before_the_first_image_captures_that_one_and_only_that() -> None:
    one, image = core(), picture(1)
    assert step(one, said(Trigger("button"))).captures == []
    outcome = step(one, said(image, 2), said(picture(2), 3))
    assert kinds(outcome.messages) == ["frame", "capture", "frame"]
    assert outcome.captures == [image]


@pytest.mark.parametrize("state", [DeviceState.LOST, DeviceState.FAULTED, DeviceState.READY])
def test_a_trigger_after_a_loss_captures_nothing_of_what_was_seen_before(state: DeviceState) -> None:
    one = core()
    step(one, said(picture(1)), Change("dev", at(2), state, "why"), said(Trigger("button"), 3))
    assert step(one, said(picture(7), 4)).captures == [picture(7)]


def test_every_image_of_a_device_that_leaves_files_is_captured() -> None:
    outcome = step(core(), said(picture(1), 1, "files"), said(picture(2), 2, "files"))
    assert outcome.captures == [picture(1), picture(2)]
    assert [body(m)["trigger"] for m in of(outcome.messages, Kind.CAPTURE)] == ["file", "file"]


def test_frames_are_numbered_and_know_the_age_of_the_last_shutter_closure() -> None:
    shut = Image("image", b"\x01", Layout.U8, 1, 1, shutter=Shutter.CLOSED)
    messages = step(core(), said(picture(1), 1), said(shut, 2), said(picture(1), 9)).messages
    assert [(body(m)["n"], body(m).get("shutter_age_s")) for m in messages] == [(1, None), (2, 0.0), (3, 7.0)]


def test_a_closed_shutter_raises_and_clears_nothing() -> None:
    hot = Image("image", b"\xff", Layout.U8, 1, 1, shutter=Shutter.CLOSED)
    assert kinds(step(core(), said(hot)).messages) == ["frame"]


def test_births_describe_every_device() -> None:
    births = core().births(at(0))
    keep_the_contract(births)
    assert [(m.kind, m.device) for m in births if m.kind is Kind.DESCRIBE] == [
        (Kind.DESCRIBE, "dev"),
        (Kind.DESCRIBE, "files"),
    ]


def test_a_tick_tells_what_is_new_of_every_device() -> None:
    one = core()
    step(one, Change("dev", at(1), DeviceState.READY), level(1.0), Reading("files", at(1), Measurement("level", 2.0)))
    messages = one.tick(at(2))
    keep_the_contract(messages)
    assert {(m.kind, m.device) for m in messages} >= {(Kind.STATE, "dev"), (Kind.STATE, "files")}
    assert one.tick(at(3)) == []
