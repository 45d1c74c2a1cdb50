"""AIM identifiers become names."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.wire.symbology import UNKNOWN, aim_symbology


@pytest.mark.parametrize(
    ("aim", "name"),
    [
        ("]A0", "code-39"),
        ("]C0", "code-128"),
        ("]E0", "ean-13"),
        ("]E4", "ean-8"),
        ("]F0", "codabar"),
        ("]G0", "code-93"),
        ("]I1", "interleaved-2-of-5"),
        ("]L2", "pdf417"),
        ("]Q1", "qr-code"),
        ("]U0", "maxicode"),
        ("]d1", "data-matrix"),
        ("]o0", "ocr"),
        ("]z0", "aztec"),
    ],
)
def test_the_letter_names_the_symbology(aim: str, name: str) -> None:
    assert aim_symbology(aim) == name


@pytest.mark.parametrize(
    ("aim", "name"),
    [("]C1", "gs1-128"), ("]e0", "gs1-databar"), ("]d2", "gs1-data-matrix"), ("]Q3", "gs1-qr-code")],
)
def test_gs1_carriers_have_names_of_their_own(aim: str, name: str) -> None:
    assert aim_symbology(aim) == name


def test_the_bracket_and_the_modifier_may_be_missing() -> None:
    assert aim_symbology("Q1") == aim_symbology("Q") == "qr-code"


def test_upper_and_lower_case_letters_differ() -> None:
    assert aim_symbology("]D0") == "code-one"
    assert aim_symbology("]d0") == "data-matrix"


@pytest.mark.parametrize("aim", ["", "]", "]?0", "]C12", "]]"])
def test_anything_else_is_unknown(aim: str) -> None:
    assert aim_symbology(aim) == UNKNOWN


@settings(deadline=None)
@given(st.text(max_size=4))
def test_any_text_gives_a_name(aim: str) -> None:
    name = aim_symbology(aim)
    assert name.replace("-", "").isalnum()
    assert name.islower()
