"""The log of GQ GMC Geiger counters, as SPIR reads it from their flash.

    55 aa 00 yy mm dd hh mm ss 55 aa how    the time (year since 2000), and how counts are saved from here on:
                                            0 not, 1 counts/s every second, 2 counts/min every minute, 3 counts/min
                                            every hour, 4 as 1 and 5 as 2 but only those above a threshold
    55 aa 01 hi lo                          a count of two bytes
    55 aa 03 .. / 55 aa 04 ..               of three and of four bytes, and 55 aa 02 n, a note of n bytes; in the
                                            GMC-500 and later 02 and 03 are the counts and 04 is the note
    55 aa 05 t                              tube: 0 both, 1, 2
    ff                                      never written since the flash was erased
    any other byte                          a count of one byte

A count of 55 followed by one of aa cannot be told from a tag: the device writes both alike. Counts before the first
time have none and are passed over. A sector is erased before it is written again, so that the oldest log may stand
behind a gap: only more than `GAP` erased bytes are the end.

Sources (facts): GQ-RFC1801 1.00, command 6; GQ's forum, topics 3869 and 5331; GeigerLog (GPL) for the tags by model.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from devicehub.devicefile.memory.series import Series, instant
from devicehub.model.errors import ProtocolError, Reason

GAP: Final = 8192
LENGTH: Final = 60
TAG: Final = b"\x55\xaa"
_STAMP, _TWO, _TUBE, _ERASED = 0, 1, 5, 0xFF
_SAVED: Final = MappingProxyType(
    {
        1: ("every second", 1.0, 60),
        2: ("every minute", 60.0, 1),
        3: ("every hour", 3600.0, 1),
        4: ("every second above a threshold", 1.0, 60),
        5: ("every minute above a threshold", 60.0, 1),
    }
)
_THRESHOLD: Final = frozenset({4, 5})
_TIMELESS: Final = ("only counts above a threshold were saved: the times between the first and the last are not known",)
_TUBES: Final = MappingProxyType({1: ", tube 1", 2: ", tube 2"})


class GqGmcLog:
    """Reads one log. Series of `LENGTH` counts in counts/min, the last before another time shorter.

    Counts at the end, that no other time follows, are still being added to: they are told once that has changed.
    """

    def __init__(self, note: int) -> None:
        """`note`: the tag of a note, 2 or 4."""
        self._note = note
        self._widths = {2: 3, 3: 4} if note == 4 else {3: 3, 4: 4}
        self._buffer = bytearray()
        self._erased = 0
        self._now: Series | None = None
        self._factor = 1
        self._tube = ""
        self._counts: list[int] = []
        self.ended = False

    def feed(self, data: bytes) -> Iterator[Series | ProtocolError]:
        """As `MemoryCodec.feed`."""
        self._buffer += data
        at = 0
        while not self.ended and (size := self._size(at)) is not None and at + size <= len(self._buffer):
            yield from self._item(bytes(self._buffer[at : at + size]))
            at += size
        del self._buffer[:at]

    def _size(self, at: int) -> int | None:
        """Bytes of the item at `at`; None where more must come to tell."""
        left = len(self._buffer) - at
        if not left or (self._buffer[at] == TAG[0] and left < 3):
            return None
        if self._buffer[at : at + 2] != TAG:
            return 1
        tag = self._buffer[at + 2]
        if tag == self._note:
            return 4 + self._buffer[at + 3] if left > 3 else None
        return {_STAMP: 12, _TWO: 5, _TUBE: 4}.get(tag) or 3 + self._widths.get(tag, 0)

    def _item(self, item: bytes) -> Iterator[Series | ProtocolError]:
        if item == b"\xff":
            self._blank()
            return
        self._erased = 0
        if len(item) == 1:
            yield from self._count(item[0])
        elif item[2] == _STAMP:
            yield from self._stamp(item)
        elif item[2] == _TUBE:
            self._tube = _TUBES.get(item[3], "")
        elif item[2] == _TWO or item[2] in self._widths:
            yield from self._count(int.from_bytes(item[3:], "big"))
        elif item[2] != self._note:
            self._lost()
            yield ProtocolError(Reason.UNSUPPORTED, f"tag {item[2]:02x} in the log")

    def _blank(self) -> None:
        self._erased += 1
        self.ended = self._erased > GAP
        self._lost()

    def _lost(self) -> None:
        """What follows has no time until the log says it again."""
        self._now = None
        self._counts.clear()

    def _stamp(self, item: bytes) -> Iterator[Series | ProtocolError]:
        yield from self._closed()
        self._lost()
        how = item[11]
        if item[9:11] != TAG or how not in {0, *_SAVED}:
            yield ProtocolError(Reason.GARBAGE, f"no way of saving: {item[9:].hex(' ')}")
            return
        try:
            stamp = instant(2000 + item[3], *item[4:9])
        except ValueError:
            yield ProtocolError(Reason.RANGE, f"no time: {item[3:9].hex(' ')}")
            return
        if how:
            mode, step, self._factor = _SAVED[how]
            defects = _TIMELESS if how in _THRESHOLD else ()
            self._now = Series(stamp, 0.0, step, mode, (), defects)

    def _count(self, count: int) -> Iterator[Series]:
        if self._now is None:
            return
        self._counts.append(min(count * self._factor, 0xFFFFFFFF))
        if len(self._counts) == LENGTH:
            yield from self._closed()

    def _closed(self) -> Iterator[Series]:
        """The counts so far, as one series; the next begins behind them."""
        if self._now is None or not self._counts:
            return
        yield replace(self._now, mode=self._now.mode + self._tube, values=tuple(self._counts))
        self._now = replace(self._now, start=self._now.start + len(self._counts) * self._now.step)
        self._counts.clear()
