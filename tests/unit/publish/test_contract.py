"""The published contract: complete, resolvable, and strict enough to catch what is wrong."""

import json
from collections.abc import Iterator
from typing import get_args

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from devicehub.model.message import Kind
from devicehub.model.payload import AnyPayload
from devicehub.publish.contract import INWARD, PAYLOADS, Json, JsonValue, asyncapi, files, inward_schema, schema
from devicehub.publish.envelope import Encoder
from devicehub.publish.topics import RULES
from tests.contract import violations
from tests.unit.publish.examples import message, place, reading

ENCODER = Encoder("s", "n", boot="b", exercise=False)


def test_every_payload_belongs_to_a_kind() -> None:
    assert {one for types in PAYLOADS.values() for one in types} == set(get_args(AnyPayload))
    assert set(PAYLOADS) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_every_schema_is_valid_json_schema_2020_12(kind: Kind) -> None:
    Draft202012Validator.check_schema(dict(schema(kind)))


def broken(**changes: object) -> bytes:
    one = message(Kind.READING, reading())
    fields = json.loads(ENCODER.encode(one, place(one)))
    return json.dumps({key: value for key, value in (fields | changes).items() if value is not ...}).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": ...},
        {"stream": ...},
        {"epoch": ...},
        {"position": ...},
        {"recordedtime": ...},
        {"boot": ...},
        {"sequence": "7"},
        {"id": "not a ulid"},
        {"time": "2026-11-23 09:14:07"},
        {"time": "2026-13-23T09:14:07.000Z"},
        {"source": "somebody"},
        {"type": "reading"},
        {"subject": "Trace 1"},
        {"subject": ""},
        {"specversion": "0.3"},
        {"data": None},
        {"data": {"value": 1.0, "quality": "good"}},
        {"data": {"value": 1.0, "quality": "good", "unit": "furlong"}},
        {"data": {"value": "1.0", "quality": "good", "unit": "ng"}},
        {"data": [{"value": 1.0, "quality": "excellent", "unit": "ng"}]},
        {"exercise": "yes"},
    ],
    ids=str,
)
def test_a_damaged_message_violates_the_schema(changes: dict[str, object]) -> None:
    assert violations(Kind.READING, broken()) == []
    assert violations(Kind.READING, broken(**changes)) != []


def test_a_board_message_needs_no_sequence() -> None:
    assert violations(Kind.STATE, ENCODER.encode(message(Kind.STATE, {"tnt": 1.0}))) == []


def references(value: JsonValue) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (one for key, one in value.items() if key == "$ref")
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(document: JsonValue, reference: str) -> JsonValue:
    root, *path = reference.split("/")
    assert root == "#"
    for name in path:
        assert isinstance(document, dict)
        document = document[name]
    return document


@pytest.mark.parametrize("name", files())
def test_every_reference_of_a_generated_file_resolves(name: str) -> None:
    document = json.loads(files()[name])
    for reference in references(document):
        assert isinstance(resolve(document, reference), dict), reference


def channels() -> Json:
    found = asyncapi()["channels"]
    assert isinstance(found, dict)
    return found


def test_every_kind_has_a_channel_and_every_parameter_of_an_address_is_described() -> None:
    seen = set()
    for channel in channels().values():
        assert isinstance(channel, dict)
        assert isinstance(channel["address"], str)
        assert isinstance(channel["parameters"], dict)
        seen.add(channel["address"].split("/")[4])
        assert [level[1:-1] for level in channel["address"].split("/") if level.startswith("{")] == list(
            channel["parameters"]
        )
    assert seen == {*Kind, *INWARD}


def test_operations_say_how_each_kind_is_published() -> None:
    operations = json.loads(files()["asyncapi.json"])["operations"]
    for kind, rule in RULES.items():
        binding = operations[f"publish{kind.capitalize()}"]["bindings"]["mqtt"]
        assert (binding["qos"], binding["retain"]) == (rule.qos, rule.retain)
        assert binding.get("messageExpiryInterval") == rule.expiry


def test_operations_say_what_others_send_and_whether_it_is_kept() -> None:
    operations = json.loads(files()["asyncapi.json"])["operations"]
    found = {name: one["bindings"]["mqtt"]["retain"] for name, one in operations.items() if one["action"] == "receive"}
    assert found == {"receiveCmd": False, "receiveReceipt": True}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "cmd",
            {"id": "c-1", "issuer": "op", "deadline": "2026-11-23T09:14:07Z", "args": {"x": 1}},
            [
                {},
                {"id": "c-1", "issuer": "op", "deadline": "soon"},
                {"id": "?", "issuer": "op", "deadline": "2026-11-23T09:14:07Z"},
            ],
        ),
        (
            "receipt",
            {"epoch": "7f3a91c2", "received": {"alarms": 17}},
            [{}, {"epoch": "a", "received": {"alarms": -1}}],
        ),
    ],
)
def test_what_others_send_has_a_schema_that_tells_right_from_wrong(
    name: str, good: dict[str, object], bad: list[dict[str, object]]
) -> None:
    validator = Draft202012Validator(dict(inward_schema(name)))
    assert validator.is_valid(good)
    assert not any(map(validator.is_valid, bad))
