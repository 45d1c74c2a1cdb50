"""Sans-I/O device protocols: packets and time in, a `Step` out. No clock, no loop, no socket."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample
from devicehub.wire.framer import Framer
from devicehub.wire.packet import Packet


class Step(Struct, frozen=True):
    """What a protocol wants after one input.

    `wake_at` (monotonic seconds) replaces any earlier one: call `on_timer` then; None means never.
    """

    write: tuple[Packet, ...] = ()
    samples: tuple[Sample, ...] = ()
    faults: tuple[ProtocolError, ...] = ()
    wake_at: float | None = None


class DeviceProtocol(Protocol):
    """One device's conversation. Any bytes give samples or faults; no exception leaves it."""

    def start(self, now: float) -> Step:
        """Begin, or begin again after the link was lost. A protocol object serves one open link."""
        ...

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Take one packet from the device."""
        ...

    def on_timer(self, now: float) -> Step:
        """The time of the last `wake_at` has come."""
        ...


Decode = Callable[[bytes], Iterable[Sample]]


class Poll(Struct, frozen=True):
    """A request sent every `period` seconds (once when 0), answered within `timeout` seconds.

    A device that answers nothing at all (`timeout` 0) is never waited for.
    """

    request: bytes
    period: float
    timeout: float = 1.0
    port: str = ""


def decoded(decode: Decode, frames: Iterable[bytes | ProtocolError]) -> tuple[list[Sample], list[ProtocolError]]:
    """Decode frames in order; a frame that `decode` refuses becomes a fault and yields nothing."""
    samples: list[Sample] = []
    faults: list[ProtocolError] = []
    for frame in frames:
        if isinstance(frame, ProtocolError):
            faults.append(frame)
            continue
        try:
            samples.extend(tuple(decode(frame)))
        except ProtocolError as error:
            faults.append(error)
    return samples, faults


class FramedProtocol:
    """The ordinary device: frames come in, some of them asked for by polls, one in flight at a time."""

    def __init__(self, framer: Framer, decode: Decode, polls: Sequence[Poll] = (), gap: float = 0.0) -> None:
        """`gap`: the least time in seconds between an answer and the next request."""
        self._framer = framer
        self._decode = decode
        self._polls = polls
        self._gap = gap
        self._due: list[float] = []
        self._queue: deque[int] = deque()
        self._deadline: float | None = None
        self._free_at = 0.0

    def start(self, now: float) -> Step:
        """Make every poll due now."""
        self._due = [now for _ in self._polls]
        self._free_at = now
        return self._advance(now, [], [])

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Frame and decode; an answer frees the line for the next poll."""
        frames = list(self._framer.feed(packet.data))
        samples, faults = decoded(self._decode, frames)
        if frames and self._deadline is not None and len(frames) > len(faults):
            self._deadline = None
            self._free_at = now + self._gap
        return self._advance(now, samples, faults)

    def on_timer(self, now: float) -> Step:
        """Give up on a late answer, send what is due."""
        faults: list[ProtocolError] = []
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._free_at = now + self._gap
            faults.append(ProtocolError(Reason.TIMEOUT, "no answer"))
        return self._advance(now, [], faults)

    def _advance(self, now: float, samples: list[Sample], faults: list[ProtocolError]) -> Step:
        write: list[Packet] = []
        self._enqueue(now)
        while self._queue and self._deadline is None and now >= self._free_at:
            poll = self._polls[self._queue.popleft()]
            write.append(Packet(poll.request, poll.port))
            if poll.timeout > 0:
                self._deadline = now + poll.timeout
        return Step(tuple(write), tuple(samples), tuple(faults), self._wake_at())

    def _enqueue(self, now: float) -> None:
        for index, poll in enumerate(self._polls):
            if self._due[index] <= now:
                late = poll.period > 0 and now - self._due[index] > poll.period
                self._due[index] = now + poll.period if late else self._due[index] + (poll.period or float("inf"))
                if index not in self._queue:
                    self._queue.append(index)

    def _wake_at(self) -> float | None:
        if self._deadline is not None:
            return self._deadline
        if self._queue:
            return self._free_at
        return min((due for due in self._due if due != float("inf")), default=None)
