"""RadiaCode 10x and 110 pocket gamma spectrometer, USB (0483:f123).

The conversation of `radiacode`, over bulk transfers: a request is one transfer to endpoint 01, an answer comes in
transfers of at most 256 bytes from endpoint 81, without borders of its own. What the device still had to say to
somebody else is read and passed over for 100 ms before the first request. Transfers of no bytes are normal.

Source: cdump/radiacode (MIT, facts only).
"""

from dataclasses import replace
from math import inf

from msgspec import structs

from devicehub.driver import Options, UsbLink
from devicehub.model.device import UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.packet import Packet, usb_port, usb_read, usb_write
from devicehub.wire.protocol import Call, Step
from drivers.radiation.radiacode import DRIVER as BLE
from drivers.radiation.radiacode import RadiaCode, is_request

OUT, IN, SIZE = 0x01, 0x81, 256
DRAIN = 0.1
_OUT = usb_write(OUT, b"").port


class RadiaCodeUsb(RadiaCode):
    """As over BLE; one transfer from the device is always asked for."""

    timeout = 3.0

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._drained_at = 0.0
        self._begun = False

    def start(self, now: float) -> Step:
        """Pass over what is left of an earlier conversation."""
        self._drained_at = now + DRAIN
        self._free_at = inf
        return Step((usb_read(IN, SIZE),), wake_at=self._drained_at)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """A transfer from the device."""
        if packet.port != usb_port(IN):
            fault = ProtocolError(Reason.UNEXPECTED, f"port {packet.port[:40]!r}")
            return structs.replace(self.on_timer(now), faults=(fault,))
        if not self._begun:
            step = self.on_timer(now)
        else:
            step = super().on_packet(now, packet) if packet.data else super().on_timer(now)
        return structs.replace(step, write=(*step.write, usb_read(IN, SIZE)))

    def on_timer(self, now: float) -> Step:
        """Begin, once the device is quiet; what the conversation times."""
        if self._begun:
            return super().on_timer(now)
        if now < self._drained_at:
            return Step(wake_at=self._drained_at)
        self._begun = True
        return super().start(now)

    def on_command(self, now: float, call: Call) -> Step:
        """As over BLE; nothing is sent before the device is quiet."""
        step = super().on_command(now, call)
        return step if self._begun else structs.replace(step, wake_at=self._drained_at)

    def _packets(self, request: bytes) -> tuple[Packet, ...]:
        return (usb_write(OUT, request),)


DRIVER = replace(
    BLE,
    title="RadiaCode gamma spectrometer (USB)",
    link=UsbLink(ids=(UsbId(0x0483, 0xF123),)),
    plausibility=(
        "swapped bytes of a value show nowhere: the bus has a CRC of its own; the length, the echoed header, "
        "the sequence of records"
    ),
    forbidden=tuple(Forbidden(one.title, one.data, _OUT) for one in BLE.forbidden),
    allowed=Allowed(frozenset({usb_read(IN, SIZE)}), lambda packet: packet.port == _OUT and is_request(packet.data)),
    protocol=RadiaCodeUsb,
)
