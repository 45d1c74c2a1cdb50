"""JHCMD Wi-Fi microscopes and endoscopes (Max-See, JoyHonest): JPEG over UDP.

The camera is an access point; it has the address 192.168.29.1, listens on port 20000 and sends to port 10900
of whoever spoke to it.

    to the camera    "JHCMD" and two bytes: 10 00, 20 00, then D0 01 twice start the video, D0 01 again after every 50
                     frames keeps it, D0 02 would stop it
    from the camera  u16le frame, u8, u8 index of the packet, 0 the first, 4 bytes, then a piece of a JPEG

A frame ends when the next one begins. A camera that sends no picture for 1 s is started again: its first packet after
idle is easily lost. Only the four messages above exist in this driver; no others are known.

Nothing is authenticated: whoever joins the camera's network can send pictures in its stead. Its button is not
documented.

Source (facts): a public proof of concept of chzsoft.de. No checksum: see `_wifi`.
"""

from devicehub.driver import Driver, NetworkLink, Options
from devicehub.model.device import Category
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.forbidden import Allowed
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.endoscope._wifi import CHANNELS, ChunkedPictures

PORT, LOCAL_PORT = 20000, 10900
HEADER = 8
SILENCE = 1.0
KEEP_EVERY = 50


def _message(number: int, argument: int) -> Packet:
    return Packet(b"JHCMD" + bytes([number, argument]), f"udp:{PORT}")


KEEP = _message(0xD0, 0x01)
START = (_message(0x10, 0x00), _message(0x20, 0x00), KEEP, KEEP)


class Jhcmd:
    """Starts the video and keeps it going."""

    def __init__(self, options: Options) -> None:
        del options
        self._pictures = ChunkedPictures(first=0)
        self._frames = 0
        self._silent_at = 0.0

    def start(self, now: float) -> Step:
        """Ask for video."""
        self._silent_at = now + SILENCE
        return Step(START, wake_at=self._silent_at)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """One datagram."""
        if packet.port == "local":
            return Step(wake_at=self._silent_at)
        if packet.port != "udp" or len(packet.data) <= HEADER:
            reason = Reason.UNEXPECTED if packet.port != "udp" else Reason.TRUNCATED
            fault = ProtocolError(reason, f"{len(packet.data)} bytes on port {packet.port[:40]!r}")
            return Step(faults=(fault,), wake_at=self._silent_at)
        frame, index = int.from_bytes(packet.data[:2], "little"), packet.data[3]
        samples, faults = self._pictures.take(now, frame, index, packet.data[HEADER:])
        write: tuple[Packet, ...] = ()
        if samples:
            self._silent_at = now + SILENCE
            self._frames += 1
            write = (KEEP,) if self._frames % KEEP_EVERY == 0 else ()
        return Step(write, samples, faults, self._silent_at)

    def on_timer(self, now: float) -> Step:
        """No picture for too long: start it again."""
        if now < self._silent_at:
            return Step(wake_at=self._silent_at)
        self._silent_at = now + SILENCE
        fault = ProtocolError(Reason.TIMEOUT, f"no picture for {SILENCE:g} s: started again")
        return Step(START, faults=(fault,), wake_at=self._silent_at)


DRIVER = Driver(
    title="JHCMD Wi-Fi endoscope (Max-See)",
    category=Category.ENDOSCOPE,
    link=NetworkLink(scheme="udp", ports=(PORT,), local=LOCAL_PORT),
    plausibility=(
        "swapped bytes within a scan show nowhere: UDP has a sum of its own; numbered pieces, the structure "
        "of every JPEG"
    ),
    channels=CHANNELS,
    allowed=Allowed(frozenset(START)),
    protocol=Jhcmd,
)
