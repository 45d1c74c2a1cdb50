"""The transcript of a device that no driver is known for, as it is written."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TextIO

from devicehub.clock import Clock
from devicehub.discover import Descriptor
from devicehub.log import escaped
from devicehub.model.instant import instant
from devicehub.record import Line, format_packet
from devicehub.wire.packet import Packet

ENOUGH = 200


class Sheet:
    """`heard`: the first `ENOUGH` packets, for whoever guesses what it is. `present`: what the device is by itself."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self.clock = clock
        self.heard: list[Packet] = []
        self.present: list[Descriptor] = []
        self.packets = 0
        self.bytes = 0
        self._stream = stream
        self._began = 0.0

    @property
    def begun(self) -> bool:
        """Whether anything was written: the device was there."""
        return self._stream.tell() > 0

    def begin(self, what: str) -> None:
        """It is there: times count from now."""
        self._began = self.clock.monotonic()
        self.remark(f"Unknown {what}, recorded {instant(self.clock.utc())}.")

    def remark(self, text: str) -> None:
        """A comment; what a device says of itself stays on its line."""
        self._stream.write(f"# {escaped(text)}\n")
        self._stream.flush()

    def packet(self, packet: Packet) -> None:
        """It said something."""
        self.packets += 1
        self.bytes += len(packet.data)
        if len(self.heard) < ENOUGH:
            self.heard.append(packet)
        self._stream.write(f"{Line(self.clock.monotonic() - self._began, '<', format_packet(packet), packet)}\n")

    async def listen(self, read: Callable[[], Awaitable[Packet]], seconds: float | None) -> None:
        """Write down all that `read` gives, for so long or for ever. Raises what it raises."""
        waiting = asyncio.timeout(seconds)
        try:
            async with waiting:
                while True:
                    self.packet(await read())
        except TimeoutError:
            if not waiting.expired():
                raise
