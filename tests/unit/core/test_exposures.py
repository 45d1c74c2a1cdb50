"""The image on which an alarm came: the frame that raised it, once for each alarm, and never ahead of it."""

from devicehub.alarm.acts import Act
from devicehub.core import Outcome
from devicehub.model.alarm import Condition, Disposition, Limit, Verb
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, CaptureData
from devicehub.model.reading import Change, DeviceAlarm, Image, Tick
from tests.unit.core.bench import HIGH, HOT, at, core, keep_the_contract, kinds, level, picture, said, step

COLD = Limit("cold", "dev", "image.min", Condition.LOW, 5.0)
LASTING = Limit("hot", "dev", "image.max", Condition.HIGH, 60.0, on_delay_s=3.0)


def exposed(outcome: Outcome) -> list[tuple[CaptureData, float, Image]]:
    """What is told of each image, when that was, and the image."""
    return [
        (message.data, message.mono, outcome.exposed[message.id])
        for message in outcome.messages
        if isinstance(message.data, CaptureData)
    ]


def raised(outcome: Outcome) -> list[tuple[Message, AlarmData]]:
    return [
        (one, one.data) for one in outcome.messages if one.type == "alarm.raised" and isinstance(one.data, AlarmData)
    ]


def test_of_all_the_frames_of_a_step_it_is_the_one_that_raised_the_alarm() -> None:
    outcome = step(core(HOT), said(picture(9), 1), said(picture(61), 2), said(picture(70), 3))
    assert kinds(outcome.messages) == ["frame", "frame", "frame", "alarm.raised", "alarm.raised", "capture"]
    ((data, mono, image),) = exposed(outcome)
    ((event, alarm), _) = raised(outcome)
    told = outcome.messages[-1]
    assert (image, mono, data.trigger, data.alarm) == (picture(61), 2, "alarm", alarm.alarm)
    assert (told.causation, told.correlation) == (event.id, alarm.alarm)
    assert outcome.captures == [], "nothing waits for it"


def test_each_alarm_has_its_own_though_one_frame_raised_both() -> None:
    outcome = step(core(HOT, COLD), said(picture(1, 61)))
    found = exposed(outcome)
    assert {data.alarm for data, _, _ in found} == {alarm.alarm for _, alarm in raised(outcome)}
    assert [image for _, _, image in found] == [picture(1, 61)] * 2


def test_a_value_that_goes_up_and_down_at_its_limit_is_one_image_until_somebody_closed_the_alarm() -> None:
    one = core(HOT)
    outcome = step(one, *(said(picture(value), mono) for mono, value in enumerate([61, 9] * 20)))
    assert len(exposed(outcome)) == 1
    for number, (verb, told) in enumerate({Verb.ACK: None, Verb.CONFIRM: Disposition.NUISANCE}.items()):
        act = Act(verb=verb, command=f"c-{number}", issuer="op", device="dev", point="hot", disposition=told)
        assert one.operate(act, at(50)).refused == ""
    assert [image for _, _, image in exposed(step(one, said(picture(62), 51)))] == [picture(62)]


def test_an_alarm_that_came_by_time_alone_has_what_is_on_the_screen_by_then() -> None:
    one = core(LASTING)
    step(one, said(picture(61), 1), said(picture(62), 2))
    told = one.tick(at(4.5))
    keep_the_contract(told)
    assert "alarm.raised" in kinds(told)
    assert [(mono, image) for _, mono, image in exposed(step(one, Tick(at(4.5))))] == [(2, picture(62))]


def test_so_has_one_that_the_camera_itself_raised() -> None:
    one = core()
    step(one, said(picture(7), 1))
    ((data, _, image),) = exposed(step(one, said(DeviceAlarm("fever", active=True), 2)))
    assert (image, data.alarm != "") == (picture(7), True)


def test_of_a_device_that_shows_nothing_or_nothing_any_more_there_is_none() -> None:
    assert exposed(step(core(HIGH), level(12.0))) == []
    one = core()
    step(one, said(picture(7), 1), Change("dev", at(2), DeviceState.LOST, "unplugged"))
    assert exposed(step(one, said(DeviceAlarm("fever", active=True), 3))) == []


def test_what_tells_of_it_is_a_capture() -> None:
    (told,) = [one for one in step(core(HOT), said(picture(61))).messages if one.kind is Kind.CAPTURE]
    assert (told.device, told.point, told.type) == ("dev", "", "capture")
