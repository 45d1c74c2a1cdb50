"""GY-MCU90640 simulator: a room at rest, an optional warm spot, sensor noise, and the module's command set.

The serial line has the pace of its baud rate: a frame leaves in pieces, as it does from the module.
"""

import math
from random import Random

import numpy as np

Scene = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

COLUMNS, ROWS = 32, 24
RATES = {0: 0.5, 1: 1.0, 2: 2.0, 3: 4.0, 4: 8.0}
BYTES_PER_SECOND = {1: 960.0, 2: 11520.0, 3: 46080.0}
NOISE = 0.1  # K rms at 1 Hz and 30 Hz bandwidth as the MLX90640 data sheet shows it, about sqrt(rate)
FAULTS = ("checksum", "garbage", "cut", "duplicate", "silent")


def framed(centi: np.ndarray[tuple[int, ...], np.dtype[np.int16]], ambient: int) -> bytes:
    """A frame of pixels and ambient temperature in hundredths of a degree; pixels in the order they are sent in."""
    words = np.empty(772, dtype="<u2")
    words[0], words[1] = 0x5A5A, 0x0602
    words[2:770] = centi.astype("<i2").ravel().view("<u2")
    words[770] = ambient & 0xFFFF
    words[771] = int(words[:771].sum(dtype=np.uint64)) % 65536
    return words.tobytes()


class GyMcu90640:
    """Sends a frame every 1/rate seconds in automatic mode, or one per query.

    Verbs: `demo`; `rate(hz)`; `ambient(celsius)`; `hotspot(x, y, dk)` puts a spot of `dk` kelvin at
    column x, row y of the scene, (0, 0) top left; `clear` takes it away; `fault(kind)` spoils the next
    frame: checksum, garbage (before it), cut (its end lost), duplicate (sent twice) or silent (nothing
    from then on until `fault(kind="none")`). `saved`: how often it was told to write its settings to its flash.
    """

    def __init__(self, random: Random) -> None:
        self._noise = np.random.default_rng(random.getrandbits(64))
        self._random = random
        self._time = 0.0
        self._rate = 4.0
        self._due = 0.25
        self._automatic = True
        self._emissivity = 95
        self._speed = BYTES_PER_SECOND[2]
        self._budget = 0.0
        self._line = bytearray()
        self._received = bytearray()
        self._room = 21.5
        self._spot: tuple[float, float, float] | None = None
        self._acting = False
        self.saved = 0
        self._fault = ""
        # Each pixel's own error, fixed per module.
        self._pattern = self._noise.normal(0.0, 0.15, (ROWS, COLUMNS))

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._acting = True
        elif verb == "rate":
            self._rate = float(values["hz"])
        elif verb == "ambient":
            self._room = float(values["celsius"])
        elif verb == "hotspot":
            self._spot = (float(values["x"]), float(values["y"]), float(values["dk"]))
        elif verb == "clear":
            self._spot = None
        elif verb == "fault" and values["kind"] in {*FAULTS, "none"}:
            self._fault = str(values["kind"]).replace("none", "")
        else:
            raise ValueError(f"gy_mcu90640 has no verb '{verb}' {values}")

    def on_bytes(self, data: bytes) -> bytes:
        """Commands are 4 bytes, `A5 command value sum`; what does not add up is dropped byte by byte."""
        self._received += data
        while len(self._received) >= 4:
            lead, command, value, total = self._received[:4]
            if lead != 0xA5 or (lead + command + value) % 256 != total:
                del self._received[0]
                continue
            del self._received[:4]
            self._obey(command, value)
        return b""

    def _obey(self, command: int, value: int) -> None:
        if command == 0x15 and value in BYTES_PER_SECOND:
            self._speed = BYTES_PER_SECOND[value]
        elif command == 0x25 and value in RATES:
            self._rate = RATES[value]
        elif command == 0x35 and value == 1:
            self._automatic = False
            self._send_frame()
        elif command == 0x35 and value == 2:
            self._automatic = True
        elif command == 0x45 and 1 <= value <= 100:
            self._emissivity = value
        elif command == 0x65 and value == 1:
            self.saved += 1
        elif command == 0x55 and value == 1:
            self._line += bytes([0x5A, 0x5A, self._emissivity, (0xB4 + self._emissivity) % 256])

    def advance(self, dt: float) -> bytes:
        """Time passes; as many bytes leave as the line carries in that time."""
        self._time += dt
        self._due -= dt
        if self._due <= 0:
            self._due += max(1 / self._rate, dt)
            if self._automatic and len(self._line) < 1544:
                self._send_frame()
        if not self._line:
            self._budget = 0.0
            return b""
        self._budget += dt * self._speed
        size = int(self._budget)
        out = bytes(self._line[:size])
        del self._line[:size]
        self._budget -= size
        return b"" if self._fault == "silent" else out

    def _send_frame(self) -> None:
        frame = bytearray(self._frame())
        fault = self._fault
        if fault == "checksum":
            frame[self._random.randrange(4, 1542)] ^= 0x10
        elif fault == "garbage":
            frame[:0] = bytes(self._random.randrange(0x5A) for _ in range(23))
        elif fault == "cut":
            del frame[1200:]
        elif fault == "duplicate":
            frame *= 2
        if fault != "silent":
            self._fault = ""
        self._line += frame

    def _frame(self) -> bytes:
        # The module counts columns from the right-hand side of the scene.
        centi = np.rint(self._scene()[:, ::-1] * 100).clip(-32768, 32767).astype(np.int16)
        return framed(centi, round((self._room + 7.5) * 100))

    def _scene(self) -> Scene:
        """Temperatures in Cel as seen, row 0 on top: the room, a little warmer above, and the spot."""
        if self._acting:
            self._act()
        down, across = np.mgrid[0:ROWS, 0:COLUMNS]
        drift = 0.2 * math.sin(self._time / 300)
        scene: Scene = self._room + drift + 0.8 * (1 - down / ROWS) + self._pattern
        if self._spot is not None:
            x, y, kelvin = self._spot
            scene += kelvin * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * 1.5**2))
        scene += self._noise.normal(0.0, NOISE * math.sqrt(self._rate), scene.shape)
        return scene

    def _act(self) -> None:
        """The operator sweeps over a warm place for the second half of every 40 seconds."""
        phase = self._time % 40
        self._spot = (4 + (phase - 20) * 1.2, 12.0, 14.0) if phase >= 20 else None


SIMULATOR = GyMcu90640
