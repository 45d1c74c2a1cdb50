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
A3 REQUEST_REVISION, and once E9 SCAN_ENABLE, which lasts until the decoder is reset. On command E6 BEEP (00: one short
high tone; `identify`), E4 START_SESSION, which pulls the trigger, and E5 STOP_SESSION (`start-session`, `stop-session`:
control), each answered by D0 or D1. Nothing permanent and no parameter. REQUEST_REVISION is repeated every minute, so
that a scanner that was carried away is noticed; without an answer for 2 s a command is sent again, twice. The scanner
has to be set to packeted decode data; whether it puts a code identifier before the data is told by the option `prefix`.

The check is a sum: it does not see swapped bytes. They show in the check digits
of codes alone, which the hub tests, whoever read them.

Source: SSI chapters of Zebra's DS4308, DS2208, DS9908 and CR60 product reference guides; test vectors of
enioka-Haute-Couture/enioka_scan (Apache-2.0); randomthingsandstuff/zebra-ssi (facts only).
"""

from typing import Final

from devicehub.driver import Command, Driver, Options, SerialLink
from devicehub.model.device import Category, Channel, ChannelKind, Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Capability, Cause, Identity, Level, Scan
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.framer import Frame
from devicehub.wire.packet import Packet
from devicehub.wire.patience import Patience
from devicehub.wire.protocol import Call, Step
from drivers.scanner._ssi_codes import refined, split_prefix, symbology
from drivers.scanner._ssi_framing import DECODE_DATA, SEGMENT, Reassembly, SsiFramer, SsiPacket, opened
from drivers.scanner._ssi_requests import ATTEMPTS, REQUESTS, TIMEOUT, WAKE_UP, Out, Requests, encode

_ACK, _NAK, _SEGMENT_ACK = 0xD0, 0xD1, 0x74
_EVENT, _REVISION = 0xF6, 0xA4
_ACKNOWLEDGED: Final = frozenset({0x14, 0x80, 0x93, 0xB1, 0xB4, 0xC6, 0xD6, _EVENT})
_RESEND, _BAD_CONTEXT = 1, 2
_IDLE: Final = 0.5
_PERMANENT: Final = b"".join(b"\\x%02x" % status for status in range(256) if status & 8)
SENT: Final = (
    WAKE_UP,
    *REQUESTS,
    *(encode(opcode) for opcode in (_ACK, _SEGMENT_ACK)),
    *(encode(_NAK, bytes([cause])) for cause in (_RESEND, _BAD_CONTEXT)),
)
"""All that is ever sent."""


class ZebraSsi:
    """The host's side of SSI."""

    def __init__(self, prefix: str) -> None:
        """`prefix`: what the scanner puts before the data, see the driver's options."""
        self._prefix = prefix
        self._patience = Patience(SsiFramer(), _IDLE)
        self._message = Reassembly()
        self._requests = Requests()
        self._last: tuple[SsiPacket, float, int] | None = None
        self._revision = b""
        self._alive = False

    def start(self, now: float) -> Step:
        """Wake the decoder; ask who it is and permit scanning."""
        out = Out()
        self._requests.start(now, out)
        return self._step(out)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Take bytes; every good packet with data is answered."""
        out = Out()
        for frame in self._patience.feed(now, packet.data):
            self._take(now, frame, out)
        return self._step(out)

    def on_timer(self, now: float) -> Step:
        """Send what is due, send again what was not answered, give up half a packet."""
        out = Out()
        for frame in self._patience.on_timer(now):
            self._take(now, frame, out)
        if not self._requests.on_timer(now, out):
            self._alive = False
            out.samples.append(Capability("barcode", Level.NONE, Cause.NOT_CONNECTED))
        return self._step(out)

    def on_command(self, now: float, call: Call) -> Step:
        """Send it behind what is in flight, or wake the decoder for it."""
        out = Out()
        self._requests.order(now, call, out)
        return self._step(out)

    def _take(self, now: float, frame: Frame, out: Out) -> None:
        if isinstance(frame, ProtocolError):
            out.faults.append(frame)
            if frame.reason is Reason.CHECKSUM:
                # What the decoder now sends again was not published, whatever it equals.
                self._last = None
                out.send(_NAK, bytes([_RESEND]))
            return
        if not self._alive:
            self._alive = True
            out.samples.append(Capability("barcode", Level.FULL))
        packet = opened(frame)
        try:
            if packet.opcode in {DECODE_DATA, SEGMENT}:
                self._on_barcode(now, packet, out)
            else:
                self._on_control(now, packet, out)
        except ProtocolError as error:
            out.faults.append(error)

    def _on_barcode(self, now: float, packet: SsiPacket, out: Out) -> None:
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

    def _repeated(self, now: float, packet: SsiPacket, out: Out) -> bool:
        """Answer a packet that is the last one again: our answer got lost. Two equal scans are not that."""
        if self._last is None:
            return False
        last, at, answer = self._last
        same = (packet.opcode, packet.data) == (last.opcode, last.data)
        if same and now - at < ATTEMPTS * TIMEOUT and (packet.resent or packet.opcode == SEGMENT):
            out.send(answer)
            return True
        return False

    def _scan(self, code_type: int, data: bytes, out: Out) -> None:
        parts = split_prefix(self._prefix, data)
        if parts is None:
            out.faults.append(ProtocolError(Reason.UNEXPECTED, f"no prefix of the kind '{self._prefix}'"))
        prefix, content = parts or (b"", data)
        name = refined(symbology(code_type), prefix)
        out.samples.append(Scan("barcode", name, content))

    def _on_control(self, now: float, packet: SsiPacket, out: Out) -> None:
        if packet.opcode in _ACKNOWLEDGED:
            out.send(_ACK)
        if packet.opcode == _REVISION:
            self._requests.answered(now, out, revision=True)
            self._on_revision(packet.data, out)
        elif packet.opcode == _ACK:
            self._requests.answered(now, out, revision=False)
        elif packet.opcode == _NAK:
            self._requests.refused(now, packet.data, out)
        elif packet.opcode != _EVENT:
            raise ProtocolError(Reason.UNSUPPORTED, f"message with opcode {packet.opcode:02x}")

    def _on_revision(self, revision: bytes, out: Out) -> None:
        if revision != self._revision:
            self._revision = revision
            words = revision.decode("ascii", "replace").split(maxsplit=2)
            out.samples.append(Identity(tuple(zip(("firmware", "board", "engine"), words, strict=False))))

    def _step(self, out: Out) -> Step:
        wake = self._requests.wake_at(self._patience.wake_at)
        return Step(tuple(out.write), tuple(out.samples), tuple(out.faults), wake, tuple(out.ended))


def _protocol(options: Options) -> ZebraSsi:
    return ZebraSsi(str(options["prefix"]))


DRIVER = Driver(
    title="Zebra barcode scanner (SSI)",
    category=Category.SCANNER,
    link=SerialLink(baud=9600, rtscts=True),
    channels=(Channel(name="barcode", title="Barcode", kind=ChannelKind.SCAN),),
    capabilities=("barcode",),
    plausibility=(
        "swapped characters pass the sum and show in check digits alone; a known opcode and symbology, "
        "lengths that agree"
    ),
    options=(
        Option(
            name="prefix",
            title="Code identifier before the data (Transmit Code ID)",
            default="none",
            choices=("none", "aim", "symbol"),
        ),
    ),
    integrity="sum16",
    commands=(
        Command(verb="identify", title="Beep, so that somebody finds the scanner"),
        Command(verb="start-session", title="Pull the trigger", control=True),
        Command(verb="stop-session", title="Let the trigger go", control=True),
    ),
    protocol=_protocol,
    stale_after=150.0,
    allowed=Allowed(frozenset(map(Packet, SENT))),
    forbidden=(
        Forbidden("restore factory settings", rb".[\x12\xc8]"),
        Forbidden("store a setting for good", rb".\xc6.[" + _PERMANENT + b"]"),
        Forbidden("manage the scanner remotely", rb".\x80"),
    ),
)
