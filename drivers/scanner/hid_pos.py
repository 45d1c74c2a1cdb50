"""Barcode reader in USB HID point-of-sale mode: Access-IS LSR118, LSR116, ATR110 (gate and counter readers).

Every read barcode comes as one or more reports of 64 bytes on the interrupt IN endpoint:

    offset  what
    0       report id, 2
    1       length of the data in this report, at most 56
    2       `]`
    3..4    AIM identifier: code letter and modifier
    5..60   data, padded with 00
    61      further symbology identifier of the maker (not used here)
    62      reserved
    63      bit 0: another report of the same barcode follows

Sources: Access-IS LSR118 product manual 1.2, appendix B; HID Point of Sale Usage Tables 1.02 (page 8C);
0db5:013b "Access IS, Barcode Module - HID" in the USB ID repository. The endpoint's address is not in
the manual; 81 is what a HID device with one endpoint has, and an option.

The protocol has no integrity check. A barcode whose reports do not fit together is dropped whole: half
a document number is worse than none. The keyboard mode of these readers is not supported: it types into
whatever window has the focus. A technician switches the reader to HID-POS with a code from its manual.
"""

from devicehub.driver import Driver, Options, UsbLink
from devicehub.model.device import Category, Channel, ChannelKind, Option, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Scan
from devicehub.wire.packet import Packet, usb_port, usb_read
from devicehub.wire.protocol import Step
from devicehub.wire.symbology import aim_symbology

REPORT_SIZE = 64
REPORT_ID = 2
DATA_LIMIT = 56
REPORTS_LIMIT = 128
CONTINUE_WITHIN = 1.0


class HidPosProtocol:
    """Keeps one report asked for; joins the reports of a barcode. A barcode has at most 128 reports."""

    def __init__(self, endpoint: int) -> None:
        self._endpoint = endpoint
        self._aim = b""
        self._parts: list[bytes] = []
        self._skipping = False
        self._deadline: float | None = None

    def start(self, now: float) -> Step:
        """Ask for the first report."""
        del now
        return Step(write=(usb_read(self._endpoint, REPORT_SIZE),))

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Take one report and ask for the next."""
        if packet.port != usb_port(self._endpoint):
            fault = ProtocolError(Reason.UNEXPECTED, f"port {packet.port}")
            return Step(faults=(fault,), wake_at=self._deadline)
        samples: list[Scan] = []
        faults: list[ProtocolError] = []
        try:
            _check(packet.data)
        except ProtocolError as fault:
            faults.append(fault)
            self._drop(faults)
        else:
            samples.extend(self._join(packet.data, faults))
        self._deadline = now + CONTINUE_WITHIN if self._parts or self._skipping else None
        return Step((usb_read(self._endpoint, REPORT_SIZE),), tuple(samples), tuple(faults), self._deadline)

    def on_timer(self, now: float) -> Step:
        """The rest of a barcode did not come in time."""
        faults: list[ProtocolError] = []
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._skipping = False
            self._drop(faults)
        return Step(faults=tuple(faults), wake_at=self._deadline)

    def _drop(self, faults: list[ProtocolError]) -> None:
        if self._parts:
            faults.append(ProtocolError(Reason.TRUNCATED, f"barcode dropped after {len(self._parts)} reports"))
            self._parts = []

    def _join(self, report: bytes, faults: list[ProtocolError]) -> list[Scan]:
        aim, data, more = report[3:5], report[5 : 5 + report[1]], bool(report[63] & 1)
        if self._skipping:
            self._skipping = more
            return []
        if self._parts and aim != self._aim:
            faults.append(ProtocolError(Reason.SEQUENCE, f"AIM identifier {aim!r} after {self._aim!r}"))
            self._parts = []
        self._aim = aim
        self._parts.append(data)
        if more and len(self._parts) >= REPORTS_LIMIT:
            faults.append(ProtocolError(Reason.OVERFLOW, f"more than {REPORTS_LIMIT} reports in one barcode"))
            self._parts = []
            self._skipping = True
        if more:
            return []
        whole, self._parts = b"".join(self._parts), []
        if not whole:
            faults.append(ProtocolError(Reason.LENGTH, "barcode without data"))
            return []
        return [Scan("barcode", aim_symbology(aim.decode("latin-1")), whole)]


def _check(report: bytes) -> None:
    """Raises `ProtocolError` for a report that cannot be one."""
    if len(report) != REPORT_SIZE:
        raise ProtocolError(Reason.LENGTH, f"report of {len(report)} bytes instead of {REPORT_SIZE}")
    if report[0] != REPORT_ID:
        raise ProtocolError(Reason.UNEXPECTED, f"report id {report[0]}")
    if report[1] > DATA_LIMIT:
        raise ProtocolError(Reason.RANGE, f"{report[1]} bytes of data in a report")
    if report[2:3] != b"]":
        raise ProtocolError(Reason.GARBAGE, "no AIM identifier")


def _open(options: Options) -> HidPosProtocol:
    return HidPosProtocol(int(options["endpoint"]))


DRIVER = Driver(
    title="Access-IS barcode reader (USB HID-POS)",
    category=Category.SCANNER,
    link=UsbLink(ids=(UsbId(0x0DB5, 0x013B),), timeout=0.2),
    channels=(Channel(name="barcode", title="Barcode", kind=ChannelKind.SCAN),),
    capabilities=("barcode",),
    options=(Option(name="endpoint", title="Interrupt IN endpoint", default=0x81, low=0x81, high=0x8F),),
    protocol=_open,
    stale_after=float("inf"),
)
