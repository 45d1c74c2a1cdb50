"""What proves that a journal is what was written: of a row its digest, of the order the chain, of the rest a seal.

`meta` says how far everything was delivered, and no digest covers it: one changed bit there would silently count
events as delivered. The seal is a second copy of it, in a table of its own and with its own SHA-256:
`devicehub-seal-1 HEX {JSON}`, in which bytes are written as `hex:...`. It is found in a file that SQLite cannot read.
"""

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.journal.rows import Row, digest

SEAL: Final = re.compile(rb"devicehub-seal-1 ([0-9a-f]{64}) (\{[^{}]*\})")
_HEX: Final = "hex:"

Value = str | int | float | bytes
Values = Mapping[str, Value]


class Fault(StrEnum):
    """What is wrong."""

    CONTENT = "content changed"
    DIGEST = "digest changed, the chain proves the content"
    CHAIN = "chain changed, the digest proves the content"
    MISSING = "row missing"
    INSERTED = "row inserted"
    ORDER = "out of order"
    TAIL = "tail truncated"
    META = "what is known of the journal changed"
    STRUCTURE = "file damaged"
    LOG = "write-ahead log damaged"


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong. `position` 0: not with one row. `last`: of a range of positions, else 0."""

    fault: Fault
    position: int = 0
    stream: str = ""
    number: int | None = None
    id: str = ""
    detail: str = ""
    last: int = 0

    def __str__(self) -> str:
        words = []
        if self.position:
            words.append(f"position {self.position}" + (f" to {self.last}" if self.last > self.position else ""))
        if self.stream:
            words.append(self.stream if self.number is None else f"{self.stream} {self.number}")
        if self.id:
            words.append(self.id)
        words.append(self.fault + (f" ({self.detail})" if self.detail else ""))
        return ": ".join([" ".join(words[:-1]), words[-1]]) if words[:-1] else words[-1]


def content(stored: Row) -> bytes | None:
    """The SHA-256 of what a row holds now; None for what cannot be a row's content: its types may be damaged too."""
    try:
        return digest(stored[:-3], stored[-3])
    except (ValueError, TypeError, OverflowError):
        return None


def finding(stored: Row, fault: Fault, detail: str = "") -> Finding:
    """A finding about a row, named as it reads now."""
    stream, number, name = stored[1], stored[2], stored[9]
    return Finding(fault, stored[0], printable(stream), _number(number), printable(name), detail)


def printable(text: object) -> str:
    """Damaged text for a log line."""
    return ascii(text)[1:-1] if isinstance(text, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def seal(values: Values) -> str:
    """The seal of what is known of a journal."""
    plain = {name: _HEX + value.hex() if isinstance(value, bytes) else value for name, value in sorted(values.items())}
    text = msgspec.json.encode(plain)
    return f"devicehub-seal-1 {hashlib.sha256(text).hexdigest()} {text.decode()}"


def unsealed(text: bytes) -> dict[str, Value] | None:
    """What was sealed; None where the seal is broken."""
    found = SEAL.fullmatch(text)
    if found is None or hashlib.sha256(found[2]).hexdigest().encode() != found[1]:
        return None
    plain = msgspec.json.decode(found[2], type=dict[str, str | int | float])
    return {name: _value(value) for name, value in plain.items()}


def _value(plain: str | float) -> Value:
    return bytes.fromhex(plain[len(_HEX) :]) if isinstance(plain, str) and plain.startswith(_HEX) else plain
