"""What Wi-Fi endoscopes that send JPEG have in common: chunks to pictures, and their channels.

Datagrams may come late, twice, in another order or not at all. The chunks of one frame are put in order by their
index; a frame with a hole is told as a fault and dropped whole, a chunk of the frame before is too late. The
cameras check nothing: the structure of every JPEG is checked.
"""

from devicehub.model.device import Channel, ChannelKind
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Image, Layout, Sample
from devicehub.model.units import Unit
from devicehub.wire.jpeg import check_jpeg, trim_jpeg
from devicehub.wire.sharpness import RelativeSize

MAX_FRAME = 1 << 20
CHANNELS = (
    Channel(name="image", title="Picture", unit=Unit.ARBITRARY, kind=ChannelKind.IMAGE),
    Channel(
        name="sharpness",
        title="JPEG size relative to its recent maximum",
        unit=Unit.PERCENT,
        low=0,
        high=100,
        resolution=0.1,
    ),
)

Made = tuple[tuple[Sample, ...], tuple[ProtocolError, ...]]


class Pictures:
    """JPEGs to samples."""

    def __init__(self) -> None:
        self._sharpness = RelativeSize()

    def of(self, now: float, received: bytes, counter: int | None = None) -> Made:
        """A picture, if it is sound, and how sharp it is."""
        try:
            image = trim_jpeg(received)
            width, height = check_jpeg(image)
        except ProtocolError as error:
            return (), (error,)
        picture = Image("image", image, Layout.JPEG, width, height, counter=counter)
        return (picture, *self._sharpness.report(now, len(image))), ()


class Chunks:
    """Joins the chunks of one frame, at most `MAX_FRAME` bytes; `first` is the index of the first one."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._frame: int | None = None
        self._before: int | None = None
        self._parts: dict[int, bytes] = {}
        self._size = 0

    def take(self, frame: int, index: int, payload: bytes) -> tuple[int, bytes] | None:
        """Take a chunk; the frame before, when another begins. Raises `ProtocolError`, and then takes the chunk too."""
        if frame == self._before and frame != self._frame:
            raise ProtocolError(Reason.SEQUENCE, f"chunk {index} of frame {frame} came too late")
        if frame == self._frame:
            self._add(index, payload)
            return None
        done, parts = self._frame, self._parts
        self._before, self._frame = done, frame
        self._parts, self._size = {}, 0
        self._add(index, payload)
        if done is None:
            return None
        if sorted(parts) != list(range(self._first, self._first + len(parts))):
            raise ProtocolError(Reason.SEQUENCE, f"chunks of frame {done} are missing")
        return done, b"".join(parts[index] for index in sorted(parts))

    def _add(self, index: int, payload: bytes) -> None:
        if self._size + len(payload) > MAX_FRAME:
            raise ProtocolError(Reason.OVERFLOW, f"frame of more than {MAX_FRAME} bytes")
        if index not in self._parts:
            self._parts[index] = payload
            self._size += len(payload)


class ChunkedPictures:
    """Datagrams with chunks of JPEGs to samples."""

    def __init__(self, first: int) -> None:
        self._chunks = Chunks(first)
        self._pictures = Pictures()

    def take(self, now: float, frame: int, index: int, payload: bytes) -> Made:
        """One chunk; the samples of the frame that it ends."""
        try:
            done = self._chunks.take(frame, index, payload)
        except ProtocolError as error:
            return (), (error,)
        return ((), ()) if done is None else self._pictures.of(now, done[1], done[0])
