"""The hub that is played says what a hub would say, and its judge knows what was confirmed too early."""

import json

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from devicehub.consume.conformance.rules import rules
from devicehub.model.message import Kind
from devicehub.model.receipt import Receipt
from devicehub.model.stream import Stream
from devicehub.publish.contract import inward_schema
from tests.contract import violations
from tests.unit.consume.played import hub


def test_what_is_played_keeps_to_the_contract() -> None:
    played = hub()
    numbered = [one for stream in Stream for one in played.events(stream, 2)] + [played.gap(Stream.ALARMS, ((1, 2),))]
    outs = [*(one.out for one in numbered), *(one.again for one in numbered), played.status(), played.state_of_alarm()]
    for out in outs:
        assert violations(Kind(out.topic.split("/")[4]), out.payload) == [], out


def test_each_stream_and_epoch_begins_at_1() -> None:
    played = hub()
    first = [one.number for stream in Stream for one in played.events(stream, 3)]
    assert first == [1, 2, 3] * 3
    former = played.epoch
    played.begin_epoch()
    assert played.epoch != former
    assert [one.number for one in played.events(Stream.ALARMS, 2)] == [1, 2]


def test_a_receipt_may_reach_what_was_published_or_told_to_be_lost_without_a_hole() -> None:
    played = hub()
    messages = played.events(Stream.EVENTS, 6)
    for number in (1, 2, 4):
        played.reach.publish(messages[number - 1])
    assert played.reach.of(played.epoch, Stream.EVENTS) == 2
    played.reach.lose(played.epoch, Stream.EVENTS, ((3, 3),))
    assert played.reach.of(played.epoch, Stream.EVENTS) == 4
    assert played.reach.of("another", Stream.EVENTS) == 0


def test_what_was_lost_is_not_sent_again_until_it_is_found() -> None:
    played = hub()
    messages = played.events(Stream.EVENTS, 4)
    lost = played.forget(Stream.EVENTS, ((2, 3),))
    assert lost == messages[1:3]
    assert [one.number for one in played.after(Stream.EVENTS, 0, 10)] == [1, 4]
    played.find(lost[0])
    assert [one.number for one in played.after(Stream.EVENTS, 1, 10)] == [2, 4]


def test_every_rule_says_what_has_to_hold_once() -> None:
    texts = [rule.text for rule in rules(5)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"epoch": "7f3a91c2", "received": {"alarms": 17, "events": 48213}}, True),
        ({"epoch": "", "received": {"alarms": 0}}, True),
        ({"epoch": "7f3a91c2", "received": {"rumours": 1}}, False),
        ({"epoch": "7f3a91c2", "received": {"alarms": -1}}, False),
        ({"epoch": "7f3a91c2"}, False),
        ({"received": {"alarms": 1}}, False),
    ],
    ids=str,
)
def test_the_published_schema_knows_a_receipt(body: dict[str, object], *, valid: bool) -> None:
    schema = Draft202012Validator(dict(inward_schema("receipt")))
    assert schema.is_valid(body) is valid
    if valid:
        assert json.loads(json.dumps(body)) == body
        Receipt(**body)  # type: ignore[arg-type]  # from JSON
