"""Names of barcode symbologies from AIM identifiers.

An AIM identifier is `]`, a code letter and one modifier character. The letter names the symbology;
a few modifiers say that the data are GS1 element strings or that it is another code of the family.

Source: ISO/IEC 15424:2008, Data carrier identifiers (including symbology identifiers).
"""

from types import MappingProxyType
from typing import Final

UNKNOWN: Final = "unknown"

_LETTERS: Final = MappingProxyType(
    {
        "A": "code-39",
        "B": "telepen",
        "C": "code-128",
        "D": "code-one",
        "E": "ean-upc",
        "F": "codabar",
        "G": "code-93",
        "H": "code-11",
        "I": "interleaved-2-of-5",
        "J": "dotcode",
        "K": "code-16k",
        "L": "pdf417",
        "M": "msi",
        "N": "anker",
        "O": "codablock",
        "P": "plessey",
        "Q": "qr-code",
        "R": "straight-2-of-5",
        "S": "straight-2-of-5",
        "T": "code-49",
        "U": "maxicode",
        "X": "other",
        "c": "channel-code",
        "d": "data-matrix",
        "e": "gs1-databar",
        "g": "grid-matrix",
        "h": "han-xin",
        "o": "ocr",
        "p": "posicode",
        "s": "supercode",
        "u": "ultracode",
        "z": "aztec",
    }
)
_MODIFIED: Final = MappingProxyType(
    {
        "C1": "gs1-128",
        "E0": "ean-13",
        "E4": "ean-8",
        "J1": "gs1-dotcode",
        "Q3": "gs1-qr-code",
        "Q4": "gs1-qr-code",
        "d2": "gs1-data-matrix",
        "d5": "gs1-data-matrix",
        "e1": "gs1-composite",
        "e2": "gs1-composite",
        "e3": "gs1-composite",
    }
)


def aim_symbology(aim: str) -> str:
    """The symbology's name for an AIM identifier: `]C1`, `C1` or the letter alone; "unknown" for any other.

    A modifier that changes nothing in the name is ignored: `]A0` and `]A4` are both "code-39".
    UPC-A and UPC-E are sent as `]E0`, padded to thirteen digits, hence "ean-13".
    """
    code = aim.removeprefix("]")
    if not 1 <= len(code) <= 2:
        return UNKNOWN
    return _MODIFIED.get(code) or _LETTERS.get(code[0], UNKNOWN)
