"""JSON that comes from outside, as commands do: one object of bounded size and depth, or a reason.

What Python's `json` lets through and this does not: NaN and infinities, the same key twice (whoever checks one
and whoever uses the other disagree), lone surrogates (they raise wherever they are encoded later), whole
numbers of any length, nesting until the stack ends.

Source: RFC 8259; RFC 8785, 3.1 (I-JSON: unique keys, no lone surrogates), RFC 7493.
"""

import json
import re
from typing import Final, NoReturn

from devicehub.model.errors import ProtocolError, Reason

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

LIMIT: Final = 64 * 1024
DEEPEST: Final = 16

_DIGITS = 19
_WHOLE_LIMIT = 2**63
# A string to its end, or to the end of the text where it has none; possessive, so that the time stays linear.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.?)*+"?|[][{}]', re.DOTALL)


def parse(payload: bytes, limit: int = LIMIT) -> dict[str, Json]:
    """The object in `payload`, which has at most `limit` bytes and is nested at most 16 deep.

    Raises `ProtocolError`: OVERFLOW for size and depth, GARBAGE for what is not UTF-8 or not JSON, RANGE for
    numbers that are not finite or whole ones beyond 64 bits, UNEXPECTED for anything but an object, REJECTED
    for a repeated key or a lone surrogate. Never shows the payload.
    """
    if len(payload) > limit:
        raise ProtocolError(Reason.OVERFLOW, f"{len(payload)} bytes of JSON, {limit} are allowed")
    _check_depth(payload)
    try:
        value = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_fraction,
            parse_int=_whole,
        )
    except UnicodeDecodeError as error:
        raise ProtocolError(Reason.GARBAGE, f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ProtocolError(Reason.GARBAGE, f"not JSON at character {error.pos}") from None
    if not isinstance(value, dict):
        raise ProtocolError(Reason.UNEXPECTED, "JSON must be an object")
    _check_text(value)
    return value


def _check_depth(payload: bytes) -> None:
    """Before anything is parsed, because the parser recurses."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(payload):
        first = token[0][:1]
        if first in b"[{":
            depth += 1
        elif first in b"]}":
            depth -= 1
        if depth > DEEPEST:
            raise ProtocolError(Reason.OVERFLOW, f"JSON is nested deeper than {DEEPEST}")


def _check_text(value: dict[str, Json]) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ProtocolError(Reason.REJECTED, "JSON has a lone surrogate") from None


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ProtocolError(Reason.REJECTED, "JSON has a key twice")
    return found


def _constant(text: str) -> NoReturn:
    raise ProtocolError(Reason.RANGE, f"{text} is no JSON number")


def _fraction(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ProtocolError(Reason.RANGE, "a number is too large")
    return number


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > _DIGITS or not -_WHOLE_LIMIT <= int(text) < _WHOLE_LIMIT:
        raise ProtocolError(Reason.RANGE, "a whole number is beyond 64 bits")
    return int(text)
