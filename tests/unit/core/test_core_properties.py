"""Whatever devices say, in any order: the contract holds, no NaN leaks, and nothing bad clears an alarm."""

from math import inf, isfinite, nan

from hypothesis import given
from hypothesis import strategies as st

from devicehub.core import Core
from devicehub.core.admission import Admission
from devicehub.core.scans import Publish
from devicehub.model.device import DeviceState
from devicehub.model.errors import Reason
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import (
    Axis,
    Capability,
    Cause,
    Change,
    DeviceAlarm,
    Dropped,
    Fault,
    Identity,
    Image,
    Input,
    Layout,
    Level,
    Measurement,
    Outcome,
    Peak,
    Quality,
    Reading,
    Result,
    Sample,
    Scan,
    Shutter,
    Spectrum,
    Stamp,
    Trigger,
)
from devicehub.model.units import Unit
from tests.unit.core.bench import FREE, HIGH, HOT, LOW, at, core, driver, keep_the_contract

numbers = st.one_of(st.floats(), st.sampled_from([nan, inf, -inf, 0.0, 11.0, -11.0, 1e308]))
maybe = st.none() | numbers
finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
qualities, causes = st.sampled_from(Quality), st.sampled_from(Cause)

measurements = st.builds(
    Measurement,
    st.sampled_from(["level", "free", "battery"]),
    numbers,
    qualities,
    causes,
    st.just(""),
    maybe,
    maybe,
    maybe,
)
modes = st.builds(Measurement, st.just("mode"), numbers, qualities, causes, st.sampled_from(["idle", "busy"]))
axes = st.builds(Axis, st.just(Unit.MILLISECOND), finite, finite, finite)
spectra = st.builds(
    Spectrum, st.just("plasmagram"), st.binary(max_size=4).map(lambda data: data * 4), st.sampled_from([Layout.F32LE, Layout.I16LE]),
    axes, texts, maybe, qualities, causes, maybe,
)  # fmt: skip
images = st.builds(
    Image, st.just("image"), st.binary(min_size=8, max_size=8), st.just(Layout.F32LE), st.just(2), st.just(1), positive, finite,
    shutter=st.sampled_from(Shutter), emissivity=maybe, quality=qualities, cause=causes, device_time=maybe,
)  # fmt: skip
results = st.builds(
    Result, st.sampled_from(Outcome), texts, maybe,
    st.lists(st.builds(Peak, texts, finite, st.just(Unit.REDUCED_MOBILITY), finite, maybe), max_size=2).map(tuple), causes,
)  # fmt: skip
samples: st.SearchStrategy[Sample] = st.one_of(
    measurements, modes, spectra, images, results,
    st.builds(Scan, st.just("barcode"), texts, st.binary(max_size=20), qualities, causes, maybe),
    st.builds(Capability, st.sampled_from(["explosives", "other"]), st.sampled_from(Level), causes),
    st.builds(Identity, st.lists(st.tuples(texts, texts), max_size=2).map(tuple)),
    st.builds(Trigger, texts),
    st.builds(DeviceAlarm, st.sampled_from(["voc", "level-high"]), st.booleans(), texts, maybe),
)  # fmt: skip


def inputs_of(device: str, mono: float) -> st.SearchStrategy[Input]:
    stamp = at(mono)
    return st.one_of(
        samples.map(lambda sample: Reading(device, stamp, sample)),
        st.builds(
            Change, st.just(device), st.just(stamp), st.sampled_from(DeviceState), texts, st.just((("serial", "7"),))
        ),
        st.builds(Fault, st.just(device), st.just(stamp), st.sampled_from(Reason), texts),
        st.builds(Dropped, st.just(device), st.just(stamp), st.just(stamp), st.integers(1, 9)),
    )


scripts = st.lists(
    st.lists(st.tuples(st.sampled_from(["dev", "files"]), st.integers(0, 3)), max_size=6), max_size=5
).flatmap(
    lambda steps: st.tuples(
        *(
            st.tuples(*(inputs_of(device, 4.0 * place + within) for device, within in step))
            for place, step in enumerate(steps)
        )
    )
)


def lived(one: Core, script: tuple[tuple[Input, ...], ...]) -> list[Message]:
    messages = one.births(at(0))
    for place, inputs in enumerate(script):
        for item in inputs:
            if isinstance(item, Reading):
                Admission(driver()).check(item.sample)
        messages += one.step(sorted(inputs, key=lambda item: item.at.mono)).messages
        messages += one.tick(Stamp(at(4.0 * place + 3).utc, 4.0 * place + 3))
    return messages


@given(scripts, st.booleans(), st.sampled_from(Publish))
def test_every_message_keeps_the_contract(script: tuple[tuple[Input, ...], ...], batch: bool, publish: Publish) -> None:  # noqa: FBT001 - drawn
    messages = lived(core(HIGH, LOW, HOT, FREE, batch=batch, publish=publish), script)
    keep_the_contract(messages)
    published = {message.id for message in messages}
    assert len(published) == len(messages)
    assert all(message.causation in published for message in messages if message.causation)


@given(scripts)
def test_an_alarm_point_comes_and_goes_in_turn_and_its_state_is_what_its_last_event_told(
    script: tuple[tuple[Input, ...], ...],
) -> None:
    one = core(HIGH, LOW, HOT, FREE)
    told: dict[tuple[str, str], AlarmData] = {}
    for message in lived(one, script):
        point = (message.device, message.point)
        if message.kind is Kind.EVENT and isinstance(message.data, AlarmData):
            before = told.get(point)
            assert message.type != "alarm.cleared", "nobody has closed a detection"
            assert message.data.revision == (1 if before is None else before.revision + 1)
            assert before is None or before.alarm == message.data.alarm
            if message.type == "alarm.raised":
                assert before is None or not before.active
            elif message.type == "alarm.returned":
                assert before is not None
                assert before.active
            told[point] = message.data
        elif message.kind is Kind.ALARM:
            assert message.data == told[point]
    assert one.alarms.count() == len(told)


@given(st.lists(st.tuples(numbers, qualities), max_size=30))
def test_only_a_number_that_can_be_trusted_ends_a_condition(values: list[tuple[float, Quality]]) -> None:
    one = core(FREE)
    one.step([Reading("dev", at(0), Measurement("free", 50.0))])
    for value, quality in values:
        messages = one.step([Reading("dev", at(1), Measurement("free", value, quality))]).messages
        if any(message.type == "alarm.returned" for message in messages):
            assert isfinite(value)
            assert quality is not Quality.BAD
