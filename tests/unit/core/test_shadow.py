"""Rules that are only tried: told beside the alarms, as nothing like them, and without any effect on them."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.core import Core, Setting
from devicehub.core.trial import RuleSet
from devicehub.model.alarm import Limit
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, ShadowData
from devicehub.model.reading import Reading
from devicehub.publish.topics import Topics, stream_of
from tests.unit.core.bench import HIGH, LOW, at, driver, ids, keep_the_contract, level

DIGEST = "sha256:" + "0" * 64
TRIED = RuleSet(limits=[msgspec.structs.replace(HIGH, limit=5.0)], digest="sha256:" + "1" * 64, version=7)
SETTING = Setting(devices={"dev": driver()}, limits=[HIGH], rules_digest=DIGEST, ids=ids(), shadow=TRIED)


def told(messages: list[Message]) -> list[tuple[str, str, bool, float | None]]:
    """What the shadow said: type, point, whether it is met, value."""
    keep_the_contract(messages)
    return [(one.type, one.point, one.data.met, one.data.value) for one in messages if isinstance(one.data, ShadowData)]


def test_what_it_finds_is_told_with_its_own_digest_and_version() -> None:
    core = Core(SETTING)
    messages = core.step([level(7.0, 1), level(2.0, 2)]).messages
    assert told(messages) == [
        ("shadow.raised", "level-high", True, 7.0),
        ("shadow.returned", "level-high", False, 2.0),
    ]
    (raised, _) = [one for one in messages if isinstance(one.data, ShadowData)]
    assert isinstance(raised.data, ShadowData)
    assert (raised.data.rules_digest, raised.data.version, raised.data.limit) == (TRIED.digest, 7, 5.0)
    assert not any(isinstance(one.data, AlarmData) for one in messages)


def test_a_file_on_trial_may_have_no_rule_for_the_devices_that_are_there() -> None:
    empty = replace(SETTING, shadow=RuleSet(digest=TRIED.digest))
    assert told(Core(empty).step([level(7.0, 1)]).messages) == []
    core = Core(SETTING)
    core.step([level(7.0, 1)])
    assert [one[0] for one in told(core.revise(empty, (), at(2)))] == ["shadow.returned"]
    assert told(core.step([level(7.0, 3)]).messages) == []


def test_it_is_an_event_of_the_bulk_that_is_not_retained_and_that_no_topic_of_alarms_has() -> None:
    (raised,) = [one for one in Core(SETTING).step([level(7.0)]).messages if isinstance(one.data, ShadowData)]
    assert raised.kind is Kind.EVENT
    assert stream_of(raised).value == "events"
    topic = Topics("s", "n", exercise=False).topic(raised)
    assert topic == "devicehub/v1/s/n/event/shadow-raised"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(raised.data), AlarmData)


def test_other_rules_end_what_was_met_and_begin_anew_and_the_same_go_on() -> None:
    core = Core(SETTING)
    core.step([level(7.0, 1)])
    assert told(core.revise(replace(SETTING, shadow=replace(TRIED)), (), at(2))) == []
    assert told(core.step([level(8.0, 3)]).messages) == [], "it is met still"
    other = RuleSet(limits=[msgspec.structs.replace(HIGH, limit=6.0)], digest=TRIED.digest)
    assert [one[:3] for one in told(core.revise(replace(SETTING, shadow=other), (), at(4)))] == [
        ("shadow.returned", "level-high", False)
    ]
    assert told(core.step([level(8.0, 5)]).messages) == [("shadow.raised", "level-high", True, 8.0)]
    assert len(told(core.revise(replace(SETTING, shadow=None), (), at(6)))) == 1
    assert told([*core.step([level(9.0, 7)]).messages, *core.tick(at(8))]) == []


def plain(messages: list[Message]) -> list[Message]:
    """The messages that are not the shadow's, without ids."""
    return [
        msgspec.structs.replace(one, id="", causation="", correlation="", data=_anonymous(one))
        for one in messages
        if not isinstance(one.data, ShadowData)
    ]


def _anonymous(message: Message) -> object:
    data = message.data
    return msgspec.structs.replace(data, alarm="", event="") if isinstance(data, AlarmData) else data


limits = st.lists(
    st.builds(
        lambda base, limit, hysteresis, delay: msgspec.structs.replace(
            base, limit=limit, hysteresis=hysteresis, on_delay_s=delay
        ),
        st.sampled_from([HIGH, LOW]),
        st.floats(-9, 9),
        st.floats(0, 3),
        st.sampled_from([0.0, 2.0]),
    ),
    max_size=2,
    unique_by=lambda limit: limit.name,
)


@settings(deadline=None)
@given(limits, limits, st.lists(st.floats(-20, 20), max_size=30))
def test_whatever_is_tried_alarms_are_the_same(real: list[Limit], tried: list[Limit], values: list[float]) -> None:
    alone = replace(SETTING, limits=real, shadow=None, ids=ids())
    both = replace(alone, shadow=RuleSet(limits=tried, digest=DIGEST), ids=ids())
    seen: list[list[Message]] = []
    for core in (Core(alone), Core(both)):
        inputs: list[Reading] = [level(value, float(number)) for number, value in enumerate(values)]
        seen.append(plain([*core.step(inputs).messages, *core.tick(at(len(values) + 1.0))]))
    assert seen[0] == seen[1]
