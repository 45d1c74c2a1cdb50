"""InfiRay P2 Pro / Topdon TC001 simulator: the registers behind its control endpoint, without its pictures."""

import struct
from collections.abc import Mapping
from random import Random
from types import MappingProxyType

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor

_SETS = 0x4000
_INFO, _PALETTE, _SHUTTER, _SENSOR, _PARAMETER = 0x8405, 0x8409, 0x840C, 0x8B0D, 0x8514
_RESET, _FLASH, _FLASH_WRITTEN = 0x0805, 0x8201, 0xC201
_TEXTS: Mapping[int, bytes] = MappingProxyType(
    {
        0: bytes.fromhex("1122334455667788"),
        1: b"20230512",
        2: b"P2PRO".ljust(8, b"\0"),
        3: b"WN2256".ljust(26, b"\0"),
        4: bytes.fromhex("00010203"),
        5: b"ISP_2.0.3".ljust(50, b"\0"),
        6: b"P2PRO-256X192".ljust(48, b"\0"),
        7: b"S240017".ljust(16, b"\0"),
        8: bytes.fromhex("00000042"),
    }
)
_HIGHEST = (32767, 1024, 1024, 127, 127, 1)
_LENGTH_WRONG, _UNKNOWN, _PART_UNKNOWN, _PARAMETER_WRONG = 0x06, 0x0A, 0x12, 0x16
_BUSY, _HANGS_FOR = 0x01, 6.0
_LONGEST = 256
_FAULTS = frozenset({"hang", "error", "short", "stall", "palette"})


class InfirayP2ProControl:
    """The registers of a camera that streams.

    Verbs: `demo`: the operator picks palettes now and then, `palette(number)`, `parameter(number, value)`,
    `fault(kind)`, once: the next command keeps it busy for 6 s (`hang`), is refused in the status (`error`) or with
    a `stall`, is answered with a byte less (`short`); the next palette is one that nobody knows (`palette`); from
    then on `old`: it does not know the temperature of its shutter.

    `changed`: each setting that was made, as command, parameter and value; `dangerous`: commands that would have reset
    it or reached its flash, and were refused.
    """

    def __init__(self, random: Random) -> None:
        self.descriptor = UsbDescriptor(
            vendor=0x0BDA,
            product=0x5830,
            title="USB Camera",
            interfaces=(
                Interface(0, 0, (14, 1, 0), (Endpoint(0x83, "interrupt", 16),)),
                Interface(1, 0, (14, 2, 0), (Endpoint(0x81),)),
            ),
        )
        self.changed: list[tuple[int, int, int]] = []
        self.dangerous: list[int] = []
        self._random = random
        self._clock = self._idle_at = 0.0
        self._busy = 0
        self._error = 0
        self._sensor, self._shutter = 7300.0, 7250.0
        self._palette = 1
        self._parameters = [41, 293, 293, 121, 127, 1]
        self._head = b""
        self._room = bytearray(_LONGEST)
        self._answers: dict[int, bytes] = {}
        self._kinds: set[str] = set()
        self._demo_at: float | None = None

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._demo_at = self._clock + 10.0
        elif verb == "palette":
            self._palette = int(float(values["number"]))
        elif verb == "parameter":
            self._parameters[int(float(values["number"]))] = int(float(values["value"]))
        elif verb == "fault" and str(values["kind"]) in _FAULTS | {"old"}:
            self._kinds.add(str(values["kind"]))
        else:
            raise ValueError(f"infiray_p2pro_control has no verb '{verb}' {values}")

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """The status, or the answer to the last question."""
        if (request_type, request, value) != (0xC1, 0x44, 0x78):
            raise StallError(f"request {request_type:02x} {request:02x} {value:04x} {index:04x}")
        if index == 0x0200:
            return bytes([self._status()])[:size]
        answer = self._answers.pop(index, b"")
        if answer and self._once("short"):
            answer = answer[:-1]
        return answer[:size]

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """A command, or what belongs to one."""
        if (request_type, request, value) == (0x01, 0x0B, 0):
            return
        if (request_type, request, value) != (0x41, 0x45, 0x78) or self._once("stall"):
            raise StallError(f"request {request_type:02x} {request:02x} {value:04x} {index:04x}")
        if index == 0x1D00:
            self._begin(lasts=1)
            self._short(data)
        elif index == 0x9D00:
            self._begin(lasts=1)
            self._head = data
        elif 0x9D08 <= index < 0x9D08 + _LONGEST and self._head:
            self._keep(index - 0x9D08, data)
        elif 0x1D08 <= index < 0x1D08 + _LONGEST and self._head:
            self._begin(lasts=self._random.randint(0, 2))
            self._keep(index - 0x1D08, data)
            self._whole(bytes(self._room[: index - 0x1D08 + len(data)]))
        else:
            raise StallError(f"register {index:04x}")

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """Its pictures go to the kernel's driver alone."""
        del size
        raise StallError(f"endpoint {endpoint:02x}")

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """There is no such endpoint."""
        raise StallError(f"endpoint {endpoint:02x}: {data.hex()}")

    def advance(self, dt: float) -> None:
        """Time passes."""
        self._clock += dt
        drift = self._random.uniform(-2, 2) * min(dt, 1.0)
        self._sensor += drift
        self._shutter += drift / 2
        if self._demo_at is not None and self._clock >= self._demo_at:
            self._demo_at = self._clock + self._random.uniform(30, 90)
            self._palette = self._random.choice((1, 3, 4, 11))

    def _once(self, kind: str) -> bool:
        found = kind in self._kinds
        self._kinds.discard(kind)
        return found

    def _begin(self, lasts: int) -> None:
        """Work that is seen in so many looks at the status."""
        self._busy = lasts
        self._error = _UNKNOWN if self._once("error") else 0
        if self._once("hang"):
            self._idle_at = self._clock + _HANGS_FOR

    def _status(self) -> int:
        if self._clock < self._idle_at:
            return _BUSY
        if self._busy:
            self._busy -= 1
            return _BUSY
        return self._error

    def _keep(self, at: int, data: bytes) -> None:
        self._room[at : at + len(data)] = data
        del self._room[_LONGEST:]

    def _short(self, data: bytes) -> None:
        """A command with nothing behind it."""
        self._head = b""
        if len(data) != 8:
            self._error = _LENGTH_WRONG
            return
        command, parameter = struct.unpack_from("<HI", data)
        (size,) = struct.unpack_from(">H", data, 6)
        known = self._known(command, parameter)
        if command in {_RESET, _FLASH}:
            self.dangerous.append(command)
        if known is None:
            self._error = _PART_UNKNOWN if command == _INFO else _UNKNOWN
        elif len(known) != size:
            self._error = _LENGTH_WRONG
        elif not self._error:
            self._answers[0x1D08] = known

    def _known(self, command: int, parameter: int) -> bytes | None:
        if command == _INFO:
            return _TEXTS.get(parameter)
        if command == _SENSOR:
            return struct.pack(">H", round(self._sensor))
        if command == _SHUTTER and "old" not in self._kinds:
            return struct.pack(">H", round(self._shutter))
        if command == _PALETTE:
            return bytes([99 if self._once("palette") else self._palette])
        return None

    def _whole(self, data: bytes) -> None:
        """A command of which all is there: a long one, or a setting."""
        head, self._head = self._head, b""
        command = int.from_bytes(head[:2], "little")
        if len(head) != 8:
            self._error = _LENGTH_WRONG
        elif command & ~_SETS == _PARAMETER:
            number, value = struct.unpack_from(">HI", head, 2)
            self._parameter(number, value if command & _SETS else None, data)
        elif command == _PALETTE | _SETS and int.from_bytes(head[6:], "big") == len(data) == 1:
            self.changed.append((command, int.from_bytes(head[2:6], "little"), data[0]))
            self._palette = data[0]
        else:
            if command == _FLASH_WRITTEN:
                self.dangerous.append(command)
            self._error = _UNKNOWN

    def _parameter(self, number: int, value: int | None, data: bytes) -> None:
        if number >= len(_HIGHEST) or len(data) != 8 or (value is not None and value > _HIGHEST[number]):
            self._error = _PARAMETER_WRONG
        elif value is not None:
            self.changed.append((_PARAMETER | _SETS, number, value))
            self._parameters[number] = value
        elif int.from_bytes(data[4:], "big") != 2:
            self._error = _LENGTH_WRONG
        elif not self._error:
            self._answers[0x1D10] = struct.pack(">H", self._parameters[number])


SIMULATOR = InfirayP2ProControl
