"""FLIR One simulator at the level of USB transfers."""

import struct
import zlib
from collections import deque
from random import Random

import numpy as np

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor
from simulators.endoscope._camera import picture
from simulators.thermal._scene import Kelvin, Scene

_QUEUE = 16
_R1, _B, _F, _O, _R2 = 16528.178, 1427.5, 1.0, -1307.0, 0.012258549
_REFLECTED, _EMISSIVITY = 293.15, 0.95
_ONCE = frozenset({"short", "garbage", "mute", "sizes", "bad-jpeg", "stall"})


def _source(kelvin: Kelvin | float) -> Kelvin:
    """Counts of a black body."""
    return np.asarray(_R1 / (_R2 * (np.exp(_B / np.asarray(kelvin)) - _F)) - _O)


def counts(kelvin: Kelvin | float) -> Kelvin:
    """What the sensor makes of a surface, not rounded: a quarter of what leaves it, reflection included."""
    return np.asarray((_EMISSIVITY * _source(kelvin) + (1 - _EMISSIVITY) * _source(_REFLECTED)) / 4)


class Files:
    """The file channel: a header of 16 bytes (01CC, 1, how many follow, CRC-32 of these), then JSON and a NUL."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._held = b""

    def take(self, data: bytes) -> None:
        """In any pieces. Raises `StallError` for a header that is none."""
        self._held += data
        while len(self._held) >= 16:
            magic, one, size, crc = struct.unpack_from("<IIII", self._held)
            if (magic, one, crc) != (0x1CC, 1, zlib.crc32(self._held[:12])):
                self._held = b""
                raise StallError("no header of the file channel")
            if len(self._held) < 16 + size:
                return
            self.asked.append(self._held[16 : 16 + size].removesuffix(b"\0"))
            self._held = self._held[16 + size :]


class FlirOne:
    """A G2 that looks at a panel.

    Verbs: those of `Scene`, and `fault(kind)`, once: `short` (the end of a frame is missing), `garbage` before a frame,
    `sizes` (parts larger than the frame), `bad-jpeg`, `mute` (silent until it is started again), `stall` (a request is
    refused); from then on `small` (an 80x60 sensor), `pieces` (transfers of 16 KiB), `glare` (a pixel at the end).
    """

    descriptor = UsbDescriptor(
        vendor=0x09CB,
        product=0x1996,
        serial="T00012345",
        manufacturer="FLIR Systems",
        title="FLIR ONE Camera",
        configuration=3,
        interfaces=(
            Interface(0, 0, (0xFF, 0xF0, 0x00), (Endpoint(0x81), Endpoint(0x01))),
            Interface(1, 0, (0xFF, 0xF0, 0x01), (Endpoint(0x83), Endpoint(0x02))),
            Interface(1, 1, (0xFF, 0xF0, 0x01), (Endpoint(0x83), Endpoint(0x02))),
            Interface(2, 0, (0xFF, 0xF0, 0x02), (Endpoint(0x85), Endpoint(0x04))),
            Interface(2, 1, (0xFF, 0xF0, 0x02), (Endpoint(0x85), Endpoint(0x04))),
        ),
    )

    def __init__(self, random: Random) -> None:
        self.files = Files()
        self._random = random
        self._scene = Scene(random, (160, 120), 8.0, (100.0, 0.6))
        self._order: list[tuple[int, int]] = []
        self._running = False
        self._frames: deque[bytes] = deque()
        self._status = deque([b'{"x":1}'])
        self._count = 0
        self._kinds: set[str] = set()

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        kind = str(values.get("kind", ""))
        if verb != "fault":
            self._scene.do(verb, **values)
        elif kind == "small":
            self._scene.resize((80, 60))
        elif kind in _ONCE | {"pieces", "glare"}:
            self._kinds.add(kind)
        else:
            raise ValueError(f"flir_one has no fault '{kind}'")

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """The camera knows no such request."""
        raise StallError(f"request {request_type:02x} {request:02x} {value:04x} {index:04x} {size}")

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """Switch files and frames on and off; only the known order starts the camera."""
        if "stall" in self._kinds:
            self._kinds.discard("stall")
            raise StallError("told to")
        if (request_type, request) != (0x01, 0x0B) or index not in {1, 2} or value not in {0, 1}:
            raise StallError(f"request {request_type:02x} {request:02x} {value:04x} {index:04x}")
        self._order = [*self._order[-3:], (value, index)]
        if value == 0:
            self._running = False
        elif index == 2:
            self._running = self._order == [(0, 2), (0, 1), (1, 1), (1, 2)] and data == b"\0\0"

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """Part of a frame, or a status."""
        if endpoint == 0x83:
            return None
        queue = {0x85: self._frames, 0x81: self._status}.get(endpoint)
        if queue is None:
            raise StallError(f"endpoint {endpoint:02x}")
        return queue.popleft()[:size] if queue else None

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """The file channel: whatever is asked for there is remembered."""
        if endpoint != 0x02:
            raise StallError(f"endpoint {endpoint:02x}")
        self.files.take(data)

    def advance(self, dt: float) -> None:
        """Time passes."""
        due = self._scene.advance(dt)
        if "mute" in self._kinds:
            self._kinds.discard("mute")
            self._running = False
        for _ in range(due if self._running else 0):
            if len(self._frames) < _QUEUE:  # else nobody reads
                self._send()

    def _send(self) -> None:
        self._count += 1
        if self._count % 8 == 0:
            self._status.append(b'{"batteryVoltage":3.9}')
        frame = self._frame()
        if "garbage" in self._kinds:
            frame = self._random.randbytes(300) + frame
        if "short" in self._kinds:
            frame = frame[:-9000]
        self._kinds -= {"garbage", "short"}
        piece = 16384 if "pieces" in self._kinds else len(frame)
        self._frames.extend(frame[at : at + piece] for at in range(0, len(frame), piece))

    def _frame(self) -> bytes:
        thermal = self._thermal()
        jpeg = picture(640, 480, (self._count // 8 % 4, 0), 0.0, dark=False, tables=True)
        if "bad-jpeg" in self._kinds:
            jpeg = jpeg[: len(jpeg) // 2] + bytes(len(jpeg) - len(jpeg) // 2)
        status = b'{"shutterState":"FFC"}' if self._scene.closed else b'{"shutterState":"ON","usbNotifiedTimestamp":1}'
        body = thermal + jpeg + status
        claimed = len(thermal) + ("sizes" in self._kinds) * 100_000
        self._kinds -= {"bad-jpeg", "sizes"}
        sizes = struct.pack("<IIII", len(body), claimed, len(jpeg), len(status))
        return b"\xef\xbe\0\0" + struct.pack("<I", self._count) + sizes + bytes(4) + body

    def _thermal(self) -> bytes:
        """Video packets: number and CRC field, then eighty pixels; four packets of other things behind them."""
        raw = np.clip(np.rint(counts(self._scene.kelvin())), 0, 16383).astype("<u2")
        if "glare" in self._kinds:
            raw[5, 5] = 16383
        lines = raw.reshape(-1, 80)
        packets = b"".join(struct.pack(">HH", number, 0xBEEF) + line.tobytes() for number, line in enumerate(lines))
        return packets + b"\x0f" * (4 * 164)


SIMULATOR = FlirOne
