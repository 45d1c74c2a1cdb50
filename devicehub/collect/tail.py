"""The last bytes of a link, kept for whoever has to find out why some of them made no sense.

They stay in the memory of the process, at most `ROOM` bytes of at most `MOST` packets a device, and go to the log of
the workstation when a frame is damaged: as the lines of a transcript, which `devicehub replay` reads. What was refused
is kept beyond the link: see `devicehub.collect.refusals`. Nothing of them is published. What a reader of documents or
tags sends is personal data: of it only the number of bytes is told.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from devicehub.clock import Clock
from devicehub.collect.refusals import Gone, Refusals, transcript
from devicehub.model.errors import LinkLostError, Reason
from devicehub.model.reading import Capability, Fault, Input, Reading
from devicehub.transport.link import Transport
from devicehub.wire.packet import Packet

_log = logging.getLogger(__name__)

ROOM: Final = 512
MOST: Final = 32
PAUSE: Final = 60.0
DAMAGED_FOR: Final = 10.0
FRAMING: Final = frozenset(
    {
        Reason.CHECKSUM, Reason.GARBAGE, Reason.LENGTH, Reason.TRUNCATED, Reason.OVERFLOW, Reason.SEQUENCE,
        Reason.CORRUPT,
    }
)  # fmt: skip


class Tail:
    """What went over one open link last."""

    def __init__(self, device: str, clock: Clock, refusals: Refusals, *, damaged_most: int = 0) -> None:
        """`refusals`: of that device, told of all that is refused. `damaged_most`: see `check`; 0: never."""
        self._device = device
        self._clock = clock
        self._refusals = refusals
        self._kept: deque[Gone] = deque(maxlen=MOST)
        self._began = clock.monotonic()
        self._told_at = self._began - PAUSE
        self._damaged_most = damaged_most
        self._damaged = 0
        self._damaged_since = 0.0

    def note(self, sign: str, packet: Packet) -> None:
        """A packet went by; of a long one the end is kept."""
        at = self._clock.monotonic() - self._began
        size = len(packet.data)
        self._kept.append(Gone(at, sign, size, packet if size <= ROOM else Packet(packet.data[-ROOM:], packet.port)))

    def last(self) -> list[Gone]:
        """What is kept, oldest first."""
        left, out = ROOM, list[Gone]()
        for one in reversed(self._kept):
            if not left:
                break
            data = one.packet.data[-left:]
            left -= len(data)
            out.append(Gone(one.at, one.sign, one.size, Packet(data, one.packet.port)))
        return out[::-1]

    def watching(self, offer: Callable[[Input], None]) -> Callable[[Input], None]:
        """`offer`; what is refused is kept, and of damaged frames is a line in the log, one in `PAUSE` seconds."""

        def watched(one: Input) -> None:
            offer(one)
            if isinstance(one, Reading):
                self._refusals.learn(one.sample)
                if not isinstance(one.sample, Capability):  # which a protocol tells of its own accord too
                    self._damaged = 0
            elif isinstance(one, Fault):
                self._refusals.note(one, self.last)
                if one.reason in FRAMING:
                    self._on_damage(one)

        return watched

    def check(self) -> None:
        """A device that is out of step for good may find back when its link is opened anew.

        Raises `LinkLostError` after `damaged_most` damaged frames in a row, for `DAMAGED_FOR` seconds at least.
        """
        if 0 < self._damaged_most <= self._damaged and self._clock.monotonic() >= self._damaged_since + DAMAGED_FOR:
            raise LinkLostError(f"{self._damaged} damaged frames in a row")

    def _on_damage(self, one: Fault) -> None:
        if not self._damaged:
            self._damaged_since = self._clock.monotonic()
        self._damaged += one.count
        self._log(one)

    def _log(self, one: Fault) -> None:
        if self._clock.monotonic() < self._told_at + PAUSE:
            return
        self._told_at = self._clock.monotonic()
        told = "; ".join(transcript(self.last(), private=self._refusals.private))
        _log.info("device %s: %s %s; the last bytes: %s", self._device, one.reason, one.detail, told)


class Tapped:
    """A link whose packets are noted as they pass."""

    def __init__(
        self, inner: Transport, note: Callable[[str, Packet], None], check: Callable[[], None] = lambda: None
    ) -> None:
        """`note`: told of each, with `<` or `>`. `check`: raises `LinkLostError` where reading on is of no use."""
        self.identity = inner.identity
        self._inner = inner
        self._check = check
        self._note = note

    async def read(self) -> Packet:
        """The next packet. Raises `LinkLostError`."""
        self._check()
        packet = await self._inner.read()
        self._note("<", packet)
        return packet

    async def write(self, packet: Packet) -> None:
        """Send a packet. Raises as the link does."""
        self._note(">", packet)
        await self._inner.write(packet)

    async def close(self) -> None:
        """End the link."""
        await self._inner.close()
