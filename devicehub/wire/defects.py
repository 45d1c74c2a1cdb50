"""What is wrong with a file that can be read all the same: said in words, repaired nowhere.

Also the readings of times, durations and numbers in which files differ from what they should be.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from math import isfinite
from typing import TypeVar

MOST = 32
LONGEST = 160
_Item = TypeVar("_Item")
_MORE = "more defects than are told"
_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)([.,]\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d|[+-]\d\d)?", re.ASCII
)
_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{1,12})?)S)?)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)


class Defects:
    """The defects of one file, each once, in the order in which they were met; after `MOST`, that there are more."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def add(self, text: str) -> None:
        """One more."""
        text = plain(text)
        self._texts[text if text in self._texts or len(self._texts) < MOST else _MORE] = None

    def first(self, items: Sequence[_Item], most: int, what: str) -> Sequence[_Item]:
        """As many of them as are told; that there are more is a defect. `what`: what they are, in the plural."""
        if len(items) > most:
            self.add(f"of {len(items)} {what} {most} are told")
        return items[:most]

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._texts)


def plain(text: str, most: int = LONGEST) -> str:
    """Text of a file on one line, without what cannot be printed, at most `most` characters."""
    words = " ".join(text[: 4 * most].split())[:most]
    if words.isprintable():
        return words
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in words)


def number(text: str) -> float | None:
    """A decimal number, None for anything else: words such as "nan" and "inf" are none."""
    text = text.strip()
    value = float(text) if _NUMBER.fullmatch(text) else None
    return value if value is not None and isfinite(value) else None


def instant_of(text: str, defects: Defects) -> float | None:
    """Seconds of UTC since 1970 of an ISO 8601 date and time; None, and a defect, where it says no single instant.

    A zone without its colon (`-0500`) is read, and is a defect.
    """
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        defects.add(f"'{plain(text, 40)}' is no date and time")
        return None
    zone = found[8]
    if zone is None:
        defects.add(f"'{plain(text, 40)}' has no time zone: not taken")
        return None
    if zone != "Z" and ":" not in zone:
        defects.add(f"zone '{zone}' without a colon")
    try:
        fraction = float(f"0.{found[7][1:]}") if found[7] else 0.0
        moment = datetime(*(int(part or 0) for part in found.groups()[:6]), tzinfo=_zone(zone))  # type: ignore[arg-type, misc]  # six integers
        return moment.timestamp() + fraction
    except (ValueError, OverflowError):
        defects.add(f"'{plain(text, 40)}' is no date and time")
        return None


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def duration_of(text: str, defects: Defects) -> float | None:
    """Seconds of an ISO 8601 duration such as PT59.61S; None, and a defect, for anything else."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        defects.add(f"'{plain(text, 40)}' is no duration")
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
