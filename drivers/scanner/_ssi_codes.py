"""Barcode facts that SSI leaves to the host: names of code types, prefixes before the data.

Code types: the DECODE_DATA tables of Zebra's product reference guides and the table in enioka_scan
(SsiSymbologyTranslator, Apache-2.0; facts only). Names are those of `devicehub.wire.symbology`
wherever an AIM identifier has one. Symbol code characters: "Symbol Code Identifiers" in the
same guides.
"""

from types import MappingProxyType
from typing import Final

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
