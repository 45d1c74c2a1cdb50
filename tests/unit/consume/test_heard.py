"""From topics and bytes to numbered messages, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.consume.heard import Heard, announced, filters, node_of, prefix, recalled, understood
from devicehub.model.errors import ProtocolError
from devicehub.model.message import Kind
from devicehub.model.stream import Stream
from devicehub.publish.envelope import historical
from devicehub.publish.topics import RULES, Lane
from tests.unit.consume.played import BOTH, heard, hub

HUB = hub()
OUT = HUB.events(Stream.EVENTS, 1)[0].out


def body(**changes: Any) -> bytes:
    fields = json.loads(OUT.payload) | changes
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


@pytest.mark.parametrize("stream", Stream)
def test_a_numbered_message_is_understood(stream: Stream) -> None:
    played = hub()
    first, second = played.events(stream, 2)
    one = heard(second)
    assert (one.node, one.epoch, one.stream, one.number) == ("devicehub/v1/bcp-south/lane1", played.epoch, stream, 2)
    assert one.body == second.out.payload
    assert one.recorded == json.loads(second.out.payload)["recordedtime"]
    assert one.live
    assert heard(first).number == 1


def test_what_is_stored_gives_back_what_was_heard() -> None:
    for message in (*HUB.events(Stream.ALARMS, 1), HUB.gap(Stream.ALARMS, ((3, 5),))):
        assert recalled(heard(message).body) == heard(message)


def test_a_copy_is_not_live() -> None:
    (message,) = HUB.events(Stream.EVENTS, 1)
    assert not heard(message, again=True).live


def test_an_exercise_is_another_node() -> None:
    (message,) = hub(exercise=True).events(Stream.EVENTS, 1)
    assert heard(message).node == "devicehub-sim/v1/bcp-south/lane1"


def test_a_gap_says_which_numbers_of_which_stream_will_not_come() -> None:
    one = heard(HUB.gap(Stream.ALARMS, ((3, 5), (9, 9))))
    assert (one.lost_in, one.lost_of, one.lost) == (HUB.epoch, Stream.ALARMS, ((3, 5), (9, 9)))
    assert one.stream is Stream.EVENTS


def test_a_gap_of_a_device_tells_of_no_numbers() -> None:
    fields = json.loads(HUB.gap(Stream.ALARMS, ((3, 5),)).out.payload)
    fields["data"] |= {"stream": "trace-1"}
    one = recalled(json.dumps(fields).encode())
    assert one is not None
    assert one.lost == ()


def test_what_has_no_number_is_nothing_to_store() -> None:
    assert understood(OUT.topic, b"") is None
    assert understood(OUT.topic, body(sequence=...)) is None
    assert understood(HUB.state_of_alarm().topic, HUB.state_of_alarm().payload) is None
    assert understood(HUB.topics.status, HUB.status().payload) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "urn:devicehub:bcp-south:lane2"},
        {"source": "urn:devicehub:BCP:lane1"},
        {"exercise": True},
        {"sequence": "seven"},
        {"sequence": "000000000000"},
        {"sequence": "9" * 30},
        {"sequence": 7},
        {"stream": "rumours"},
        {"stream": ...},
        {"epoch": ...},
        {"epoch": ""},
        {"type": "io.devicehub.gap", "data": "nothing"},
        {"data": ...},
    ],
    ids=str,
)
def test_what_cannot_be_counted_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        understood(OUT.topic, body(**changes))


@pytest.mark.parametrize("payload", [b"{", b"[]", b"null", b'{"a":"\xff"}', b"\x00", OUT.payload + b"x"])
def test_what_is_no_message_is_an_error(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        understood(OUT.topic, payload)


@pytest.mark.parametrize(
    "topic", ["", "a", "devicehub/v1/site", "devicehub/v2/s/n/event", "devicehub/v1/S/n/event", "x/y/s/n/e"]
)
def test_a_topic_of_nobody_is_an_error(topic: str) -> None:
    with pytest.raises(ProtocolError):
        node_of(topic)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_nothing_or_a_protocol_error(payload: bytes) -> None:
    try:
        assert understood(OUT.topic, payload) is None
    except ProtocolError:
        return


def test_a_message_is_one_line_whatever_its_spaces() -> None:
    pretty = json.dumps(json.loads(OUT.payload), indent=2).replace("\n", "\r\n").encode()
    one = understood(OUT.topic, pretty)
    assert isinstance(one, Heard)
    assert len(one.body.splitlines()) == 1
    assert json.loads(one.body) == json.loads(OUT.payload)


def test_a_copy_differs_by_one_field() -> None:
    assert json.loads(historical(OUT.payload)) == {**json.loads(OUT.payload), "historical": True}


def kinds(*streams: Stream) -> set[str]:
    return {one.split("/")[4] for one in filters(prefix("+", "+", exercise=False), frozenset(streams))}


def test_the_filters_bring_every_numbered_kind_of_the_streams_and_gaps_always() -> None:
    numbered = {kind for kind, rule in RULES.items() if rule.lane is Lane.JOURNAL and rule.numbered}
    assert kinds(*Stream) == {*numbered, Kind.STATUS}
    assert kinds(*BOTH) == {*numbered, Kind.STATUS} - {Kind.SCAN}
    assert kinds(Stream.ALARMS) == {Kind.EVENT, Kind.GAP, Kind.STATUS}
    assert kinds(Stream.SCANS) == {Kind.SCAN, Kind.GAP, Kind.STATUS}


def test_the_status_is_asked_for_first_because_it_names_the_epoch_of_all_that_follows() -> None:
    assert filters(HUB.topics.prefix, BOTH)[0] == HUB.topics.status
    status = HUB.status()
    said = announced(status.topic, status.payload)
    assert said is not None
    assert (said.node, said.epoch) == (HUB.topics.prefix, HUB.epoch)


def test_no_other_message_names_the_epoch_of_its_hub_and_not_every_status_does() -> None:
    assert announced(OUT.topic, OUT.payload) is None
    assert announced(HUB.topics.status, b'{"data":{"state":"lost"}}') is None
    with pytest.raises(ProtocolError):
        announced(HUB.topics.status, b"\xff")
