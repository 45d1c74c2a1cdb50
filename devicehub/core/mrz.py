"""Machine-readable zones of travel documents: what kind of document, whose, until when, and whether it adds up.

Layouts and check digits: ICAO Doc 9303 parts 3 to 7 (TD1, TD2, TD3, MRV-A, MRV-B). Nothing personal
is taken out: no name, no birthday; a number only to be looked up, by `identity`.
"""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

REPAIRS: Final = 3
"""Most characters of a zone that are repaired. One that is worse was not read."""

_WEIGHTS = (7, 3, 1)
_ZONE = re.compile(r"[A-Z0-9<]+")
_SHAPES = {(3, 30), (2, 36), (2, 44)}
# Letters that OCR-B is misread as where a digit stands; each stands for one digit alone.
_DIGITS: Final = str.maketrans("ODQILZSGB", "000112568")


class Zone(Struct, frozen=True):
    """A zone read. `kind` is its first two characters without fillers; `expiry` is ISO 8601, empty when illegible.

    `valid`: every check digit holds. `repaired`: characters that had to be changed for that.
    """

    kind: str
    issuer: str
    expiry: str
    valid: bool
    repaired: int = 0


def read_zone(text: str) -> Zone | None:
    """The zone in a text; None when the text is no zone. Lines may be apart or run together.

    Letters where only digits can stand are read as the digits that they look like, if every check digit holds then.
    """
    lines = _lines(text)
    if lines is None:
        return None
    right, repaired = repair(lines)
    first, second = right[0], right[1]
    return Zone(
        kind=first[:2].replace("<", ""),
        issuer=first[2:5].replace("<", ""),
        expiry=_date(second[8:14] if len(right) == 3 else second[21:27]),
        valid=_valid(right),
        repaired=repaired,
    )


def identity(text: str) -> str | None:
    """Issuer and document number as `UTO L898902C3`, to look a document up. Personal: never publish it.

    None when the text is no zone. Of a zone that does not add up it is what was read.
    """
    lines = _lines(text)
    if lines is None:
        return None
    issuer, number = lines[0][2:5], _number(repair(lines)[0])[0]
    return f"{issuer.replace('<', '')} {number.replace('<', '')}"


def repair(lines: Sequence[str]) -> tuple[list[str], int]:
    """The lines of a zone with its confused digits right, and how many those were.

    They are as they were, and 0, when there is nothing to repair, more than `REPAIRS` characters, or when it does not
    add up afterwards: a guess that nothing proves is worth less than what was read.
    """
    plain = list(lines)
    mended = [list(line) for line in lines]
    for line, place in _digit_places(lines):
        mended[line][place] = mended[line][place].translate(_DIGITS)
    right = ["".join(line) for line in mended]
    count = sum(old != new for old, new in zip("".join(plain), "".join(right), strict=True))
    return (right, count) if 0 < count <= REPAIRS and _valid(right) else (plain, 0)


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


def _digit_places(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Line and place of what is a digit or a filler in every document: dates and check digits."""
    if len(lines) == 3:
        return [(0, 14), *((1, place) for place in (*range(7), *range(8, 15), 29))]
    last = len(lines[1]) - 1
    composite = () if _is_visa(lines) else (last - 1, last) if last == 43 else (last,)
    return [(1, place) for place in (9, *range(13, 20), *range(21, 28), *composite)]


def _valid(lines: Sequence[str]) -> bool:
    return all(check_digit(part) == _digit(check) for part, check in _checks(lines))


def _checks(lines: Sequence[str]) -> list[tuple[str, str]]:
    """What each check digit is computed over, and the digit."""
    first, second = lines[0], lines[1]
    if len(lines) == 3:
        whole = first[5:30] + second[0:7] + second[8:15] + second[18:29]
        return [_number(lines), (second[0:6], second[6]), (second[8:14], second[14]), (whole, second[29])]
    parts = [_number(lines), (second[13:19], second[19]), (second[21:27], second[27])]
    if _is_visa(lines):
        return parts
    last = len(second) - 1
    if last == 43:
        parts.append((second[28:42], second[42]))
    return [*parts, (second[0:10] + second[13:20] + second[21:last], second[last])]


def _number(lines: Sequence[str]) -> tuple[str, str]:
    """The document number and its check digit.

    One of more than nine characters goes on in the optional data of a TD1 or TD2, and has a filler where its check
    digit would be: ICAO 9303 parts 5 and 6; examples are in part 11, appendix D.2.
    """
    first, second = lines[0], lines[1]
    if len(lines) == 3:
        field, check, optional = first[5:14], first[14], first[15:30]
    else:
        field, check, optional = second[0:9], second[9], second[28:35] if len(second) == 36 else ""
    more = "" if check != "<" or _is_visa(lines) else optional.partition("<")[0]
    return (field + more[:-1], more[-1]) if more else (field, check)


def _is_visa(lines: Sequence[str]) -> bool:
    return lines[0][0] == "V"


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
