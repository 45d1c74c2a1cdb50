"""Identifiers: kinds, check digits, and what leaves the workstation."""

import hashlib
import hmac

import pytest

from devicehub.core.scans import Publish, ScanPolicy, classify, scan_data
from devicehub.model.reading import Scan


@pytest.mark.parametrize("text", ["RR473124829GB"])
def test_a_good_s10_number_is_a_parcel(text: str) -> None:
    assert classify(text) == ("parcel", True)


def test_every_single_wrong_digit_of_an_s10_number_is_seen() -> None:
    good = "RR473124829GB"
    for place in range(2, 11):
        for digit in "0123456789":
            if digit != good[place]:
                assert classify(good[:place] + digit + good[place + 1 :]) == ("parcel", False)


@pytest.mark.parametrize(
    "text",
    [
        "5901234123457",
        "09506000134376",
        "106141411234567897",
        "8904000210037",
        "6291041500213",
        "036000241457",
        "376104250021234569",
    ],
)
def test_published_gs1_keys_are_valid(text: str) -> None:
    assert classify(text) == ("product", True)
    assert classify(text[:-1] + str((int(text[-1]) + 1) % 10)) == ("product", False)


@pytest.mark.parametrize(
    ("text", "symbology"),
    [
        ("0109506000134376", "gs1-data-matrix"),
        ("010950600013437617261231", "gs1-128"),
        ("00106141411234567897", "gs1-128"),
    ],
)
def test_a_gs1_label_is_checked_behind_its_application_identifier(text: str, symbology: str) -> None:
    end = 20 if text.startswith("00") else 16
    wrong = text[: end - 1] + str((int(text[end - 1]) + 1) % 10) + text[end:]
    assert classify(text, symbology) == ("product", True)
    assert classify(wrong, symbology) == ("product", False)
    assert classify(text, "qr-code") == ("text", None)


def test_other_text_has_no_check_digit() -> None:
    assert classify("hello") == ("text", None)


def test_by_default_only_a_keyed_hash_is_published() -> None:
    data = scan_data(Scan("barcode", "qr", b"secret"), ScanPolicy(Publish.HASH, b"key"))
    assert data.text == ""
    assert data.hash == "hmac-sha256:" + hmac.new(b"key", b"secret", hashlib.sha256).hexdigest()
    assert data.length == 6


def test_the_text_is_published_only_on_request() -> None:
    assert scan_data(Scan("barcode", "qr", b"open"), ScanPolicy(Publish.TEXT, b"key")).text == "open"
