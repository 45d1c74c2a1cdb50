"""Links that keep the borders of packets: each is a frame, or several go on into one, as reports of a HID device do."""

from collections.abc import Callable, Iterator

from devicehub.devicefile.schema import FrameTable
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.framer import Frame


class Reports:
    """Packets; with `more_at` the data of several is joined behind the head of the first.

    A packet that cannot be one, or does not belong to those before it, drops what was joined: half a document number is
    worse than none. So does silence. Of a frame without end the rest is skipped.
    """

    def __init__(self, table: FrameTable, verify: Callable[[bytes], None]) -> None:
        """`verify` raises `ProtocolError` for a frame whose check is wrong."""
        self._table = table
        self._verify = verify
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
        for frame in [data] if self._table.more_at is None else self._join(data, self._table.more_at):
            yield self._whole(frame) if isinstance(frame, bytes) else frame

    def _whole(self, frame: bytes) -> Frame:
        least, most = self._table.least, self._table.most
        if not least <= len(frame) <= most:
            wanted = str(most) if least == most else f"{least} to {most}"
            return ProtocolError(Reason.LENGTH, f"{len(frame)} bytes instead of {wanted}")
        try:
            self._verify(frame)
        except ProtocolError as error:
            return error
        return frame

    def _join(self, data: bytes, more_at: int) -> Iterator[Frame]:
        """The frame that a packet completes, if it does, and what is wrong with it or those before."""
        table = self._table
        try:
            size = self._size(data)
        except ProtocolError as error:
            yield error
            yield from self.idle()
            return
        more = bool(data[more_at] & table.more_mask)
        if self._skipping:
            self._skipping = more
            return
        if self._joined and any(self._joined[at] != data[at] for at in self._alike):
            self._joined = b""
            yield ProtocolError(Reason.SEQUENCE, "a packet of another frame")
        joined = (self._joined or data[: table.payload_at]) + data[table.payload_at : table.payload_at + size]
        self._joined = joined if more else b""
        if len(joined) > table.most:
            self._joined, self._skipping = b"", more
            yield ProtocolError(Reason.OVERFLOW, f"more than {table.most} bytes in packets that go on")
        elif not more:
            yield joined

    def _size(self, data: bytes) -> int:
        """How much data a packet has. Raises `ProtocolError` for one that cannot be."""
        table = self._table
        if len(data) != table.report:
            raise ProtocolError(Reason.LENGTH, f"a packet of {len(data)} bytes instead of {table.report}")
        size = len(data) - table.payload_at if table.payload_size_at is None else data[table.payload_size_at]
        if table.payload_size_at is not None and size > table.payload_most:
            raise ProtocolError(Reason.RANGE, f"{size} bytes of data in a packet")
        return size
