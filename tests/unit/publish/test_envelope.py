"""The envelope: CloudEvents as the contract shows it."""

import json
import math
from collections.abc import Callable

import msgspec
import pytest

from devicehub.model.message import Address, Kind, Message
from devicehub.model.payload import AnyPayload, LimitsData, ReadingData
from devicehub.model.reading import Quality
from devicehub.model.units import Unit
from devicehub.publish.envelope import CONTENT_TYPE, Encoder, historical, outgoing
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import RULES, Lane, Topics
from tests.contract import violations
from tests.unit.publish.examples import ULID, message, messages, place, reading

ENCODER = Encoder("xk-merdare", "lane2-ws1", boot="7f3a91c2", exercise=False)
NOT_FINITE = [math.nan, math.inf, -math.inf]


def test_a_journalled_reading_is_encoded_field_for_field_as_the_contract_says() -> None:
    one = message(Kind.READING, reading())
    assert ENCODER.encode(one, place(one, 48213, 1_795_425_247.43)).decode() == (
        '{"specversion":"1.0","id":"01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4","source":"urn:devicehub:xk-merdare:lane2-ws1",'
        '"type":"io.devicehub.reading","subject":"trace-1/tnt","time":"2026-11-23T09:14:07.412Z",'
        '"recordedtime":"2026-11-23T09:14:07.430Z","sequence":"000000048213","stream":"events","epoch":"0a1b2c3d",'
        '"position":118213,"boot":"7f3a91c2",'
        '"data":{"value":1.84,"unit":"ng","quality":"good","uncertainty":0.2,"confidence":0.93,"limits":{"high":1.0}}}'
    )


def test_causation_correlation_and_exercise_stand_between_boot_and_data() -> None:
    encoder = Encoder("s", "n", boot="b", exercise=True)
    linked = msgspec.structs.replace(message(Kind.READING, reading()), causation="c1", correlation="c2")
    keys = list(json.loads(encoder.encode(linked, place(linked))))
    assert keys[-5:] == ["boot", "causationid", "correlationid", "exercise", "data"]


def test_a_board_message_has_neither_sequence_nor_recorded_time() -> None:
    fields = json.loads(ENCODER.encode(message(Kind.STATE, {"tnt": 1.0}, point="")))
    assert not {"sequence", "stream", "epoch", "position", "recordedtime", "exercise", "causationid"} & set(fields)
    assert fields["subject"] == "trace-1"


def test_a_message_of_the_hub_has_no_subject() -> None:
    assert "subject" not in json.loads(ENCODER.encode(message(Kind.STATE, {}, device="", point="")))


@pytest.mark.parametrize("one", messages(), ids=lambda one: f"{one.kind}-{type(one.data).__name__}")
@pytest.mark.parametrize("late", [False, True])
def test_every_message_obeys_its_published_schema(one: Message, late: bool) -> None:  # noqa: FBT001 - a parametrised argument
    payload = ENCODER.encode(one, place(one) if RULES[one.kind].lane is Lane.JOURNAL else None)
    assert violations(one.kind, historical(payload) if late else payload) == []


@pytest.mark.parametrize("bad", NOT_FINITE)
@pytest.mark.parametrize(
    "wrap",
    [
        reading,
        lambda bad: (reading(), reading(bad)),
        lambda bad: ReadingData(1.0, Unit.ONE, Quality.GOOD, limits=LimitsData(low=bad)),
        lambda bad: {"tnt": bad},
    ],
)
def test_a_number_that_is_not_finite_is_a_bug_wherever_it_hides(
    wrap: Callable[[float], AnyPayload], bad: float
) -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        ENCODER.encode(message(Kind.STATE, {"phase": "\ud800"}))


def test_no_data_is_an_empty_payload_which_stays_empty() -> None:
    gone = message(Kind.ALARM, None)
    assert ENCODER.encode(gone, place(gone)) == b""
    assert historical(b"") == b""


@pytest.mark.parametrize("one", messages(), ids=lambda one: f"{one.kind}-{type(one.data).__name__}")
def test_historical_adds_one_attribute_and_changes_nothing_else(one: Message) -> None:
    payload = ENCODER.encode(one, place(one) if RULES[one.kind].lane is Lane.JOURNAL else None)
    late = historical(payload)
    assert json.loads(late) == json.loads(payload) | {"historical": True}
    assert late.startswith(payload[:-1])


def test_a_message_is_addressed_by_the_rule_of_its_kind() -> None:
    topics = Topics("s", "n", exercise=False)
    scan = outgoing(message(Kind.SCAN, None), b"{}", topics)
    assert scan == Outgoing(
        "devicehub/v1/s/n/scan/trace-1",
        b"{}",
        1,
        retain=False,
        expiry=300,
        type="io.devicehub.scan",
        id=ULID,
        subject="trace-1/tnt",
    )
    cleared = outgoing(message(Kind.ALARM, None, kind_of="alarm.cleared"), b"", topics)
    assert (cleared.retain, cleared.expiry, cleared.type) == (True, None, "io.devicehub.alarm.cleared")


def test_what_is_not_numbered_has_a_place_and_no_number() -> None:
    raised = message(Kind.ALARM, None, kind_of="alarm.raised")
    fields = json.loads(ENCODER.encode(msgspec.structs.replace(raised, data={"x": 1.0}), place(raised)))
    assert {"epoch", "position", "recordedtime"} <= set(fields)
    assert not {"sequence", "stream"} & set(fields)


def test_an_answer_goes_where_it_is_wanted_and_repeats_the_correlation_data() -> None:
    topics = Topics("s", "n", exercise=False)
    answer = message(Kind.RES, None, kind_of="command.done", point="identify")
    assert outgoing(answer, b"{}", topics).topic == "devicehub/v1/s/n/res/trace-1/identify"
    wanted = msgspec.structs.replace(answer, address=Address("devicehub/v1/s/n/res/desk-2", b"\x00"))
    assert (outgoing(wanted, b"{}", topics).topic, outgoing(wanted, b"{}", topics).correlation) == (
        "devicehub/v1/s/n/res/desk-2",
        b"\x00",
    )
    elsewhere = msgspec.structs.replace(answer, address=Address("devicehub/v1/s/n/status"))
    with pytest.raises(ValueError, match="is not below devicehub/v1/s/n/res"):
        outgoing(elsewhere, b"{}", topics)


def test_the_content_type_is_that_of_structured_cloudevents() -> None:
    assert CONTENT_TYPE == "application/cloudevents+json"
