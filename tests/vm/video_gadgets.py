"""A camera of the USB video class over any `VideoSimulator`: /dev/video*, and its snapshot button.

"Universal Serial Bus Device Class Definition for Video Devices" 1.0: a control interface with camera and output
terminal, a streaming interface with one bulk endpoint, probe and commit. Each payload has a head of two bytes.
"""

import struct
from collections import deque
from itertools import groupby

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor, UsbSimulator, VideoSimulator
from tests.vm.gadget import HIGH, Gadget, Nature

PAYLOAD = 16384
FRAMES_KEPT = 2
STATUS, STREAM = 0x81, 0x82
_GUID_TAIL = bytes.fromhex("0000 1000 8000 00aa00389b71")
_GUID_HEADS = {"YUYV": b"YUY2"}
_PROBE = struct.Struct("<HBBIHHHHHII")
_SET_CUR, _GET_CUR, _GET_LEN, _GET_INFO = 0x01, 0x81, 0x85, 0x86
_COMMIT = 0x0200

Format = tuple[str, int, int, float]


class _Camera:
    def __init__(self, simulator: VideoSimulator, serial: str) -> None:
        self.simulator = simulator
        self.descriptor = UsbDescriptor(
            vendor=simulator.vendor,
            product=simulator.product,
            serial=serial,
            manufacturer="Test",
            title=simulator.title,
            interfaces=(
                Interface(0, 0, (14, 1, 0), (Endpoint(STATUS, "interrupt", 16),)),
                Interface(1, 0, (14, 2, 0), (Endpoint(STREAM, "bulk", 512),)),
            ),
        )
        self._groups = [list(group) for _, group in groupby(simulator.formats, key=lambda one: one[0])]
        self._chosen = (1, 1)
        self._streaming = False
        self._frames: deque[bytes] = deque(maxlen=FRAMES_KEPT)
        self._payloads: deque[bytes] = deque()
        self._toggle = 0
        self._events: deque[bytes] = deque()

    def do(self, verb: str, **values: float | str) -> None:
        self.simulator.do(verb, **values)

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        if request_type != 0xA1 or index != 1 or value not in {0x0100, _COMMIT}:
            raise StallError
        if request == _GET_LEN:
            return struct.pack("<H", _PROBE.size)
        if request == _GET_INFO:
            return b"\x03"
        return self._probe()

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        if (request_type, request, value) == (0x01, 0x0B, 0):
            return
        if (request_type, request, index) != (0x21, _SET_CUR, 1):
            raise StallError
        _, number, frame, *_ = _PROBE.unpack_from(data.ljust(_PROBE.size, b"\0"))
        number = number if 1 <= number <= len(self._groups) else 1
        frame = frame if 1 <= frame <= len(self._groups[number - 1]) else 1
        self._chosen = (number, frame)
        if value == _COMMIT:
            self.simulator.select(*self._format()[:3])
            self._streaming = True
            self._frames.clear()
            self._payloads.clear()

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        if endpoint == STATUS:
            return self._events.popleft() if self._events else None
        if not self._payloads and self._frames:
            self._cut(self._frames.popleft())
        return self._payloads.popleft() if self._payloads else None

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        raise StallError

    def advance(self, dt: float) -> None:
        frames = self.simulator.advance(dt)
        if self._streaming:
            self._frames.extend(frames)
        self._events.extend(bytes([2, 1, 0, pressed]) for pressed in self.simulator.buttons())

    def _cut(self, frame: bytes) -> None:
        self._toggle ^= 1
        room = PAYLOAD - 2
        for at in range(0, len(frame), room):
            last = 2 if at + room >= len(frame) else 0
            self._payloads.append(bytes([2, 0x80 | last | self._toggle]) + frame[at : at + room])

    def _format(self) -> Format:
        return self._groups[self._chosen[0] - 1][self._chosen[1] - 1]

    def _probe(self) -> bytes:
        most = _largest(self._format())
        return _PROBE.pack(1, *self._chosen, _interval(self._format()), 0, 0, 0, 0, 0, most, PAYLOAD)

    def control_descriptors(self) -> bytes:
        """Of the control interface."""
        terminals = bytes.fromhex("122402010102000000000000000003000000") + bytes.fromhex("092403020101000100")
        return struct.pack("<BBBHHIBB", 13, 0x24, 1, 0x0100, 13 + len(terminals), 6_000_000, 1, 1) + terminals

    def stream_descriptors(self) -> bytes:
        """Of the streaming interface."""
        body = b"".join(_group(number, group) for number, group in enumerate(self._groups, 1))
        count = len(self._groups)
        head = struct.pack(
            "<BBBBHBBBBBBB", 13 + count, 0x24, 1, count, 13 + count + len(body), STREAM, 0, 2, 0, 1, 1, 1
        )
        return head + bytes(count) + body


def _interval(one: Format) -> int:
    return round(10_000_000 / one[3])


def _largest(one: Format) -> int:
    return one[1] * one[2] * 2


def _group(number: int, group: list[Format]) -> bytes:
    fourcc = group[0][0]
    if fourcc == "MJPG":
        out, kind = bytes([11, 0x24, 6, number, len(group), 1, 1, 0, 0, 0, 0]), 7
    else:
        guid = _GUID_HEADS.get(fourcc, fourcc.encode()) + _GUID_TAIL
        out, kind = bytes([27, 0x24, 4, number, len(group)]) + guid + bytes([16, 1, 0, 0, 0, 0]), 5
    for index, one in enumerate(group, 1):
        rate = round(_largest(one) * 8 * one[3])
        interval = _interval(one)
        sizes = struct.pack("<HHIIII", one[1], one[2], rate, rate, _largest(one), interval)
        out += bytes([30, 0x24, kind, index, 0]) + sizes + struct.pack("<BI", 1, interval)
    return out


def camera(simulator: VideoSimulator, *, serial: str = "V-1") -> Gadget:
    """The camera that the simulator is."""
    model = _Camera(simulator, serial)
    extras = {0: model.control_descriptors(), 1: model.stream_descriptors()}
    return Gadget(model, Nature(HIGH, (0xEF, 2, 1), extras))


class _Commanded:
    """A camera whose control endpoint takes requests of the vendor as well."""

    def __init__(self, camera: UsbSimulator, vendor: UsbSimulator) -> None:
        self._camera, self._vendor = camera, vendor
        self.descriptor = camera.descriptor
        self.do, self.transfer_in, self.transfer_out = camera.do, camera.transfer_in, camera.transfer_out

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        one = self._vendor if request_type & 0x60 == 0x40 else self._camera
        return one.control_in(request_type, request, value, index, size)

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        one = self._vendor if request_type & 0x60 == 0x40 else self._camera
        one.control_out(request_type, request, value, index, data)

    def advance(self, dt: float) -> None:
        self._camera.advance(dt)
        self._vendor.advance(dt)


def commanded_camera(simulator: VideoSimulator, vendor: UsbSimulator) -> Gadget:
    """The camera that the first simulator is; the second answers what is asked beside its stream."""
    plain = camera(simulator)
    return Gadget(_Commanded(plain.model, vendor), plain.nature)
