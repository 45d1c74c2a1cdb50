"""A device file's protocol: frames in, samples out, requests in turn; what a hand-written protocol would do.

One request is in flight. An answer is one of the messages that its request names; what can be told by itself may
come at any time. After `silent_after` unanswered requests nothing is detected.
"""

from collections.abc import Iterable, Mapping

from devicehub.devicefile.agenda import Agenda
from devicehub.devicefile.asking import RESEND
from devicehub.devicefile.commanding import Commanding
from devicehub.devicefile.compiled import Compiled, Request
from devicehub.devicefile.framers import Replies
from devicehub.devicefile.mapping import put_in
from devicehub.devicefile.messages import Message
from devicehub.devicefile.parts import Values
from devicehub.devicefile.pieces import Pieces
from devicehub.devicefile.reports import Reports
from devicehub.devicefile.schema import CounterTable, LinkTable
from devicehub.devicefile.telling import Teller, doubted
from devicehub.model.device import OptionValue
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample
from devicehub.wire.framer import Frame
from devicehub.wire.packet import Packet, usb_port, usb_read, usb_write
from devicehub.wire.protocol import Call, Step


class Counters:
    """Numbers that advance with each request that has them."""

    def __init__(self, tables: Iterable[CounterTable]) -> None:
        self._tables = {table.name: table for table in tables}
        self._next = {table.name: table.start for table in self._tables.values()}

    def take(self, names: Iterable[str]) -> dict[str, int]:
        """The values for these names, where they are counters."""
        out = {}
        for name in names:
            if name in self._tables and name not in out:
                table = self._tables[name]
                out[name] = self._next[name] + table.plus
                self._next[name] = (self._next[name] + 1) % table.modulus
        return out


class Conversation:
    """A `DeviceProtocol` of one open link."""

    def __init__(self, compiled: Compiled, options: Mapping[str, OptionValue]) -> None:
        file = compiled.file
        self._compiled = compiled
        self._codec = compiled.codec
        endpoint = _endpoint(file.link, options)
        self._usb_in = usb_port(endpoint) if file.link.kind == "usb" else None
        self._listening = usb_read(endpoint, file.link.transfer)
        self._options = {name: value for name, value in options.items() if not isinstance(value, bool)}
        self._framer = compiled.framing.framer()
        self._doubts = compiled.framing.doubts
        self._within = file.frame.more_within_s
        self._by_time = isinstance(self._framer, Replies) or self._within is not None
        self._teller = Teller(compiled.meanings, file.capabilities, untested=file.untested)
        self._counters = Counters(file.counter)
        self._memory: Values = {}
        self._errors = file.errors
        self._silent_after = file.conversation.silent_after
        self._misses = self._damaged = 0
        self._heard_at = float("-inf")
        self._deaf = False
        self._agenda = Agenda(compiled, 0.0)
        self._commanding = Commanding(file)
        self._commands = bool(file.command or file.memory)
        self._pieces = Pieces()
        self._samples: list[Sample] = []
        self._faults: list[ProtocolError] = []
        self._write: list[Packet] = []

    def start(self, now: float) -> Step:
        """Begin with the start-up list."""
        self._agenda = Agenda(self._compiled, now)
        self._listen()
        return self._step(now)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Take bytes; an answer frees the line."""
        if self._usb_in is not None and packet.port != self._usb_in:
            self._faults.append(ProtocolError(Reason.UNEXPECTED, f"port {packet.port}"))
            return self._step(now)
        if self._deaf or self._by_time:
            self._settle(now)
        self._heard_at = now
        if not self._deaf:
            self._frames(now, self._framer.feed(packet.data))
        self._listen()
        return self._step(now)

    def on_timer(self, now: float) -> Step:
        """Look at the idle line, give up on a late answer, ask what is due."""
        self._settle(now)
        flight = self._agenda.flight
        if flight is not None and now >= flight.deadline:
            self._late(now)
        return self._step(now)

    def on_command(self, now: float, call: Call) -> Step:
        """Take a command: it is begun when the line is free."""
        self._commanding.take(call)
        return self._step(now)

    def stop(self, now: float) -> Step:
        """The shut-down list, all at once: nobody waits for answers any more."""
        for name in self._compiled.file.conversation.stop:
            request = self._compiled.requests[name]
            if request.wanted(self._memory):
                self._send(request, self._values(now, request))
        write, self._write = tuple(self._write), []
        return Step(write)

    def _settle(self, now: float) -> None:
        """What an idle line means: deafness ends, an answer of unknown size is whole, a rest does not come."""
        if self._deaf and now >= self._heard_at + self._errors.idle_s:
            self._deaf = False
        framer, idle = self._framer, self._idle()
        if isinstance(framer, Replies | Reports) and idle is not None and now >= self._heard_at + idle:
            self._frames(now, framer.idle())

    def _idle(self) -> float | None:
        if isinstance(self._framer, Reports):
            return self._within if self._framer.waits else None
        flight = self._agenda.flight
        return None if flight is None else flight.request.table.idle_s

    def _frames(self, now: float, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if self._deaf:
                return
            if isinstance(frame, ProtocolError):
                self._bad(now, frame)
            else:
                self._good(now, frame)

    def _bad(self, now: float, fault: ProtocolError) -> None:
        self._faults.append(fault)
        self._damaged += 1
        if self._errors.resync == "idle":
            self._deaf = True
            self._framer.clear()
            self._agenda.hold(now + self._errors.idle_s)
        if self._errors.answer is not None and fault.reason is Reason.CHECKSUM:
            self._now(now, self._errors.answer)

    def _good(self, now: float, frame: bytes) -> None:
        flight = self._agenda.flight
        expected = flight.request.table.replies if flight is not None else ()
        try:
            message, values = self._codec.decode(frame, expected, self._memory)
            if flight is not None and message.name in expected:
                self._codec.check_echo(values, flight.sent)
            told = (message, values) if message.table.piece is None else self._joined(now, message, values)
        except ProtocolError as error:
            self._faults.append(error)
            return
        self._misses = self._damaged = 0
        if told is None:
            return
        self._told(now, told[0].name, told[1], doubtful=self._doubts and self._compiled.framing.doubtful(frame))
        if flight is not None or message.leads_on:
            self._handled(now, message, told[1])

    def _joined(self, now: float, message: Message, values: Values) -> tuple[Message, Values] | None:
        """The message that a piece completes, if it does; a request waits for the next from then on."""
        piece, flight = message.table.piece, self._agenda.flight
        assert piece is not None
        joined = self._pieces.add(now, piece, values, self._faults)
        if joined is not None:
            return self._codec.whole(piece.of, joined, values)
        if flight is not None and message.name in flight.request.table.replies:
            flight.deadline = now + flight.request.table.timeout_s
        if message.table.acknowledge is not None:
            self._now(now, message.table.acknowledge)
        return None

    def _handled(self, now: float, message: Message, values: Values) -> None:
        """What follows from a message: an answer frees the line, a request is sent."""
        flight, table = self._agenda.flight, message.table
        refusal = put_in(table.refused, values) if table.refused else ""
        if refusal:
            self._faults.append(ProtocolError(Reason.REJECTED, refusal))
        if flight is not None and message.name in flight.request.table.replies:
            self._agenda.answered(now)
            self._commanding.answered(flight.request.name, values, refusal)
        if table.acknowledge is not None:
            self._now(now, table.acknowledge)
        for name in table.then:
            self._agenda.add(name)

    def _told(self, now: float, name: str, values: Values, *, doubtful: bool) -> None:
        del now
        for field in self._compiled.remembered[name]:
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
        if now - self._heard_at >= self._errors.idle_s:
            self._framer.clear()
        if flight.tries <= request.table.retries:
            flight.tries += 1
            flight.deadline = now + request.table.timeout_s
            self._send(request, {**flight.sent, RESEND: 1})
            return
        self._agenda.drop(now)
        self._commanding.late(request.name)
        if isinstance(self._framer, Replies):
            self._agenda.hold(now + self._errors.idle_s)
        self._misses += 1
        if self._misses == self._silent_after:
            self._samples += self._teller.silence()

    def _values(self, now: float, request: Request) -> Mapping[str, float | str]:
        del now
        slots = self._compiled.asking.slots(request.template)
        return {**self._options, **self._counters.take(slots), RESEND: 0} if slots else self._options

    def _now(self, now: float, name: str) -> None:
        """Send what is not waited for, at once."""
        request = self._compiled.requests[name]
        self._send(request, self._values(now, request))

    def _send(self, request: Request, values: Mapping[str, float | str]) -> None:
        link = self._compiled.file.link
        data = self._compiled.asking.request(request.template, values)
        if isinstance(self._framer, Replies) and request.table.replies:
            self._framer.expect(request.table.size)
        if link.kind == "usb":
            self._write.append(usb_write(link.endpoint_out, data))
            return
        piece = link.piece or len(data)
        self._write += [Packet(data[at : at + piece], link.write) for at in range(0, len(data), piece)]

    def _listen(self) -> None:
        """USB: nothing comes that is not asked for."""
        if self._usb_in is not None:
            self._write.append(self._listening)

    def _command(self, now: float) -> None:
        """Begin what somebody commanded."""
        while not self._deaf and self._agenda.free(now) and (begun := self._commanding.next(now)) is not None:
            request, call = self._compiled.requests[begun[0]], begun[1]
            given = {name: value for name, value in call.args.items() if not isinstance(value, bool)}
            values = {**self._values(now, request), **given}
            self._send(request, values)
            self._agenda.sent(request, values, now)
            if not request.table.replies:
                self._commanding.sent()

    def _step(self, now: float) -> Step:
        if self._commands and self._commanding.waits:
            self._command(now)
        while not self._deaf and (request := self._agenda.next(now, self._memory)) is not None:
            values = self._values(now, request)
            self._send(request, values)
            self._agenda.sent(request, values, now)
        wake = self._wake_at(now)
        beyond = 0 < self._errors.reopen_after <= self._damaged
        lost = f"{self._damaged} damaged frames in a row" if beyond else ""
        ended = self._commanding.ended() if self._commands else ()
        step = Step(tuple(self._write), tuple(self._samples), tuple(self._faults), wake, ended, lost)
        self._write, self._samples, self._faults = [], [], []
        return step

    def _wake_at(self, now: float) -> float | None:
        wake = self._agenda.wake_at(self._memory, waiting=self._commands and self._commanding.waits)
        if not self._by_time and not self._deaf:
            return wake
        idle = self._idle() if self._by_time else None
        if idle is not None and now < self._heard_at + idle:
            wake = self._heard_at + idle if wake is None else min(wake, self._heard_at + idle)
        return max(wake, self._heard_at + self._errors.idle_s) if self._deaf and wake is not None else wake


def _endpoint(link: LinkTable, options: Mapping[str, OptionValue]) -> int:
    """Where the device speaks: as the file says, or the site."""
    return link.endpoint_in if link.endpoint_option is None else int(options[link.endpoint_option])
