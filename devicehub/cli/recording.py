"""A conversation that writes itself down so that the transcript replays exactly.

A transcript has hundredths of seconds. So has the time that the protocol sees here: what arrives is
given to it at the next hundredth, after the timers that are due before, as a replay will do it.
"""

import math
from collections.abc import Callable

from devicehub.record import Line, format_packet, step_lines
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step

HUNDREDTHS = 100


class Recording:
    """One conversation with a fresh protocol. Times are seconds since the link was opened."""

    def __init__(self, protocol: DeviceProtocol, write: Callable[[Line], None]) -> None:
        """`write` is called with each line of the transcript, in order."""
        self._protocol = protocol
        self._write = write
        self._last = 0.0
        self._step = Step()

    @property
    def wake_at(self) -> float | None:
        """When `timers` wants to be called."""
        return self._step.wake_at

    def start(self) -> list[Packet]:
        """The first step; what to write to the device."""
        return self._take(0.0, self._protocol.start(0.0))

    def packet(self, now: float, packet: Packet) -> list[Packet]:
        """A packet came; what to write to the device."""
        at = max(math.ceil(now * HUNDREDTHS - 1e-6), math.floor(self._last * HUNDREDTHS) + 1) / HUNDREDTHS
        out = self._timers_before(at)
        self._write(Line(at, "<", format_packet(packet), packet))
        return out + self._take(at, self._protocol.on_packet(at, packet))

    def timers(self, now: float) -> list[Packet]:
        """Fire what is due; what to write to the device."""
        out: list[Packet] = []
        while self.wake_at is not None and self.wake_at <= now:
            out += self._take(self.wake_at, self._protocol.on_timer(self.wake_at))
        return out

    def end(self) -> None:
        """Fire what a replay fires at the time of the last line."""
        self.timers(self._last)

    def _timers_before(self, at: float) -> list[Packet]:
        out: list[Packet] = []
        while self.wake_at is not None and self.wake_at < at:
            out += self._take(self.wake_at, self._protocol.on_timer(self.wake_at))
        return out

    def _take(self, at: float, step: Step) -> list[Packet]:
        self._step = step
        self._last = at
        for line in step_lines(at, step):
            self._write(line)
        return list(step.write)
