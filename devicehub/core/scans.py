"""Scanned identifiers: what kind they are, whether their check digit holds, and what may be published of them."""

import re
from enum import StrEnum

from msgspec import Struct

from devicehub.core.measure import finite
from devicehub.core.mrz import Zone, read_zone
from devicehub.core.watchlist import WatchList, alarms, keyed
from devicehub.model.payload import ScanData
from devicehub.model.reading import Cause, DeviceAlarm, Quality, Scan

_S10 = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_GS1_LENGTHS = {8, 12, 13, 14, 17, 18}
_GS1_ELEMENT = re.compile(r"01(\d{14})|00(\d{18})", re.ASCII)


class Publish(StrEnum):
    """What of a scan leaves the workstation."""

    OFF = "off"
    HASH = "hash"
    TEXT = "text"


class ScanPolicy(Struct, frozen=True):
    """Personal-data policy. `key` keys the hash, so that nobody can look a document up by guessing.

    `watch`: what is looked for, whatever is published.
    """

    publish: Publish
    key: bytes
    watch: WatchList | None = None


def judged(scan: Scan, policy: ScanPolicy) -> tuple[ScanData | None, tuple[DeviceAlarm, ...], str]:
    """The payload of a scan, None when nothing of it is published. Of a hit the alarms, and the digest of the list."""
    data = None if policy.publish is Publish.OFF else scan_data(scan, policy)
    if policy.watch is None or not policy.watch.has(scan.data, policy.key):
        return data, (), ""
    return data, alarms(policy.watch), policy.watch.rules


def scan_data(scan: Scan, policy: ScanPolicy) -> ScanData:
    """The payload of a scan under a policy."""
    text = scan.data.decode("utf-8", "backslashreplace")
    zone = read_zone(text)
    kind, valid = classify(text, scan.symbology) if zone is None else ("document", zone.valid)
    quality, cause = _quality(scan, zone)
    return ScanData(
        symbology=scan.symbology,
        kind=kind,
        hash="hmac-sha256:" + keyed(scan.data, policy.key).hex(),
        length=len(scan.data),
        quality=quality,
        cause=cause,
        valid=valid,
        document_type=zone.kind if zone is not None else "",
        issuer=zone.issuer if zone is not None else "",
        expiry=zone.expiry if zone is not None else "",
        text=text if policy.publish is Publish.TEXT else "",
        device_time=finite(scan.device_time),
        repaired=zone.repaired if zone is not None else 0,
    )


def _quality(scan: Scan, zone: Zone | None) -> tuple[Quality, Cause]:
    """What was repaired is no longer certain, unless the device has said worse of it."""
    if zone is not None and zone.repaired and scan.quality is Quality.GOOD:
        return Quality.UNCERTAIN, Cause.CHECKSUM
    return scan.quality, scan.cause


def classify(text: str, symbology: str = "") -> tuple[str, bool | None]:
    """Kind of identifier (`parcel`, `product`, `text`) and whether its check digit holds (None: it has none).

    What a GS1 symbology holds may begin with an application identifier: 01 a GTIN, 00 an SSCC (GS1 General
    Specifications, 3.2 and 3.3). What follows them has no check digit.
    """
    if _S10.fullmatch(text):
        return "parcel", s10_valid(text)
    if symbology.startswith("gs1-") and (element := _GS1_ELEMENT.match(text)) is not None:
        return "product", gs1_valid(element[1] or element[2])
    if text.isascii() and text.isdigit() and len(text) in _GS1_LENGTHS:
        return "product", gs1_valid(text)
    return "text", None


def s10_valid(text: str) -> bool:
    """Check digit of a UPU S10 identifier: weights 8 6 4 2 3 5 9 7, 11 - sum mod 11, 10 -> 0, 11 -> 5."""
    total = sum(int(digit) * weight for digit, weight in zip(text[2:10], _S10_WEIGHTS, strict=True))
    check = 11 - total % 11
    return int(text[10]) == {10: 0, 11: 5}.get(check, check)


def gs1_valid(text: str) -> bool:
    """Check digit of a GS1 key: weights 3 1 3 ... from the right, tens complement."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(text[:-1])))
    return int(text[-1]) == -total % 10
