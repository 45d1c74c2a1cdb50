"""OV780 Wi-Fi inspection cameras (eTEQ WIC-100, Gardner Bender): H.264 over UDP that is made reliable.

The camera is an access point with the address 192.168.2.103 and one client; everything goes to and from its port 1000.
It says its address and name to everybody's port 2000, by which `devices scan` finds it.

    datagram  u8 kind (0 data, 1 acknowledgement, 2 asks for one again), u8 its number, u8 number expected next, 'v';
              data: at most 1024 bytes, one message; each is acknowledged; numbers count from 0 and wrap at 256
    message   "0010", code, length of what follows in 6 hexadecimal digits; sent again it may begin with four zeros
    items     length of the name in 2, of the value in 6 hexadecimal digits, name, value

    0008 AllInfo, 0009 its answer (a sign of life, not decoded), 0006 Video=1, 0007 Ret: 1 taken, 0 refused
    0015 "0C000000GetSnapPhoto" once a second, 0016 Video=1 while the button is pressed
    0011 a chunk: Ret, Type=Video, Info, Data. Info is 7 x u32be: 0 key frame or 2, bytes of the frame in chunk 0,
         counter, chunk, 0, ms, 0

The stream is passed on as it is: a picture is a key frame with its parameter sets, in H.264, and when the button is
pressed all frames from the last key frame on, so that what was seen then can be decoded. Nothing here decodes H.264:
there are no statistics, no sharpness, and the page cannot show it. How often a key frame comes is the camera's choice.

Only Video=1 is set. Any other setting while the stream runs stops the encoder for good, while the camera goes on
acknowledging: what is watched is the video, and without any for 4 s the link is begun anew.

Nothing is authenticated: whoever joins the camera's network can send pictures in its stead. No checksum: the structure
of a message, the numbers, the length of a frame and the units of its H.264 are checked.

Source (facts): HankFordham/eteq-gardner-bender-wifi-borescope, docs/PROTOCOL.md, confirmed there on a camera.
"""

import struct
from typing import Final

from devicehub.driver import Beacon, Driver, NetworkLink, Options
from devicehub.model.device import Category, Channel, ChannelKind
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Image, Layout, Sample, Trigger
from devicehub.model.units import Unit
from devicehub.wire import h264
from devicehub.wire.forbidden import Allowed
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.endoscope._ov780_line import ACK, DATA, HEADER, MARK, NACK, PORT, Line

MAX_FRAME: Final = 1 << 20
SET_MOST: Final = 256
POLL, VIDEO_WITHIN = 1.0, 4.0
BEACON, BEACON_PORT, BEACON_SIZE = b"8713", 2000, 32


def _message(code: bytes, body: bytes) -> bytes:
    return b"0010" + code + b"%06x" % len(body) + body


INFO = _message(b"0008", b"07000001AllInfo1")
START = _message(b"0006", b"05000001Video1")
BUTTON = _message(b"0015", b"0C000000GetSnapPhoto")
_MAGICS = (b"0010", b"\0\0\0\0")
_INFO = struct.Struct(">7I")


def items(body: bytes) -> dict[str, bytes]:
    """The items of a message. Raises `ProtocolError`."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(body):
        name, value = _number(body[at : at + 2]), _number(body[at + 2 : at + 8])
        end = at + 8 + name + value
        if end > len(body):
            raise ProtocolError(Reason.TRUNCATED, "item cut off")
        found[body[at + 8 : at + 8 + name].decode("latin-1")] = body[at + 8 + name : end]
        at = end
    return found


def _number(digits: bytes) -> int:
    try:
        return int(bytes.fromhex(digits.decode("ascii").rjust(6, "0")).hex(), 16)
    except ValueError:
        raise ProtocolError(Reason.CORRUPT, f"no length: {digits!r}") from None


def beacon(data: bytes) -> tuple[str, str] | None:
    """The address and the name that a camera broadcasts to port 2000; None for anything else.

    32 bytes: "8713", the address, 16 of its name that end with NUL, 8 whose meaning is not known.
    """
    if len(data) != BEACON_SIZE or not data.startswith(BEACON):
        return None
    name = data[8:24].partition(b"\0")[0].decode("ascii", errors="replace")
    return ".".join(map(str, data[4:8])), "".join(letter if letter.isprintable() else "?" for letter in name)


class Frames:
    """Chunks to frames, and frames to what can be decoded by itself."""

    def __init__(self) -> None:
        self._frame = bytearray()
        self._size = 0
        self._next = 0
        self._group = b""
        self._sets: dict[int, bytes] = {}
        self._size_of = (0, 0)

    def take(self, info: bytes, data: bytes) -> bytes | None:
        """The frame that a chunk completes. Raises `ProtocolError`."""
        if len(info) != _INFO.size:
            raise ProtocolError(Reason.LENGTH, f"Info of {len(info)} bytes")
        _, size, _, chunk, _, _, _ = _INFO.unpack(info)
        if chunk == 0:
            if not 0 < size <= MAX_FRAME:
                self._next = 0
                raise ProtocolError(Reason.LENGTH, f"a frame of {size} bytes")
            self._frame, self._size, self._next = bytearray(), size, 0
        elif chunk != self._next or not self._frame:
            self._frame.clear()
            raise ProtocolError(Reason.SEQUENCE, f"chunk {chunk} instead of {self._next}")
        self._next = chunk + 1
        self._frame += data
        if len(self._frame) > self._size:
            self._frame.clear()
            raise ProtocolError(Reason.LENGTH, f"more than the {self._size} bytes of a frame")
        if len(self._frame) < self._size:
            return None
        done = bytes(self._frame)
        self._frame.clear()
        return done

    def key_picture(self, frame: bytes, counter: int) -> Image | None:
        """The picture of a key frame; None of any other, which is kept for `since`. Raises `ProtocolError`."""
        found = h264.units(frame)
        kinds = {h264.kind(unit) for unit in found}
        sets = {h264.kind(unit): unit for unit in found if h264.kind(unit) in {h264.SPS, h264.PPS}}
        self._sets |= {number: unit for number, unit in sets.items() if len(unit) <= SET_MOST}
        if h264.KEY not in kinds:
            self._group = self._group + frame if self._group and len(self._group) + len(frame) <= MAX_FRAME else b""
            return None
        self._group = b""
        if {h264.SPS, h264.PPS} - set(self._sets):
            raise ProtocolError(Reason.CORRUPT, "a key frame before any parameter sets")
        self._size_of = h264.picture_size(self._sets[h264.SPS])
        missing = [number for number in (h264.SPS, h264.PPS) if number not in kinds]
        self._group = b"".join(b"\0" + h264.START + self._sets[number] for number in missing) + frame
        return self._picture(self._group, counter, frame if missing else b"")

    def broken(self) -> None:
        """A frame is missing: what follows cannot be decoded up to the next key frame."""
        self._group = b""

    def since(self) -> Image | None:
        """All frames from the last key frame on."""
        return self._picture(self._group, None, b"") if self._group else None

    def _picture(self, data: bytes, counter: int | None, original: bytes) -> Image:
        width, height = self._size_of
        return Image("image", data, Layout.H264, width, height, counter=counter, original=original)


class Ov780:
    """Starts the video, acknowledges it, and asks for the button."""

    def __init__(self, options: Options) -> None:
        del options
        self._line = Line()
        self._frames = Frames()
        self._asked = [INFO, START]
        self._poll_at = self._lost_at = 0.0
        self._pressed = False

    def start(self, now: float) -> Step:
        """Ask for a sign of life, then for the video."""
        self._poll_at, self._lost_at = now + POLL, now + VIDEO_WITHIN
        return self._step(now, [], [])

    def on_packet(self, now: float, packet: Packet) -> Step:
        """A datagram."""
        samples, faults = list[Sample](), list[ProtocolError]()
        if packet.port == "udp":
            for message in self._line.take(now, packet.data):
                try:
                    samples += self._read(now, message)
                except ProtocolError as error:
                    faults.append(error)
        elif packet.port != "local":
            faults.append(ProtocolError(Reason.UNEXPECTED, f"port {packet.port[:40]!r}"))
        return self._step(now, samples, faults)

    def on_timer(self, now: float) -> Step:
        """Send again, ask for the button, miss the video."""
        self._line.on_timer(now)
        if now >= self._poll_at:
            self._poll_at = now + POLL
            if BUTTON not in self._asked:
                self._asked.append(BUTTON)
        if now >= self._lost_at:
            fault = ProtocolError(Reason.TIMEOUT, f"no video for {VIDEO_WITHIN:g} s")
            return Step(faults=(fault,), lost="the camera sends no video")
        return self._step(now, [], [])

    def _read(self, now: float, message: bytes | ProtocolError) -> list[Sample]:
        if isinstance(message, ProtocolError):
            raise message
        if message[:4] not in _MAGICS or _number(message[8:14]) != len(message) - 14:
            raise ProtocolError(Reason.CORRUPT, f"no message: {message[:14]!r}")
        code = message[4:8]
        if code == b"0009":
            return []
        found = items(message[14:])
        if code == b"0007":
            if found.get("Ret") != b"1":
                raise ProtocolError(Reason.REJECTED, "the camera does not start its video")
            return []
        if code == b"0016":
            return self._button(pressed=found.get("Video") == b"1")
        if code != b"0011":
            raise ProtocolError(Reason.UNSUPPORTED, f"message {code!r}")
        return self._chunk(now, found) if found.get("Type", b"Video") == b"Video" else []

    def _chunk(self, now: float, found: dict[str, bytes]) -> list[Sample]:
        info = found.get("Info", b"")
        try:
            frame = self._frames.take(info, found.get("Data", b""))
            if frame is None:
                return []
            picture = self._frames.key_picture(frame, int.from_bytes(info[8:12], "big"))
        except ProtocolError:
            self._frames.broken()
            raise
        self._lost_at = now + VIDEO_WITHIN
        return [] if picture is None else [picture]

    def _button(self, *, pressed: bool) -> list[Sample]:
        before, self._pressed = self._pressed, pressed
        if not pressed or before:
            return []
        seen = self._frames.since()
        return [Trigger("snapshot")] if seen is None else [seen, Trigger("snapshot")]

    def _step(self, now: float, samples: list[Sample], faults: list[ProtocolError]) -> Step:
        if self._asked and self._line.free:
            self._line.send(now, self._asked.pop(0))
        write, self._line.write = tuple(self._line.write), []
        due = [at for at in (self._poll_at, self._lost_at, self._line.resend_at) if at is not None]
        return Step(write, tuple(samples), tuple(faults), min(due))


def _asks(packet: Packet) -> bool:
    """Whether it is one of the three messages, of whichever number, or answers a datagram."""
    what, rest = packet.data[:1], packet.data[HEADER:]
    asks = (
        rest in {INFO, START, BUTTON} if what == bytes([DATA]) else what in {bytes([ACK]), bytes([NACK])} and not rest
    )
    return asks and packet.port == f"udp:{PORT}" and packet.data[3:HEADER] == bytes([MARK])


DRIVER = Driver(
    title="OV780 Wi-Fi inspection camera (eTEQ WIC-100, Gardner Bender)",
    category=Category.ENDOSCOPE,
    link=NetworkLink(scheme="udp", ports=(PORT,), beacon=Beacon(port=BEACON_PORT, read=beacon)),
    plausibility=(
        "swapped bytes within a frame show nowhere: UDP has a sum of its own; numbers, lengths, the units of its H.264"
    ),
    channels=(Channel(name="image", title="Key frame, H.264", unit=Unit.ARBITRARY, kind=ChannelKind.IMAGE),),
    integrity="numbered datagrams, lengths",
    allowed=Allowed(fits=_asks),
    protocol=Ov780,
    stale_after=30.0,  # a picture comes with a key frame alone
)
