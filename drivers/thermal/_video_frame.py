"""What thermal cameras on the kernel's video interface have in common: whole frames, and frames that freeze."""

from collections.abc import Mapping

from devicehub.model.device import Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Quality, Shutter
from devicehub.wire.packet import Packet

FREEZE_OPTIONS = (
    Option(name="freeze-count", title="Identical frames that mean a closed shutter", default=3, low=1, high=100),
    Option(name="freeze-limit", title="Seconds of identical frames that mean a hang", default=5.0, low=0.5, high=60),
)


def whole_frame(packet: Packet, sizes: Mapping[str, int]) -> bytes:
    """A frame of the right length. `sizes`: bytes by port. Raises `ProtocolError`."""
    if packet.port == "frame-error":
        raise ProtocolError(Reason.CORRUPT, "frame flagged as damaged by the kernel")
    size = sizes.get(packet.port)
    if size is None:
        raise ProtocolError(Reason.UNSUPPORTED, f"packet on port {packet.port[:40]!r}")
    if len(packet.data) != size:
        reason = Reason.TRUNCATED if len(packet.data) < size else Reason.LENGTH
        raise ProtocolError(reason, f"{len(packet.data)} bytes instead of {size}")
    return packet.data


class Freeze:
    """A live sensor is never twice the same: counts identical frames in a row."""

    def __init__(self, count: int, limit: float) -> None:
        """`count`: repeats that mean a closed shutter. `limit`: seconds of them that mean a hang."""
        self._repeats = 0
        self._count = count
        self._limit = limit
        self._last = b""
        self._changed_at = 0.0

    def begin(self, now: float) -> None:
        """The stream starts."""
        self._changed_at = now

    def after(self, now: float, raw: bytes) -> Shutter:
        """The shutter as the next frame shows it: closed while it repeats, settling once thereafter."""
        if raw == self._last:
            self._repeats += 1
            return Shutter.CLOSED if self._repeats >= self._count else Shutter.OPEN
        was_closed = self._repeats >= self._count
        self._last, self._repeats, self._changed_at = raw, 0, now
        return Shutter.SETTLING if was_closed else Shutter.OPEN

    def doubt(self, now: float, shutter: Shutter) -> tuple[Quality, Cause] | None:
        """What the last frame is worth by how it follows those before, with that shutter; None where nothing is odd."""
        if self._repeats and now - self._changed_at > self._limit:  # no correction takes so long
            return Quality.BAD, Cause.STALE
        if shutter is not Shutter.OPEN:
            return Quality.UNCERTAIN, Cause.CALIBRATING
        return (Quality.UNCERTAIN, Cause.DUPLICATE) if self._repeats else None
