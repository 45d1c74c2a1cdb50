"""A device's frames in both directions: cut and checked as they come, wrapped and filled as they go.

What the device sends and what it is sent differ in their heads, and may differ in what the length counts.
"""

import re
from collections.abc import Mapping

from devicehub.devicefile.framers import Escape, StreamFramer, framer
from devicehub.devicefile.integrity import Check
from devicehub.devicefile.notation import Slot, Template, filled, parse_bytes, parse_template, slots
from devicehub.devicefile.schema import FrameTable

LENGTH = "length"


class Framing:
    """Frames of one device."""

    def __init__(self, table: FrameTable, checks: tuple[tuple[Check, bool], ...]) -> None:
        """`checks`: each with whether requests have it too."""
        self.table = table
        self._checks = tuple(check for check, _ in checks)
        self._asked = tuple(check for check, too in checks if too)
        self._escape = Escape(table.escape)
        self._start, self._end = parse_bytes(table.start), parse_bytes(table.end)
        self._head, self._tail = parse_template(table.request_head), parse_template(table.request_tail)
        self.tail = _room(self._checks)

    def framer(self) -> StreamFramer:
        """A fresh framer of what the device sends."""
        return framer(self.table, self.verify)

    def request_framer(self) -> StreamFramer:
        """A fresh framer of what the device is sent."""
        adjust = self.table.adjust if self.table.request_adjust is None else self.table.request_adjust
        changes = {"adjust": adjust, "sync": "", "least": 1, "strip": ""}
        return framer(self.table.model_copy(update=changes), self._verify_request)

    def verify(self, frame: bytes) -> None:
        """Raises `ProtocolError` unless all checks of a frame hold."""
        for check in self._checks:
            check.verify(frame)

    def _verify_request(self, frame: bytes) -> None:
        for check in self._asked:
            check.verify(frame)

    def body(self, frame: bytes) -> bytes:
        """A frame without the checks at its end."""
        return frame[: len(frame) - self.tail] if self.tail else frame

    def reply(self, body: bytes, *, unchecked: bool = False) -> bytes:
        """What the device sends: a body with its length and checks, wrapped."""
        table = self.table
        frame = body + bytes(self.tail)
        if table.kind == "length":
            told = int.from_bytes(frame[table.at : table.at + table.width], table.endian) & ~table.mask
            length = (len(frame) - table.adjust) & table.mask | told
            room = length.to_bytes(table.width, table.endian)
            frame = frame[: table.at] + room + frame[table.at + table.width :]
        for check in self._checks:
            frame = check.blank(frame) if unchecked else check.fill(frame)
        return self._wrapped(frame)

    def packets(self, frame: bytes) -> list[bytes]:
        """A frame as the device sends it: one packet, or reports of one size that go on."""
        table = self.table
        if table.more_at is None:
            return [frame.ljust(table.report, b"\0")]
        head, data = frame[: table.payload_at], frame[table.payload_at :]
        pieces = [data[at : at + table.payload_most] for at in range(0, len(data), table.payload_most)] or [b""]
        out = []
        for number, piece in enumerate(pieces, 1):
            report = bytearray((head + piece).ljust(table.report, b"\0"))
            if table.payload_size_at is not None:
                report[table.payload_size_at] = len(piece)
            report[table.more_at] |= table.more_mask if number < len(pieces) else 0
            out.append(bytes(report))
        return out

    def is_unchecked(self, frame: bytes) -> bool:
        """Whether a frame says that it has no check."""
        return any(check.says_unchecked(frame) for check in self._checks)

    def request(self, send: Template, values: Mapping[str, float | str], *, unchecked: bool = False) -> bytes:
        """What the device is sent. Raises `ValueError` for a value that does not fit."""
        template = (*self._head, *send, *self._tail)
        room = _room(self._asked)
        size = len(filled(template, {LENGTH: 0, **values})) + room
        adjust = self.table.adjust if self.table.request_adjust is None else self.table.request_adjust
        frame = filled(template, {**values, LENGTH: size - adjust}) + bytes(room)
        for check in self._asked:
            frame = check.blank(frame) if unchecked else check.fill(frame)
        return self._wrapped(frame)

    def slots(self, send: Template) -> tuple[str, ...]:
        """What is put into a request, `length` aside."""
        return tuple(name for name in slots((*self._head, *send, *self._tail)) if name != LENGTH)

    def pattern(self, send: Template) -> re.Pattern[bytes]:
        """Matches a request's frame; its slots are groups."""
        pieces = [piece for part in (*self._head, *send, *self._tail) for piece in _pieces(part)]
        for check in (check for check in self._asked if check.at >= 0):
            pieces[check.at : check.at + check.size] = [b"."] * check.size
        return re.compile(b"".join(pieces) + b".{%d}" % _room(self._asked), re.DOTALL)

    def beginning(self, send: Template) -> bytes:
        """A regular expression that a request that begins so matches."""
        start = re.escape(self._start) if self.table.kind == "delimited" else b""
        return start + b"".join(piece for part in (*self._head, *send) for piece in _pieces(part, named=False))

    def read(self, send: Template, match: re.Match[bytes]) -> dict[str, float | str]:
        """What was put into a request that `pattern` matched."""
        parts = (part for part in (*self._head, *send, *self._tail) if isinstance(part, Slot) and part.name != LENGTH)
        return {part.name: part.value_of(match[part.name]) for part in parts}

    def _wrapped(self, frame: bytes) -> bytes:
        return self._start + self._escape.apply(frame) + self._end if self.table.kind == "delimited" else frame


def _room(checks: tuple[Check, ...]) -> int:
    """Bytes at the end of a frame from the first check on."""
    return max((-check.at for check in checks if check.at < 0), default=0)


def _pieces(part: bytes | Slot, *, named: bool = True) -> list[bytes]:
    """A regular expression for each byte; a slot's is in the place of its first byte."""
    if isinstance(part, bytes):
        return [re.escape(part[at : at + 1]) for at in range(len(part))]
    inner = b"[0-9.+-]+" if part.size is None else b".{%d}" % part.size
    whole = b"(?P<%s>%s)" % (part.name.encode(), inner) if named and part.name != LENGTH else inner
    return [whole] + [b""] * ((part.size or 1) - 1)
