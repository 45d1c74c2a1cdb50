"""Every type of field both ways: the encoder is the decoder's inverse."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.devicefile.fields import compile_fields
from devicehub.devicefile.parts import Values
from devicehub.devicefile.schema_message import MessageTable
from devicehub.devicefile.vectors import differences
from devicehub.model.errors import ProtocolError, Reason

Row = dict[str, object]
RECORD: Row = {
    "name": "rows", "type": "list", "size": "size", "fields": [{"name": "kind", "type": "u8"}],
    "case": [
        {"name": "one", "when": {"kind": 1}, "fields": [{"name": "value", "type": "u16"}]},
        {"name": "two", "when": {"kind": 2}, "fields": [{"name": "text", "type": "text", "size": 2}]},
    ],
}  # fmt: skip
CASES: list[tuple[str, list[Row], str, Row]] = [
    ("numbers", [{"name": "a", "type": "u8"}, {"name": "b", "type": "i16"}], "ff feff", {"a": 255, "b": -2}),
    ("byte order", [{"name": "a", "type": "u16", "endian": "big"}, {"name": "b", "type": "u16"}], "0102 0102", {"a": 258, "b": 513}),
    ("24 bits", [{"name": "a", "type": "i24"}], "feffff", {"a": -2}),
    ("32 bits with a sign", [{"name": "a", "type": "i32"}], "feffffff", {"a": -2}),
    ("64 bits", [{"name": "a", "type": "u64"}, {"name": "b", "type": "i64"}], "ff000000000000ff feffffffffffffff", {"a": (255 << 56) + 255, "b": -2}),
    ("a double as people read it", [{"name": "a", "type": "f64", "endian": "big"}], "3fb999999999999a", {"a": 0.1}),
    ("bytes that are text elsewhere", [{"name": "a", "type": "text", "encoding": "cp1251"}], "c4e2b3", {"a": "Дві"}),
    ("text as it is written today", [{"name": "a", "type": "text", "encoding": "utf-8"}], "d094", {"a": "Д"}),
    ("a float as people read it", [{"name": "a", "type": "f32"}], "cdcccc3e", {"a": 0.4}),
    ("a scale that divides", [{"name": "a", "type": "u8", "scale": 0.1}], "1f", {"a": 3.1}),
    ("an offset", [{"name": "a", "type": "u16", "scale": 0.01, "offset": -20.0}], "6211", {"a": 24.5}),
    ("no value", [{"name": "a", "type": "u8", "none": [255]}], "ff", {"a": None}),
    ("words", [{"name": "a", "type": "u8", "enum": {"0x10": "on"}}], "10", {"a": "on"}),
    ("a number without a word", [{"name": "a", "type": "u8", "enum": {"1": "on"}}], "07", {"a": "unknown-7"}),
    ("bits", [{"name": "a", "type": "u8", "bits": {"low": [0, 2], "high": [7]}}], "83", {"low": 3, "high": 1}),
    ("text with zeros behind", [{"name": "a", "type": "text", "size": 4}], "41420000", {"a": "AB"}),
    ("text up to", [{"name": "a", "type": "text", "until": "20"}, {"name": "b", "type": "text"}], "41 20 42", {"a": "A", "b": "B"}),
    ("digits", [{"name": "a", "type": "decimal", "digits": 4}], "30303132", {"a": 12}),
    ("a decimal fraction", [{"name": "a", "type": "decimal"}], "332e3937", {"a": 3.97}),
    ("hexadecimal digits", [{"name": "a", "type": "hex", "size": 4}], "30304646", {"a": 255}),
    ("two digits a byte", [{"name": "a", "type": "bcd", "size": 2}], "1234", {"a": 1234}),
    ("bytes by a size", [{"name": "n", "type": "u8"}, {"name": "a", "type": "bytes", "size": "n"}], "02 abcd", {"n": 2, "a": "ab cd"}),
    ("a size by formula", [{"name": "n", "type": "u8"}, {"name": "a", "type": "bytes", "size": "n - 1"}], "03 abcd", {"a": "ab cd"}),
    ("an array", [{"name": "a", "type": "array", "of": "u16", "count": 2}], "0100 0002", {"a": [1, 512]}),
    ("an array of long numbers", [{"name": "a", "type": "array", "of": "u32", "count": 1}, {"name": "b", "type": "array", "of": "i32"}], "000000ff feffffff", {"a": [255 << 24], "b": [-2]}),
    ("an array of floats", [{"name": "a", "type": "array", "of": "f32", "count": 1}, {"name": "b", "type": "array", "of": "f64"}], "0000c03f 000000000000f83f", {"a": [1.5], "b": [1.5]}),
    ("runs of zeros", [{"name": "a", "type": "array", "of": "u8", "coding": "zero-run"}], "05 0003 07", {"a": [5, 0, 0, 0, 7]}),
    ("differences", [{"name": "a", "type": "array", "of": "i8", "coding": "delta"}], "05 fe 01", {"a": [5, 3, 4]}),
    ("there by version", [{"name": "v", "type": "u8"}, {"name": "a", "type": "u8", "when": {"v": 2}}], "02 09", {"v": 2, "a": 9}),
    ("not there by version", [{"name": "v", "type": "u8"}, {"name": "a", "type": "u8", "when": {"v": 2}}], "01", {"v": 1}),
    ("left out at the end", [{"name": "v", "type": "u8"}, {"name": "a", "type": "u8", "optional": True}], "01", {"v": 1}),
    ("a gap", [{"name": "v", "type": "u8"}, {"type": "pad", "size": 2}, {"name": "a", "type": "u8"}], "01 0000 02", {"a": 2}),
    (
        "records of several kinds", [{"name": "size", "type": "u8"}, RECORD, {"name": "end", "type": "u8"}],
        "06 01 0500 02 4142 ff", {"rows": [{"case": "one", "value": 5}, {"case": "two", "text": "AB"}], "end": 255},
    ),
]  # fmt: skip


def message(fields: list[Row], **more: object) -> MessageTable:
    return MessageTable.model_validate({"name": "m", "fields": fields, **more})


@pytest.mark.parametrize(("fields", "data", "decoded"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_bytes_decode_to_their_values_and_these_encode_to_the_bytes(fields: list[Row], data: str, decoded: Row) -> None:
    layout, frame, values = compile_fields(message(fields).fields, "little"), bytes.fromhex(data), Values()
    assert layout.decode(frame, 0, values) == len(frame)
    assert list(differences(values, decoded)) == []
    out = bytearray()
    layout.encode(values, out)
    assert out.hex() == frame.hex()


def test_a_line_of_comma_separated_values_is_read_by_its_separator() -> None:
    fields: list[Row] = [
        {"name": "kind", "type": "text"},
        {"name": "a", "type": "decimal"},
        {"name": "b", "type": "hex"},
    ]
    layout, values = compile_fields(message(fields).fields, "little", b","), Values()
    assert layout.decode(b"GB,12,ff", 0, values) == 8
    assert values == {"kind": "GB", "a": 12, "b": 255}


@pytest.mark.parametrize(
    ("fields", "data", "reason"),
    [
        ([{"name": "a", "type": "u32"}], "000000", Reason.TRUNCATED),
        ([{"name": "a", "type": "u8", "value": 2}], "03", Reason.UNEXPECTED),
        ([{"name": "a", "type": "text", "until": "0d"}], "4142", Reason.TRUNCATED),
        ([{"name": "a", "type": "decimal"}], "4142", Reason.CORRUPT),
        ([{"name": "a", "type": "decimal"}], "6e616e", Reason.CORRUPT),
        (
            [{"name": "n", "type": "u32"}, {"name": "a", "type": "array", "of": "u8", "count": "n"}],
            "ffffffff",
            Reason.RANGE,
        ),
        ([{"name": "n", "type": "u8"}, {"name": "a", "type": "bytes", "size": "n"}], "09 00", Reason.TRUNCATED),
        ([{"name": "n", "type": "u8"}, {"name": "a", "type": "bytes", "size": "1 // n"}], "00 00", Reason.RANGE),
        ([{"name": "size", "type": "u8"}, RECORD], "01 09", Reason.UNSUPPORTED),
        ([{"name": "a", "type": "array", "of": "u8", "coding": "zero-run", "most": 9}], "00 ff", Reason.LENGTH),
    ],
)
def test_bytes_that_make_no_sense_are_refused(fields: list[Row], data: str, reason: Reason) -> None:
    layout = compile_fields(message(fields).fields, "little")
    with pytest.raises(ProtocolError) as caught:
        layout.decode(bytes.fromhex(data), 0, {})
    assert caught.value.reason is reason


@given(st.lists(st.integers(0, 3), max_size=40), st.sampled_from(["plain", "zero-run", "delta"]))
def test_every_coding_of_an_array_is_undone(numbers: list[int], coding: str) -> None:
    layout = compile_fields(message([{"name": "a", "type": "array", "of": "i16", "coding": coding}]).fields, "little")
    out, values = bytearray(), Values()
    layout.encode({"a": numbers}, out)
    layout.decode(bytes(out), 0, values)
    assert list(values["a"]) == numbers


@given(
    number=st.floats(width=32, allow_nan=False, allow_infinity=False),
    scale=st.sampled_from([None, 1e6, 0.001, 0.1, -2.5]),
    offset=st.sampled_from([0.0, -40.0]),
)
def test_a_float_of_a_real_device_is_encoded_to_the_number_that_it_was(
    number: float, scale: float | None, offset: float
) -> None:
    """Not only the short decimals of a table: a capture is a vector as it is. An offset takes the digits that it takes."""
    row: Row = {"name": "a", "type": "f32"} | ({} if scale is None else {"scale": scale, "offset": offset})
    layout, data, values = compile_fields(message([row]).fields, "little"), struct.pack("<f", number), Values()
    layout.decode(data, 0, values)
    out = bytearray()
    layout.encode(values, out)
    if offset and scale is not None and abs(number * scale) < 1:
        assert struct.unpack("<f", out)[0] == pytest.approx(number, abs=1e-12 / abs(scale))
    else:
        assert struct.unpack("<f", out)[0] == number
