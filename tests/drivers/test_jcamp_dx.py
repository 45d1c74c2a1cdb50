"""JCAMP-DX: every form of a number, the checks between lines, and files that anybody may have made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Quality, Spectrum
from devicehub.model.units import Unit
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.trace._jcamp_asdf import Ordinates
from drivers.trace.jcamp_dx import DRIVER, MOST_BYTES
from simulators.trace.jcamp_dx import repeated
from tests.drivers.hostile import HANG
from tests.drivers.worked import seconds_of

HEAD = "##TITLE=x\n##JCAMP-DX=4.24\n##XUNITS={unit}\n##FIRSTX=1\n##LASTX={last}\n{more}##XYDATA=(X++(Y..Y))\n"


def values(*lines: str) -> list[float]:
    table = Ordinates()
    table.read(enumerate(lines, 1))
    return table.values


def read(data: bytes) -> Step:
    return DRIVER.open({}).on_packet(0.0, Packet(data, "a.jdx"))


def written(table: str, *, unit: str = "MILLISECONDS", last: float = 10, more: str = "") -> Step:
    return read((HEAD.format(unit=unit, last=last, more=more) + table + "\n##END=\n").encode())


def spectrum(step: Step) -> Spectrum:
    (one,) = [one for one in step.samples if isinstance(one, Spectrum)]
    return one


@pytest.mark.parametrize(
    "line",
    [
        "1 1 2 3 3 2 1 0 -1 -2 -3",
        "1+1+2+3+3+2+1+0-1-2-3",
        "1ABCCBA@abc",
        "1AJJ%jjjjjj",
        "1AJJ%jX",
        "1 1,2;3 C B+1@-1bc",
    ],
)
def test_one_row_of_numbers_in_every_form(line: str) -> None:
    assert values(line) == [1, 2, 3, 3, 2, 1, 0, -1, -2, -3]


def test_exponents_fractions_digits_behind_letters_and_repetitions_of_a_value() -> None:
    assert values("1 1.5E+01 -.5 A2c4k1 ") == [15.0, -0.5, 12.0, -34.0, -55.0]
    assert values("1 5V", "5 7T") == [5.0, 5.0, 5.0, 5.0, 7.0, 7.0]


def test_the_y_check_is_the_last_value_again_behind_a_line_of_differences_alone() -> None:
    assert values("1AJJ", "4CJ") == [1, 2, 3, 4]
    assert values("1AJS", "3BK") == [1, 2, 4]
    assert values("1AB", "3C") == [1, 2, 3]
    with pytest.raises(ProtocolError) as refused:
        values("1AJJ", "4DJ")
    assert refused.value.reason is Reason.CHECKSUM
    assert "line 2" in str(refused.value)


@pytest.mark.parametrize("line", ["", "x", "1 %", "1 T", "1 A!", "1 1 2 $", "1 1JT0@ _"])
def test_what_is_no_row_is_refused(line: str) -> None:
    with pytest.raises(ProtocolError):
        values(line)


@given(st.lists(st.integers(-9999, 9999), min_size=1, max_size=80), st.integers(1, 20), st.booleans())
def test_differences_and_repetitions_are_undone(numbers: list[int], width: int, dup: bool) -> None:  # noqa: FBT001 - drawn
    def word(value: int, digits: str, negative: str) -> str:
        text = str(abs(value))
        return (negative if value < 0 else digits)[int(text[0])] + text[1:]

    lines, last = [], None
    for at in range(0, len(numbers), width):
        here = numbers[at : at + width]
        words = [word(here[0] if last is None else last, "@ABCDEFGHI", " abcdefghi")]
        before = here[0] if last is None else last
        for value in here if last is not None else here[1:]:
            words.append(word(value - before, "%JKLMNOPQR", " jklmnopqr"))
            before = value
        last = before if len(words) > 1 else None
        lines.append("1" + "".join(repeated(words) if dup else words))
    assert values(*lines) == numbers


def test_a_file_is_a_spectrum_over_its_axis_with_its_time() -> None:
    more = "##LONGDATE=2026/01/31 13:45:00 +0200\n##NPOINTS=4\n##FIRSTY=2\n##YFACTOR=2\n##.ION POLARITY=Positive\n"
    one = spectrum(written("1 1 2\n7 3 4", more=more))
    assert np.frombuffer(one.data, "<f4").tolist() == [2, 4, 6, 8]
    assert (one.axis.unit, one.axis.start, one.axis.step) == (Unit.MILLISECOND, 1, 3)
    assert (one.mode, one.quality, one.defects) == ("positive", Quality.GOOD, ())
    assert one.device_time == 1769859900.0  # 11:45 UTC


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"more": "##NPOINTS=5\n"}, "4 points instead of 5"),
        ({"more": "##FIRSTY=7\n"}, "first ordinate 1 instead of 7"),
        ({"unit": "FURLONGS"}, "'FURLONGS' of the abscissa is not known"),
        ({"last": 100}, "X check"),
    ],
)
def test_what_does_not_fit_is_told_and_not_repaired(changes: dict[str, str], told: str) -> None:
    one = spectrum(written("1 1 2\n7 3 4", **changes))  # type: ignore[arg-type]  # of the right types each
    assert (one.quality, one.cause) == (Quality.UNCERTAIN, Cause.INCONSISTENT)
    assert told in one.defects[0]


def test_each_block_is_read_and_a_bad_one_costs_itself_alone() -> None:
    block = HEAD.format(unit="MS", last=2, more="") + "{table}\n##END=\n"
    text = "##TITLE=all\n##DATA TYPE=LINK\n##BLOCKS=3\n" + "".join(
        block.format(table=table) for table in ("1 1 2", "1 x", "1 3 4")
    )
    step = read(text.encode())
    assert sum(isinstance(one, Spectrum) for one in step.samples) == 2
    (fault,) = step.faults
    assert "line 18" in str(fault)


HOSTILE = pytest.mark.parametrize(
    "data",
    [
        b"##TITLE=x\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n1" + b"S" * 1_000_000,
        b"##TITLE=x\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n1A" + b"S" * 1_000_000,
        b"##TITLE=x\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n1 1S99999999999999999999",
        b"##TITLE=x\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n1" + b" 1" * 500_000,
        b"##TITLE=x\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n" + b"1 1\n" * 39_000,
        (b"##TITLE=x\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n1" + b" 1" * 16_000 + b"\n##END=\n") * 30,
        (b"##TITLE=x\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n1 1S6000\n") * 33,
        b"##XYDATA=(X++(Y..Y))\n" * 40_000,
        b"##\n" * 40_000 + b" " * 800_000,
        b"##A=" + b"1" * 1_000_000,
        b"##=\x0b" * 200_000,
        bytes(MOST_BYTES + 1),
    ],
    ids=range(12),
)


@HOSTILE
def test_a_file_made_to_take_long_is_a_fault(data: bytes) -> None:
    assert read(data).faults


@pytest.mark.alone
@HOSTILE
def test_no_file_takes_long(data: bytes) -> None:
    assert seconds_of(lambda: read(data)) < HANG


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="##=XYDAT()+.$1 @AJ%Ss?-e\n\r\x00é", max_size=120))
def test_any_text_gives_samples_or_faults_of_ours(text: str) -> None:
    for data in (text.encode(), text.encode("latin-1"), HEAD.format(unit="MS", last=2, more=text).encode()):
        step = read(data)
        assert step.samples or step.faults
    step = written(text)
    assert step.samples or step.faults
