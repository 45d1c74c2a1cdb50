"""Whatever devices and people do: messages and inspections belong together, and no summary is better than they are."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.alarm import AlarmCategory
from devicehub.model.device import DeviceState
from devicehub.model.inspection import InspectionOutcome
from devicehub.model.message import Kind, Message
from devicehub.model.payload import (
    AlarmData,
    CapabilityData,
    CheckedData,
    GapData,
    InspectionData,
    ReadingData,
    ResultData,
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
    Stamp,
    Trigger,
)
from tests.unit.core.bench import at, level, said
from tests.unit.core.searches import CARRIED, OTHER, Search, document

steps = st.one_of(
    st.builds(lambda value, quality: level(value, 0.0, quality), st.sampled_from([1.0, 12.0]), st.sampled_from(Quality)),
    st.sampled_from([document(), document(OTHER), said(Trigger("sample"))]),
    st.builds(said, st.builds(Result, st.sampled_from(Outcome)), st.just(0.0), st.sampled_from(["dev", "aside"])),
    st.builds(said, st.builds(Capability, st.just("explosives"), st.sampled_from(Level), st.just(Cause.NONE)), st.just(0.0)),
    st.builds(said, st.builds(DeviceAlarm, st.just("own"), st.booleans(), category=st.sampled_from(AlarmCategory)), st.just(0.0)),
    st.builds(Change, st.just("dev"), st.just(Stamp(0, 0)), st.sampled_from(DeviceState)),
    st.sampled_from(["open", "close", "tick"]),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0.01, 20), steps), max_size=25))
def test_whatever_happens_each_message_is_in_one_inspection_and_the_summary_says_no_more_than_they_do(
    acts: list[tuple[float, Input | str]],
) -> None:
    one, now = Search(), 1.0
    for seconds, act in acts:
        now += seconds
        if isinstance(act, str):
            one.act(act, now)
        else:
            one.give(type(act)(**{name: getattr(act, name) for name in act.__struct_fields__} | {"at": at(now)}))
    one.hear(one.station.finish(at(now + 1)))
    _hold(one)


def _hold(one: Search) -> None:
    """Events alternate; what is in between is in the inspection; its end says what they say."""
    inside, able = "", {}
    within: list[Message] = []
    for message in one.said:
        if isinstance(message.data, CapabilityData) and message.device == "dev":
            able = {item.name: item.level for item in message.data.capabilities}
            within += [message] if inside else []
        if message.kind is Kind.EVENT and message.type == "inspection.opened":
            assert inside == ""
            inside, within = message.inspection, [message]
            blind = any(grade is not Level.FULL for grade in able.values())
        elif message.kind is Kind.EVENT and message.type == "inspection.ended":
            assert message.inspection == inside
            assert isinstance(message.data, InspectionData)
            _fits(message.data, within, blind=blind)
            inside = ""
        elif message.device == "dev" and message.kind in CARRIED:
            late = message.inspection == "" and message.kind in {Kind.READING, Kind.RESULT, Kind.SCAN}
            assert message.inspection == inside or late
            within += [message] if message.inspection else []
        elif message.kind is not Kind.INSPECTION:
            assert message.inspection == ""
    assert inside == "", "the hub's end ends it"


def _fits(data: InspectionData, within: list[Message], *, blind: bool) -> None:
    kinds = Counter(type(one.data) for one in within)
    (checked,) = data.checked or (CheckedData("dev"),)
    assert (checked.values, checked.scans, len(data.results)) == (
        kinds[ReadingData], kinds[ScanData], kinds[ResultData],
    )  # fmt: skip
    said_so = [
        one
        for one in within
        if (isinstance(one.data, ResultData) and one.data.outcome is not Outcome.CLEAR)
        or (isinstance(one.data, AlarmData) and one.data.category is AlarmCategory.THREAT and one.data.alarm in {m.alarm for m in data.alarms})
        or isinstance(one.data, GapData)
        or (isinstance(one.data, CapabilityData) and any(item.level is not Level.FULL for item in one.data.capabilities))
    ]  # fmt: skip
    if said_so or blind or not (checked.values - checked.unusable or data.results):
        assert data.outcome is not InspectionOutcome.NO_ALARM
