"""The lane's word: never the good one while anything that is required is missing or unknown, and told at once."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.alarm.acts import Act
from devicehub.core import Setting, Station
from devicehub.core.lane import REPEAT, UNASSESSED
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.model.alarm import AlarmCategory, Condition, Disposition, Limit, Verb
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind, Message
from devicehub.model.payload import CapabilityData, LaneData, LaneState, RequiredData
from devicehub.model.reading import Capability, Cause, Change, DeviceAlarm, Input, Level, Stamp
from tests.unit.core.bench import HIGH, at, driver, ids, keep_the_contract, level, said

NEEDED = ("explosives",)
WARM = Limit("warm", "dev", "battery", Condition.HIGH, 60.0, category=AlarmCategory.DEVICE)


class Watched:
    """A station and the word on its lane as a subscriber has it."""

    def __init__(
        self, *required: str, limits: Sequence[Limit] = (HIGH, WARM), devices: Sequence[str] = ("dev",)
    ) -> None:
        self.setting = Setting(
            devices={name: driver() for name in devices},
            limits=limits,
            scans=ScanPolicy(Publish.OFF, b"k"),
            required=required,
            ids=ids(),
        )
        self.station = Station(self.setting)
        self.said: list[Message] = []
        self.commands = count(1)
        self.hear(self.station.births(at(0)))
        self.hear(self.station.resume([], at(0)))

    def hear(self, messages: Sequence[Message]) -> None:
        keep_the_contract(messages)
        self.said += messages

    def give(self, *inputs: Input) -> None:
        self.hear(self.station.step(inputs).messages)

    def ready(self, mono: float = 1.0, device: str = "dev") -> None:
        self.give(Change(device, at(mono), DeviceState.READY))

    def can(self, grade: Level, cause: Cause = Cause.NONE, mono: float = 1.0, device: str = "dev") -> None:
        self.give(said(Capability("explosives", grade, cause), mono, device))

    def act(self, verb: Verb, point: str, mono: float, disposition: Disposition | None = None) -> None:
        act = Act(
            verb=verb, command=f"c-{next(self.commands)}", issuer="op", device="dev", point=point, why="w",
            disposition=disposition, seconds=60.0,
        )  # fmt: skip
        outcome = self.station.operate(act, at(mono))
        assert not outcome.refused
        self.hear(outcome.messages)

    @property
    def word(self) -> LaneData:
        data = [one.data for one in self.said if one.kind is Kind.LANE][-1]
        assert isinstance(data, LaneData)
        return data

    @property
    def states(self) -> list[LaneState]:
        """By its events, each of which names the one before."""
        events = [one.data for one in self.said if one.type == "lane.changed" and isinstance(one.data, LaneData)]
        found = [one.state for one in events]
        assert [one.before for one in events] == [None, *found][:-1]
        return found


def test_with_nothing_required_the_lane_is_never_called_free_of_alarms() -> None:
    lane = Watched()
    lane.ready()
    assert (lane.word.state, lane.word.why) == (LaneState.UNASSESSED, UNASSESSED)
    lane.give(level(12.0))
    assert lane.states == [LaneState.UNASSESSED, LaneState.ALARM]


def test_a_lane_is_blind_until_its_device_is_there_and_says_why() -> None:
    lane = Watched(*NEEDED)
    assert lane.word.why == "explosives: none (not-connected)"
    lane.ready()
    assert lane.word.required == (RequiredData("explosives", Level.FULL, device="dev"),)
    lane.can(Level.DEGRADED, Cause.WARMING_UP)
    lane.can(Level.NONE, Cause.UNCALIBRATED)
    assert lane.word.why == "explosives: none (uncalibrated)"
    lane.can(Level.FULL)
    blind, good = LaneState.BLIND, LaneState.NO_ALARM
    assert lane.states == [blind, good, LaneState.DEGRADED, blind, good]


def test_silence_alone_makes_a_lane_blind() -> None:
    lane = Watched(*NEEDED)
    lane.ready()
    assert lane.word.state is LaneState.NO_ALARM
    lane.hear(lane.station.tick(at(13)))
    assert (lane.word.state, lane.word.why) == (LaneState.BLIND, "explosives: none (stale)")


def test_what_no_device_has_is_missing_and_not_overlooked() -> None:
    lane = Watched("explosives", "gamma")
    lane.ready()
    assert lane.word.required[1] == RequiredData("gamma", Level.NONE, Cause.NO_DEVICE)
    assert lane.word.state is LaneState.BLIND


def test_of_several_devices_the_best_one_counts() -> None:
    lane = Watched(*NEEDED, devices=("dev", "spare"))
    lane.ready()
    lane.ready(device="spare")
    lane.can(Level.NONE, Cause.SATURATED)
    assert (lane.word.state, lane.word.required[0].device) == (LaneState.NO_ALARM, "spare")
    lane.give(Change("spare", at(2), DeviceState.LOST, "unplugged"))
    assert (lane.word.state, lane.word.required[0].cause) == (LaneState.BLIND, Cause.SATURATED)


def test_full_with_a_reservation_is_not_full() -> None:
    lane = Watched(*NEEDED)
    lane.ready()
    lane.can(Level.FULL, Cause.UNTESTED)
    assert lane.word.state is LaneState.DEGRADED


def test_a_detection_stands_until_it_is_closed_whatever_its_value_does() -> None:
    lane = Watched(*NEEDED)
    lane.ready()
    lane.give(level(12.0, 2))
    lane.give(level(0.0, 3))
    assert (lane.word.state, lane.word.threats) == (LaneState.ALARM, {"high": 1})
    lane.act(Verb.ACK, "level-high", 4)
    assert lane.word.state is LaneState.ALARM
    lane.act(Verb.CONFIRM, "level-high", 5, Disposition.NUISANCE)
    assert lane.states == [LaneState.BLIND, LaneState.NO_ALARM, LaneState.ALARM, LaneState.NO_ALARM]


@pytest.mark.parametrize(("verb", "back"), [(Verb.SHELVE, Verb.UNSHELVE), (Verb.DISABLE, Verb.ENABLE)])
def test_a_point_that_was_put_aside_wants_attention(verb: Verb, back: Verb) -> None:
    lane = Watched(*NEEDED)
    lane.ready()
    lane.act(verb, "warm", 2)
    assert (lane.word.state, lane.word.aside) == (LaneState.ATTENTION, 1)
    lane.act(back, "warm", 3)
    assert lane.word.state is LaneState.NO_ALARM


def test_an_alarm_of_a_device_wants_attention() -> None:
    lane = Watched(*NEEDED)
    lane.ready()
    lane.give(said(DeviceAlarm("jam", active=True, category=AlarmCategory.DEVICE)))
    assert (lane.word.state, lane.word.others) == (LaneState.ATTENTION, {"high": 1})


def test_it_is_repeated_and_says_since_when() -> None:
    lane = Watched(*NEEDED)
    before, since = len(lane.said), lane.word.since
    for second in range(1, int(REPEAT) + 1):
        lane.hear(lane.station.tick(at(second)))
    again = [one for one in lane.said[before:] if one.kind is Kind.LANE]
    assert len(again) == 1
    assert lane.word.since == since
    assert lane.states == [LaneState.BLIND]


def test_another_configuration_counts_at_once() -> None:
    lane = Watched(*NEEDED)
    lane.ready()
    lane.hear(lane.station.revise(replace(lane.setting, required=("gamma",)), (), at(2)))
    assert lane.word.state is LaneState.BLIND
    lane.hear(lane.station.revise(replace(lane.setting, devices={}, limits=()), (), at(3)))
    assert lane.word.required == (RequiredData("explosives", Level.NONE, Cause.NO_DEVICE),)


def test_a_hub_that_ends_leaves_no_good_word_behind() -> None:
    lane = Watched(*NEEDED)
    lane.ready()
    lane.hear(lane.station.finish(at(2)))
    assert lane.states == [LaneState.BLIND, LaneState.NO_ALARM, LaneState.BLIND]


devices = st.sampled_from(["dev", "spare"])
inputs = st.one_of(
    st.builds(said, st.builds(Capability, st.sampled_from(["explosives", "other"]), st.sampled_from(Level), st.sampled_from(Cause)),
              st.just(0.0), devices),
    st.builds(lambda value: level(value, 0.0), st.sampled_from([12.0, 0.0])),
    st.builds(said, st.builds(DeviceAlarm, st.just("own"), st.booleans(), category=st.sampled_from(AlarmCategory)), st.just(0.0), devices),
    st.builds(Change, devices, st.just(Stamp(0, 0)), st.sampled_from(DeviceState)),
    st.floats(1, 15),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(inputs, max_size=30), st.sampled_from([(), NEEDED, ("explosives", "other"), ("gamma",)]))
def test_the_good_word_is_never_said_while_something_required_is_not_there(
    steps: list[Input | float], required: tuple[str, ...]
) -> None:
    lane, now = Watched(*required, devices=("dev", "spare")), 1.0
    for one in steps:
        if isinstance(one, float):
            now += one
        else:
            lane.give(replaced(one, now))
        lane.hear(lane.station.tick(at(now)))
        assert_honest(lane, required)


def replaced(item: Input, now: float) -> Input:
    """The same at another time."""
    return type(item)(**{name: getattr(item, name) for name in item.__struct_fields__} | {"at": at(now)})


def assert_honest(lane: Watched, required: tuple[str, ...]) -> None:
    """The last word is held against all that was published, not against how it was computed."""
    abilities = {one.device: one.data for one in lane.said if isinstance(one.data, CapabilityData)}
    standing = {(one.device, one.point): one.data for one in lane.said if one.kind is Kind.ALARM}
    full = {
        item.name
        for data in abilities.values()
        for item in data.capabilities
        if (item.level, item.cause) == (Level.FULL, Cause.NONE)
    }
    able = bool(required) and set(required) <= full
    good = lane.word.state is LaneState.NO_ALARM
    assert good == (able and not any(standing.values()))
    assert all(one.level is not Level.NONE for one in lane.word.required) or lane.word.state in {
        LaneState.BLIND,
        LaneState.ALARM,
    }
