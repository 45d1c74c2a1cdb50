"""Useeplus ("Geek szitman supercamera") USB endoscope: JPEG over vendor bulk endpoints.

Interface 0: endpoints 82/02 (accessory protocol); interface 1 alternate 1: endpoints 81/01
("com.useeplus.protocol"). All numbers little-endian. One packet, at most 944 bytes:

    offset  type  what
    0       2     AA BB
    2       u8    stream id: 7 or 11
    3       u16   length of what follows: 7 + payload, 939 when full
    5       u8    frame id
    6       u8    lens in use, 0 or 1
    7       u8    flags: bit 0 has gravity sensor, bit 1 button pressed, others 0
    8       u32   gravity sensor
    12      ...   piece of a JPEG

A frame is a run of packets with one frame id and ends when the id changes. Which stream id carries
video differs between models: the one whose packet begins a JPEG does, the other is telemetry.

Conversation: endpoint 82 is drained, halts are cleared, `FF 55 FF 55 EE 10` to 02, `BB AA 05 00 00`
to 01 starts the stream (`BB AA 06 00 00` would stop it). One read of 1024 bytes is one packet; bytes behind
it belong to the next one, which is sent again. With larger reads the device packs four packets into a
page of 4096 bytes with gaps of stale bytes that may begin with a header (a ghost): see `_useeplus_packets`.

No checksum and no packet counter: each JPEG's structure is checked. A packet lost inside a scan shows
only where the camera uses restart markers. A camera that stays silent for 2 s is started again.

Sources (facts): hbens/geek-szitman-supercamera, jerometerry/useeplus, MAkcanca/useeplus-linux-driver.
"""

from devicehub.driver import Driver, Options, UsbLink
from devicehub.model.device import Category, Channel, ChannelKind, Option, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Image, Layout, Measurement, Sample, Trigger
from devicehub.model.units import Unit
from devicehub.wire.forbidden import Allowed
from devicehub.wire.jpeg import SOI, check_jpeg, trim_jpeg
from devicehub.wire.packet import Packet, clear_halt, usb_port, usb_read, usb_write
from devicehub.wire.protocol import Step
from devicehub.wire.sharpness import RelativeSize
from drivers.endoscope._useeplus_packets import PAGE, Piece, one_piece, page_pieces

CONNECT = bytes.fromhex("ff55ff55ee10")
START = bytes.fromhex("bbaa050000")
VIDEO_IN, VIDEO_OUT, CONTROL_IN, CONTROL_OUT = 0x81, 0x01, 0x82, 0x02
HALTS = tuple(clear_halt(endpoint) for endpoint in (CONTROL_IN, CONTROL_OUT, VIDEO_IN, VIDEO_OUT))
START_WRITES = (usb_write(CONTROL_OUT, CONNECT), usb_write(VIDEO_OUT, START))
LENSES = ("main", "side")
MAX_FRAME = 1 << 20
READS_IN_FLIGHT = 4
DRAIN_MOST = 30
DRAIN_WAIT = 0.1
SILENCE = 2.0


class _Assembly:
    """Joins the pieces of one frame, at most `MAX_FRAME` bytes."""

    def __init__(self) -> None:
        self.frame: int | None = None
        self._data = bytearray()
        self._overflow = False

    def begin(self, frame: int) -> bytes:
        """Start the next frame and give the one before. Raises `ProtocolError` when it was too large."""
        done, overflow = bytes(self._data), self._overflow
        self.frame, self._overflow = frame, False
        self._data.clear()
        if overflow:
            raise ProtocolError(Reason.OVERFLOW, f"frame of more than {MAX_FRAME} bytes")
        return done

    def add(self, payload: bytes) -> None:
        """Append a piece; of a frame that grows too large nothing is kept."""
        if self._overflow or len(self._data) + len(payload) > MAX_FRAME:
            self._overflow = True
            self._data.clear()
        else:
            self._data += payload


class Useeplus:
    """Keeps reads pending, joins packets to JPEGs, tells button presses and lens changes."""

    def __init__(self, read_size: int = 1024, *, drain: bool = True) -> None:
        self._read_size = read_size
        self._drain = drain
        self._drained = DRAIN_MOST
        self._streaming = False
        self._heard = 0.0
        self._assembly = _Assembly()
        self._sharpness = RelativeSize()
        self._pressed = self._was_pressed = False
        self._lens: int | None = None
        self._stream: int | None = None

    def start(self, now: float) -> Step:
        """Empty the control endpoint first, where the option says so."""
        if not self._drain:
            return self._begin(now)
        self._drained = 0
        return Step((usb_read(CONTROL_IN, 512),), wake_at=now + DRAIN_WAIT)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """One transfer from the device."""
        if packet.port == usb_port(VIDEO_IN) and self._streaming:
            return self._video(now, packet.data)
        if packet.port == usb_port(CONTROL_IN) and not self._streaming:
            return self._leftover(now)
        if packet.port == usb_port(CONTROL_IN):
            return Step(wake_at=self._heard + SILENCE)
        fault = ProtocolError(Reason.UNEXPECTED, f"packet on port {packet.port[:40]!r}")
        return Step(faults=(fault,), wake_at=self._wake_at(now))

    def on_timer(self, now: float) -> Step:
        """The control endpoint is empty, or the camera has gone silent: start it (again)."""
        if not self._streaming:
            return self._begin(now)
        if now < self._heard + SILENCE:
            return Step(wake_at=self._heard + SILENCE)
        self._heard = now
        fault = ProtocolError(Reason.TIMEOUT, f"no packet for {SILENCE:g} s: started again")
        return Step(START_WRITES, faults=(fault,), wake_at=now + SILENCE)

    def _wake_at(self, now: float) -> float:
        return self._heard + SILENCE if self._streaming else now + DRAIN_WAIT

    def _leftover(self, now: float) -> Step:
        self._drained += 1
        if self._drained >= DRAIN_MOST:
            return self._begin(now)
        return Step((usb_read(CONTROL_IN, 512),), wake_at=now + DRAIN_WAIT)

    def _begin(self, now: float) -> Step:
        self._streaming, self._heard = True, now
        reads = tuple(usb_read(VIDEO_IN, self._read_size) for _ in range(READS_IN_FLIGHT))
        return Step(HALTS + START_WRITES + reads, wake_at=now + SILENCE)

    def _video(self, now: float, data: bytes) -> Step:
        self._heard = now
        samples: list[Sample] = []
        faults: list[ProtocolError] = []
        parts = one_piece(data) if self._read_size < PAGE else page_pieces(data, self._assembly.frame)
        for part in parts:
            if isinstance(part, ProtocolError):
                faults.append(part)
            else:
                self._take(now, part, samples, faults)
        return Step((usb_read(VIDEO_IN, self._read_size),), tuple(samples), tuple(faults), now + SILENCE)

    def _take(self, now: float, piece: Piece, samples: list[Sample], faults: list[ProtocolError]) -> None:
        if piece.payload.startswith(SOI):
            self._stream = piece.stream
        if piece.stream != self._stream:  # telemetry, or the rest of a frame that began before us
            return
        if piece.frame != self._assembly.frame:
            self._finish(now, piece.frame, samples, faults)
        self._assembly.add(piece.payload)
        if piece.pressed and not self._pressed:
            self._pressed = True
            if not self._was_pressed:
                samples.append(Trigger("snapshot"))
        if piece.lens != self._lens:
            self._lens = piece.lens
            samples.append(Measurement("lens", piece.lens, label=LENSES[piece.lens]))

    def _finish(self, now: float, frame: int, samples: list[Sample], faults: list[ProtocolError]) -> None:
        """Another frame begins: publish the one before, if there was one and it is a sound JPEG."""
        counter = self._assembly.frame
        self._was_pressed, self._pressed = self._pressed, False
        try:
            received = self._assembly.begin(frame)
            if counter is None:
                return
            image = trim_jpeg(received)
            width, height = check_jpeg(image)
        except ProtocolError as error:
            faults.append(error)
            return
        samples.append(Image("image", image, Layout.JPEG, width, height, counter=counter))
        samples.extend(self._sharpness.report(now, len(image)))


def _protocol(options: Options) -> Useeplus:
    return Useeplus(int(options["read-size"]), drain=bool(options["drain"]))


def _reads(packet: Packet) -> bool:
    """Whether it asks for video, in whichever size."""
    return packet.data == b"" and packet.port.startswith(usb_port(VIDEO_IN) + ":")


DRIVER = Driver(
    title="Useeplus USB endoscope (Geek szitman supercamera)",
    category=Category.ENDOSCOPE,
    link=UsbLink(ids=(UsbId(0x2CE3, 0x3828), UsbId(0x0329, 0x2022)), interfaces=((0, 0), (1, 1))),
    plausibility="swapped bytes within a scan show nowhere: the bus has a CRC of its own; the structure of every JPEG",
    channels=(
        Channel(name="image", title="Picture", unit=Unit.ARBITRARY, kind=ChannelKind.IMAGE),
        Channel(
            name="sharpness",
            title="JPEG size relative to its recent maximum",
            unit=Unit.PERCENT,
            low=0,
            high=100,
            resolution=0.1,
        ),
        Channel(name="lens", title="Lens in use", kind=ChannelKind.STATE, states=LENSES),
    ),
    options=(
        Option(
            name="read-size",
            title="Bytes per bulk read: below 4096 one packet each, else pages of packets with stale gaps",
            default=1024,
            low=1024,
            high=16384,
        ),
        Option(name="drain", title="Empty the control endpoint before the start", default=True),
    ),
    allowed=Allowed(frozenset((*HALTS, *START_WRITES, usb_read(CONTROL_IN, 512))), _reads),
    protocol=_protocol,
)
