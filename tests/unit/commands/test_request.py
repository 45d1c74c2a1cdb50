"""What arrives is read: any bytes give a request or a rejection with its reason."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from devicehub.commands.request import FURTHEST, LIMIT, Rejection, Request, read
from devicehub.model.message import Address
from devicehub.publish.contract import inward_schema
from devicehub.publish.port import Incoming
from devicehub.publish.topics import Topics

TOPICS = Topics("bcp", "ws-1", exercise=False)
NOW = 1_795_500_000.0
GOOD: dict[str, object] = {"id": "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4", "issuer": "op-1147", "deadline": "2026-11-24T06:00:10Z"}
SCHEMA = Draft202012Validator(dict(inward_schema("cmd")))


def come(payload: object, topic: str = "cmd/hub/identify", **fields: Any) -> Request | Rejection:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return read(Incoming(f"{TOPICS.prefix}/{topic}", data, **({"retain": False} | fields)), TOPICS, NOW)


def why(found: Request | Rejection) -> str:
    assert isinstance(found, Rejection), found
    return found.why


def test_a_command_is_read_with_all_that_it_says() -> None:
    found = come(GOOD | {"args": {"device": "x"}, "reason": "shift change"}, "cmd/thermal-1/set-emissivity")
    assert found == Request(
        "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4",
        "op-1147",
        "thermal-1",
        "set-emissivity",
        NOW + 10,
        {"device": "x"},
        "shift change",
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "id must be"),
        ({"id": "a b"}, "id must be"),
        ({"id": "x" * 65}, "id must be"),
        ({"id": 7}, "id must be"),
        ({"id": "x\n"}, "id must be"),
        ({"issuer": " "}, "issuer must be"),
        ({"issuer": "a\u202eb"}, "issuer must be"),
        ({"issuer": "x" * 65}, "issuer must be"),
        ({"deadline": "2026-11-24T06:00:10"}, "deadline must be"),
        ({"deadline": "2026-11-24T06:00:10+01:00"}, "deadline must be"),
        ({"deadline": "2026-04-31T06:00:10Z"}, "deadline must be"),
        ({"deadline": "2026-11-24T05:59:59Z"}, "its deadline has passed: it is 2026-11-24T06:00:00.000Z here"),
        ({"deadline": "2026-11-24T07:00:01Z"}, "its deadline is more than 1 h away"),
        ({"args": []}, "args must be an object"),
        ({"reason": "x" * 513}, "reason must be"),
        ({"more": 1}, "'more': a command has"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], reason: str) -> None:
    assert why(come(GOOD | change)).startswith(reason)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_missing_is_named_and_the_rest_is_kept_for_the_answer(name: str) -> None:
    found = come({key: value for key, value in GOOD.items() if key != name})
    assert why(found) == f"{name} is missing"
    assert isinstance(found, Rejection)
    kept = {"id": found.request.id, "issuer": found.request.issuer}
    assert kept == {key: "" if key == name else GOOD[key] for key in ("id", "issuer")}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "JSON must be an object"),
        (b"\xff", "not UTF-8"),
        (b'{"id":1,"id":2}', "JSON has a key twice"),
        (b'{"args":{"x":NaN}}', "NaN is no JSON number"),
        (b'{"id":"' + b"x" * LIMIT + b'"}', "bytes of JSON"),
        (b"[" * 40, "JSON is nested deeper"),
    ],
)
def test_what_is_no_json_object_is_refused(payload: bytes, reason: str) -> None:
    assert reason in why(come(payload))


@pytest.mark.parametrize("topic", ["cmd/Hub/identify", "cmd/hub/", "cmd/a/b/c", "cmd/+/x", "cmd/hub/ab\u0000", "cmd"])
def test_an_address_that_is_not_legal_gives_no_target_to_answer(topic: str) -> None:
    found = come(GOOD, topic)
    assert isinstance(found, Rejection)
    assert (found.request.target, found.request.verb) == ("", "")
    assert "target and verb must match" in found.why


def test_a_retained_command_is_refused_whatever_it_says_and_its_id_is_kept() -> None:
    found = come(GOOD, retain=True)
    assert isinstance(found, Rejection)
    assert (found.request.id, found.why[:15]) == (GOOD["id"], "it was retained")
    assert why(come(b"junk", retain=True)).startswith("it was retained")


@pytest.mark.parametrize("topic", ["res/a", "res/hub/identify", "res/op/desk/1/x"])
def test_an_answer_may_be_wanted_below_the_nodes_own_answers(topic: str) -> None:
    found = come(GOOD, response_topic=f"{TOPICS.prefix}/{topic}", correlation=b"\x00")
    assert isinstance(found, Request)
    assert found.reply.address == Address(f"{TOPICS.prefix}/{topic}", b"\x00")
    assert TOPICS.response(found.reply.address.topic) == f"{TOPICS.prefix}/{topic}"


@pytest.mark.parametrize("topic", ["status", "res", "res/", "res/a/../b", "res/#", "res/a/b/c/d/e", "res/A", "resx/a"])
def test_an_answer_anywhere_else_is_not_sent_there_and_that_is_said(topic: str) -> None:
    found = come(GOOD, response_topic=f"{TOPICS.prefix}/{topic}")
    assert isinstance(found, Request)
    assert (found.reply.address.topic, "its response topic" in found.reply.ignored) == ("", True)


def test_correlation_data_without_end_are_not_carried_around() -> None:
    found = come(GOOD, correlation=b"x" * 1025)
    assert isinstance(found, Request)
    assert (found.reply.address.correlation, "correlation data" in found.reply.ignored) == (b"", True)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TIMES = st.floats(-10, FURTHEST + 10).map(
    lambda seconds: (datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds)).isoformat()
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.from_regex("[A-Za-z0-9-]{1,64}") | JSON,
        "issuer": st.text(max_size=70) | JSON,
        "deadline": TIMES | JSON,
        "args": st.dictionaries(st.text(), JSON) | JSON,
        "reason": st.text() | JSON,
        "x": JSON,
    },
)


@given(
    payload=st.binary() | BODIES.map(lambda body: json.dumps(body).encode()),
    tail=st.text(max_size=20),
    retain=st.booleans(),
)
def test_any_bytes_on_any_topic_give_a_request_or_a_reason(payload: bytes, tail: str, *, retain: bool) -> None:
    message = Incoming(f"{TOPICS.prefix}/cmd/{tail}", payload, retain, tail, payload[:10])
    found = read(message, TOPICS, NOW)
    assert isinstance(found, Request) or found.why
    request = found if isinstance(found, Request) else found.request
    assert (request.id + request.issuer + request.reason).isprintable()


@given(BODIES)
def test_whoever_keeps_to_the_published_schema_is_refused_for_time_or_unprintable_text_only(
    body: dict[str, Any],
) -> None:
    found = come(body)
    if isinstance(found, Request):
        assert SCHEMA.is_valid(body)
    elif SCHEMA.is_valid(body) and all(str(body.get(name, "x")).isprintable() for name in ("issuer", "reason")):
        assert "deadline" in found.why or not body["issuer"].strip() or "surrogate" in found.why, found.why
