"""Zebra (Symbol) barcode scanners, Simple Serial Interface (SSI) over RS-232 or CDC, 9600 8N1 with RTS/CTS.

A packet, of at most 257 bytes:

    offset  size  what
    0       1     length: all bytes but the two check bytes, 4..255
    1       1     opcode
    2       1     source: 00 decoder, 04 host
    3       1     status: bit 0 sent again, bit 1 to be continued, bit 3 permanent change (never set here)
    4       n     data
    4+n     2     check, big-endian: 10000h minus the sum of all bytes before

Decoder to host: F3 DECODE_DATA (code type, data), 73 segment of a long message, F6 EVENT, A4 REPLY_REVISION,
D0 CMD_ACK, D1 CMD_NAK (cause: 1 resend, 2 bad context, 6 denied, 10 cancelled). A long message comes as DECODE_DATA
with status bit 1 in all but the last packet, or in segments:

    first segment   length 73 02 00 00 F3 00 00 total[2] type 01 barcode-length[2] data ...
    next segments   length 73 00 00 index data ...

Every packet with data is answered: D0 when it was good, D1 with cause 1 when its check was bad, 74 between
segments. The decoder sends again twice, with status bit 0, when no answer comes; what was published already is then
answered and not published again.

Sent here: WAKEUP (a bare 00; without RTS/CTS the first byte to a sleeping decoder is lost), 100 ms later
A3 REQUEST_REVISION, and once E9 SCAN_ENABLE, which lasts until the decoder is reset. Nothing permanent, no
parameter, and not E4 START_SESSION: it pulls the trigger. REQUEST_REVISION is repeated every minute, so that a scanner
that was carried away is noticed; without an answer for 2 s a command is sent again, twice. The scanner has to be set to
packeted decode data; whether it puts a code identifier before the data is told by the option `prefix`.

The check is a sum: it does not see swapped bytes. Retail codes are therefore tested by their own check digit.

Source: SSI chapters of Zebra's DS4308, DS2208, DS9908 and CR60 product reference guides; test vectors of
enioka-Haute-Couture/enioka_scan (Apache-2.0); randomthingsandstuff/zebra-ssi (facts only).
"""

from typing import Final, NamedTuple

from devicehub.driver import Driver, Options, SerialLink
from devicehub.model.device import Category, Channel, ChannelKind, Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Capability, Cause, Identity, Level, Sample, Scan
from devicehub.wire.checksum import negated_sum16
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.scanner._ssi_codes import refined, split_prefix, symbology, trust
from drivers.scanner._ssi_framing import DECODE_DATA, RESEND_BIT, SEGMENT, Reassembly, SsiFramer, SsiPacket

_ACK, _NAK, _SEGMENT_ACK = 0xD0, 0xD1, 0x74
_EVENT, _REVISION = 0xF6, 0xA4
_REQUEST_REVISION, _SCAN_ENABLE = 0xA3, 0xE9
_ACKNOWLEDGED: Final = frozenset({0x14, 0x80, 0x93, 0xB1, 0xB4, 0xC6, 0xD6, _EVENT})
_RESEND, _BAD_CONTEXT = 1, 2
_CAUSES: Final = {1: "resend", 2: "bad context", 6: "denied", 10: "cancelled"}
_WAKE_UP, _TIMEOUT, _IDLE, _HEARTBEAT = 0.1, 2.0, 0.5, 60.0
_ATTEMPTS: Final = 3


def encode(opcode: int, data: bytes = b"", status: int = 0) -> bytes:
    """A packet from the host."""
    body = bytes([4 + len(data), opcode, 4, status]) + data
    return body + negated_sum16(body).to_bytes(2, "big")


class _Command(NamedTuple):
    opcode: int
    attempt: int
    send_at: float
    deadline: float


class _Out:
    """What one step gives."""

    def __init__(self) -> None:
        self.write: list[Packet] = []
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []

    def send(self, opcode: int, data: bytes = b"", status: int = 0) -> None:
        self.write.append(Packet(encode(opcode, data, status)))


class ZebraSsi:
    """The host's side of SSI."""

    def __init__(self, prefix: str) -> None:
        """`prefix`: what the scanner puts before the data, see the driver's options."""
        self._prefix = prefix
        self._framer = SsiFramer()
        self._message = Reassembly()
        self._command: _Command | None = None
        self._queue: list[int] = []
        self._beat_at = 0.0
        self._idle_at: float | None = None
        self._last: tuple[SsiPacket, float, int] | None = None
        self._revision = b""
        self._alive = False

    def start(self, now: float) -> Step:
        """Wake the decoder; ask who it is and permit scanning."""
        out = _Out()
        self._queue = [_REQUEST_REVISION, _SCAN_ENABLE]
        self._wake_up(now, out)
        return self._step(out)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Take bytes; every good packet with data is answered."""
        out = _Out()
        for item in self._framer.feed(packet.data):
            self._take(now, item, out)
        self._idle_at = now + _IDLE if self._framer.partial else None
        return self._step(out)

    def on_timer(self, now: float) -> Step:
        """Send what is due, send again what was not answered, give up half a packet."""
        out = _Out()
        if self._idle_at is not None and now >= self._idle_at:
            self._idle_at = None
            for item in self._framer.give_up():
                self._take(now, item, out)
        if self._command is not None:
            self._pursue(now, self._command, out)
        elif now >= self._beat_at:
            self._queue = [_REQUEST_REVISION]
            self._wake_up(now, out)
        return self._step(out)

    def _wake_up(self, now: float, out: _Out) -> None:
        self._beat_at = now + _HEARTBEAT
        self._command = _Command(self._queue.pop(0), 0, now + _WAKE_UP, 0.0)
        out.write.append(Packet(b"\x00"))

    def _pursue(self, now: float, command: _Command, out: _Out) -> None:
        if command.attempt == 0:
            if now >= command.send_at:
                self._send(now, command, out)
        elif now >= command.deadline:
            out.faults.append(ProtocolError(Reason.TIMEOUT, f"no answer to command {command.opcode:02x}"))
            if command.attempt < _ATTEMPTS:
                self._send(now, command, out)
            else:
                self._alive = False
                out.samples.append(Capability("barcode", Level.NONE, Cause.NOT_CONNECTED))
                self._next(now, out)

    def _send(self, now: float, command: _Command, out: _Out) -> None:
        self._command = command._replace(attempt=command.attempt + 1, deadline=now + _TIMEOUT)
        out.send(command.opcode, status=RESEND_BIT if command.attempt else 0)

    def _next(self, now: float, out: _Out) -> None:
        self._command = None
        if self._queue:
            self._send(now, _Command(self._queue.pop(0), 0, now, 0.0), out)

    def _answered(self, now: float, opcode: int, out: _Out) -> None:
        """The command in flight was answered, if it is this one."""
        if self._command is not None and self._command.attempt and self._command.opcode == opcode:
            self._next(now, out)

    def _take(self, now: float, item: SsiPacket | ProtocolError, out: _Out) -> None:
        if isinstance(item, ProtocolError):
            out.faults.append(item)
            if item.reason is Reason.CHECKSUM:
                # What the decoder now sends again was not published, whatever it equals.
                self._last = None
                out.send(_NAK, bytes([_RESEND]))
            return
        if not self._alive:
            self._alive = True
            out.samples.append(Capability("barcode", Level.FULL))
        try:
            if item.opcode in {DECODE_DATA, SEGMENT}:
                self._on_barcode(now, item, out)
            else:
                self._on_control(now, item, out)
        except ProtocolError as error:
            out.faults.append(error)

    def _on_barcode(self, now: float, packet: SsiPacket, out: _Out) -> None:
        if self._repeated(now, packet, out):
            return
        if self._message.interrupted_by(packet):
            self._message.reset()
            out.faults.append(ProtocolError(Reason.SEQUENCE, "a message was never finished"))
        try:
            add = self._message.add_decode if packet.opcode == DECODE_DATA else self._message.add_segment
            whole = add(packet)
        except ProtocolError:
            self._last = None
            out.send(_NAK, bytes([_BAD_CONTEXT]))
            raise
        answer = _SEGMENT_ACK if packet.opcode == SEGMENT and whole is None else _ACK
        self._last = packet, now, answer
        out.send(answer)
        if whole is not None:
            self._scan(*whole, out)

    def _repeated(self, now: float, packet: SsiPacket, out: _Out) -> bool:
        """Answer a packet that is the last one again: our answer got lost. Two equal scans are not that."""
        if self._last is None:
            return False
        last, at, answer = self._last
        same = (packet.opcode, packet.data) == (last.opcode, last.data)
        if same and now - at < _ATTEMPTS * _TIMEOUT and (packet.resent or packet.opcode == SEGMENT):
            out.send(answer)
            return True
        return False

    def _scan(self, code_type: int, data: bytes, out: _Out) -> None:
        parts = split_prefix(self._prefix, data)
        if parts is None:
            out.faults.append(ProtocolError(Reason.UNEXPECTED, f"no prefix of the kind '{self._prefix}'"))
        prefix, content = parts or (b"", data)
        name = refined(symbology(code_type), prefix)
        quality, cause = trust(name, content)
        out.samples.append(Scan("barcode", name, content, quality, cause))

    def _on_control(self, now: float, packet: SsiPacket, out: _Out) -> None:
        if packet.opcode in _ACKNOWLEDGED:
            out.send(_ACK)
        if packet.opcode == _REVISION:
            self._answered(now, _REQUEST_REVISION, out)
            self._on_revision(packet.data, out)
        elif packet.opcode == _ACK:
            self._answered(now, _SCAN_ENABLE, out)
        elif packet.opcode == _NAK:
            self._on_refusal(now, packet.data, out)
        elif packet.opcode != _EVENT:
            raise ProtocolError(Reason.UNSUPPORTED, f"message with opcode {packet.opcode:02x}")

    def _on_revision(self, revision: bytes, out: _Out) -> None:
        if revision != self._revision:
            self._revision = revision
            words = revision.decode("ascii", "replace").split(maxsplit=2)
            out.samples.append(Identity(tuple(zip(("firmware", "board", "engine"), words, strict=False))))

    def _on_refusal(self, now: float, data: bytes, out: _Out) -> None:
        cause = data[0] if data else 0
        command = self._command
        if command is not None and command.attempt:
            if cause == _RESEND and command.attempt < _ATTEMPTS:
                self._send(now, command, out)
            else:
                self._next(now, out)
        raise ProtocolError(Reason.REJECTED, _CAUSES.get(cause, f"cause {cause}"))

    def _step(self, out: _Out) -> Step:
        due = [self._beat_at] if self._idle_at is None else [self._idle_at]
        if self._command is not None:
            due.append(self._command.deadline if self._command.attempt else self._command.send_at)
        wake = min(due)
        return Step(tuple(out.write), tuple(out.samples), tuple(out.faults), wake)


def _protocol(options: Options) -> ZebraSsi:
    return ZebraSsi(str(options["prefix"]))


DRIVER = Driver(
    title="Zebra barcode scanner (SSI)",
    category=Category.SCANNER,
    link=SerialLink(baud=9600, rtscts=True),
    channels=(Channel(name="barcode", title="Barcode", kind=ChannelKind.SCAN),),
    capabilities=("barcode",),
    options=(
        Option(
            name="prefix",
            title="Code identifier before the data (Transmit Code ID)",
            default="none",
            choices=("none", "aim", "symbol"),
        ),
    ),
    integrity="sum16",
    protocol=_protocol,
    stale_after=150.0,
)
