"""A device file's protocol: frames in, samples out, requests in turn; what a hand-written protocol would do.

One request is in flight. An answer is one of the messages that its request names; what can be told by itself may
come at any time. After `silent_after` unanswered requests nothing is detected.
"""

from collections.abc import Iterable, Mapping

from devicehub.devicefile.agenda import Agenda, Flight
from devicehub.devicefile.asking import RESEND, Counters
from devicehub.devicefile.commanding import Commanding
from devicehub.devicefile.compiled import Compiled, Request, packets
from devicehub.devicefile.framers import Lengthed, Replies, resting
from devicehub.devicefile.mapping import put_in
from devicehub.devicefile.messages import Message
from devicehub.devicefile.parts import Values
from devicehub.devicefile.pieces import Pieces
from devicehub.devicefile.schema import LinkTable
from devicehub.devicefile.schema_message import PieceTable
from devicehub.devicefile.telling import Teller, doubted
from devicehub.model.device import OptionValue
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample
from devicehub.wire.framer import Frame
from devicehub.wire.packet import Packet, usb_port, usb_read
from devicehub.wire.protocol import Call, Step


class Conversation:
    """A `DeviceProtocol` of one open link."""

    def __init__(self, compiled: Compiled, options: Mapping[str, OptionValue]) -> None:
        file = compiled.file
        self._compiled = compiled
        self._codec = compiled.codec
        endpoint = _endpoint(file.link, options)
        self._usb_in = usb_port(endpoint) if file.link.kind == "usb" else None
        self._listening = usb_read(endpoint, file.link.transfer)  # nothing comes over USB that is not asked for
        self._options = {name: value for name, value in options.items() if not isinstance(value, bool)}
        self._framer = compiled.framing.framer()
        self._doubts = compiled.framing.doubts
        self._replies = self._framer if isinstance(self._framer, Replies) else None
        self._resting, self._within = resting(self._framer, file.frame)
        self._timed = self._replies or self._resting
        self._settles = self._timed is not None and not isinstance(self._framer, Lengthed)
        self._teller = Teller(compiled.meanings, file.capabilities, untested=file.untested)
        self._counters = Counters(file.counter)
        self._memory: Values = {}
        self._remembered = compiled.remembered
        self._errors = file.errors
        self._reopen_after = file.errors.reopen_after
        self._silent_after = file.conversation.silent_after
        self._misses = self._damaged = 0
        self._heard_at = float("-inf")
        self._deaf = False
        self._agenda = Agenda(compiled, 0.0)
        self._commanding = Commanding(file)
        self._asks = bool(file.request)
        self._wakes = self._asks or self._timed is not None
        self._commands = bool(file.command or file.memory)
        self._pieces = Pieces()
        self._samples: list[Sample] = []
        self._faults: list[ProtocolError] = []
        self._write: list[Packet] = []

    def start(self, now: float) -> Step:
        """Begin with the start-up list."""
        self._agenda = Agenda(self._compiled, now)
        if self._usb_in is not None:
            self._write.append(self._listening)
        return self._step(now)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Take bytes; an answer frees the line."""
        if self._usb_in is not None and packet.port != self._usb_in:
            self._faults.append(ProtocolError(Reason.UNEXPECTED, f"port {packet.port}"))
            return self._step(now)
        if self._deaf or self._settles:
            self._settle(now)
        self._heard_at = now
        if not self._deaf:
            self._frames(now, self._framer.feed(packet.data))
        if self._usb_in is not None:
            self._write.append(self._listening)
        return self._step(now)

    def on_timer(self, now: float) -> Step:
        """Look at the idle line, give up on a late answer, ask what is due."""
        self._settle(now)
        flight = self._agenda.flight
        if flight is not None and now >= flight.deadline:
            if now - self._heard_at >= self._errors.idle_s:
                self._give_up(now)
            if self._agenda.flight is flight:
                self._late(now)
        return self._step(now)

    def on_command(self, now: float, call: Call) -> Step:
        """Take a command: it is begun when the line is free."""
        self._commanding.take(call)
        return self._step(now)

    def stop(self, now: float) -> Step:
        """The shut-down list, all at once: nobody waits for answers any more."""
        del now
        for name in self._compiled.file.conversation.stop:
            request = self._compiled.requests[name]
            if request.wanted(self._memory):
                self._send(request, self._values(request))
        write, self._write = tuple(self._write), []
        return Step(write)

    def _settle(self, now: float) -> None:
        """What an idle line means: deafness ends, an answer of unknown size is whole, a rest does not come."""
        if self._deaf and now >= self._heard_at + self._errors.idle_s:
            self._deaf = False
        if self._timed is not None and (idle := self._idle()) is not None and now >= self._heard_at + idle:
            if self._resting is not None:
                self._give_up(now)
            else:
                self._frames(now, self._timed.idle())

    def _give_up(self, now: float) -> None:
        """The rest of a frame does not come; what it swallowed counts. The line is idle: nobody turns deaf for it."""
        if self._resting is None:
            self._framer.clear()
            return
        for frame in self._resting.idle():
            if isinstance(frame, bytes):
                self._good(now, frame)
            else:
                self._faults.append(frame)
                self._damaged += 1

    def _idle(self) -> float | None:
        """How long the line has to be idle to mean something."""
        if self._resting is not None:
            return self._within if self._resting.waits else None
        flight = self._agenda.flight
        return None if flight is None else flight.request.idle_s

    def _frames(self, now: float, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if self._deaf:
                return
            if isinstance(frame, bytes):
                self._good(now, frame)
            else:
                self._bad(now, frame)

    def _bad(self, now: float, fault: ProtocolError) -> None:
        self._faults.append(fault)
        self._damaged += 1
        if self._errors.resync == "idle":
            self._deaf = True
            self._framer.clear()
            self._agenda.hold(now + self._errors.idle_s)
        if self._errors.answer is not None and fault.reason is Reason.CHECKSUM:
            self._now(self._errors.answer)

    def _good(self, now: float, frame: bytes) -> None:
        flight = self._agenda.flight
        expected = flight.request.replies if flight is not None else ()
        try:
            found = self._codec.decode(frame, expected, self._memory)
            message, values = found
            answers = flight is not None and message.name in expected
            if flight is not None and answers:
                self._codec.check_echo(values, flight.sent)
            told = found if message.piece is None else self._joined(now, message, message.piece, values)
        except ProtocolError as error:
            self._faults.append(error)
            return
        self._misses = self._damaged = 0
        if told is None:
            return
        whole, values = told
        self._told(whole.name, values, doubtful=self._doubts and self._compiled.framing.doubtful(frame))
        if answers or message.leads_on:
            self._handled(now, message, values)

    def _joined(self, now: float, message: Message, piece: PieceTable, values: Values) -> tuple[Message, Values] | None:
        """The message that a piece completes, if it does; a request waits for the next from then on."""
        joined = self._pieces.add(now, piece, values, self._faults)
        if joined is not None:
            return self._codec.whole(piece.of, joined, values)
        flight = self._agenda.flight
        if flight is not None and message.name in flight.request.replies:
            flight.deadline = now + flight.request.timeout_s
        if message.acknowledge is not None:
            self._now(message.acknowledge)
        return None

    def _handled(self, now: float, message: Message, values: Values) -> None:
        """What follows from a message: an answer frees the line, a request is sent."""
        refusal = put_in(message.refused, values) if message.refused else ""
        if refusal:
            self._faults.append(ProtocolError(Reason.REJECTED, refusal))
        flight = self._agenda.flight
        if flight is not None and message.name in flight.request.replies:
            self._answered(now, flight, values, refusal)
        if message.acknowledge is not None:
            self._now(message.acknowledge)
        for name in message.then:
            self._agenda.add(name)

    def _answered(self, now: float, flight: Flight, values: Values, refusal: str) -> None:
        self._agenda.answered(now)
        if self._commands:
            self._commanding.answered(flight.request.name, values, refusal)

    def _told(self, name: str, values: Values, *, doubtful: bool) -> None:
        for field in self._remembered[name]:
            if values.get(field) is not None:
                self._memory[field] = values[field]
        if self._teller.silent:
            self._samples += self._teller.heard()
        told = self._teller.tell(name, values, self._faults)
        self._samples += [doubted(sample) for sample in told] if doubtful else told

    def _late(self, now: float) -> None:
        flight = self._agenda.flight
        assert flight is not None
        request = flight.request
        self._faults.append(ProtocolError(Reason.TIMEOUT, f"no answer to {request.name}"))
        if flight.tries <= request.table.retries:
            flight.tries += 1
            flight.deadline = now + request.timeout_s
            self._send(request, {**flight.sent, RESEND: 1})
            return
        self._agenda.drop(now)
        self._commanding.late(request.name)
        if self._replies is not None:
            self._agenda.hold(now + self._errors.idle_s)
        self._misses += 1
        if self._misses == self._silent_after:
            self._samples += self._teller.silence()

    def _values(self, request: Request) -> Mapping[str, float | str]:
        """What is put into a request."""
        if not request.slots:
            return self._options
        return {**self._options, **self._counters.take(request.slots), RESEND: 0}

    def _now(self, name: str) -> None:
        """Send what is not waited for, at once."""
        request = self._compiled.requests[name]
        self._send(request, self._values(request))

    def _ask(self, now: float, request: Request, given: Mapping[str, float | str]) -> None:
        """Send what has its turn. `given`: what is put in besides options and counters."""
        values = {**self._values(request), **given} if given else self._values(request)
        self._send(request, values)
        self._agenda.sent(request, values, now)

    def _send(self, request: Request, values: Mapping[str, float | str]) -> None:
        if self._replies is not None and request.replies:
            self._replies.expect(request.table.size)
        if request.slots:
            data = self._compiled.asking.request(request.template, values)
            self._write += packets(self._compiled.file.link, data)
        else:
            self._write += request.packets

    def _command(self, now: float) -> None:
        """Begin what somebody commanded."""
        while not self._deaf and self._agenda.free(now) and (begun := self._commanding.next(now)) is not None:
            request, call = self._compiled.requests[begun[0]], begun[1]
            self._ask(now, request, {name: value for name, value in call.args.items() if not isinstance(value, bool)})
            if not request.replies:
                self._commanding.sent()

    def _step(self, now: float) -> Step:
        if self._commands and self._commanding.waits:
            self._command(now)
        while self._asks and not self._deaf and (request := self._agenda.next(now, self._memory)) is not None:
            self._ask(now, request, {})
        wake = self._wake_at(now) if self._wakes else None
        beyond = 0 < self._reopen_after <= self._damaged
        lost = f"{self._damaged} damaged frames in a row" if beyond else ""
        ended = self._commanding.ended() if self._commands else ()
        step = Step(tuple(self._write), tuple(self._samples), tuple(self._faults), wake, ended, lost)
        self._write, self._samples, self._faults = [], [], []
        return step

    def _wake_at(self, now: float) -> float | None:
        waiting = self._commands and self._commanding.waits
        wake = self._agenda.wake_at(self._memory, waiting=waiting) if self._asks else None
        if self._timed is not None and (idle := self._idle()) is not None and now < self._heard_at + idle:
            wake = self._heard_at + idle if wake is None else min(wake, self._heard_at + idle)
        return max(wake, self._heard_at + self._errors.idle_s) if self._deaf and wake is not None else wake


def _endpoint(link: LinkTable, options: Mapping[str, OptionValue]) -> int:
    """Where the device speaks: as the file says, or the site."""
    return link.endpoint_in if link.endpoint_option is None else int(options[link.endpoint_option])
