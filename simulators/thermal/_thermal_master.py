"""Thermal Master camera simulator at the level of USB transfers."""

import struct
from collections import deque
from random import Random

import numpy as np

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor
from simulators.thermal._scene import Scene

_QUEUE = 8
_ONCE = frozenset({"no-end", "other-end", "garbage", "lost", "mute", "no-answer", "stall"})
_FACTS = {1: 30, 2: 12, 6: 64, 7: 64, 10: 64, 15: 64}
_STREAM_KIND, _SHUTTER_KIND, _READ_KIND, _GAIN_KIND = 0x812F01, 0x433601, 0x810101, 0x412F01
_STATE_KIND = 0x812110


def _crc(data: bytes) -> int:
    """Bit by bit: polynomial 0x1021, most significant bit first, beginning with 0."""
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021) & 0xFFFF if value & 0x8000 else value << 1
    return value


class ThermalMaster:
    """A camera that looks at a panel. `gains`: what it was told to measure with, which no driver of ours does.

    Verbs: those of `Scene`, and `fault(kind)`, once: `no-end` (a frame without its end marker), `other-end` (the
    counter differs), `garbage` (a transfer of noise), `lost` (three frames), `mute` (the stream stops until it is
    started again), `no-answer` (a short answer), `stall` (a request is refused); from then on `freeze`.
    """

    def __init__(self, random: Random, product: int, title: str, size: tuple[int, int]) -> None:
        self.descriptor = UsbDescriptor(
            vendor=0x3474,
            product=product,
            title=title,
            interfaces=(
                Interface(0, 0, (0xFF, 0xF0, 0x00)),
                Interface(1, 0, (0xFF, 0xF0, 0x00)),
                Interface(1, 1, (0xFF, 0xF0, 0x00), (Endpoint(0x81),)),
            ),
        )
        self.refused: list[bytes] = []
        self.shutters = 0
        self.gains: list[str] = []
        self._random = random
        self._title = title
        self._width, self._height = size
        self._scene = Scene(random, size, 25.0, (90.0, 0.4))
        self._transfers: deque[bytes] = deque()
        self._reply = b""
        self._status = b"\x01"
        self._started = self._sending = self._setting = False
        self._frames = 0
        self._temperature = b""
        self._after_shutter = False
        self._kinds: set[str] = set()

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb != "fault":
            self._scene.do(verb, **values)
        elif str(values["kind"]) in _ONCE | {"freeze"}:
            self._kinds.add(str(values["kind"]))
        else:
            raise ValueError(f"there is no fault '{values['kind']}'")

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """A reply or the status."""
        if (request_type, value, index) == (0xC1, 0, 0) and request == 0x21:
            reply, self._reply, self._status = self._reply, b"", b"\x03"
            return reply[:size]
        if (request_type, value, index) == (0xC1, 0, 0) and request == 0x22:
            return self._status[:size]
        raise StallError(f"request {request_type:02x} {request:02x} {value:04x} {index:04x}")

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """A command, the alternate setting, the start of the frames."""
        if "stall" in self._kinds:
            self._kinds.discard("stall")
            raise StallError("told to")
        if (request_type, request, index) == (0x01, 0x0B, 1) and value in {0, 1}:
            self._setting = value == 1
            self._sending = self._sending and self._setting
        elif (request_type, request, value, index) == (0x40, 0xEE, 0, 1) and self._setting:
            self._sending = True
        elif (request_type, request, value, index, len(data)) == (0x41, 0x20, 0, 0, 18):
            self._command(data)
        else:
            raise StallError(f"request {request_type:02x} {request:02x} {value:04x} {index:04x}")

    def _command(self, data: bytes) -> None:
        kind, register, size, crc = struct.unpack("<IH6xHxxH", data)
        self._status, self._reply = b"\x02", b""
        if crc != _crc(data[:16]):
            raise StallError("checksum")
        if kind == _STREAM_KIND:
            self._reply = b"\x35" if self._started else b"\x01"
            self._started = True
        elif kind == _SHUTTER_KIND:
            self.shutters += 1
            self._scene.do("shutter")
            self._after_shutter = True
        elif kind == _GAIN_KIND and register in {0, 1} and not size:
            self.gains.append("high" if register else "low")
        elif kind == _STATE_KIND and not register:
            self._reply = bytes(size)  # what it says is not public
        elif kind == _READ_KIND and _FACTS.get(register) == size:
            self._reply = self._fact(register).encode().ljust(size, b"\0")
        else:
            self.refused.append(data)
            raise StallError("unknown command")
        if "no-answer" in self._kinds:
            self._kinds.discard("no-answer")
            self._reply = self._reply[:-1]

    def _fact(self, register: int) -> str:
        facts = {1: self._title.split()[-1], 2: "00.00.02.17", 6: f"{self._title} part", 7: "TM2024110042", 10: "V1.2"}
        return facts.get(register, self._title)

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """The next transfer, nothing while there is none."""
        if endpoint != 0x81:
            raise StallError(f"endpoint {endpoint:02x}")
        if not (self._setting and self._transfers):
            return None
        data = self._transfers.popleft()
        if len(data) > size:
            self._transfers.appendleft(data[size:])
        return data[:size]

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """There is no such endpoint."""
        raise StallError(f"endpoint {endpoint:02x}: {data.hex()}")

    def advance(self, dt: float) -> None:
        """Time passes."""
        due = self._scene.advance(dt)
        if "mute" in self._kinds:
            self._kinds.discard("mute")
            self._sending = self._started = False
        if self._sending and self._started:
            for _ in range(due):
                if len(self._transfers) < _QUEUE:  # else nobody reads
                    self._send()

    def _marker(self, sync: int, first: int, third: int) -> bytes:
        return struct.pack("<BBIIH", 12, sync, first, first * 40_000, third % 2048)

    def _send(self) -> None:
        if "lost" in self._kinds:
            self._kinds.discard("lost")
            self._frames += 3
        self._frames += 1
        number, alternate = self._frames, self._frames % 2
        start = self._marker(0x8C + alternate, number, number * 40)
        end = self._marker(0x8E + alternate, number, number * 40 + 40)
        frame = start + self._pixels()
        if self._after_shutter:
            self._after_shutter = False
            self._transfers.extend((start + frame[12 : 12 + 9204] + frame[12:-2048], start + frame[-2048:], end))
            return
        if "garbage" in self._kinds:
            self._transfers.append(b"\x00" + self._random.randbytes(511))
        if "other-end" in self._kinds:
            end = self._marker(0x8E + alternate, number + 1, number * 40 + 40)
        self._transfers.append(frame)
        if "no-end" not in self._kinds:
            self._transfers.append(end)
        self._kinds -= {"garbage", "other-end", "no-end"}

    def _pixels(self) -> bytes:
        """Brightness above, two rows of metadata, temperatures below."""
        if not self._temperature or not (self._scene.closed or "freeze" in self._kinds):
            raw = np.rint(self._scene.kelvin() * 64).astype("<u2")
            bright = (raw >> 3 & 0xFF).astype("<u2")
            meta = np.full((2, self._width), self._frames & 0xFF, "<u2")
            self._temperature = np.concatenate([bright, meta, raw]).tobytes()
        return self._temperature
