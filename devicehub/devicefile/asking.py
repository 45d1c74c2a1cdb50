"""Requests as bytes, and bytes as requests: what a device is sent, with its length and checks."""

import re
from collections.abc import Iterable, Mapping

from devicehub.devicefile.framers import StreamFramer, framer
from devicehub.devicefile.framing import Framing, room
from devicehub.devicefile.integrity import Check
from devicehub.devicefile.notation import Slot, Template, filled, parse_template, slots
from devicehub.devicefile.schema import CounterTable
from devicehub.model.errors import ProtocolError

LENGTH = "length"
RESEND = "resend"
"""What is put in when a request is sent again: 1, and 0 before."""


class Counters:
    """Numbers that advance with each request that has them."""

    def __init__(self, tables: Iterable[CounterTable]) -> None:
        self._tables = {table.name: table for table in tables}
        self._next = {table.name: table.start for table in self._tables.values()}

    def take(self, names: Iterable[str]) -> dict[str, int]:
        """The values for these names, where they are counters."""
        out = {}
        for name in names:
            if name in self._tables and name not in out:
                table = self._tables[name]
                out[name] = self._next[name] + table.plus
                self._next[name] = (self._next[name] + 1) % table.modulus
        return out


class Asking:
    """The frames that a device is sent."""

    def __init__(self, framing: Framing, checks: tuple[Check, ...]) -> None:
        """`checks`: those that requests have."""
        self._framing = framing
        self._asked = checks
        table = framing.table
        self._adjust = table.adjust if table.request_adjust is None else table.request_adjust
        self._head, self._tail = parse_template(table.request_head), parse_template(table.request_tail)

    def request_framer(self) -> StreamFramer:
        """A fresh framer of what the device is sent."""
        changes = {"adjust": self._adjust, "sync": "", "aside_start": "", "least": 1, "strip": ""}
        return framer(self._framing.table.model_copy(update=changes), self._verify_request)

    def _verify_request(self, frame: bytes) -> None:
        for check in self._asked:
            check.verify(frame)

    def request(self, send: Template, values: Mapping[str, float | str], *, unchecked: bool = False) -> bytes:
        """What the device is sent. Raises `ValueError` for a value that does not fit."""
        template = (*self._head, *send, *self._tail)
        checks = room(self._asked)
        size = len(filled(template, {LENGTH: 0, **values})) + checks
        frame = filled(template, {**values, LENGTH: size - self._adjust}) + bytes(checks)
        for check in self._asked:
            frame = check.blank(frame) if unchecked else check.fill(frame)
        return self._framing.wrapped(frame)

    def sealed(self, frame: bytes) -> bytes:
        """A frame that a framer of requests found, as it goes over the line: its checks computed anew."""
        for check in self._asked:
            frame = check.fill(check.blank(frame))
        return self._framing.wrapped(frame)

    def slots(self, send: Template) -> tuple[str, ...]:
        """What is put into a request, `length` aside."""
        return tuple(name for name in slots((*self._head, *send, *self._tail)) if name != LENGTH)

    def pattern(self, send: Template) -> re.Pattern[bytes]:
        """Matches a request's frame; its slots are groups."""
        pieces = [piece for part in (*self._head, *send, *self._tail) for piece in _pieces(part)]
        return re.compile(self._unchecked(pieces) + b".{%d}" % room(self._asked), re.DOTALL)

    def put_in(self, send: Template, pattern: re.Pattern[bytes], data: bytes) -> dict[str, float | str] | None:
        """What was put into `data`, None unless it is exactly that request once, its length, checks and escapes too.

        `pattern`: of the same `send`. It finds what was put in; whether the rest is right shows when it is made again.
        """
        match = pattern.fullmatch(self._framing.unwrapped(data))
        if match is None:
            return None
        values = self.read(send, match)
        try:
            return values if self.request(send, values) == data else None
        except (ValueError, OverflowError, ProtocolError):  # a length that does not fit, an odd sum of words
            return None

    def outline(self, send: Template, end: bytes = b"") -> bytes:
        """A regular expression that a request matches which begins so and, its check aside, ends so."""
        delimited = self._framing.table.kind == "delimited"
        start, stop = (self._framing.start, self._framing.end) if delimited else (b"", b"")
        last = b".*%b.{%d}%b\\Z" % (re.escape(end), room(self._asked), re.escape(stop)) if end else b""
        begins = self._unchecked([piece for part in (*self._head, *send) for piece in _pieces(part, named=False)])
        return re.escape(start) + begins + last

    def _unchecked(self, pieces: list[bytes]) -> bytes:
        """A regular expression of its pieces, byte by byte: checks between them may be anything."""
        for check in (check for check in self._asked if check.at >= 0):
            pieces[check.at : check.at + check.size] = [b"."] * check.size
        return b"".join(pieces)

    def read(self, send: Template, match: re.Match[bytes]) -> dict[str, float | str]:
        """What was put into a request that `pattern` matched."""
        parts = (part for part in (*self._head, *send, *self._tail) if isinstance(part, Slot) and part.name != LENGTH)
        return {part.name: part.value_of(match[part.name]) for part in parts}


def _pieces(part: bytes | Slot, *, named: bool = True) -> list[bytes]:
    """A regular expression for each byte; a slot's is in the place of its first byte."""
    if isinstance(part, bytes):
        return [re.escape(part[at : at + 1]) for at in range(len(part))]
    inner = b"[0-9.e+-]+" if part.size is None else b".{%d}" % part.size
    whole = b"(?P<%s>%s)" % (part.name.encode(), inner) if named and part.name != LENGTH else inner
    return [whole] + [b""] * ((part.size or 1) - 1)
