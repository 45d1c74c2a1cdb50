"""Identifiers: kinds, check digits, and what leaves the workstation."""

import hashlib
import hmac

import pytest

from devicehub.core.identifiers import classify
from devicehub.core.scans import Publish, ScanPolicy, scan_data
from devicehub.model.payload import ScanData
from devicehub.model.reading import Cause, Quality, Scan

GOOD, DOUBTFUL = (Quality.GOOD, Cause.NONE), (Quality.UNCERTAIN, Cause.CHECKSUM)
UNTESTED = (Quality.UNCERTAIN, Cause.UNTESTED)
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\rL898902C36UTO7408122F1204159ZE184226B<<<<<10"


def told(text: str, symbology: str, quality: Quality = Quality.GOOD, cause: Cause = Cause.NONE) -> ScanData:
    return scan_data(Scan("code", symbology, text.encode(), quality, cause), ScanPolicy(Publish.HASH, b"key"))


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


@pytest.mark.parametrize(
    ("text", "symbology", "kind_and_valid", "trust"),
    [
        ("5901234123457", "ean-13", ("product", True), GOOD),
        ("5901234123475", "ean-13", ("product", False), DOUBTFUL),
        ("5901234123475", "unknown", ("product", False), DOUBTFUL),
        ("590123412345\u00b2", "ean-13", ("product", False), DOUBTFUL),
        ("59012341234", "ean-13", ("product", None), UNTESTED),
        ("036000291452", "ean-13", ("product", True), GOOD),
        ("04252614", "ean-13", ("product", True), GOOD),
        ("036000291452", "upc-a", ("product", True), GOOD),
        ("0036000291452", "upc-a", ("product", True), GOOD),
        ("036000291425", "upc-a", ("product", False), DOUBTFUL),
        ("03600029145", "upc-a", ("product", None), UNTESTED),
        ("04252614", "upc-e", ("product", True), GOOD),
        ("04252615", "upc-e", ("product", False), DOUBTFUL),
        ("01234133", "upc-e", ("product", True), GOOD),
        ("96385074", "ean-8", ("product", True), GOOD),
        ("96385047", "ean-8", ("product", False), DOUBTFUL),
        ("9638507x", "ean-8", ("product", False), DOUBTFUL),
        ("590123412345712", "ean-upc", ("product", True), GOOD),
        ("590123412347512", "ean-upc", ("product", False), DOUBTFUL),
        ("12", "ean-upc", ("text", None), GOOD),
        ("RR473124829GB", "code-128", ("parcel", True), GOOD),
        ("RR473124892GB", "code-128", ("parcel", False), DOUBTFUL),
        ("09506000134376", "interleaved-2-of-5", ("product", True), GOOD),
        ("09506000134367", "interleaved-2-of-5", ("product", False), DOUBTFUL),
        ("036000291452", "code-128", ("product", True), GOOD),
        ("036000291425", "code-128", ("text", None), GOOD),
        ("10123456", "gs1-128", ("text", None), GOOD),
        (TD3, "ocr", ("document", True), GOOD),
        (TD3.replace("1204159", "1204158"), "ocr", ("document", False), DOUBTFUL),
        (TD3.replace("7408122", "74O8122"), "ocr", ("document", True), DOUBTFUL),
    ],
)
def test_what_does_not_add_up_as_it_was_read_is_doubted_whoever_read_it(
    text: str, symbology: str, kind_and_valid: tuple[str, bool | None], trust: tuple[Quality, Cause]
) -> None:
    scan = told(text, symbology)
    assert (scan.kind, scan.valid) == kind_and_valid
    assert (scan.quality, scan.cause) == trust


def test_what_a_device_says_of_its_own_scan_is_not_made_better() -> None:
    scan = told("5901234123475", "ean-13", Quality.BAD, Cause.FAULT)
    assert (scan.quality, scan.cause, scan.valid) == (Quality.BAD, Cause.FAULT, False)


def test_other_text_has_no_check_digit() -> None:
    assert classify("hello") == ("text", None)


def test_by_default_only_a_keyed_hash_is_published() -> None:
    data = scan_data(Scan("barcode", "qr", b"secret"), ScanPolicy(Publish.HASH, b"key"))
    assert data.text == ""
    assert data.hash == "hmac-sha256:" + hmac.new(b"key", b"secret", hashlib.sha256).hexdigest()
    assert data.length == 6


def test_the_text_is_published_only_on_request() -> None:
    assert scan_data(Scan("barcode", "qr", b"open"), ScanPolicy(Publish.TEXT, b"key")).text == "open"
