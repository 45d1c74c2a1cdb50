"""Seek Thermal cameras at the level of USB transfers: control requests, then frames when asked for.

A frame is 16-bit little-endian words: a fixed pattern of the sensor, the scene, noise, black and dead
pixels, metadata in the first row. The camera makes a frame for each request, at most `rate` per second:
first one with id 4, then a shutter frame (id 1), then images (id 3), and a shutter frame every 30 s.

Recorded answers: the scripts in lod/seek-thermal-documentation.
"""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor

CHIP_ID = bytes.fromhex("14000c005600f800c7004500")
FIRMWARE = bytes.fromhex("01030000")
SHUTTER_EVERY = 30.0
SHUTTER_LEVEL = 120
NOISES = 8
FORBIDDEN = frozenset({79, 80, 81, 82, 87})
FAULTS = frozenset({"stall", "short-first", "gap", "duplicate", "timeout", "garbage", "short"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """What differs between models: size and places in words, bulk transfer size in bytes."""

    product: int
    title: str
    rows: int
    columns: int
    id_word: int
    counter_word: int
    temperature_word: int
    chunk: int
    temperature: int


def factory_tables() -> dict[int, bytes]:
    """Factory settings by address, as recorded from a Compact."""
    return {
        0x08: b"140c10E42N71",
        0x30: bytes.fromhex(
            "0200000000705b4500008c410000c0414f1e563ea089403fea95b23c0000000000000000"
            "486129427c0d013dce46f0b500000000000000000000144200000243"
        ),
        0x50: bytes.fromhex(
            "0000000000000000ffffffffffffffffa1f8413f287f773c2c6537c1f085813ff4fd6042"
            "280f9b3f2b7f67ba0990ba3400000000000002430000964300000000"
        ),
        0x70: bytes.fromhex("00000000ffffffffbec1f941cdccfa41302ab1bfc898933f"),
    }


class Seek:
    """Verbs: `demo`, `rate(hz)`, `hotspot(delta)` in counts, `shutter`, `fault(kind)`.

    Faults strike once: `stall` refuses the next frame request, `short-first` cuts 512 bytes off the next id-4 frame,
    `short` cuts the next frame in half, `garbage` fills it with noise, `gap` skips five frame numbers, `duplicate`
    repeats a frame, `timeout` forgets a request.

    `frames`: recorded frames to play in turn, from the first after each start, instead of the simulated scene.
    """

    def __init__(self, sensor: Sensor, random: Random, frames: Sequence[bytes] = ()) -> None:
        self._sensor = sensor
        self._random = random
        self._recorded = tuple(frames)
        self._numpy = np.random.default_rng(random.getrandbits(32))
        self._pattern, self._black = self._make_sensor()
        self._noise = self._numpy.normal(0.0, 6.0, (NOISES, sensor.rows, sensor.columns)).astype(np.int16)
        self._scene = np.zeros((sensor.rows, sensor.columns), np.int16)
        self._running = False
        self._mode = b"\x00\x00"
        self._chosen = b""
        self._played = 0
        self._period = 1 / 9
        self._wanted = False
        self._since_frame = 0.0
        self._since_shutter = 0.0
        self._counter = random.randrange(1000)
        self._fault = ""
        self._ready: deque[bytes] = deque()
        self.forbidden: list[int] = []
        self.descriptor = UsbDescriptor(
            vendor=0x289D,
            product=sensor.product,
            manufacturer="Seek Thermal",
            title=sensor.title,
            interfaces=(Interface(0, 0, (0xFF, 0xF0, 0x00), (Endpoint(0x81), Endpoint(0x02))),),
        )

    def _make_sensor(self) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        rows, columns = self._sensor.rows, self._sensor.columns
        pattern = self._numpy.normal(7000.0, 450.0, (rows, columns)).clip(5000, 9500).astype(np.int16)
        row, column = np.indices((rows, columns))
        black = ((column - (10 - 4 * row)) % 15 == 0) & (column >= 1)
        black |= self._numpy.random((rows, columns)) < 0.0005
        return pattern, black

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._scene = self._warm_spot(400.0)
        elif verb == "rate":
            self._period = 1.0 / float(values["hz"])
        elif verb == "hotspot":
            self._scene = self._warm_spot(float(values["delta"]))
        elif verb == "shutter":
            self._since_shutter = SHUTTER_EVERY
        elif verb == "fault" and values.get("kind") in FAULTS:
            self._fault = str(values["kind"])
        else:
            raise ValueError(f"seek has no verb '{verb}' {values}")

    def _warm_spot(self, delta: float) -> NDArray[np.int16]:
        row, column = np.indices((self._sensor.rows, self._sensor.columns))
        y, x, size = self._sensor.rows * 0.4, self._sensor.columns * 0.6, self._sensor.columns / 12
        return (delta * np.exp(-((row - y) ** 2 + (column - x) ** 2) / (2 * size**2))).astype(np.int16)

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """Answer a question."""
        if request_type != 0xC1 or (value, index) != (0, 0):
            raise StallError
        if request == 88:
            return self._factory(size)
        answers = {78: FIRMWARE.ljust(64, b"\0"), 54: CHIP_ID, 61: self._mode, 53: bytes(4)}
        if request not in answers:
            raise StallError
        return answers[request][:size]

    def _factory(self, size: int) -> bytes:
        words, address, _ = struct.unpack("<HHH", self._chosen) if len(self._chosen) == 6 else (0, 0, 0)
        if size != 2 * words:
            raise StallError
        return factory_tables().get(address, bytes(size))[:size].ljust(size, b"\0")

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """Take a command."""
        if request in FORBIDDEN:
            self.forbidden.append(request)
        if request_type != 0x41 or (value, index) != (0, 0) or request not in {60, 62, 83, 84, 85, 86}:
            raise StallError
        if request == 84 and self._running:
            raise StallError
        if request == 60:
            self._set_mode(data)
        elif request == 83:
            self._ask(data)
        elif request == 86:
            self._chosen = data

    def _set_mode(self, data: bytes) -> None:
        self._mode = data
        self._running = data == b"\x01\x00"
        self._ready.clear()
        self._wanted = False
        self._played = 0

    def _ask(self, data: bytes) -> None:
        words = self._sensor.rows * self._sensor.columns
        if not self._running or data != struct.pack("<I", words) or self._struck("stall"):
            raise StallError
        self._wanted = not self._struck("timeout")

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """One piece of a frame."""
        if endpoint != 0x81 or not self._ready:
            return None
        if len(self._ready[0]) > size:
            raise StallError
        return self._ready.popleft()

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """Nothing is sent to endpoint 2 here."""
        del endpoint, data
        raise StallError

    def advance(self, dt: float) -> None:
        """Time passes."""
        self._since_frame += dt
        self._since_shutter += dt
        if self._wanted and self._since_frame >= self._period:
            self._wanted = False
            self._since_frame = min(self._since_frame - self._period, self._period)
            frame = self._next_frame()
            self._ready.extend(frame[at : at + self._sensor.chunk] for at in range(0, len(frame), self._sensor.chunk))

    def _next_frame(self) -> bytes:
        self._played += 1
        if self._recorded:
            return self._recorded[(self._played - 1) % len(self._recorded)]
        if self._struck("gap"):
            self._counter += 5
        if not self._struck("duplicate"):
            self._counter += 1
        return self._damaged(self._frame(self._kind()), first=self._played == 1)

    def _kind(self) -> int:
        if self._played == 1:
            return 4
        if self._played == 2 or self._since_shutter >= SHUTTER_EVERY:
            self._since_shutter = 0.0
            return 1
        return 3

    def _frame(self, kind: int) -> bytes:
        sensor = self._sensor
        words = self._pattern + self._noise[self._random.randrange(NOISES)]
        words += self._scene if kind == 3 else np.int16(SHUTTER_LEVEL)
        words[self._black] = 0
        if sensor.product == 0x0010:
            words[:, -2], words[:, -1] = self._pattern[:, 0], 0
        flat = words.reshape(-1)
        flat[sensor.id_word] = kind
        flat[sensor.temperature_word] = sensor.temperature
        frame = bytearray(words.astype("<i2").tobytes())
        struct.pack_into("<H", frame, 2 * sensor.counter_word, self._counter & 0xFFFF)
        return bytes(frame)

    def _damaged(self, frame: bytes, *, first: bool) -> bytes:
        if first and self._struck("short-first"):
            return frame[512:]
        if not first and self._struck("short"):
            return frame[: len(frame) // 2]
        if not first and self._struck("garbage"):
            return self._random.randbytes(len(frame))
        return frame

    def _struck(self, kind: str) -> bool:
        """Whether that fault was ordered; it strikes once."""
        if self._fault != kind:
            return False
        self._fault = ""
        return True
