"""Barcode facts that SSI leaves to the host: names of code types, prefixes before the data, check digits.

Code types: the DECODE_DATA tables of Zebra's product reference guides and the table in enioka_scan
(SsiSymbologyTranslator, Apache-2.0; facts only). Names are those of `devicehub.wire.symbology`
wherever an AIM identifier has one. Symbol code characters: "Symbol Code Identifiers" in the
same guides. Check digits: GS1 General Specifications, section 7.9.
"""

from types import MappingProxyType
from typing import Final

from devicehub.model.reading import Cause, Quality
from devicehub.wire.symbology import UNKNOWN, aim_symbology

_TYPES: Final = MappingProxyType(
    {
        0x01: "code-39",
        0x02: "codabar",
        0x03: "code-128",
        0x04: "straight-2-of-5",
        0x06: "interleaved-2-of-5",
        0x07: "code-93",
        0x08: "upc-a",
        0x09: "upc-e",
        0x0A: "ean-8",
        0x0B: "ean-13",
        0x0C: "code-11",
        0x0E: "msi",
        0x0F: "gs1-128",
        0x11: "pdf417",
        0x13: "code-39",
        0x16: "ean-13",
        0x1B: "data-matrix",
        0x1C: "qr-code",
        0x22: "japan-post",
        0x23: "australia-post",
        0x24: "dutch-post",
        0x25: "maxicode",
        0x26: "canada-post",
        0x27: "royal-mail",
        0x2D: "aztec",
        0x2E: "aztec-rune",
        0x30: "gs1-databar",
        0x31: "gs1-databar",
        0x32: "gs1-databar",
        0x69: "signature",
        0x73: "korea-post",
    }
)
_DIGITS: Final = MappingProxyType({"ean-13": 13, "ean-8": 8, "upc-a": 12, "upc-e": 8})


def symbology(code_type: int) -> str:
    """The name of a code type; "unknown" for one that is in no table."""
    return _TYPES.get(code_type, UNKNOWN)


def split_prefix(kind: str, data: bytes) -> tuple[bytes, bytes] | None:
    """Prefix and data for the option `prefix`; None when the data do not begin as the option says."""
    if kind == "none":
        return b"", data
    if kind == "aim":
        return (data[:3], data[3:]) if len(data) >= 3 and data[:1] == b"]" else None
    # A symbol code is one letter, or P and two digits for the newer codes.
    size = 3 if data[:1] == b"P" and data[1:3].isdigit() and len(data) >= 3 else 1
    return (data[:size], data[size:]) if data[:1].isalpha() and data[:1].isupper() else None


def refined(name: str, prefix: bytes) -> str:
    """The name with what an AIM prefix adds: that QR, Data Matrix or Code 128 carry GS1 element strings."""
    told = aim_symbology(prefix.decode("ascii", "replace")) if prefix[:1] == b"]" else UNKNOWN
    return told if name == UNKNOWN or told.startswith("gs1-") else name


def trust(name: str, data: bytes) -> tuple[Quality, Cause]:
    """Whether a retail code's own check digit bears it out. SSI's checksum misses swapped bytes, this does not.

    A code without a check digit is trusted; a retail code sent without its check digit cannot be tested.
    """
    if name not in _DIGITS:
        return Quality.GOOD, Cause.NONE
    digits = data.decode("ascii", "replace")
    if not digits.isdigit() or not digits.isascii():
        return Quality.UNCERTAIN, Cause.CHECKSUM
    if name == "upc-a" and len(digits) == 13:
        name = "ean-13"
    if len(digits) != _DIGITS[name]:
        return Quality.UNCERTAIN, Cause.UNTESTED
    full = _expanded(digits) if name == "upc-e" else digits
    weighted = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(full)))
    return (Quality.UNCERTAIN, Cause.CHECKSUM) if weighted % 10 else (Quality.GOOD, Cause.NONE)


def _expanded(digits: str) -> str:
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
