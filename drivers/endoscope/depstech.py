"""Depstech Wi-Fi endoscopes and clones: JPEG over TCP.

The camera is an access point with the address 192.168.10.123 and sends on port 7060 as soon as somebody connects.

    "BoundaryS", header of 32 bytes, JPEG, "BoundaryE"

    header, little-endian
    0    4 x u8          8    3 x u32         24   u32 width     (the sizes are often wrong: the JPEG's own count)
    4    u32 size of the JPEG                 20   2 x u16       28   u32 height

The byte in the middle of the JPEG, at size // 2, comes inverted and is inverted back: the picture that is kept is
the camera's own; what came over the network is its `original`.

Nothing is ever sent. Nothing is authenticated: whoever joins the camera's network can send pictures in its stead.
No button is documented.

Sources (facts): mkarr/boroscope_stream_fixer, mplough. No checksum: both tags must stand where the size says, and the
structure of every JPEG is checked. No picture has a tag and a header inside: where they come again, one that was cut or
whose size is false ends.
"""

import struct

from msgspec import structs

from devicehub.driver import Driver, NetworkLink, Options
from devicehub.model.device import Category
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Image
from devicehub.wire.forbidden import Allowed
from devicehub.wire.framer import SyncFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.endoscope._wifi import CHANNELS, MAX_FRAME, Made, Pictures

PORT = 7060
BEGIN, END = b"BoundaryS", b"BoundaryE"
HEADER = 32
_SIZE = struct.Struct("<4xI")
_BODY = len(BEGIN) + HEADER


def size(head: bytes) -> int:
    """Bytes from tag to tag. Raises `ProtocolError`."""
    (jpeg,) = _SIZE.unpack_from(head, len(BEGIN))
    if not 0 < jpeg <= MAX_FRAME:
        raise ProtocolError(Reason.LENGTH, f"a picture of {jpeg} bytes")
    return int(_BODY + jpeg + len(END))


def check(frame: bytes) -> None:
    """Raise `ProtocolError` where the end is not an end."""
    if not frame.endswith(END):
        raise ProtocolError(Reason.CORRUPT, "no end where the size says it is")


def restored(jpeg: bytes) -> bytes:
    """The picture with its middle byte inverted back."""
    middle = len(jpeg) // 2
    return jpeg[:middle] + bytes([jpeg[middle] ^ 0xFF]) + jpeg[middle + 1 :]


class Depstech:
    """A stream to pictures. Never writes."""

    def __init__(self, options: Options) -> None:
        del options
        self._framer = SyncFramer(BEGIN, _BODY, size, check, sole=True)
        self._pictures = Pictures()

    def start(self, now: float) -> Step:
        """The camera sends by itself; the transport watches that it does."""
        del now
        return Step()

    def on_packet(self, now: float, packet: Packet) -> Step:
        """A piece of the stream."""
        if packet.port == "local":
            return Step()
        if packet.port != "tcp":
            return Step(faults=(ProtocolError(Reason.UNEXPECTED, f"port {packet.port[:40]!r}"),))
        step = Step()
        for frame in self._framer.feed(packet.data):
            samples, faults = ((), (frame,)) if isinstance(frame, ProtocolError) else self._picture(now, frame)
            step = Step(samples=step.samples + samples, faults=step.faults + faults)
        return step

    def on_timer(self, now: float) -> Step:
        """Nothing is timed here."""
        del now
        return Step()

    def _picture(self, now: float, frame: bytes) -> Made:
        received = frame[_BODY : -len(END)]
        samples, faults = self._pictures.of(now, restored(received))
        shown = (structs.replace(one, original=received) if isinstance(one, Image) else one for one in samples)
        return tuple(shown), faults


DRIVER = Driver(
    title="Depstech Wi-Fi endoscope",
    category=Category.ENDOSCOPE,
    link=NetworkLink(scheme="tcp", ports=(PORT,)),
    plausibility=(
        "swapped bytes within a scan show nowhere: TCP has a sum of its own; a tag at both ends, the "
        "structure of every JPEG"
    ),
    channels=CHANNELS,
    integrity="tags at both ends",
    allowed=Allowed(),
    protocol=Depstech,
)
