"""Serial devices behind USB: CDC-ACM and two bridges, each over any `SerialSimulator`.

CDC-ACM: "Universal Serial Bus Communications Class Subclass Specification for PSTN Devices" 1.2. FTDI and CP210x:
the requests that Linux `ftdi_sio.h` and `cp210x.c` (after Silicon Labs AN571) name.
"""

import struct
from collections.abc import Callable

from devicehub.simulator import Endpoint, Interface, SerialSimulator, StallError, UsbDescriptor
from tests.vm.gadget import FULL, Gadget, Nature

ROOM = 4096
_LATENCY = 0.016
_ACM_FUNCTIONS = bytes.fromhex("0524001001 0524010001 04240202 0524060001")


class _Line:
    """A simulator's bytes until the host fetches them; what does not fit the device's memory is lost, as on a UART."""

    def __init__(self, simulator: SerialSimulator, descriptor: UsbDescriptor) -> None:
        self.simulator = simulator
        self.descriptor = descriptor
        self.pins: list[tuple[bool, bool]] = []
        self.bauds: list[int] = []
        self._unsent = bytearray()

    def do(self, verb: str, **values: float | str) -> None:
        self.simulator.do(verb, **values)

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        self._say(self.simulator.on_bytes(data))

    def advance(self, dt: float) -> None:
        self._say(self.simulator.advance(dt))

    def _say(self, data: bytes) -> None:
        self._unsent += data[: ROOM - len(self._unsent)]

    def _taken(self, size: int) -> bytes:
        out = bytes(self._unsent[:size])
        del self._unsent[:size]
        return out


class _Acm(_Line):
    def __init__(self, simulator: SerialSimulator, descriptor: UsbDescriptor, raised: Callable[[], None]) -> None:
        super().__init__(simulator, descriptor)
        self._raised = raised
        self._coding = struct.pack("<IBBB", 9600, 0, 0, 8)

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        if (request_type, request) != (0xA1, 0x21):
            raise StallError
        return self._coding

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        if request_type != 0x21 or request not in {0x20, 0x22}:
            raise StallError
        if request == 0x20:
            self._coding = data
            self.bauds.append(struct.unpack_from("<I", data)[0])
            return
        if value & 1 and not (self.pins and self.pins[-1][0]):
            self._raised()
        self.pins.append((bool(value & 1), bool(value & 2)))

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        return self._taken(size) if endpoint == 0x81 and self._unsent else None


class _Ftdi(_Line):
    """Every packet of 64 begins with two bytes of status, which also come alone every 16 ms."""

    def __init__(self, simulator: SerialSimulator, descriptor: UsbDescriptor) -> None:
        super().__init__(simulator, descriptor)
        self._idle = 0.0

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        answers = {0x05: b"\x01\x60", 0x0A: b"\x10", 0x90: b"\xff\xff"}
        if request_type != 0xC0 or request not in answers:
            raise StallError
        return answers[request]

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        if request_type != 0x40:
            raise StallError
        if request == 1:
            self.pins.append((bool(value & 1), bool(value & 2)))
        elif request == 3:
            eighths = (0, 3, 2, 4, 1, 5, 6, 7)[(value >> 14) | (index & 1) << 2]
            self.bauds.append(round(3_000_000 / ((value & 0x3FFF) + eighths / 8)) if value & 0x3FFF else 3_000_000)

    def advance(self, dt: float) -> None:
        super().advance(dt)
        self._idle += dt

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        if not self._unsent and self._idle < _LATENCY:
            return None
        self._idle = 0.0
        out = b""
        while len(out) + 64 <= size:
            piece = self._taken(62)
            out += b"\x01\x60" + piece
            if len(piece) < 62:
                break
        return out


class _Cp210x(_Line):
    def __init__(self, simulator: SerialSimulator, descriptor: UsbDescriptor) -> None:
        super().__init__(simulator, descriptor)
        self._kept: dict[int, bytes] = {0x04: b"\x00\x08", 0x1D: struct.pack("<I", 9600), 0xFF: b"\x02"}

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        if request_type not in {0xC0, 0xC1}:
            raise StallError
        return self._kept.get(request, b"").ljust(size, b"\0")

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        if request_type != 0x41:
            raise StallError
        if request == 0x1E:
            self._kept[0x1D] = data
            self.bauds.append(struct.unpack("<I", data)[0])
        elif request == 0x03:
            self._kept[0x04] = struct.pack("<H", value)
        elif request == 0x07:
            self.pins.append((bool(value & 1), bool(value & 2)))

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        return self._taken(size) if endpoint == 0x81 and self._unsent else None


def acm(simulator: SerialSimulator, *, serial: str = "A-1", raised: Callable[[], None] = lambda: None) -> Gadget:
    """A device that is its own modem: /dev/ttyACM*. `raised` is called when the host raises DTR."""
    interfaces = (
        Interface(0, 0, (2, 2, 1), (Endpoint(0x82, "interrupt", 16),)),
        Interface(1, 0, (10, 0, 0), (Endpoint(0x81, "bulk", 64), Endpoint(0x01, "bulk", 64))),
    )
    model = _Acm(simulator, _described((0x1209, 0x0002), serial, interfaces, release=0x0100), raised)
    return Gadget(model, Nature(FULL, (2, 0, 0), {0: _ACM_FUNCTIONS}))


def ftdi(simulator: SerialSimulator, *, serial: str = "F-1") -> Gadget:
    """Behind an FT232R: /dev/ttyUSB*."""
    ends = (Endpoint(0x81, "bulk", 64), Endpoint(0x02, "bulk", 64))
    interfaces = (Interface(0, 0, (0xFF, 0xFF, 0xFF), ends),)
    return Gadget(_Ftdi(simulator, _described((0x0403, 0x6001), serial, interfaces, release=0x0600)), Nature(FULL))


def cp210x(simulator: SerialSimulator, *, serial: str = "C-1") -> Gadget:
    """Behind a CP2102: /dev/ttyUSB*."""
    ends = (Endpoint(0x81, "bulk", 64), Endpoint(0x01, "bulk", 64))
    interfaces = (Interface(0, 0, (0xFF, 0, 0), ends),)
    return Gadget(_Cp210x(simulator, _described((0x10C4, 0xEA60), serial, interfaces, release=0x0100)), Nature(FULL))


def _described(ids: tuple[int, int], serial: str, interfaces: tuple[Interface, ...], release: int) -> UsbDescriptor:
    return UsbDescriptor(
        vendor=ids[0],
        product=ids[1],
        serial=serial,
        manufacturer="Test",
        title="Line",
        release=release,
        interfaces=interfaces,
    )
