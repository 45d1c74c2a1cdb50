"""The judge within the core: messages in their order, detections with a life of their own, capabilities of both words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from devicehub.alarm.acts import Act
from devicehub.alarm.mobility import Line, Substance, SubstanceLibrary
from devicehub.core import Core, Setting
from devicehub.core.mobility import MobilityRules, point_names
from devicehub.model.alarm import Condition, Disposition, Limit, Priority, Verb
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, CapabilityData, DriftData, ResultData, Source, SpectrumData
from devicehub.model.reading import (
    Capability,
    Cause,
    Change,
    DeviceAlarm,
    Input,
    Level,
    Outcome,
    Reading,
    Sample,
    Tick,
)
from tests.unit.alarm.plasmagrams import library, with_lines
from tests.unit.core.bench import at, driver, ids, keep_the_contract, kinds
from tests.unit.core.swabs import blanks, ended, swab

DIGEST = "sha256:" + "0" * 64
POINT = "detected-tnt"
HIGH = Limit(POINT, "dev", "level", Condition.HIGH, 10.0)


def setting(rules: MobilityRules | None = None, *limits: Limit, devices: Sequence[str] = ("dev",)) -> Setting:
    return Setting(
        devices={name: driver() for name in devices},
        limits=limits,
        mobility=dict.fromkeys(devices, rules or MobilityRules(library(), priority=Priority.CRITICAL)),
        rules_digest=DIGEST,
        ids=ids(),
    )


class Desk:
    """A core with a detector that is ready, and all that it said."""

    def __init__(self, given: Setting | None = None) -> None:
        self.core = Core(given or setting())
        self.time = 1.0
        self.said: list[Message] = self.core.births(at(0.5))
        self.give(Change("dev", at(self.time), DeviceState.READY))

    def give(self, *inputs: Input) -> list[Message]:
        """One step; its messages keep the contract."""
        out = self.core.step(inputs).messages
        keep_the_contract(out)
        self.said += out
        return out

    def hear(self, *samples: Sample) -> list[Message]:
        """Samples of a step each, a quarter of a second apart."""
        out: list[Message] = []
        for sample in samples:
            self.time += 0.25
            out += self.give(Reading("dev", at(self.time), sample))
        return out

    def act(self, verb: Verb, disposition: Disposition | None = None) -> list[Message]:
        self.time += 1
        act = Act(
            verb=verb, command=f"c-{self.time}", issuer="op-1", device="dev", point=POINT, disposition=disposition
        )
        out = self.core.operate(act, at(self.time))
        assert out.refused == ""
        return out.messages

    @property
    def able(self) -> dict[str, tuple[Level, Cause]]:
        told = [one.data for one in self.said if isinstance(one.data, CapabilityData)]
        return {item.name: (item.level, item.cause) for item in told[-1].capabilities}


def results(messages: Sequence[Message], source: Source = Source.HUB) -> list[ResultData]:
    return [one.data for one in messages if isinstance(one.data, ResultData) and one.data.source is source]


def alarms(messages: Sequence[Message]) -> list[Message]:
    return [one for one in messages if one.kind is Kind.EVENT and one.type.startswith("alarm.")]


def test_both_verdicts_on_a_run_are_published_and_the_hubs_names_the_devices_as_its_cause() -> None:
    desk = Desk()
    desk.hear(*swab())
    out = desk.hear(ended())
    own, hub, _ = out
    assert [one.kind for one in out] == [Kind.RESULT, Kind.RESULT, Kind.CAPABILITY]
    assert cast(ResultData, own.data).source is Source.DEVICE
    assert (cast(ResultData, hub.data).outcome, hub.causation, hub.device) == (Outcome.CLEAR, own.id, "dev")


def test_a_detection_is_raised_by_its_scan_ends_with_its_run_and_stays_until_it_is_closed() -> None:
    desk = Desk()
    first, again = alarms(desk.hear(*swab("TNT"))), alarms(desk.hear(ended()))
    (raised,), (returned,) = first, again
    data = cast(AlarmData, raised.data)
    assert (raised.type, raised.point, data.condition, data.priority) == (
        "alarm.raised",
        POINT,
        Condition.DETECTION,
        Priority.CRITICAL,
    )
    assert (data.rules_digest, data.category.value) == (library().digest, "threat")
    spectrum = next(one for one in desk.said if one.id == raised.causation)
    assert spectrum.type == "spectrum"
    assert (returned.type, cast(AlarmData, returned.data).state.value) == ("alarm.returned", "latched")
    assert kinds(desk.act(Verb.ACK)) == ["alarm.acked"] * 2
    assert "alarm.cleared" in kinds(desk.act(Verb.CONFIRM, Disposition.CONFIRMED_THREAT))


def test_a_second_positive_run_is_the_same_alarm_once_more() -> None:
    desk = Desk()
    desk.hear(*swab("TNT"), ended(), *blanks())
    (raised, _) = alarms(desk.hear(*swab("TNT", run="8"), ended("8")))
    assert (raised.type, cast(AlarmData, raised.data).activations) == ("alarm.raised", 2)


def test_a_whole_run_in_one_step_says_the_same_with_the_result_before_its_alarm() -> None:
    desk = Desk()
    samples: list[Sample] = [*swab("TNT"), ended()]
    readings = [Reading("dev", at(2 + number / 4), one) for number, one in enumerate(samples)]
    out = [one for one in desk.give(*readings) if one.type != "spectrum" and one.kind is not Kind.CAPABILITY]
    assert [one.type for one in out if one.kind is not Kind.ALARM] == [
        "result",
        "alarm.raised",
        "result",
        "alarm.returned",
    ]
    assert results(out)[0].outcome is Outcome.ALARM


def test_a_capability_is_the_worse_of_the_devices_word_and_the_hubs() -> None:
    desk = Desk()
    assert desk.able["explosives"] == (Level.NONE, Cause.UNCALIBRATED), "no calibrant was seen yet"
    desk.hear(*blanks())
    assert desk.able == dict.fromkeys(("explosives", "narcotics"), (Level.FULL, Cause.NONE))
    desk.hear(Capability("narcotics", Level.NONE, Cause.CALIBRATING), *blanks("TNT"))
    assert desk.able == {
        "explosives": (Level.DEGRADED, Cause.CONTAMINATED),
        "narcotics": (Level.NONE, Cause.CALIBRATING),
    }


def test_a_device_that_is_pulled_out_leaves_an_aborted_run_and_a_detection_that_has_returned() -> None:
    desk = Desk()
    desk.hear(*swab("TNT")[:12])
    out = desk.give(Change("dev", at(desk.time + 1), DeviceState.LOST, "unplugged"))
    (data,) = results(out)
    assert (data.outcome, data.causes) == (Outcome.ALARM, (Cause.NOT_CONNECTED,))
    assert [one.type for one in alarms(out)] == ["alarm.returned"]


def test_silence_ends_a_run_when_everything_before_it_was_given() -> None:
    desk = Desk()
    desk.hear(*swab()[:5])
    assert results(desk.give(Tick(at(desk.time + 59)))) == []
    (data,) = results(desk.give(Tick(at(desk.time + 61))))
    assert (data.outcome, data.cause) == (Outcome.ABORTED, Cause.STALE)


def test_a_hub_that_stops_tells_of_the_run_that_is_under_way() -> None:
    desk = Desk()
    desk.hear(*swab()[:5])
    (data,) = results(desk.core.finish(at(desk.time + 1)))
    assert (data.outcome, data.cause, data.scans) == (Outcome.ABORTED, Cause.INCOMPLETE, 5)


def test_another_library_begins_anew_and_the_same_goes_on() -> None:
    desk = Desk()
    desk.hear(*blanks(), *swab()[:5])
    assert results(desk.core.revise(setting(), (), at(desk.time))) == []
    (data,) = results(desk.hear(*swab()[5:], ended()))
    assert data.outcome is Outcome.CLEAR
    desk.hear(*swab(run="8")[:5])
    other = MobilityRules(replace(library(), digest=DIGEST))
    (aborted,) = results(desk.core.revise(setting(other), (), at(desk.time)))
    assert (aborted.outcome, aborted.library_digest) == (Outcome.ABORTED, library().digest)
    (fresh,) = results(desk.hear(*swab(run="9"), ended("9")))
    assert (fresh.outcome, fresh.library_digest) == (Outcome.CLEAR, DIGEST)


def test_a_device_without_a_library_is_not_judged() -> None:
    desk = Desk(replace(setting(), mobility={}))
    out = desk.hear(*swab("TNT"), ended())
    assert results(out) == []
    assert alarms(out) == []
    assert desk.able["explosives"] == (Level.FULL, Cause.NONE)


def test_a_limit_and_the_devices_own_alarm_are_other_points_than_a_detection() -> None:
    desk = Desk(setting(None, HIGH))
    out = desk.hear(*swab("TNT"), DeviceAlarm("explosives", active=True), ended())
    assert [one.point for one in alarms(out) if one.type == "alarm.raised"] == [f"device-{POINT}", "explosives"]
    assert [one.point for one in alarms(out) if one.type == "alarm.returned"] == [f"device-{POINT}"]


def test_two_devices_are_judged_apart() -> None:
    desk = Desk(setting(devices=("dev", "other")))
    for number, (one, two) in enumerate(zip(swab("TNT"), swab(run="8"), strict=True)):
        now = at(5 + number / 4)
        desk.give(Reading("dev", now, one), Reading("other", now, two))
    out = desk.give(Reading("dev", at(20), ended()), Reading("other", at(20), ended("8")))
    verdicts = [(one.device, one.data.outcome) for one in out if isinstance(one.data, ResultData) and one.data.modes]
    assert verdicts == [("dev", Outcome.ALARM), ("other", Outcome.CLEAR)]


def test_every_substance_has_a_point_of_its_own() -> None:
    def named(*names: str) -> SubstanceLibrary:
        line = Line("x", "negative", 1.1, 0.004, "s", "measured")
        one = Substance("x", "explosives", "negative", ("x",), (), (), 150.0, 3, ())
        return with_lines([line], [replace(one, name=name) for name in names])

    points = point_names(named("a-b", "a b", "Ä", "x" * 64))
    assert points["TNT"] == POINT
    assert points["2,4-DNT"] == "detected-2-4-dnt"
    assert len(set(points.values())) == len(points)
    assert all(len(point) <= 64 for point in points.values())


def test_a_spectrum_is_published_with_its_run_its_index_and_its_tube() -> None:
    desk = Desk()
    (message,) = desk.hear(swab()[3])
    data = message.data
    assert isinstance(data, SpectrumData)
    assert (data.run, data.index, data.idle) == ("7", 3, False)
    assert data.drift == DriftData(6.0, 1400.0, 383.0, 1008.0, "nicotinamide", 1.86)
