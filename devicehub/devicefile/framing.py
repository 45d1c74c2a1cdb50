"""A device's frames in both directions: cut and checked as they come, wrapped and filled as they go.

What the device sends and what it is sent differ in their heads, and may differ in what the length counts.
"""

from devicehub.devicefile.framers import Escape, StreamFramer, framer
from devicehub.devicefile.integrity import Check
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.schema import FrameTable
from devicehub.model.errors import ProtocolError


class Framing:
    """Frames of one device."""

    def __init__(self, table: FrameTable, checks: tuple[Check, ...]) -> None:
        self.table = table
        self._checks = checks
        self._refusing = tuple(check for check in checks if check.refuses)
        self._doubted = tuple(check for check in checks if not check.refuses)
        self._escape = Escape(table.escape)
        self.start, self.end = parse_bytes(table.start), parse_bytes(table.end)
        self.tail = room(self._checks)
        self._inside = slice(None, -self.tail or None)
        self._aside = parse_bytes(table.aside_start)

    def framer(self) -> StreamFramer:
        """A fresh framer of what the device sends."""
        return framer(self.table, self._refusing[0].verify if len(self._refusing) == 1 else self.verify)

    def verify(self, frame: bytes) -> None:
        """Raises `ProtocolError` unless all checks that a frame must have hold."""
        for check in self._refusing:
            check.verify(frame)

    @property
    def doubts(self) -> bool:
        """Whether there is a check whose rule is not certain."""
        return bool(self._doubted)

    def doubtful(self, frame: bytes) -> bool:
        """Whether a check does not match whose rule is not certain."""
        if not self._doubted or self._is_aside(frame):
            return False
        try:
            for check in self._doubted:
                check.verify(frame)
        except ProtocolError:
            return True
        return False

    def body(self, frame: bytes) -> bytes:
        """A frame without the checks at its end."""
        return frame if self._aside and frame.startswith(self._aside) else frame[self._inside]

    def _is_aside(self, frame: bytes) -> bool:
        """Whether it is one of those that stand between the frames with a length."""
        return bool(self._aside) and frame.startswith(self._aside)

    def reply(self, body: bytes, *, unchecked: bool = False) -> bytes:
        """What the device sends: a body with its length and checks, wrapped."""
        table = self.table
        if self._is_aside(body):
            return body
        frame = body + bytes(self.tail)
        if table.kind == "length":
            told = int.from_bytes(frame[table.at : table.at + table.width], table.endian) & ~table.mask
            length = (len(frame) - table.adjust) & table.mask | told
            room = length.to_bytes(table.width, table.endian)
            frame = frame[: table.at] + room + frame[table.at + table.width :]
        for check in self._checks:
            frame = check.blank(frame) if unchecked else check.fill(frame)
        return self.wrapped(frame)

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
        return not self._is_aside(frame) and any(check.says_unchecked(frame) for check in self._checks)

    def wrapped(self, frame: bytes) -> bytes:
        """A frame as it goes over the line."""
        return self.start + self._escape.apply(frame) + self.end if self.table.kind == "delimited" else frame

    def unwrapped(self, data: bytes) -> bytes:
        """The frame again. Raises `ProtocolError` for escapes that are none."""
        if self.table.kind != "delimited":
            return data
        return self._escape.undo(data.removeprefix(self.start).removesuffix(self.end))


def room(checks: tuple[Check, ...]) -> int:
    """Bytes at the end of a frame from the first check on."""
    return max((-check.at for check in checks if check.at < 0), default=0)
