"""What kind of identifier a scanned text is, and whether its check digit bears it out.

Retail codes (EAN, UPC) and what begins with an application identifier of GS1 always have a check digit. Other digits
may be a GS1 key or not, whatever their number: where their last digit is that of a key they are taken for one.

Source: GS1 General Specifications, 3.2, 3.3, 5.2 and 7.9; UPU S10.
"""

import re
from types import MappingProxyType
from typing import Final

from devicehub.wire.symbology import UNKNOWN

_S10 = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}", re.ASCII)
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_GS1_LENGTHS: Final = frozenset({8, 12, 13, 14, 17, 18})
_GS1_ELEMENT = re.compile(r"01(\d{14})|00(\d{18})", re.ASCII)
_RETAIL: Final = MappingProxyType(
    {
        "ean-13": frozenset({8, 12, 13}),
        "ean-8": frozenset({8}),
        "ean-upc": frozenset({8, 12, 13, 15, 18}),
        "upc-a": frozenset({12, 13}),
        "upc-e": frozenset({8}),
    }
)
"""How many digits each has; `]E0` is EAN-13, and UPC-A and UPC-E too, which not every reader pads to thirteen. More
are thirteen and an add-on of two or five, which has no check digit."""
_ADD_ON: Final = frozenset({2, 5})
_ALWAYS_KEYS: Final = frozenset({("interleaved-2-of-5", 14), ("gs1-databar", 14)})
_SAYS_NOTHING: Final = frozenset({"", UNKNOWN, "other"})


def classify(text: str, symbology: str = "") -> tuple[str, bool | None]:
    """Kind of identifier (`parcel`, `product`, `text`) and whether its check digit holds.

    None: it has none, or it is a retail code that was sent without it.
    """
    if _S10.fullmatch(text):
        return "parcel", s10_valid(text)
    if symbology in _RETAIL and not (symbology == "ean-upc" and len(text) in _ADD_ON):
        return "product", _retail_valid(text, symbology)
    if symbology.startswith("gs1-") and (element := _GS1_ELEMENT.match(text)) is not None:
        return "product", gs1_valid(element[1] or element[2])
    if text.isascii() and text.isdigit() and len(text) in _GS1_LENGTHS:
        holds = gs1_valid(text)
        if holds or symbology in _SAYS_NOTHING or (symbology, len(text)) in _ALWAYS_KEYS:
            return "product", holds
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


def _retail_valid(text: str, symbology: str) -> bool | None:
    """What is no digit was misread."""
    if not (text.isascii() and text.isdigit()):
        return False
    if len(text) not in _RETAIL[symbology]:
        return None
    if len(text) == 8 and symbology != "ean-8":
        return gs1_valid(_of_upc_e(text)) or (symbology == "ean-upc" and gs1_valid(text))
    return gs1_valid(text[:13])


def _of_upc_e(digits: str) -> str:
    """The twelve digits of UPC-A that eight digits of UPC-E stand for."""
    system, body, check = digits[0], digits[1:7], digits[7]
    last = body[5]
    if last in "012":
        middle = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        middle = body[:3] + "00000" + body[3:5]
    elif last == "4":
        middle = body[:4] + "00000" + body[4]
    else:
        middle = body[:5] + "0000" + last
    return system + middle + check
