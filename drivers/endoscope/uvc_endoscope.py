"""UVC cable endoscope: MJPEG frames and the snapshot button, through the kernel's camera driver.

    port                what
    frame:MJPG:WxH      one JPEG in a buffer: FF D8 ... FF D9, then zeros that belong to nobody
    frame-error         a buffer that the kernel flagged as damaged
    key                 u8: 1 snapshot button pressed, 0 released (KEY_CAMERA)

The image is published exactly as received up to its end marker. Its size comes from its own start of
frame: cameras are known to claim a resolution that they do not have. Frames without Huffman tables
(ITU-T T.81 Annex K defaults are meant) pass unchanged.
HDMI and composite grabbers are the same to the hub.

Source: USB Video Class 1.5 (status interrupt of the button), Linux drivers/media/usb/uvc/uvc_status.c.
There is no checksum; the structure of every JPEG is checked. Damage inside a scan without restart
markers cannot be seen.
"""

from devicehub.driver import Driver, Options, VideoFormat, VideoLink
from devicehub.model.device import Category, Channel, ChannelKind
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Image, Layout, Sample, Trigger
from devicehub.model.units import Unit
from devicehub.wire.jpeg import check_jpeg, trim_jpeg
from devicehub.wire.packet import Packet
from devicehub.wire.sharpness import RelativeSize
from devicehub.wire.unasked import UnaskedProtocol


class UvcEndoscope(UnaskedProtocol):
    """Frames to images, button edges to triggers. Never writes."""

    def __init__(self) -> None:
        self._sharpness = RelativeSize()
        self._pressed = False

    def _samples(self, now: float, packet: Packet) -> tuple[Sample, ...]:
        if packet.port.startswith("frame:MJPG:"):
            return self._frame(now, packet.data)
        if packet.port == "key":
            return self._button(packet.data)
        if packet.port == "frame-error":
            raise ProtocolError(Reason.CORRUPT, "frame flagged as damaged by the kernel")
        raise ProtocolError(Reason.UNSUPPORTED, f"packet on port {packet.port[:40]!r}")

    def _frame(self, now: float, data: bytes) -> tuple[Sample, ...]:
        image = trim_jpeg(data)
        width, height = check_jpeg(image)
        return Image("image", image, Layout.JPEG, width, height), *self._sharpness.report(now, len(image))

    def _button(self, data: bytes) -> tuple[Sample, ...]:
        if len(data) != 1:
            raise ProtocolError(Reason.LENGTH, f"button packet of {len(data)} bytes")
        before, self._pressed = self._pressed, data[0] == 1
        return (Trigger("snapshot"),) if self._pressed and not before else ()


def _protocol(options: Options) -> UvcEndoscope:
    del options
    return UvcEndoscope()


DRIVER = Driver(
    title="UVC cable endoscope",
    category=Category.ENDOSCOPE,
    link=VideoLink(formats=(VideoFormat("MJPG", 1280, 720, 30), VideoFormat("MJPG", 640, 480, 30)), button=True),
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
    ),
    protocol=_protocol,
)
