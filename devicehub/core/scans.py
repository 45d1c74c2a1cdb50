"""Scanned identifiers: how far they can be trusted, and what may be published of them."""

from enum import StrEnum

from msgspec import Struct

from devicehub.core.identifiers import classify
from devicehub.core.measure import finite
from devicehub.core.mrz import read_zone
from devicehub.core.watchlist import WatchList, alarms, keyed
from devicehub.model.payload import ScanData
from devicehub.model.reading import Cause, DeviceAlarm, Quality, Scan


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
    repaired = zone.repaired if zone is not None else 0
    quality, cause = _quality(scan, kind, valid=valid and not repaired)
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
        repaired=repaired,
    )


def _quality(scan: Scan, kind: str, *, valid: bool | None) -> tuple[Quality, Cause]:
    """What does not add up as it was read is not certain, whoever read it, unless the device has said worse of it."""
    if scan.quality is not Quality.GOOD:
        return scan.quality, scan.cause
    if valid is False:
        return Quality.UNCERTAIN, Cause.CHECKSUM
    if valid is None and kind == "product":
        return Quality.UNCERTAIN, Cause.UNTESTED
    return Quality.GOOD, scan.cause
