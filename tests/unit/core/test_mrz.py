"""Machine-readable zones: the specimens of ICAO Doc 9303, and every single misread character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.core.mrz import REPAIRS, Zone, check_digit, identity, read_zone, repair
from devicehub.core.scans import Publish, ScanPolicy, scan_data
from devicehub.model.reading import Cause, Quality, Scan

TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
VISA = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"
SMALL_VISA = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<"
# Doc 9303 part 11, appendix D.2: numbers of twelve characters, which go on in the optional data.
LONG_TD1 = "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<"
LONG_TD2 = "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8"
SPECIMENS = [
    (TD3, "P", "2012-04-15"),
    (TD2, "I", "2012-04-15"),
    (TD1, "I", "2012-04-15"),
    (VISA, "V", "2096-12-10"),
    (SMALL_VISA, "V", "2096-12-10"),
    (LONG_TD1, "I", "2095-07-12"),
    (LONG_TD2, "I", "2095-07-12"),
]
# Places of the specimens that only digits and fillers can have: dates and check digits.
DIGITS = {
    TD3: [(1, place) for place in (9, *range(13, 20), *range(21, 28), 42, 43)],
    TD2: [(1, place) for place in (9, *range(13, 20), *range(21, 28), 35)],
    TD1: [(0, 14), *((1, place) for place in (*range(7), *range(8, 15), 29))],
    VISA: [(1, place) for place in (9, *range(13, 20), *range(21, 28))],
}
LOOKALIKES = {"0": "ODQ", "1": "IL", "2": "Z", "5": "S", "6": "G", "8": "B"}


@pytest.mark.parametrize(("text", "kind", "expiry"), SPECIMENS)
@pytest.mark.parametrize("separator", ["\r", "\r\n", "\n", ""])
def test_a_specimen_is_read_however_its_lines_are_parted(text: str, kind: str, expiry: str, separator: str) -> None:
    assert read_zone(text.replace("\n", separator)) == Zone(kind, "UTO", expiry, valid=True)


@pytest.mark.parametrize("text", [TD3, TD2])
def test_a_misread_digit_in_number_birthday_or_expiry_is_seen(text: str) -> None:
    start = text.index("\n") + 1
    for place in [*range(9), *range(13, 19), *range(21, 27)]:
        for other in "0123456789":
            at = start + place
            if text[at].isdigit() and text[at] != other:
                zone = read_zone(text[:at] + other + text[at + 1 :])
                assert zone is not None
                assert not zone.valid


def test_the_weights_are_those_of_the_standard() -> None:
    assert check_digit("520727") == 3
    assert check_digit("AB2134<<<") == 5


@pytest.mark.parametrize("text", ["", "hello", "5901234123457", "P<UTO", TD3.lower(), TD3 + "<", "1" + TD3[1:]])
def test_other_text_is_no_zone(text: str) -> None:
    assert read_zone(text) is None


@given(st.text(alphabet="ABCXYZ0189<\r\n", max_size=100))
def test_any_text_is_a_zone_or_none(text: str) -> None:
    zone = read_zone(text)
    assert zone is None or len(zone.kind) <= 2


def test_what_is_published_of_a_document_is_kind_issuer_and_validity_and_nothing_personal() -> None:
    data = scan_data(Scan("mrz", "mrz", TD3.encode()), ScanPolicy(Publish.HASH, b"k" * 32))
    assert (data.kind, data.document_type, data.issuer, data.expiry) == ("document", "P", "UTO", "2012-04-15")
    assert data.valid
    assert data.text == ""
    assert "ERIKSSON" not in repr(data)
    assert "L898902C3" not in repr(data)


@st.composite
def misreadings(draw: st.DrawFn) -> tuple[str, str, int]:
    """A specimen, the same with lookalikes in places of digits, and how many."""
    text = draw(st.sampled_from(sorted(DIGITS)))
    lines = [list(line) for line in text.split("\n")]
    places = [(line, place) for line, place in DIGITS[text] if lines[line][place] in LOOKALIKES]
    chosen = draw(st.lists(st.sampled_from(places), unique=True, min_size=1, max_size=len(places)))
    for line, place in chosen:
        lines[line][place] = draw(st.sampled_from(LOOKALIKES[lines[line][place]]))
    return text, "\n".join(map("".join, lines)), len(chosen)


@given(misreadings())
def test_lookalikes_where_only_digits_can_stand_are_put_right_and_counted(case: tuple[str, str, int]) -> None:
    text, misread, count = case
    zone, right = read_zone(misread), read_zone(text)
    assert zone is not None
    assert right is not None
    if count <= REPAIRS:
        assert zone == Zone(right.kind, right.issuer, right.expiry, valid=True, repaired=count)
        assert identity(misread) == identity(text)
    else:
        assert (zone.repaired, repair(misread.split("\n"))) == (0, (misread.split("\n"), 0))


@given(st.sampled_from(sorted(DIGITS)), st.data())
def test_what_has_digits_where_they_belong_is_never_changed(text: str, data: st.DataObject) -> None:
    """Whatever stands elsewhere, and whether it adds up or not."""
    lines = [list(line) for line in text.split("\n")]
    for line, place in DIGITS[text]:
        lines[line][place] = data.draw(st.sampled_from("0123456789<"))
    for _ in range(data.draw(st.integers(0, 5))):
        line = data.draw(st.integers(0, len(lines) - 1))
        place = data.draw(st.integers(0, len(lines[line]) - 1))
        if (line, place) not in DIGITS[text]:
            lines[line][place] = data.draw(st.sampled_from("ODQILZSGB0123<"))
    if lines[0][0] != text[0]:
        lines[0][0] = text[0]
    plain = ["".join(line) for line in lines]
    assert repair(plain) == (plain, 0)


@given(st.sampled_from([(3, 30), (2, 36), (2, 44)]), st.data())
def test_a_repair_changes_few_characters_only_into_digits_and_makes_the_zone_add_up(
    shape: tuple[int, int], data: st.DataObject
) -> None:
    count, width = shape
    line = st.text(alphabet="ODQILZSGB0123456789<", min_size=width, max_size=width)
    lines = ["P" + data.draw(line)[1:], *(data.draw(line) for _ in range(count - 1))]
    right, repaired = repair(lines)
    changed = [(old, new) for old, new in zip("".join(lines), "".join(right), strict=True) if old != new]
    assert len(changed) == repaired <= REPAIRS
    assert all(old.isalpha() and new.isdigit() for old, new in changed)
    zone = read_zone("\n".join(right))
    assert zone is not None
    assert zone.valid or not repaired


def test_a_letter_that_no_digit_looks_like_is_not_repaired() -> None:
    misread = TD3[: TD3.index("\n") + 14] + "X" + TD3[TD3.index("\n") + 15 :]
    zone = read_zone(misread)
    assert zone is not None
    assert (zone.valid, zone.repaired) == (False, 0)


def test_a_document_number_has_letters_that_are_not_touched() -> None:
    """An O may well be one there, so that it is no repair but a reading that does not add up."""
    zone = read_zone(TD3.replace("L898902C3", "L8989O2C3"))
    assert zone is not None
    assert (zone.valid, zone.repaired) == (False, 0)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (TD3, "UTO L898902C3"),
        (TD2, "UTO D23145890"),
        (TD1, "UTO D23145890"),
        (VISA, "UTO L8988901C"),
        (LONG_TD1, "UTO D23145890734"),
        (LONG_TD2, "UTO D23145890734"),
    ],
)
def test_a_document_is_looked_up_by_issuer_and_number(text: str, number: str) -> None:
    assert identity(text) == identity(text.replace("\n", "\r")) == number


@pytest.mark.parametrize("text", [LONG_TD1, LONG_TD2])
def test_a_misread_digit_of_a_long_number_is_seen(text: str) -> None:
    for at in (text.index("7349") + place for place in range(4)):
        zone = read_zone(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :])
        assert zone is not None
        assert not zone.valid


def test_what_was_repaired_is_published_as_repaired_and_as_no_longer_certain() -> None:
    misread = TD3.replace("7408122F", "74O8I22F")
    data = scan_data(Scan("mrz", "mrz", misread.encode()), ScanPolicy(Publish.TEXT, b"k" * 32))
    assert (data.repaired, data.valid) == (2, True)
    assert (data.quality, data.cause) == (Quality.UNCERTAIN, Cause.CHECKSUM)
    assert data.text == misread
    plain = scan_data(Scan("mrz", "mrz", TD3.encode()), ScanPolicy(Publish.HASH, b"k" * 32))
    assert (plain.repaired, plain.quality, plain.cause) == (0, Quality.GOOD, Cause.NONE)
    bad = scan_data(Scan("mrz", "mrz", misread.encode(), Quality.BAD, Cause.FAULT), ScanPolicy(Publish.HASH, b"k" * 32))
    assert (bad.quality, bad.cause) == (Quality.BAD, Cause.FAULT)
