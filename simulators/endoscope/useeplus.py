"""Useeplus USB endoscope simulator at the level of bulk transfers."""

import struct
from collections import deque
from random import Random

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor
from simulators.endoscope._camera import picture

_PAYLOAD = 932
_CONNECT = bytes([0xFF, 0x55, 0xFF, 0x55, 0xEE, 0x10])
_START = bytes([0xBB, 0xAA, 5, 0, 0])
_STOP = bytes([0xBB, 0xAA, 6, 0, 0])
_QUEUE = 512
_LEVEL = bytes.fromhex("60333024")
_GAPS = ((80, 80, 0, 160), (0, 160, 160, 0), (160, 0, 80, 80), (0, 0, 160, 160))
_FAULTS = frozenset(
    {"lost-packet", "lost-first", "lost-last", "truncated", "garbage", "mute", "tail", "ghost", "telemetry"}
)


def packed(stream: int, frame: int, marks: tuple[int, int], payload: bytes, sensor: bytes = _LEVEL) -> bytes:
    """A packet of a frame; `marks`: the lens, the flags; `sensor`: what the g-sensor says."""
    body = bytes([frame % 256, *marks]) + sensor + payload
    return b"\xaa\xbb" + bytes([stream]) + len(body).to_bytes(2, "little") + body


class Useeplus:
    """Two lenses at the end of a cable.

    Verbs: `demo`, `rate(hz)`, `press(seconds)` the button, `blur(sigma)`, `blackout(on)`, `lens(number)`,
    `stream(id)` 7 or 11, `fault(kind)`: once `lost-packet` (two inside a frame), `lost-first`, `lost-last`,
    `truncated` (a short transfer), `garbage`, `mute` (the stream stops until it is started again); from then on
    `tail` (a read carries the beginning of the next packet too), `ghost` (stale gaps in pages) and `telemetry`
    (packets of the other stream between). `asked_size`: index of the picture size and interval in 100 ns that it was
    last asked for, which it does not heed.
    """

    descriptor = UsbDescriptor(
        vendor=0x2CE3,
        product=0x3828,
        serial="012345678",
        manufacturer="Geek szitman",
        title="supercamera",
        interfaces=(
            Interface(0, 0, (0xFF, 0xF0, 0x00), (Endpoint(0x82), Endpoint(0x02))),
            Interface(1, 0, (0xFF, 0xF0, 0x01)),
            Interface(1, 1, (0xFF, 0xF0, 0x01), (Endpoint(0x81), Endpoint(0x01))),
        ),
    )

    def __init__(self, random: Random) -> None:
        self._random = random
        self._hz = 20.0
        self._clock = self._next_frame = 0.0
        self._frames = 0
        self._connected = self._running = False
        self.asked_size: tuple[int, int] | None = None
        self._packets: deque[bytes] = deque(maxlen=_QUEUE)
        self._greetings = deque([bytes([0xFF, 0x55, 0x02, 0x00, 0xEE, 0x10])])
        self._blur, self._dark, self._lens, self._stream = 0.0, False, 0, 11
        self._pressed_until = 0.0
        self._once: set[str] = set()
        self._always: set[str] = set()
        self._demo_at: float | None = None

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._demo_at = self._clock + 3.0
        elif verb == "rate":
            self._hz = float(values["hz"])
        elif verb == "press":
            self._pressed_until = self._clock + float(values.get("seconds", 0.2))
        elif verb == "fault":
            self._fault(str(values["kind"]))
        else:
            self._view(verb, values)

    def _view(self, verb: str, values: dict[str, float | str]) -> None:
        if verb == "blur":
            self._blur = float(values["sigma"])
        elif verb == "blackout":
            self._dark = bool(float(values["on"]))
        elif verb == "lens":
            self._lens = int(float(values["number"]))
        elif verb == "stream":
            self._stream = int(float(values["id"]))
        else:
            raise ValueError(f"useeplus has no verb '{verb}'")

    def _fault(self, kind: str) -> None:
        if kind not in _FAULTS:
            raise ValueError(f"useeplus has no fault '{kind}'")
        (self._always if kind in {"tail", "ghost", "telemetry"} else self._once).add(kind)

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """The device knows no request of its own."""
        raise StallError(f"request {request_type:02x} {request:02x} {value:04x} {index:04x} {size}")

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """The alternate setting; resolution by probe and commit like a USB video camera's, kept at 640x480."""
        if (request_type, request, index) == (0x01, 0x0B, 1) and value in {0, 1}:
            self._running = self._running and value == 1
            return
        if request_type != 0x21 or request != 1 or value not in {0x0100, 0x0200} or len(data) != 26:
            raise StallError(f"request {request_type:02x} {request:02x} {value:04x} {index:04x}")
        shape, self.asked_size = data[2], struct.unpack_from("<BI", data, 3)
        if shape != 2:
            raise StallError(f"format {shape}")

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """One packet or page to the host, nothing while there is none."""
        if endpoint == 0x82:
            return self._greetings.popleft()[:size] if self._greetings else None
        if endpoint != 0x81:
            raise StallError(f"endpoint {endpoint:02x}")
        if "ghost" in self._always and size >= 4096:
            return self._page()
        if not self._packets:
            return None
        packet = self._packets.popleft()
        if "tail" in self._always and self._packets:
            packet += self._packets[0]
        if "truncated" in self._once:
            self._once.discard("truncated")
            packet = packet[:500]
        return packet[:size]

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """Connect, start and stop."""
        if endpoint == 0x02 and data == _CONNECT:
            self._connected = True
        elif endpoint == 0x01 and data == _START and self._connected:
            self._running, self._next_frame = True, self._clock
        elif endpoint == 0x01 and data == _STOP:
            self._running = False
        else:
            raise StallError(f"endpoint {endpoint:02x}: {data.hex()}")

    def advance(self, dt: float) -> None:
        """Time passes."""
        self._clock += dt
        if self._demo_at is not None and self._clock >= self._demo_at:
            self._demonstrate()
        if "mute" in self._once:
            self._once.discard("mute")
            self._running = self._connected = False
        while self._running and self._next_frame <= self._clock:
            self._next_frame += 1 / self._hz
            self._send_frame()

    def _demonstrate(self) -> None:
        """The operator takes a snapshot; now and then he changes the lens with a long press."""
        long = self._random.random() < 0.3
        self.do("press", seconds=2.5 if long else 0.2)
        self._lens ^= long
        self._blur = self._random.choice((0.0, 0.0, 1.0, 4.0))
        self._demo_at = self._clock + self._random.uniform(5, 20)

    def _send_frame(self) -> None:
        self._frames += 1
        view = (int(self._frames / 5) % 4, self._lens)
        jpeg = picture(640, 480, view, self._blur, dark=self._dark, tables=True)
        packets = [self._packet(jpeg[at : at + _PAYLOAD]) for at in range(0, len(jpeg), _PAYLOAD)]
        middle = len(packets) // 2
        for kind, lost in (
            ("lost-packet", slice(middle, middle + 2)),
            ("lost-first", slice(1)),
            ("lost-last", slice(-1, None)),
        ):
            if kind in self._once:
                del packets[lost]
        if "garbage" in self._once:
            packets.insert(1, self._random.randbytes(944))
        self._once &= {"mute", "truncated"}
        if "telemetry" in self._always:
            packets.insert(1, self._packet(self._random.randbytes(16), stream=18 - self._stream, flags=1))
        self._packets.extend(packets)

    def _packet(self, payload: bytes, stream: int | None = None, flags: int = 0) -> bytes:
        flags |= 2 if self._clock < self._pressed_until else 0
        number = self._stream if stream is None else stream
        return packed(number, self._frames, (self._lens, flags), payload)

    def _page(self) -> bytes | None:
        """Four packets and 320 stale bytes in gaps that may begin with an old header."""
        if len(self._packets) < 4:
            return None
        page = b""
        for gap in self._random.choice(_GAPS):
            stale = (
                b"\xaa\xbb"
                + bytes([self._stream, 0xAB, 3, (self._frames - 1) % 256, 0, 0])
                + self._random.randbytes(152)
            )
            page += stale[:gap] + self._packets.popleft()
        return page.ljust(4096, b"\0")


SIMULATOR = Useeplus
