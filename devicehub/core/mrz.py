"""Machine-readable zones of travel documents: what kind of document, whose, until when, and whether it adds up.

Layouts and check digits: ICAO Doc 9303 parts 3 to 7 (TD1, TD2, TD3, MRV-A, MRV-B). Nothing personal
is taken out: no name, no number, no birthday.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

_WEIGHTS = (7, 3, 1)
_ZONE = re.compile(r"[A-Z0-9<]+")
_SHAPES = {(3, 30), (2, 36), (2, 44)}


class Zone(Struct, frozen=True):
    """A zone read. `kind` is its first two characters without fillers; `expiry` is ISO 8601, empty when illegible.

    `valid`: every check digit holds.
    """

    kind: str
    issuer: str
    expiry: str
    valid: bool


def read_zone(text: str) -> Zone | None:
    """The zone in a text; None when the text is no zone. Lines may be apart or run together."""
    lines = _lines(text)
    if lines is None:
        return None
    first, second = lines[0], lines[1]
    small = len(lines) == 3
    return Zone(
        kind=first[:2].replace("<", ""),
        issuer=first[2:5].replace("<", ""),
        expiry=_date(second[8:14] if small else second[21:27]),
        valid=all(check_digit(part) == _digit(check) for part, check in _checks(lines)),
    )


def check_digit(text: str) -> int:
    """ICAO 9303 part 3, 4.9: weights 7 3 1, digits as they are, A to Z as 10 to 35, `<` as 0, modulo 10."""
    return sum(_value(char) * _WEIGHTS[place % 3] for place, char in enumerate(text)) % 10


def _lines(text: str) -> list[str] | None:
    lines = [line for line in re.split(r"[\r\n]+", text.strip()) if line]
    if len(lines) == 1:
        width = {90: 30, 72: 36, 88: 44}.get(len(lines[0]), 0)
        lines = [lines[0][at : at + width] for at in range(0, len(lines[0]), width)] if width else lines
    widths = {len(line) for line in lines}
    if len(widths) != 1 or (len(lines), widths.pop()) not in _SHAPES:
        return None
    return lines if all(_ZONE.fullmatch(line) for line in lines) and lines[0][0].isalpha() else None


def _checks(lines: Sequence[str]) -> list[tuple[str, str]]:
    """What each check digit is computed over, and the digit."""
    first, second = lines[0], lines[1]
    if len(lines) == 3:
        whole = first[5:30] + second[0:7] + second[8:15] + second[18:29]
        return [(first[5:14], first[14]), (second[0:6], second[6]), (second[8:14], second[14]), (whole, second[29])]
    parts = [(second[0:9], second[9]), (second[13:19], second[19]), (second[21:27], second[27])]
    if first[0] == "V":
        return parts
    last = len(second) - 1
    if last == 43:
        parts.append((second[28:42], second[42]))
    return [*parts, (second[0:10] + second[13:20] + second[21:last], second[last])]


def _value(char: str) -> int:
    return 0 if char == "<" else int(char, 36)


def _digit(char: str) -> int:
    """A check digit; a filler stands for 0 where the field is empty, a letter for none at all."""
    if char == "<":
        return 0
    return int(char) if char.isdigit() else -1


def _date(text: str) -> str:
    """YYMMDD of an expiry, which lies in this century."""
    if not re.fullmatch(r"\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", text):
        return ""
    return f"20{text[:2]}-{text[2:4]}-{text[4:]}"
