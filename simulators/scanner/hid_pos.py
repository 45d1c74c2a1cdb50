"""Access-IS barcode reader simulator, HID point-of-sale mode: 64-byte reports on interrupt endpoint 81.

Report: 2, length (at most 56), `]`, two characters of AIM identifier, 56 bytes of data padded with 00,
maker's symbology id, 0, then 1 when another report of the same barcode follows, else 0.
"""

from collections import deque
from random import Random

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor

AIM_BY_NAME = {
    "qr-code": "Q0",
    "code-128": "C0",
    "gs1-128": "C1",
    "code-39": "A0",
    "pdf417": "L0",
    "data-matrix": "d0",
    "aztec": "z0",
    "ean-13": "E0",
    "interleaved-2-of-5": "I0",
}
MAKERS_IDS = {"Q": 0x73, "C": 0x6A, "A": 0x62, "L": 0x72, "d": 0x77, "z": 0x7A, "E": 0x64, "I": 0x65}
DEMO = (
    ("qr-code", "M1SPECIMEN/ANNA MARIA YABCDEF LHRDURAK 3542 052Y003D23   100"),
    ("code-128", "RR473124829GB"),
    ("gs1-128", "00340123450000000018"),
    ("pdf417", "DECLARATION 24 0117; 12 PIECES; PLATE AB 1234 CD; " * 4),
)
QUEUE = 256


class HidPos:
    """Sends a barcode when the operator scans one.

    Verbs: `demo` scans something every 15 to 45 s; `scan(symbology, data)`, symbology a name or `]` and an AIM
    identifier; `fault(kind)` spoils the next barcode: `cut` loses its last report, `swap` changes the identifier
    half way, `garbage` puts a senseless report before it, `short` cuts a report to 20 bytes.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._reports: deque[bytes] = deque(maxlen=QUEUE)
        self._until_scan = float("inf")
        self._fault = ""
        self.descriptor = UsbDescriptor(
            vendor=0x0DB5,
            product=0x013B,
            serial="LSR118-000417",
            manufacturer="Access-IS",
            title="Barcode Module",
            interfaces=(Interface(0, 0, (0x03, 0x00, 0x00), (Endpoint(0x81, "interrupt", 64),)),),
        )

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._until_scan = 5.0
        elif verb == "scan":
            self._scan(str(values["symbology"]), str(values["data"]).encode("utf-8"))
        elif verb == "fault":
            self._fault = str(values["kind"])
        else:
            raise ValueError(f"hid_pos has no verb '{verb}'")

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """Nothing is read over the control endpoint."""
        del request_type, request, value, index, size
        raise StallError

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """SET_IDLE is taken, everything else stalled."""
        del value, index, data
        if (request_type, request) != (0x21, 0x0A):
            raise StallError

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """One report, if there is one."""
        return self._reports.popleft()[:size] if endpoint == 0x81 and self._reports else None

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """There is no OUT endpoint."""
        del endpoint, data
        raise StallError

    def advance(self, dt: float) -> None:
        """Time passes."""
        self._until_scan -= dt
        if self._until_scan <= 0:
            self._until_scan = self._random.uniform(15.0, 45.0)
            symbology, data = self._random.choice(DEMO)
            self._scan(symbology, data.encode("ascii"))

    def _scan(self, symbology: str, data: bytes) -> None:
        aim = symbology[1:] if symbology.startswith("]") else AIM_BY_NAME.get(symbology, "X0")
        pieces = [data[at : at + 56] for at in range(0, max(len(data), 1), 56)]
        reports = [_report(aim, piece, more=piece is not pieces[-1]) for piece in pieces]
        self._reports.extend(self._spoiled(reports))

    def _spoiled(self, reports: list[bytes]) -> list[bytes]:
        fault, self._fault = self._fault, ""
        if fault == "cut":
            return reports[:-1]
        if fault == "swap":
            return [*reports[:-1], reports[-1][:3] + b"X0" + reports[-1][5:]]
        if fault == "garbage":
            return [self._random.randbytes(64), *reports]
        if fault == "short":
            return [reports[0][:20], *reports[1:]]
        return reports


def _report(aim: str, data: bytes, *, more: bool) -> bytes:
    head = bytes([2, len(data)]) + b"]" + aim.encode("ascii")
    return head + data.ljust(56, b"\0") + bytes([MAKERS_IDS.get(aim[0], 0), 0, int(more)])


SIMULATOR = HidPos
