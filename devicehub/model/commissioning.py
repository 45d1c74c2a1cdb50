"""What is found when a station is set up, and what is wished for then."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    """What keeps the station from doing its work. `fails`: it does; else it will, or not always."""

    fails: bool
    check: str
    subject: str
    what: str
    remedy: str


class Examination(Struct, frozen=True):
    """All findings; the checks that were made, those that found nothing to go by."""

    checks: tuple[str, ...]
    skipped: tuple[str, ...]
    findings: tuple[Finding, ...]


class Fit(Struct, frozen=True):
    """A driver that may fit. `score` from 0 to 1, by which evidence."""

    driver: str
    score: float
    why: str


class Hardware(Struct, frozen=True):
    """What is plugged in. `device`: which configured one it is, empty for none."""

    kind: str
    place: str
    usb: str
    serial: str
    title: str
    device: str
    candidates: tuple[Fit, ...]


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """A device is to be added: by which driver, where it is, who wants it. `id`: empty for a free one."""

    driver: str
    place: str
    issuer: str
    id: str = ""
