"""Bytes, formulas, conditions and checks as a device file writes them; frames in any pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.devicefile.condition import parse_condition
from devicehub.devicefile.expression import parse_expression
from devicehub.devicefile.framers import framer
from devicehub.devicefile.framing import Framing
from devicehub.devicefile.integrity import compiled
from devicehub.devicefile.notation import filled, parse_bytes, parse_template
from devicehub.devicefile.schema import CheckTable, FrameTable
from devicehub.model.errors import ProtocolError, Reason


def check(**table: object) -> CheckTable:
    return CheckTable.model_validate(table)


CCITT = check(kind="crc", width=16, poly=0x1021, init=0xFFFF, check=0x29B1, zero_is_unchecked=True)
SLIP = FrameTable.model_validate(
    {"kind": "delimited", "start": "c0", "end": "c0", "escape": {"db dc": "c0", "db dd": "db"}, "least": 3}
)


def test_bytes_are_written_in_hexadecimal_in_quotes_and_as_repeats() -> None:
    assert parse_bytes("01 ff'A b'00*3 0d0a") == b"\x01\xffA b\0\0\0\r\n"


def test_what_is_put_in_has_a_type() -> None:
    template = parse_template("01 {seq:u16be} '{limit};'")
    assert filled(template, {"seq": 258, "limit": 20}) == b"\x01\x01\x0220;"
    with pytest.raises(ValueError, match="seq = 70000"):
        filled(template, {"seq": 70000, "limit": 20})


@pytest.mark.parametrize("text", ["0", "0g", "'open", "{seq}", "{seq:u16}", "'\u00e4'"])
def test_what_is_no_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_template(text)


def test_a_formula_is_arithmetic_on_fields() -> None:
    assert parse_expression("(a + b * 256 - 1) // 2 & 0xff")({"a": 5, "b": 1}) == 130
    assert parse_expression("a / 4")({"a": 1}) == 0.25


@pytest.mark.parametrize(
    "text",
    ["a()", "a.b", "a[0]", "a ** b", "'x'", "a if b else c", "a and b", "lambda: 1", "a; b", "True", "", "a" * 300],
)
def test_nothing_else_is_a_formula(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_expression(text)


@pytest.mark.parametrize(
    ("text", "reason"), [("1 / a", Reason.RANGE), ("1 << 999", Reason.RANGE), ("b + 1", Reason.CORRUPT)]
)
def test_a_formula_that_cannot_be_computed_is_a_fault(text: str, reason: Reason) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_expression(text)({"a": 0})
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("table", "holds"),
    [
        ({"a": 5}, True), ({"a": [4, 5]}, True), ({"a": {"from": 6}}, False), ({"a": {"from": 1, "to": 5}}, True),
        ({"a": {"mask": 4}}, True), ({"a": {"mask": 6, "is": 4}}, True), ({"a": {"not": 5}}, False),
        ({"t": {"prefix": ["GMC-5", "GMC-6"]}}, True), ({"t": {"prefix": "X"}}, False), ({"missing": 1}, False), ({}, True),
    ],
)  # fmt: skip
def test_a_condition_holds(table: dict[str, object], holds: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert parse_condition(table)({"a": 5, "t": "GMC-600+"}) is holds


def test_a_check_of_zero_means_unchecked_only_where_the_file_says_so() -> None:
    lenient, strict = compiled(CCITT), compiled(CCITT.model_copy(update={"zero_is_unchecked": False}))
    lenient.verify(b"abc\0\0")
    with pytest.raises(ProtocolError):
        strict.verify(b"abc\0\0")


def test_the_published_frame_of_radex_has_both_its_sums() -> None:
    frame = bytes.fromhex("7aff20801600180000003680000800000c0000001200000012000000150000 00baf7")
    words = {"kind": "sum", "width": 16, "words": "u16le", "negate": "ones"}
    compiled(check(**words, modulus=0xFFFF, end=10, at=10)).verify(frame)
    compiled(check(**words, begin=12)).verify(frame)


@pytest.mark.parametrize(
    "table",
    [
        {"width": 8, "poly": 0x31, "init": 0xFF, "xorout": 0, "check": 0xF7},  # NRSC-5
        {"width": 16, "poly": 0x1021, "init": 0xFFFF, "xorout": 0xFFFF, "refin": True, "refout": True, "check": 0x906E},
        {"width": 24, "poly": 0x864CFB, "init": 0xB704CE, "xorout": 0, "check": 0x21CF02},  # OpenPGP
        {"width": 32, "poly": 0x04C11DB7, "init": 0xFFFFFFFF, "xorout": 0xFFFFFFFF, "check": 0xFC891918},  # BZIP2
    ],
    ids=lambda table: f"CRC-{table['width']}",
)
@pytest.mark.parametrize("encoding", ["little", "big", "hex"])
def test_a_crc_of_the_catalogue_stands_at_the_end_in_its_width(table: dict[str, int], encoding: str) -> None:
    made = compiled(check(kind="crc", encoding=encoding, **table))
    big = table["check"].to_bytes(table["width"] // 8, "big")
    value = big[::-1] if encoding == "little" else big
    frame = b"123456789" + (value.hex().upper().encode() if encoding == "hex" else value)
    assert made.fill(frame[:9] + bytes(len(frame) - 9)) == frame
    made.verify(frame)
    with pytest.raises(ProtocolError):
        made.verify(b"123456788" + frame[9:])
    with pytest.raises(ValueError, match="over '123456789'"):
        compiled(check(kind="crc", encoding=encoding, **{**table, "check": table["check"] ^ 1}))


@pytest.mark.parametrize(("words", "total"), [("u8", 0x0A), ("u16le", 0x0604), ("u16be", 0x0406)])
def test_a_sum_adds_bytes_or_words_of_either_order(words: str, total: int) -> None:
    made = compiled(check(kind="sum", width=16, words=words, encoding="big"))
    made.verify(b"\x01\x02\x03\x04" + total.to_bytes(2, "big"))


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_a_length_has_one_to_four_bytes(width: int) -> None:
    framing = Framing(
        FrameTable.model_validate({"kind": "length", "width": width, "adjust": width, "endian": "big"}), ()
    )
    frame = framing.reply(bytes(width) + b"abc")
    assert frame == (3).to_bytes(width, "big") + b"abc"
    assert list(framing.framer().feed(frame + frame)) == [frame, frame]


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=8), st.integers(1, 7))
def test_escaped_frames_survive_any_pieces(bodies: list[bytes], piece: int) -> None:
    framing = Framing(SLIP, (compiled(CCITT),))
    line = b"".join(framing.reply(body) for body in bodies)
    whole = list(framing.framer().feed(line))
    taken = framing.framer()
    pieces = [frame for at in range(0, len(line), piece) for frame in taken.feed(line[at : at + piece])]
    assert pieces == whole
    assert [framing.body(frame) for frame in whole if isinstance(frame, bytes)] == bodies


def test_reports_that_go_on_are_joined_and_too_many_are_refused() -> None:
    table = FrameTable.model_validate(
        {
            "kind": "packet",
            "payload_at": 2,
            "payload_size_at": 1,
            "more_at": 7,
            "report": 8,
            "payload_most": 5,
            "most": 20,
        }
    )
    framing = Framing(table, ())
    reports = framing.packets(b"\x02\x00" + b"abcdefg")
    assert [len(report) for report in reports] == [8, 8]
    joined = framer(table, framing.verify)
    assert [frame for report in reports for frame in joined.feed(report)] == [b"\x02\x05abcdefg"]
    endless = [frame for _ in range(9) for frame in joined.feed(reports[0])]
    assert {fault.reason for fault in endless if isinstance(fault, ProtocolError)} == {Reason.OVERFLOW}
