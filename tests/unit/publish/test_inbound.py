"""JSON from outside: what is an object of bounded size comes through as it is, everything else is refused with a reason."""

import json
import math
import sys
from time import process_time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.publish.inbound import DEEPEST, LIMIT, Json, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


def refused(payload: bytes, limit: int = LIMIT) -> Reason:
    with pytest.raises(ProtocolError) as caught:
        parse(payload, limit)
    return caught.value.reason


def depth(value: Json) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(value=st.dictionaries(TEXT, VALUES))
@settings(deadline=None)
def test_an_object_comes_through_as_it_was_written_unless_it_is_too_deep(value: dict[str, Json]) -> None:
    for payload in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False).encode()):
        if depth(value) > DEEPEST:
            assert refused(payload) is Reason.OVERFLOW
        else:
            assert parse(payload) == value


@given(payload=st.binary(max_size=200) | st.text('{}[]",:\\u0dNaIe-1 ', max_size=60).map(str.encode))
@settings(deadline=None, max_examples=1000)
def test_any_bytes_give_an_object_that_can_be_written_again_or_one_error(payload: bytes) -> None:
    try:
        value = parse(payload)
    except ProtocolError:
        return
    assert value == msgspec.json.decode(payload)  # an independent reader sees the same
    again = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    assert parse(again) == value


@given(value=st.dictionaries(TEXT, VALUES, min_size=1), data=st.data())
@settings(deadline=None)
def test_a_key_that_stands_twice_is_refused_at_any_place(value: dict[str, Json], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    inside = json.dumps(value)[:-1] + f", {json.dumps(key)}: 1}}"
    places = ["{}", '{{"a": {}}}', '{{"a": [1, {}]}}']
    for place in places[: 3 if depth(value) <= DEEPEST - 2 else 1]:
        payload = place.format(inside).encode()
        if depth(value) <= DEEPEST:
            assert refused(payload) is Reason.REJECTED


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400 + ".0"])
def test_numbers_that_are_not_finite_are_refused(number: str) -> None:
    assert refused(f'{{"a": [{number}]}}'.encode()) is Reason.RANGE


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**19, int("9" * 4000)])
def test_whole_numbers_beyond_64_bits_are_refused(number: int) -> None:
    assert refused(f'{{"a": {number}}}'.encode()) is Reason.RANGE


def test_the_ends_of_the_ranges_are_kept() -> None:
    most = sys.float_info.max
    assert parse(f'{{"a": {2**63 - 1}, "b": {-(2**63)}, "c": {most!r}, "d": -0}}'.encode()) == {
        "a": 2**63 - 1,
        "b": -(2**63),
        "c": most,
        "d": 0,
    }
    zero = parse(b'{"a": -0.0}')["a"]
    assert isinstance(zero, float)
    assert math.copysign(1, zero) == -1


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
@pytest.mark.parametrize("deep", [DEEPEST + 1, 1000, 10_000])
def test_what_is_nested_too_deep_is_refused_before_it_is_parsed(bracket: str, deep: int) -> None:
    assert refused((bracket * deep).encode()) is Reason.OVERFLOW


def test_brackets_within_text_do_not_nest() -> None:
    text = "[{" * 100 + '"\\' + "[{" * 100
    assert parse(json.dumps({"a": text}).encode()) == {"a": text}


def test_size_is_limited_to_the_byte() -> None:
    payload = b'{"a": "\xc3\xa9"}'
    assert parse(payload, len(payload)) == {"a": "é"}
    assert refused(payload, len(payload) - 1) is Reason.OVERFLOW


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"])
def test_what_is_not_utf_8_is_refused(bad: bytes) -> None:
    assert refused(b'{"a": "' + bad + b'"}') is Reason.GARBAGE


@pytest.mark.parametrize("payload", ['{"a": "\\ud800"}', '{"\\udfff": 1}', '{"a": [{"b": "\\udc00\\ud800"}]}'])
def test_lone_surrogates_are_refused_and_pairs_are_not(payload: str) -> None:
    assert refused(payload.encode()) is Reason.REJECTED
    assert parse(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize("payload", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_only_an_object_is_taken(payload: bytes) -> None:
    assert refused(payload) is Reason.UNEXPECTED


@pytest.mark.parametrize(
    "payload", [b"", b" ", b"{", b"{}{}", b"\xef\xbb\xbf{}", b'{"a": "\x00"}', b"{'a': 1}", b'{"a": 01}', b'{"a": 1,}']
)
def test_what_is_not_json_is_refused(payload: bytes) -> None:
    assert refused(payload) is Reason.GARBAGE


def test_the_payload_is_not_part_of_the_error() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(b'{"password": "secret", "password": "secret"}')
    assert "secret" not in f"{caught.value!r} {caught.value.detail}"
    assert "password" not in str(caught.value)


@pytest.mark.parametrize("filling", [b'"', b'\\"', b"\\", b'"\\', b"[]", b'{"', b"1", b"-", b"\\ud800"])
def test_hostile_payloads_cost_linear_time(filling: bytes) -> None:
    """A ratio of processor time: 16 times as many bytes cost 256 times as much where time is quadratic."""

    def cost(size: int) -> float:
        payload = (b'{"a": "' + filling * size)[:size]
        best = math.inf
        for _ in range(5):
            before = process_time()
            with pytest.raises(ProtocolError):
                parse(payload, size)
            best = min(best, process_time() - before)
        return best

    assert cost(16 * LIMIT) < 64 * max(cost(LIMIT), 1e-4)
