"""What somebody enters for a device without a wire."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.config.models import DeviceConfig
from devicehub.model.command import CommandState
from devicehub.model.errors import Reason
from devicehub.model.reading import DeviceAlarm, Identity, Measurement, Outcome, Result, Sample
from devicehub.model.units import Unit
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Step
from drivers.screening.operator_entry import DRIVER, ENTER


def entered(**args: str) -> Step:
    protocol = DRIVER.open({"kind": "metal-detector"})
    assert isinstance(protocol, Commanded)
    return protocol.on_command(1.0, Call(1, "enter", ENTER.arguments(args), 9.0, "op-1147"))


def only(kind: type[Sample], step: Step) -> list[Sample]:
    return [one for one in step.samples if isinstance(one, kind)]


def test_an_alarm_is_a_reading_a_result_by_name_and_an_alarm_whose_condition_ends_with_it() -> None:
    step = entered(outcome="alarm", item="bag 7", finding="Knife, long", reading="7.5", at="2026-01-01T02:00:00+02:00")
    assert [one.state for one in step.ended] == [CommandState.DONE]
    reading, result, began, ended = step.samples
    at = 1767225600.0
    assert reading == Measurement("reading", 7.5, device_time=at)
    assert isinstance(result, Result)
    assert (result.outcome, result.sample_id, result.operator) == (Outcome.ALARM, "bag 7", "op-1147")
    assert (result.identified[0].name, result.device_time) == ("Knife, long", at)
    assert isinstance(began, DeviceAlarm)
    assert isinstance(ended, DeviceAlarm)
    assert began.point == ended.point
    assert began.point.startswith("found-knife")
    assert (began.active, ended.active, began.text) == (True, False, "Knife, long: bag 7")


@pytest.mark.parametrize(
    ("word", "outcome"),
    [("indication", Outcome.ALARM), ("no-indication", Outcome.CLEAR), ("inconclusive", Outcome.INCONCLUSIVE)],
)
def test_a_dog_s_words_are_outcomes(word: str, outcome: Outcome) -> None:
    step = entered(outcome=word)
    (result,) = only(Result, step)
    assert isinstance(result, Result)
    assert result.outcome is outcome
    assert bool(only(DeviceAlarm, step)) == (outcome is Outcome.ALARM)
    assert not only(Measurement, step)


@pytest.mark.parametrize("wrong", [{"reading": "3,5"}, {"reading": "nan"}, {"at": "09:00"}, {"at": "2026-01-01T00:00"}])
def test_an_entry_is_refused_whole(wrong: dict[str, str]) -> None:
    step = entered(outcome="alarm", **wrong)
    assert not step.samples
    assert [one.state for one in step.ended] == [CommandState.REJECTED]
    assert step.ended[0].why


def test_the_reading_has_the_unit_of_the_configuration_and_the_device_says_what_it_is() -> None:
    device = DeviceConfig(id="d", driver="screening.operator_entry", options={"unit": "g/cm2"})
    assert DRIVER.configured(device.options).channel("reading").unit is Unit.GRAM_PER_CM2
    assert DRIVER.open({"kind": "dog", "serial": "Rex"}).start(0.0).samples == (
        Identity((("kind", "dog"), ("serial", "Rex"))),
    )


@given(
    st.dictionaries(st.sampled_from(["outcome", "item", "reading", "at", "x"]), st.text() | st.integers() | st.none())
)
def test_any_object_is_an_entry_or_a_fault(entry: dict[str, object]) -> None:
    step = DRIVER.open({}).on_packet(0.0, Packet(json.dumps(entry).encode()))
    assert bool(step.samples) != bool(step.faults)


def test_nesting_without_end_is_a_fault() -> None:
    (fault,) = DRIVER.open({}).on_packet(0.0, Packet(b'{"a":' * 100_000)).faults
    assert fault.reason is Reason.CORRUPT
