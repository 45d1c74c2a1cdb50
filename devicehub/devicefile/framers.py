"""Framers as a device file describes them, on those of `devicehub.wire` where they fit.

A frame is what stands between the delimiters, unescaped; with its length in it, the whole; of a packet link, the
packet, or the joined data of several. Offsets of fields and checks count from its first byte.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from devicehub.devicefile.asides import Mixed
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.reports import Reports
from devicehub.devicefile.schema import FrameTable
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.framer import DelimiterFramer, Frame, Framer, HeadedFramer, SyncFramer

Verify = Callable[[bytes], None]


class StreamFramer(Framer, Protocol):
    """A framer that can be told to forget what it has."""

    def clear(self) -> bool:
        """Forget a frame that is not whole; whether there was one."""
        ...


class Escape:
    """Bytes that stand for others inside a frame. The one that stands for the escape byte is replaced last."""

    def __init__(self, table: dict[str, str]) -> None:
        pairs = [(parse_bytes(line), parse_bytes(plain)) for line, plain in table.items()]
        self._pairs = sorted(pairs, key=lambda pair: pair[1] == pair[0][:1])

    def undo(self, data: bytes) -> bytes:
        """From the line."""
        for line, plain in self._pairs:
            if line in data:
                data = data.replace(line, plain)
        return data

    def apply(self, data: bytes) -> bytes:
        """To the line."""
        for line, plain in reversed(self._pairs):
            data = data.replace(plain, line)
        return data


class Delimited:
    """Between delimiters, unescaped and checked. Nothing between two of them is no frame."""

    def __init__(self, table: FrameTable, verify: Verify) -> None:
        self._start, self._end = parse_bytes(table.start), parse_bytes(table.end)
        self._escape, self._strip = Escape(table.escape) if table.escape else None, parse_bytes(table.strip)
        self._least, self._most, self._grown = table.least, table.most, 2 if table.escape else 1
        self._verify = verify
        self.clear()

    def clear(self) -> bool:
        """As `StreamFramer.clear`."""
        start = b"" if self._start == self._end else self._start
        self._inner = DelimiterFramer(self._end, start=start, limit=self._most * self._grown)
        return False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """As `Framer.feed`."""
        for frame in self._inner.feed(data):
            content = self._content(frame) if frame and isinstance(frame, bytes) else frame
            if content:
                yield content

    def _content(self, frame: bytes) -> Frame:
        content = frame if self._escape is None else self._escape.undo(frame)
        if self._strip:
            content = content.strip(self._strip)
        if not content:
            return b""
        if not self._least <= len(content) <= self._most:
            return ProtocolError(Reason.LENGTH, f"{len(content)} bytes between delimiters")
        try:
            self._verify(content)
        except ProtocolError as error:
            return error
        return content


class Lengthed:
    """With its length in it, behind a sync marker or none; perhaps others between."""

    def __init__(self, table: FrameTable, verify: Verify) -> None:
        self._table = table
        self._verify = verify
        self._place, self._order = slice(table.at, table.at + table.width), table.endian
        self._mask, self._adjust, self._least, self._most = table.mask, table.adjust, table.least, table.most
        self.clear()

    def clear(self) -> bool:
        """As `StreamFramer.clear`."""
        table = self._table
        self._inner: HeadedFramer = (
            Mixed(table, self._size, self._verify)
            if table.aside_start
            else SyncFramer(parse_bytes(table.sync), table.at + table.width, self._size, self._verify)
        )
        return False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """As `Framer.feed`."""
        return self._inner.feed(data)

    @property
    def waits(self) -> bool:
        """Whether the rest of a frame is to come."""
        return self._inner.waits

    def idle(self) -> Iterator[Frame]:
        """The rest did not come in time."""
        return self._inner.give_up()

    def _size(self, head: bytes) -> int:
        size = (int.from_bytes(head[self._place], self._order) & self._mask) + self._adjust
        if not self._least <= size <= self._most:
            raise ProtocolError(Reason.LENGTH, f"a frame of {size} bytes")
        return size


class Replies:
    """As many bytes as the answer to the request in flight has, or what came before the line was idle."""

    def __init__(self, table: FrameTable, verify: Verify) -> None:
        self._most = table.most
        self._verify = verify
        self._buffer = bytearray()
        self._wanted: int | None = None
        self._open = False

    def expect(self, size: int | None) -> None:
        """An answer of `size` bytes comes now; None: until the line is idle."""
        self._buffer.clear()
        self._wanted, self._open = size, True

    def clear(self) -> bool:
        """As `StreamFramer.clear`."""
        had = bool(self._buffer)
        self._buffer.clear()
        self._open = False
        return had

    def feed(self, data: bytes) -> Iterator[Frame]:
        """As `Framer.feed`."""
        if not self._open:
            yield ProtocolError(Reason.GARBAGE, "bytes that nobody asked for")
            return
        self._buffer += data
        if len(self._buffer) > self._most:
            self.clear()
            yield ProtocolError(Reason.OVERFLOW, f"more than {self._most} bytes in an answer")
        elif self._wanted is not None and len(self._buffer) >= self._wanted:
            if len(self._buffer) > self._wanted:
                self.clear()
                yield ProtocolError(Reason.LENGTH, f"more than the {self._wanted} bytes of the answer")
            else:
                yield self._taken()

    def idle(self) -> Iterator[Frame]:
        """The line is idle: an answer of unknown size is whole."""
        if self._open and self._wanted is None and self._buffer:
            yield self._taken()

    def _taken(self) -> Frame:
        frame = bytes(self._buffer)
        self.clear()
        try:
            self._verify(frame)
        except ProtocolError as error:
            return error
        return frame


def framer(table: FrameTable, verify: Verify) -> StreamFramer:
    """A fresh framer. `verify` raises `ProtocolError` for a frame whose check is wrong."""
    match table.kind:
        case "delimited":
            return Delimited(table, verify)
        case "length":
            return Lengthed(table, verify)
        case "packet":
            return Reports(table, verify)
        case "reply":
            return Replies(table, verify)


def resting(cutter: StreamFramer, table: FrameTable) -> tuple[Lengthed | Reports | None, float | None]:
    """A framer that waits for the rest of a frame, and how long it does."""
    if isinstance(cutter, Lengthed):
        return cutter, table.rest_within_s
    if isinstance(cutter, Reports) and table.more_within_s is not None:
        return cutter, table.more_within_s
    return None, None
