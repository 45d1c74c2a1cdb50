"""What files say of times, durations and numbers, and what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.wire.defects import LONGEST, MOST, Defects, duration_of, instant_of, number, plain


@pytest.mark.parametrize(
    ("text", "instant", "told"),
    [
        ("2003-11-22T23:45:19-07:00", 1069569919.0, 0),
        ("2003-11-22T23:45:19-0700", 1069569919.0, 1),
        ("2003-11-23 06:45:19.250Z", 1069569919.25, 0),
        ("2003-11-23T06:45Z", 1069569900.0, 0),
        ("2003-11-22T23:45:19", None, 1),
        ("2003-13-22T23:45:19Z", None, 1),
        ("2003-11-22T23:45:19+99:00", None, 1),
        ("0000-11-22T23:45:19Z", None, 1),
        ("yesterday", None, 1),
    ],
)
def test_an_instant_is_one_or_a_defect_says_why_not(text: str, instant: float | None, told: int) -> None:
    defects = Defects()
    assert instant_of(text, defects) == instant
    assert len(defects.texts) == told


@pytest.mark.parametrize(("text", "seconds"), [("PT59.61S", 59.61), ("P1DT1H1M1S", 90061.0), ("P", None), ("60", None)])
def test_a_duration_is_one_or_a_defect_says_why_not(text: str, seconds: float | None) -> None:
    defects = Defects()
    assert duration_of(text, defects) == seconds
    assert len(defects.texts) == (seconds is None)


@given(st.text())
def test_any_text_is_a_time_a_duration_a_number_or_none(text: str) -> None:
    defects = Defects()
    instant_of(text, defects), duration_of(text, defects), number(text)
    assert all(len(one) <= LONGEST for one in defects.texts)


def test_words_are_no_numbers() -> None:
    assert [number(text) for text in ("1e3", " -2.5 ", ".5", "nan", "inf", "1e999", "0x10", "1_0", "")] == [
        1000.0, -2.5, 0.5, None, None, None, None, None, None,
    ]  # fmt: skip


def test_defects_are_few_short_and_each_told_once() -> None:
    defects = Defects()
    for index in range(100):
        defects.add(f"{index % 50} " + "x" * 500)
    *told, last = defects.texts
    assert len(told) == MOST
    assert {len(text) for text in told} == {LONGEST}
    assert last == "more defects than are told"
    assert plain("a\n\tb\x00c") == "a b\ufffdc"
