"""Sans-I/O device protocols: packets and time in, a `Step` out. No clock, no loop, no socket."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from devicehub.model.command import CommandState
from devicehub.model.device import OptionValue
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample
from devicehub.wire.framer import Frame, Framer
from devicehub.wire.packet import Packet
from devicehub.wire.patience import REST_WITHIN, Patience

Reseal = Callable[[bytes, bytes], bytes]
"""Of a packet as it came, and with other content of the same length: the latter with its checks made right again."""
Result = Mapping[str, str | float | bool | None]
"""What a command gave, by name."""


class Call(Struct, frozen=True):
    """A command for a device: its arguments are checked and complete. `number` names it in what comes of it.

    `expires`: monotonic second after which it must not be begun any more. `issuer`: who is answerable. `epoch`: what
    the hub's wall clock, in seconds of UTC since 1970, is ahead of its monotonic one when it is begun.
    """

    number: int
    verb: str
    args: Mapping[str, OptionValue]
    expires: float
    issuer: str = ""
    epoch: float = 0.0


class Ended(Struct, frozen=True):
    """What became of a command: DONE, FAILED, TIMEOUT, or REJECTED by the device."""

    number: int
    state: CommandState
    why: str = ""
    result: Result = {}


class Step(Struct, frozen=True):
    """What a protocol wants after one input.

    `wake_at` (monotonic seconds) replaces any earlier one: call `on_timer` then; None means never. `ended`: commands
    that have come to their end. `lost`: why the link is of no use any more and has to be opened anew.
    """

    write: tuple[Packet, ...] = ()
    samples: tuple[Sample, ...] = ()
    faults: tuple[ProtocolError, ...] = ()
    wake_at: float | None = None
    ended: tuple[Ended, ...] = ()
    lost: str = ""


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


@runtime_checkable
class Parting(Protocol):
    """A `DeviceProtocol` that has something to say when the hub lets go of the device."""

    def stop(self, now: float) -> Step:
        """The last packets; nobody waits for answers."""
        ...


@runtime_checkable
class Commanded(Protocol):
    """A `DeviceProtocol` that takes commands. Each one ends in exactly one `Ended`, unless the link is lost before.

    A command waits while something else is in flight, and is not begun after it has expired.
    """

    def on_command(self, now: float, call: Call) -> Step:
        """Take one command."""
        ...


Decode = Callable[[bytes], Iterable[Sample]]


class Order(Struct, frozen=True):
    """How a command of a `FramedProtocol` becomes bytes, and what answers it.

    `answer` gets each good frame that comes while the command is in flight: it gives the result if this is the
    answer, None if it is something else, and raises `ProtocolError` if the device says no. A device that does not
    answer (`answer` None) has done it once the bytes are on their way. `decode` sees every frame all the same.
    """

    request: Callable[[Mapping[str, OptionValue]], bytes]
    answer: Callable[[bytes, Mapping[str, OptionValue]], Result | None] | None = None
    timeout: float = 1.0
    port: str = ""


def expired(call: Call) -> Ended:
    """A command that came too late to be begun."""
    return Ended(call.number, CommandState.TIMEOUT, "its deadline passed before it could be begun")


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
    """The ordinary device: frames come in, some asked for by polls and commands, one of them in flight at a time."""

    def __init__(
        self,
        framer: Framer,
        decode: Decode,
        polls: Sequence[Poll] = (),
        gap: float = 0.0,
        orders: Mapping[str, Order] | None = None,
        rest_within: float = REST_WITHIN,
    ) -> None:
        """`gap`: the least time in seconds between an answer and the next request. `orders`: by verb.

        `rest_within`: how long the line may be silent within a frame, as in `Patience`.
        """
        self._patience = Patience(framer, rest_within)
        self._decode = decode
        self._polls = polls
        self._gap = gap
        self._orders = orders or {}
        self._due: list[float] = []
        self._queue: deque[int | Call] = deque()
        self._call: Call | None = None
        self._deadline: float | None = None
        self._free_at = 0.0
        self._ended: list[Ended] = []

    def start(self, now: float) -> Step:
        """Make every poll due now."""
        self._due = [now for _ in self._polls]
        self._free_at = now
        return self._advance(now, [], [])

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Frame and decode; an answer frees the line for the next poll or command."""
        samples, faults = self._heard(now, self._patience.feed(now, packet.data))
        return self._advance(now, samples, faults)

    def on_timer(self, now: float) -> Step:
        """Give up on half a frame and on a late answer, send what is due."""
        samples, faults = self._heard(now, self._patience.on_timer(now))
        if self._deadline is not None and now >= self._deadline:
            what = "no answer" if self._call is None else f"no answer to {self._call.verb}"
            faults.append(ProtocolError(Reason.TIMEOUT, what))
            if self._call is not None:
                self._ended.append(Ended(self._call.number, CommandState.TIMEOUT, "the device did not answer"))
            self._free(now)
        return self._advance(now, samples, faults)

    def on_command(self, now: float, call: Call) -> Step:
        """Take a command: it has its turn behind what is due already."""
        self._queue.append(call)
        return self._advance(now, [], [])

    def _heard(self, now: float, found: Iterable[Frame]) -> tuple[list[Sample], list[ProtocolError]]:
        """Decode frames; one of them may be the answer to what is in flight."""
        frames = list(found)
        samples, faults = decoded(self._decode, frames)
        if self._call is not None:
            self._answered(now, self._call, frames)
        elif frames and self._deadline is not None and len(frames) > len(faults):
            self._free(now)
        return samples, faults

    def _answered(self, now: float, call: Call, frames: Sequence[bytes | ProtocolError]) -> None:
        """The command in flight ends with the first frame that is its answer."""
        answer = self._orders[call.verb].answer
        for frame in frames:
            if answer is None or isinstance(frame, ProtocolError):
                continue
            try:
                result = answer(frame, call.args)
            except ProtocolError as error:
                self._ended.append(Ended(call.number, CommandState.FAILED, str(error)))
            else:
                if result is None:
                    continue
                self._ended.append(Ended(call.number, CommandState.DONE, result=result))
            self._free(now)
            return

    def _free(self, now: float) -> None:
        self._call = self._deadline = None
        self._free_at = now + self._gap

    def _advance(self, now: float, samples: list[Sample], faults: list[ProtocolError]) -> Step:
        write: list[Packet] = []
        self._enqueue(now)
        while self._queue and self._deadline is None and now >= self._free_at:
            item = self._queue.popleft()
            if isinstance(item, Call):
                write += self._begun(now, item)
            else:
                poll = self._polls[item]
                write.append(Packet(poll.request, poll.port))
                if poll.timeout > 0:
                    self._deadline = now + poll.timeout
        ended, self._ended = tuple(self._ended), []
        return Step(tuple(write), tuple(samples), tuple(faults), self._wake_at(), ended)

    def _begun(self, now: float, call: Call) -> list[Packet]:
        """The bytes of a command, unless it is too late for it."""
        order = self._orders[call.verb]
        if now > call.expires:
            self._ended.append(expired(call))
            return []
        if order.answer is None:
            self._ended.append(Ended(call.number, CommandState.DONE))
            self._free_at = now + self._gap
        else:
            self._call, self._deadline = call, now + order.timeout
        return [Packet(order.request(call.args), order.port)]

    def _enqueue(self, now: float) -> None:
        for index, poll in enumerate(self._polls):
            if self._due[index] <= now:
                late = poll.period > 0 and now - self._due[index] > poll.period
                self._due[index] = now + poll.period if late else self._due[index] + (poll.period or float("inf"))
                if index not in self._queue:
                    self._queue.append(index)

    def _wake_at(self) -> float | None:
        times = [self._due_at(), self._patience.wake_at]
        return min((at for at in times if at is not None), default=None)

    def _due_at(self) -> float | None:
        if self._deadline is not None:
            return self._deadline
        if self._queue:
            return self._free_at
        return min((due for due in self._due if due != float("inf")), default=None)
