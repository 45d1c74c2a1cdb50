"""i4season Wi-Fi endoscopes and microscopes (Suear, MS5): JPEG over UDP.

The camera is an access point with the address 192.168.1.1: commands go to port 10005, the request for video to port
10006, and video comes to the port that the request names. All numbers little-endian.

    message   EE FF EE FF, u16 id (echoed), u16 type, u8 1, u8 error, u16 length, data
              type 1: who are you; answered with u8, vendor[32], product[32], firmware[16], network name[32]
              type 4: send video; its length is 0 and the u16 port stands behind all the same
    chunk     u8 1, u8 rolling, u8 frame, u8 last, u8 index from 1, u8, 6 bytes orientation, u16 width, u16 height,
              from 16 a piece of a JPEG

A frame ends when the next one begins. The first packet after idle is often lost: a camera that sends no picture for
1 s is asked again, and who it is with it while that is not known. What the orientation counts in is not documented.

Types 2 (licence), A (light), C (camera), D and E (settings) are never sent: `message` refuses them.

Nothing is authenticated: whoever joins the camera's network can send pictures in its stead. Its button is not
documented.

Source (facts): Fyfar/ms5-wifi-microscope. No checksum: see `_wifi`.
"""

import struct
from collections.abc import Mapping
from types import MappingProxyType

from devicehub.driver import Driver, NetworkLink, Options
from devicehub.model.device import Category
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Identity
from devicehub.wire.forbidden import Allowed
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.endoscope._wifi import CHANNELS, ChunkedPictures

COMMANDS, VIDEO = 10005, 10006
MAGIC = b"\xee\xff\xee\xff"
INFO, OPEN = 1, 4
IDENTIFIER = 1
SILENCE = 1.0
CHUNK_HEADER = 16
REFUSED: Mapping[int, str] = MappingProxyType(
    {0x2: "licence", 0xA: "switch the light", 0xC: "command the camera", 0xD: "settings", 0xE: "settings"}
)
_HEADER = struct.Struct("<4sHHBBH")
_INFO = struct.Struct("<x32s32s16s32s")
_FACTS = ("vendor", "product", "firmware", "network")


def message(kind: int, data: bytes = b"") -> bytes:
    """A message; data is not counted in its length. Raises `ValueError` for one that is never sent."""
    if kind not in {INFO, OPEN}:
        raise ValueError(f"type {kind:x} is never sent: {REFUSED.get(kind, 'unknown')}")
    return _HEADER.pack(MAGIC, IDENTIFIER, kind, 1, 0, 0) + data


_WHO = Packet(message(INFO), f"udp:{COMMANDS}")


def _opens(packet: Packet) -> bool:
    """Whether it asks for the video, at whichever port here."""
    begins, size = message(OPEN), _HEADER.size + 2
    return packet.port == f"udp:{VIDEO}" and packet.data.startswith(begins) and len(packet.data) == size


class I4Season:
    """Asks who the camera is and for its video."""

    def __init__(self, options: Options) -> None:
        del options
        self._pictures = ChunkedPictures(first=1)
        self._port: int | None = None
        self._known = False
        self._silent_at = 0.0

    def start(self, now: float) -> Step:
        """The own port is not known yet."""
        self._silent_at = now + SILENCE
        return Step(wake_at=self._silent_at)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """The own port, an answer or a chunk."""
        if packet.port == "local":
            return self._begin(now, packet.data)
        if packet.port != "udp":
            return self._refused(Reason.UNEXPECTED, f"port {packet.port[:40]!r}")
        if packet.data.startswith(MAGIC):
            return self._answer(packet.data)
        if len(packet.data) <= CHUNK_HEADER:
            return self._refused(Reason.TRUNCATED, f"datagram of {len(packet.data)} bytes")
        if packet.data[0] != 1:
            return self._refused(Reason.GARBAGE, f"datagram begins with {packet.data[:4].hex()}")
        frame, index = packet.data[2], packet.data[4]
        samples, faults = self._pictures.take(now, frame, index, packet.data[CHUNK_HEADER:])
        if samples:
            self._silent_at = now + SILENCE
        return Step(samples=samples, faults=faults, wake_at=self._silent_at)

    def on_timer(self, now: float) -> Step:
        """No picture for too long: ask again."""
        if now < self._silent_at:
            return Step(wake_at=self._silent_at)
        self._silent_at = now + SILENCE
        fault = ProtocolError(Reason.TIMEOUT, f"no picture for {SILENCE:g} s: asked again")
        return Step(self._requests(), faults=(fault,), wake_at=self._silent_at)

    def _begin(self, now: float, port: bytes) -> Step:
        if not port.isdigit() or not 0 < int(port[:6]) < 1 << 16:
            return self._refused(Reason.UNEXPECTED, f"own port {port[:40]!r}")
        self._port, self._silent_at = int(port[:6]), now + SILENCE
        return Step(self._requests(), wake_at=self._silent_at)

    def _requests(self) -> tuple[Packet, ...]:
        if self._port is None:
            return ()
        who = () if self._known else (_WHO,)
        return (*who, Packet(message(OPEN, struct.pack("<H", self._port)), f"udp:{VIDEO}"))

    def _answer(self, data: bytes) -> Step:
        if len(data) < _HEADER.size:
            return self._refused(Reason.TRUNCATED, f"message of {len(data)} bytes")
        _, identifier, kind, _, error, _ = _HEADER.unpack_from(data)
        if identifier != IDENTIFIER or kind not in {INFO, OPEN}:
            return self._refused(Reason.UNEXPECTED, f"message {identifier} of type {kind:x}")
        if error:
            return self._refused(Reason.REJECTED, f"type {kind:x}: error {error}")
        if kind == OPEN:
            return Step(wake_at=self._silent_at)
        if len(data) < _HEADER.size + _INFO.size:
            return self._refused(Reason.TRUNCATED, f"message of {len(data)} bytes")
        self._known = True
        texts = map(_text, _INFO.unpack_from(data, _HEADER.size))
        facts = tuple((name, text) for name, text in zip(_FACTS, texts, strict=True) if text)
        return Step(samples=(Identity(facts),) if facts else (), wake_at=self._silent_at)

    def _refused(self, reason: Reason, detail: str) -> Step:
        return Step(faults=(ProtocolError(reason, detail),), wake_at=self._silent_at)


def _text(field: bytes) -> str:
    text = field.partition(b"\0")[0].decode("ascii", errors="replace").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


DRIVER = Driver(
    title="i4season Wi-Fi endoscope (Suear, MS5)",
    category=Category.ENDOSCOPE,
    link=NetworkLink(scheme="udp", ports=(COMMANDS, VIDEO)),
    plausibility=(
        "swapped bytes within a scan show nowhere: UDP has a sum of its own; numbered pieces, the structure "
        "of every JPEG"
    ),
    channels=CHANNELS,
    allowed=Allowed(frozenset({_WHO}), _opens),
    protocol=I4Season,
)
