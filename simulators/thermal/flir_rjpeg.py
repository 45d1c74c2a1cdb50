"""FLIR handheld simulator: an operator takes radiometric pictures, which appear as files in a folder.

The writer is this module's own, from the published layout: a JPEG with a coarse picture, APP1 segments
with the FFF content, camera record, counts as big-endian, little-endian or PNG.
"""

import math
import struct
import zlib
from random import Random

import numpy as np

from simulators.thermal import _jpeg

Scene = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

R1, R2, B, F, OFFSET = 14906.216, 0.010956882, 1396.5, 1.0, -7261
ROOM, REFLECTED, AIR, WINDOW = 20.0, 19.0, 21.0, 20.0
DISTANCE, HUMIDITY, TRANSMISSION = 2.0, 0.45, 0.97
COLDEST, HOTTEST = -20.0, 120.0
NOISE = 0.05  # K rms
FORMATS = ("le", "be", "png")
FAULTS = ("truncated", "missing-segment", "bad-png", "not-radiometric", "none")
SEGMENT = 16000  # small, so that an ordinary picture takes several
EPOCH = 1767225600  # the camera's clock at power-up: 2026-01-01


class FlirHandheld:
    """Leaves FLIR0001.jpg, FLIR0002.jpg, ...

    Verbs: `demo` (a picture every 20 s, a warm spot in every second one); `snapshot` with an optional
    `format`: le, be or png; `hotspot(x, y, dk)`: dk kelvin over the room at column x, row y; `clear`;
    `size(width, height)`; `emissivity(value)`; `fault(kind)` for the next picture: truncated,
    missing-segment, bad-png (CRC wrong), not-radiometric, or none.
    """

    def __init__(self, random: Random) -> None:
        self._noise = np.random.default_rng(random.getrandbits(64))
        self._time = 0.0
        self._next: float | None = None
        self._taken = 0
        self._width, self._height = 160, 120
        self._emissivity = 0.95
        self._spot: tuple[float, float, float] | None = None
        self._fault = "none"
        self._files: list[tuple[str, bytes]] = []

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._next = self._time + 5.0
        elif verb == "snapshot" and values.get("format", "le") in FORMATS:
            self._snapshot(str(values.get("format", "le")))
        elif verb == "hotspot":
            self._spot = (float(values["x"]), float(values["y"]), float(values["dk"]))
        elif verb == "clear":
            self._spot = None
        elif verb == "fault" and values["kind"] in FAULTS:
            self._fault = str(values["kind"])
        else:
            self._set(verb, values)

    def _set(self, verb: str, values: dict[str, float | str]) -> None:
        if verb == "size":
            self._width, self._height = int(values["width"]), int(values["height"])
        elif verb == "emissivity":
            self._emissivity = float(values["value"])
        else:
            raise ValueError(f"flir_rjpeg has no verb '{verb}' {values}")

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; the files written since the last call."""
        self._time += dt
        while self._next is not None and self._time >= self._next:
            self._next += 20.0
            warm = self._taken % 2 == 1
            self._spot = (0.3 * self._width + self._taken % 40, 0.5 * self._height, 12.0) if warm else None
            self._snapshot(FORMATS[self._taken % 3])
        files, self._files = self._files, []
        return files

    def scene(self) -> Scene:
        """The true surface temperatures in Cel, shape (height, width), without noise."""
        down, across = np.mgrid[0 : self._height, 0 : self._width]
        scene: Scene = ROOM + 1.5 * (1 - down / self._height) + 0.5 * np.sin(across / 17)
        if self._spot is not None:
            x, y, kelvin = self._spot
            radius = max(1.0, self._width / 32)
            scene += kelvin * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * radius**2))
        return scene

    def _snapshot(self, layout: str) -> None:
        fault, self._fault = self._fault, "none"
        scene = self.scene()
        seen = scene + self._noise.normal(0.0, NOISE, scene.shape)
        raw = np.clip(np.rint(self._counts(seen)), 0, 65535).astype(np.uint16)
        self._taken += 1
        record = _record(raw, layout)
        if fault == "bad-png":
            record = record[:-16] + bytes([record[-16] ^ 1]) + record[-15:]
        fff = _fff(self._camera(">" if layout == "be" else "<", raw), record, {"be": 1, "le": 2, "png": 3}[layout])
        parts = [fff[at : at + SEGMENT] for at in range(0, len(fff), SEGMENT)]
        segments = [
            b"FLIR\0\x01" + bytes([index, len(parts) - 1]) + part
            for index, part in enumerate(parts)
            if not (fault == "missing-segment" and index == len(parts) - 1)
        ]
        picture = _jpeg.grey(_grey(scene), [] if fault == "not-radiometric" else segments)
        end = len(picture) // 3 if fault == "truncated" else len(picture)
        self._files.append((f"FLIR{self._taken:04d}.jpg", picture[:end]))

    def _counts(self, celsius: Scene) -> Scene:
        """The sensor's counts: what leaves the surface, weakened and topped up by air, window and air."""
        emissivity, tau = self._emissivity, _air_transmission()
        leaving = emissivity * _black_body(celsius) + (1 - emissivity) * _black_body(REFLECTED)
        for factor, temperature in ((tau, AIR), (TRANSMISSION, WINDOW), (tau, AIR)):
            leaving = factor * leaving + (1 - factor) * _black_body(temperature)
        return leaving

    def _camera(self, order: str, raw: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> bytes:
        record = bytearray(0x8A0)
        kelvin = 273.15
        struct.pack_into(f"{order}HHH", record, 0, 2, raw.shape[1], raw.shape[0])
        values = (self._emissivity, DISTANCE, REFLECTED + kelvin, AIR + kelvin, WINDOW + kelvin, TRANSMISSION)
        struct.pack_into(f"{order}6fxxxxf", record, 0x20, *values, HUMIDITY)
        struct.pack_into(f"{order}3f", record, 0x58, R1, B, F)
        struct.pack_into(f"{order}5f", record, 0x70, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)
        struct.pack_into(f"{order}2f", record, 0x90, HOTTEST + kelvin, COLDEST + kelvin)
        for at, text in ((0xD4, b"FLIR E40"), (0xF4, b"49001-0301"), (0x104, b"49012345"), (0x170, b"FOL18")):
            record[at : at + len(text)] = text
        struct.pack_into(f"{order}if", record, 0x308, OFFSET, R2)
        struct.pack_into(f"{order}HxxH", record, 0x338, int(np.median(raw)), int(np.ptp(raw)))
        whole, part = divmod(self._time, 1.0)
        struct.pack_into(f"{order}IIh", record, 0x384, EPOCH + int(whole), int(part * 1000), -120)
        return bytes(record)


def _black_body(celsius: Scene | float) -> Scene:
    return R1 / (R2 * (np.exp(B / (np.asarray(celsius) + 273.15)) - F)) - OFFSET


def _air_transmission() -> float:
    """Transmission of half the distance: the camera's formula counts it once on each side of a window."""
    vapour = HUMIDITY * math.exp(1.5587 + 6.939e-2 * AIR - 2.7816e-4 * AIR**2 + 6.8455e-7 * AIR**3)
    root = math.sqrt(DISTANCE / 2)
    heavy = math.exp(-root * (0.006569 - 0.002276 * math.sqrt(vapour)))
    light = math.exp(-root * (0.01262 - 0.00667 * math.sqrt(vapour)))
    return 1.9 * heavy - 0.9 * light


def _record(raw: np.ndarray[tuple[int, ...], np.dtype[np.uint16]], layout: str) -> bytes:
    """Record 0x01: a header of 32 bytes and the counts."""
    height, width = raw.shape
    order = ">" if layout == "be" else "<"
    header = struct.pack(f"{order}HHH", 2, width, height).ljust(32, b"\0")
    # A FLIR PNG holds little-endian samples where PNG says big-endian.
    return header + (_png(raw.byteswap()) if layout == "png" else raw.astype(f"{order}u2").tobytes())


def _png(samples: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> bytes:
    """A 16-bit greyscale PNG whose rows take the five filters in turn."""
    height, width = samples.shape
    now = samples.astype(">u2").view(np.uint8).astype(np.int16)
    left, above, corner = (np.zeros_like(now) for _ in range(3))
    left[:, 2:], above[1:], corner[1:, 2:] = now[:, :-2], now[:-1], now[:-1, :-2]
    guess = left + above - corner
    far = np.stack([abs(guess - left), abs(guess - above), abs(guess - corner)])
    nearest = np.choose(far.argmin(axis=0), (left, above, corner))
    predictors = (np.zeros_like(now), left, above, (left + above) // 2, nearest)
    lines = b"".join(
        bytes([row % 5]) + ((now[row] - predictors[row % 5][row]) % 256).astype(np.uint8).tobytes()
        for row in range(height)
    )
    header = struct.pack(">II5B", width, height, 16, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _fff(camera: bytes, counts: bytes, subtype: int) -> bytes:
    """Header, a directory of 14 places of which two are used, the two records."""
    start = 64 + 14 * 32
    entries = struct.pack(">HHIIIIIII", 0x20, 1, 111, 1, start, len(camera), 0, 0, 0)
    entries += struct.pack(">HHIIIIIII", 0x01, subtype, 101, 1, start + len(camera), len(counts), 0, 0, 0)
    header = b"FFF\0".ljust(20, b"\0") + struct.pack(">IIII", 100, 64, 14, 2)
    return header.ljust(64, b"\0") + entries.ljust(14 * 32, b"\0") + camera + counts


def _grey(scene: Scene) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    span = max(float(np.ptp(scene)), 1.0)
    shown: Scene = (scene - scene.min()) / span * 255
    return shown.astype(np.uint8)


SIMULATOR = FlirHandheld
