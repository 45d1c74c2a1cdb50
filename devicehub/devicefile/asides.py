"""Two kinds of frames on one line: those with their length in them, and others from a beginning to an end."""

from collections.abc import Callable

from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.schema import FrameTable
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.framer import Frame, HeadedFramer


class Mixed(HeadedFramer):
    """Whichever of the two begins first. The others are whole with their beginning and end, and have no check.

    What is no frame is reported once, at its first byte; the hunt goes on one byte behind a false beginning.
    """

    def __init__(self, table: FrameTable, size: Callable[[bytes], int], verify: Callable[[bytes], None]) -> None:
        """`size` of a frame by its head, `verify` its checks: both raise `ProtocolError`."""
        super().__init__()
        self._sync, self._start = parse_bytes(table.sync), parse_bytes(table.aside_start)
        self._begins = (self._sync, self._start)
        self._end, self._most = parse_bytes(table.aside_end), table.most
        self._head = table.at + table.width
        self._size, self._verify = size, verify

    def _next(self) -> Frame | None:
        if not self._buffer.startswith(self._begins) and (dropped := self._hunt()):
            del self._buffer[:dropped]
            first, self._in_garbage = not self._in_garbage, True
            return ProtocolError(Reason.GARBAGE, "bytes outside a frame") if first else b""
        try:
            frame = self._whole()
        except ProtocolError as error:
            del self._buffer[0]
            self._in_garbage = True
            return error
        if frame is not None:
            del self._buffer[: len(frame)]
            self._in_garbage = False
        return frame

    def _hunt(self) -> int:
        """How many bytes cannot begin a frame."""
        found = [at for marker in self._begins if (at := self._buffer.find(marker)) >= 0]
        return min(found) if found else len(self._buffer) - self._partial()

    def _partial(self) -> int:
        """How many trailing bytes may be the beginning of a beginning."""
        longest = max(len(self._sync), len(self._start)) - 1
        for length in range(min(longest, len(self._buffer)), 0, -1):
            tail = self._buffer[-length:]
            if self._sync.startswith(tail) or self._start.startswith(tail):
                return length
        return 0

    def _whole(self) -> bytes | None:
        """The frame at the beginning of the buffer, once all of it is there. Raises `ProtocolError`."""
        if self._buffer.startswith(self._start):
            return self._aside()
        if not self._buffer.startswith(self._sync) or len(self._buffer) < self._head:
            return None
        size = self._size(bytes(self._buffer[: self._head]))
        if len(self._buffer) < size:
            return None
        frame = bytes(self._buffer[:size])
        self._verify(frame)
        return frame

    def _aside(self) -> bytes | None:
        end = self._buffer.find(self._end, len(self._start), self._most)
        if end >= 0:
            return bytes(self._buffer[: end + len(self._end)])
        if len(self._buffer) >= self._most:
            raise ProtocolError(Reason.OVERFLOW, f"no end of frame within {self._most} bytes")
        return None
