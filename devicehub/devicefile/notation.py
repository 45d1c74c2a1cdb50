"""How bytes are written in a device file, with what is put in when they are sent.

"7e 01 30*4"        hexadecimal pairs, spaces anywhere between them; `30*4` is the same pair four times
"'pids.error ?' 0d" ASCII text in single quotes
"{seq:u8} 00"       a counter, an option or `{length:u16le}`, in the type after the colon
"'{threshold}'"     inside quotes: its decimal digits
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

MOST: Final = 65536
_TOKEN: Final = re.compile(
    r"\s+|(?P<pair>[0-9A-Fa-f]{2})(?:\*(?P<times>[0-9]{1,5}))?"
    r"|'(?P<text>[^']*)'|\{(?P<name>[a-z][a-z0-9_]*):(?P<type>[a-z0-9]+)\}"
)
_INSIDE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ORDERS: Final[Mapping[str, Literal["little", "big"]]] = MappingProxyType({"<3": "little", ">3": "big"})
_FORMATS: Final = MappingProxyType(
    {
        "u24le": "<3",
        "u24be": ">3",
        **{f"{letter}8": code for letter, code in (("u", "B"), ("i", "b"))},
        **{
            f"{letter}{bits}{end}": sign + code
            for bits, codes in ((16, "Hh"), (32, "Ii"), (64, "Qq"))
            for letter, code in zip("ui", codes, strict=True)
            for end, sign in (("le", "<"), ("be", ">"))
        },
    }
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a template. `format` of `struct`, or `<3` and `>3` of three bytes; empty for decimal digits."""

    name: str
    format: str

    def bytes_of(self, value: float | str) -> bytes:
        """A value as it is sent. Raises `ValueError` for one that does not fit."""
        if not self.format:
            return str(value).encode()
        try:
            if self.format in _ORDERS:
                return int(value).to_bytes(3, _ORDERS[self.format])
            return struct.pack(self.format, int(value))
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{self.name} = {value}: {error}") from None

    def value_of(self, data: bytes) -> float | str:
        """The inverse of `bytes_of`."""
        if self.format in _ORDERS:
            return int.from_bytes(data, _ORDERS[self.format])
        return int(struct.unpack(self.format, data)[0]) if self.format else data.decode("ascii")

    @property
    def size(self) -> int | None:
        """How many bytes, None where it varies."""
        if self.format in _ORDERS:
            return 3
        return struct.calcsize(self.format) if self.format else None


Template = tuple[bytes | Slot, ...]


def parse_template(text: str) -> Template:
    """Bytes and slots. Raises `ValueError` in plain words."""
    out: list[bytes | Slot] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"not bytes from {text[at : at + 12]!r} on; write 0d, 30*4, 'text' or {{name:u8}}")
        out.extend(_meaning(token))
        at = token.end()
    return tuple(_joined(out))


def _meaning(token: re.Match[str]) -> Iterator[bytes | Slot]:
    if token["pair"]:
        times = int(token["times"] or 1)
        if times > MOST:
            raise ValueError(f"{token[0]}: more than {MOST} bytes")
        yield bytes.fromhex(token["pair"]) * times
    elif token["name"]:
        if token["type"] not in _FORMATS:
            raise ValueError(f"{token[0]}: the type must be one of {', '.join(_FORMATS)}")
        yield Slot(token["name"], _FORMATS[token["type"]])
    elif token["text"] is not None:
        yield from _text(token["text"])


def _text(text: str) -> Iterator[bytes | Slot]:
    if not text.isascii():
        raise ValueError(f"{text!r}: only ASCII in quotes; write other bytes in hexadecimal")
    for number, part in enumerate(_INSIDE.split(text)):
        yield Slot(part, "") if number % 2 else part.encode()


def _joined(parts: list[bytes | Slot]) -> Iterator[bytes | Slot]:
    run = b""
    for part in parts:
        if isinstance(part, bytes):
            run += part
            continue
        if run:
            yield run
        run = b""
        yield part
    if run:
        yield run


def parse_bytes(text: str) -> bytes:
    """Bytes without slots. Raises `ValueError`."""
    template = parse_template(text)
    if any(isinstance(part, Slot) for part in template):
        raise ValueError("nothing can be put in here")
    return b"".join(part for part in template if isinstance(part, bytes))


def filled(template: Template, values: Mapping[str, float | str]) -> bytes:
    """A template with its slots filled. Raises `ValueError` for a value that does not fit."""
    return b"".join(part if isinstance(part, bytes) else part.bytes_of(values[part.name]) for part in template)


def slots(template: Template) -> tuple[str, ...]:
    """The names of what is put in."""
    return tuple(part.name for part in template if isinstance(part, Slot))
