"""Framers: a stream of bytes in any chunking to frames and faults.

Every framer here is deterministic in the bytes alone: chunking changes nothing. A run of bytes that
belongs to no frame is reported once, at its first byte. Buffers are bounded.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from devicehub.model.errors import ProtocolError, Reason

Frame = bytes | ProtocolError
RUN = 64
MISSES = 1024


class Framer(Protocol):
    """Cuts a byte stream into frames. Faults are yielded in place, never raised."""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take some bytes, yield what they complete."""
        ...


class WholePackets:
    """For links that keep message borders (GATT, HID, files): each packet is a frame."""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the packet itself."""
        yield data


class DelimiterFramer:
    """Frames end in `end`; the delimiter is removed. Longer than `limit` is an OVERFLOW, then resync.

    With `start`, bytes before it are GARBAGE and it is removed from the frame too.
    """

    def __init__(self, end: bytes, *, start: bytes = b"", limit: int = 4096) -> None:
        self._end = end
        self._start = start
        self._limit = limit
        self._buffer = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take some bytes, yield the frames and faults they complete."""
        self._buffer += data
        while (at := self._buffer.find(self._end)) >= 0:
            body = bytes(self._buffer[:at])
            del self._buffer[: at + len(self._end)]
            yield from self._cut(body)
        if len(self._buffer) >= self._limit + len(self._end):
            if not self._skipping:
                yield self._overflow()
            self._skipping = True
            del self._buffer[: len(self._buffer) - len(self._end) + 1]

    def _overflow(self) -> ProtocolError:
        return ProtocolError(Reason.OVERFLOW, f"no end of frame within {self._limit} bytes")

    def _cut(self, body: bytes) -> Iterator[Frame]:
        skipping, self._skipping = self._skipping, False
        if skipping:
            return
        if len(body) > self._limit:
            yield self._overflow()
            return
        if not self._start:
            yield body
            return
        at = body.rfind(self._start)
        if at != 0:
            yield ProtocolError(Reason.GARBAGE, "bytes before the start of a frame")
        if at >= 0:
            yield body[at + len(self._start) :]


class HeadedFramer:
    """Frames whose head says how many bytes they have: so many are waited for.

    What only looks like a head promises bytes that are others' or never come. Who knows the time says so with
    `give_up`, see `devicehub.wire.patience`.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_garbage = False

    @property
    def waits(self) -> bool:
        """Something of a frame is there, and the rest is to come."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take some bytes, yield the frames and faults they complete."""
        self._buffer += data
        while self._buffer and (frame := self._next()) is not None:
            if frame:
                yield frame

    def give_up(self) -> Iterator[Frame]:
        """The rest does not come: one fault, then the frames that it swallowed.

        What else is wrong there is no news, nor is silence behind garbage that was told. Behind `MISSES` places in a
        row where no frame begins the rest is dropped, so that nobody waits for the search.
        """
        if self._buffer and not self._in_garbage:
            yield ProtocolError(Reason.TRUNCATED, f"{len(self._buffer)} bytes of a frame, then silence")
        misses = 0
        while self._buffer and misses < MISSES:
            del self._buffer[0]
            while self._buffer and misses < MISSES and (frame := self._next()) is not None:
                misses += 1
                if isinstance(frame, bytes) and frame:
                    misses = 0
                    yield frame
        self._buffer.clear()
        self._in_garbage = False

    def _next(self) -> Frame | None:
        """One frame or fault; b"" for progress without news; None when more bytes are needed."""
        raise NotImplementedError


class SyncFramer(HeadedFramer):
    """Frames of known size behind a sync marker.

    `size(header)` gives the whole frame's size from its first `header` bytes, or raises
    `ProtocolError`; `check(frame)` raises `ProtocolError` for a bad checksum. On either the hunt
    goes on one byte after the false sync, so that a good frame inside a bad one is found. With no
    sync a frame might begin at any byte: that none does is news once in `RUN` bytes. `sole`: no frame
    has inside what could be a head, so that the next head ends the wait for what a false or cut one promises.
    """

    def __init__(
        self,
        sync: bytes,
        header: int,
        size: Callable[[bytes], int],
        check: Callable[[bytes], None],
        *,
        sole: bool = False,
    ) -> None:
        super().__init__()
        self._sync = sync
        self._sole = sole
        self._searched = 0
        self._header = max(header, len(sync), 1)
        self._size = size
        self._check = check
        self._misfits = 0

    def _next(self) -> Frame | None:
        if (garbage := self._hunt()) is not None:
            return garbage
        if len(self._buffer) < self._header:
            return None
        try:
            size = self._sized()
        except ProtocolError as error:
            return self._beyond(error)
        if self._sole and (next_at := self._another(size)) is not None:
            return self._cut(next_at)
        return None if len(self._buffer) < size else self._checked(size)

    def _checked(self, size: int) -> Frame:
        """The frame that is there, or what is wrong with it."""
        frame = bytes(self._buffer[:size])
        try:
            self._check(frame)
        except ProtocolError as error:
            return self._beyond(error)
        del self._buffer[: len(frame)]
        self._in_garbage, self._misfits, self._searched = False, 0, 0
        return frame

    def _another(self, size: int) -> int | None:
        """Where another head stands within the frame at the beginning. No byte is searched twice."""
        at, end = max(self._searched, len(self._sync)), size - self._header + len(self._sync)
        while (at := self._buffer.find(self._sync, at, end)) >= 0 and at + self._header <= len(self._buffer):
            try:
                self._sized(at)
            except ProtocolError:
                at += 1
            else:
                return at
        self._searched = at if at >= 0 else max(len(self._buffer) - len(self._sync) + 1, 0)
        return None

    def _cut(self, at: int) -> Frame:
        """Drop what was begun, up to the frame behind it."""
        del self._buffer[:at]
        self._in_garbage, self._searched = True, 0
        return ProtocolError(Reason.TRUNCATED, f"{at} bytes of a frame, then another")

    def _beyond(self, error: ProtocolError) -> Frame:
        """Drop one byte of what is no frame."""
        del self._buffer[0]
        self._searched = 0
        news = bool(self._sync) or self._misfits % RUN == 0
        self._in_garbage, self._misfits = True, self._misfits + 1
        return error if news else b""

    def _sized(self, at: int = 0) -> int:
        """The size that the header there gives. Raises `ProtocolError`."""
        size = self._size(bytes(self._buffer[at : at + self._header]))
        if size < 1:
            raise ProtocolError(Reason.LENGTH, f"a frame of {size} bytes")
        return size

    def _hunt(self) -> Frame | None:
        """Drop what cannot begin a frame; the first dropped byte of a run is a fault."""
        at = self._buffer.find(self._sync)
        if at == 0:
            return None
        keep = len(self._buffer) - at if at > 0 else self._partial()
        dropped = len(self._buffer) - keep
        if dropped == 0:
            return None
        del self._buffer[:dropped]
        self._searched = 0
        first, self._in_garbage = not self._in_garbage, True
        return ProtocolError(Reason.GARBAGE, "bytes outside a frame") if first else b""

    def _partial(self) -> int:
        """How many trailing bytes may be the beginning of a sync marker."""
        for length in range(min(len(self._sync) - 1, len(self._buffer)), 0, -1):
            if self._buffer.endswith(self._sync[:length]):
                return length
        return 0
