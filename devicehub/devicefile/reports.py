"""Links that keep the borders of packets: each is a frame, or several go on into one, as reports of a HID device do."""

from collections.abc import Callable, Iterator

from devicehub.devicefile.schema import FrameTable
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.framer import Frame


class Reports:
    """Packets; with `more_at` the data of several is joined behind the head of the first.

    A packet that cannot be one, or does not belong to those before it, drops what was joined: half a document number is
    worse than none. So does silence. The rest of a frame without end, or with a packet that cannot be one, is skipped.
    """

    def __init__(self, table: FrameTable, verify: Callable[[bytes], None]) -> None:
        """`verify` raises `ProtocolError` for a frame whose check is wrong."""
        self._verify = verify
        self._least, self._most, self._report = table.least, table.most, table.report
        self._begin, self._size_at, self._data_most = table.payload_at, table.payload_size_at, table.payload_most
        self._more_at, self._mask = table.more_at, table.more_mask
        changing = {table.payload_size_at, table.more_at}
        self._alike = [at for at in range(table.payload_at) if at not in changing] if table.more_alike else []
        self._joined = b""
        self._skipping = False

    @property
    def waits(self) -> bool:
        """Whether the rest of a frame is to come."""
        return bool(self._joined) or self._skipping

    def clear(self) -> bool:
        """As `StreamFramer.clear`."""
        had, self._joined, self._skipping = bool(self._joined), b"", False
        return had

    def idle(self) -> Iterator[Frame]:
        """The rest did not come in time."""
        if self.clear():
            yield ProtocolError(Reason.TRUNCATED, "the rest of a frame did not come")

    def feed(self, data: bytes) -> Iterator[Frame]:
        """As `Framer.feed`."""
        if self._more_at is None:
            yield self._whole(data)
            return
        try:
            end = self._end(data)
        except ProtocolError as error:
            yield error
            yield from self.idle()
            self._skipping = True
            return
        more = bool(data[self._more_at] & self._mask)
        if self._skipping:
            self._skipping = more
        elif more or self._joined:
            yield from self._join(data, end, more=more)
        else:
            yield self._whole(data[:end])

    def _whole(self, frame: bytes) -> Frame:
        if not self._least <= len(frame) <= self._most:
            wanted = str(self._most) if self._least == self._most else f"{self._least} to {self._most}"
            return ProtocolError(Reason.LENGTH, f"{len(frame)} bytes instead of {wanted}")
        try:
            self._verify(frame)
        except ProtocolError as error:
            return error
        return frame

    def _join(self, data: bytes, end: int, *, more: bool) -> Iterator[Frame]:
        """The frame that a packet completes, if it does, and what is wrong with it or those before."""
        if self._joined and any(self._joined[at] != data[at] for at in self._alike):
            self._joined = b""
            yield ProtocolError(Reason.SEQUENCE, "a packet of another frame")
        joined = self._joined + data[self._begin : end] if self._joined else data[:end]
        self._joined = joined if more else b""
        if len(joined) > self._most:
            self._joined, self._skipping = b"", more
            yield ProtocolError(Reason.OVERFLOW, f"more than {self._most} bytes in packets that go on")
        elif not more:
            yield self._whole(joined)

    def _end(self, data: bytes) -> int:
        """Where the data of a packet end. Raises `ProtocolError` for one that cannot be."""
        if len(data) != self._report:
            raise ProtocolError(Reason.LENGTH, f"a packet of {len(data)} bytes instead of {self._report}")
        if self._size_at is None:
            return len(data)
        if data[self._size_at] > self._data_most:
            raise ProtocolError(Reason.RANGE, f"{data[self._size_at]} bytes of data in a packet")
        return self._begin + data[self._size_at]
