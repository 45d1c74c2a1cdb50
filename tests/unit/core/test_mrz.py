"""Machine-readable zones: the specimens of ICAO Doc 9303, and every single misread character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.core.mrz import Zone, check_digit, read_zone
from devicehub.core.scans import Publish, ScanPolicy, scan_data
from devicehub.model.reading import Scan

TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
VISA = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"
SPECIMENS = [(TD3, "P", "2012-04-15"), (TD2, "I", "2012-04-15"), (TD1, "I", "2012-04-15"), (VISA, "V", "2096-12-10")]


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
