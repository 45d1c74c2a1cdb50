"""InfiRay P2 Pro / Topdon TC001 simulator: a vehicle panel, noise, shutter events."""

from random import Random

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 256, 192
_NOISES = 16
_SHUTTER_EVERY, _SHUTTER_FOR = 90.0, 0.6
_FAULTS = frozenset({"truncated", "oversized"})


def counts(celsius: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """What the sensor makes of a temperature, not rounded."""
    return np.asarray((np.asarray(celsius) + 273.15) * 64)


class InfirayP2Pro:
    """A thermal camera that looks at a wall of a vehicle.

    Verbs: `demo`, `rate(hz)`, `hotspot(x, y, dk)` adds a warm spot (dk 0 removes it), `ambient(celsius)`,
    `shutter` closes the shutter now, `fault(kind)`: once `truncated`, `oversized`; from then on `artefact` (bad
    pixels of the newer clones), `freeze` (the same frame for ever).
    """

    title = "USB Camera"
    vendor, product = 0x0BDA, 0x5830
    formats: tuple[tuple[str, int, int, float], ...] = (("YUYV", 256, 384, 25.0), ("YUYV", 256, 192, 25.0))

    def __init__(self, random: Random) -> None:
        self._random = random
        noise = np.random.default_rng(random.getrandbits(64))
        self._noise = np.rint(noise.normal(0, 2.5, (_NOISES, _HEIGHT, _WIDTH))).astype(np.int16)
        self._hz = 25.0
        self._clock = self._next_frame = 0.0
        self._frames = 0
        self._shutter_at, self._shutter_until = 30.0, 0.0
        self._ambient = 12.0
        self._spot: tuple[int, int, float] | None = None
        self._scene = self._draw()
        self._frame = b""
        self._kinds: set[str] = set()
        self._half = False
        self._demo_at: float | None = None

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._demo_at = self._clock + 5.0
        elif verb == "rate":
            self._hz = float(values["hz"])
        elif verb == "hotspot":
            self._spot = int(float(values["x"])), int(float(values["y"])), float(values["dk"])
            self._scene = self._draw()
        elif verb == "ambient":
            self._ambient = float(values["celsius"])
            self._scene = self._draw()
        elif verb == "shutter":
            self._shutter_at = self._clock
        elif verb == "fault" and str(values["kind"]) in _FAULTS | {"artefact", "freeze"}:
            self._kinds.add(str(values["kind"]))
        else:
            raise ValueError(f"infiray_p2pro has no verb '{verb}' {values}")

    def select(self, fourcc: str, width: int, height: int) -> None:
        """The host chose a format."""
        if (fourcc, width, height) not in {known[:3] for known in self.formats}:
            raise ValueError(f"no format {fourcc} {width}x{height}")
        self._half = height == _HEIGHT

    def advance(self, dt: float) -> list[bytes]:
        """Time passes."""
        self._clock += dt
        if self._demo_at is not None and self._clock >= self._demo_at:
            self._demonstrate()
        if self._clock >= self._shutter_at:
            self._shutter_until = self._clock + _SHUTTER_FOR
            self._shutter_at = self._clock + _SHUTTER_EVERY
        out = []
        while self._next_frame <= self._clock:
            self._next_frame += 1 / self._hz
            out.append(self._expose())
        return out

    def buttons(self) -> list[bool]:
        """The camera has no button."""
        return []

    def _demonstrate(self) -> None:
        """The operator sweeps over something warm behind the panel, and away again."""
        away = self._spot is not None and self._spot[2] > 0
        warm = 0.0 if away else self._random.uniform(4, 15)
        self.do("hotspot", x=self._random.randrange(40, 216), y=self._random.randrange(40, 152), dk=warm)
        self._demo_at = self._clock + self._random.uniform(5, 15)

    def _draw(self) -> NDArray[np.uint16]:
        """The scene without noise, in 1/64 K: a panel with a vertical gradient, a rib every 64 columns, the spot."""
        y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float64)
        celsius = self._ambient + 1.5 * y / _HEIGHT - 0.4 * ((x % 64) < 4)
        if self._spot is not None:
            column, row, kelvin = self._spot
            celsius += kelvin * np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * 9.0**2))
        return counts(celsius).astype(np.uint16)

    def _expose(self) -> bytes:
        self._frames += 1
        frozen = self._clock < self._shutter_until or "freeze" in self._kinds
        if not (frozen and self._frame):
            self._frame = self._sense()
        frame = self._frame[: _WIDTH * _HEIGHT * 2] if self._half else self._frame
        if "truncated" in self._kinds:
            frame = frame[: len(frame) // 3]
        elif "oversized" in self._kinds:
            frame += bytes(512)
        self._kinds -= _FAULTS
        return frame

    def _sense(self) -> bytes:
        """Preview above, temperatures below."""
        noise = np.roll(self._noise[self._random.randrange(_NOISES)], self._random.randrange(_WIDTH), axis=1)
        raw = (self._scene + noise).astype("<u2")
        if "artefact" in self._kinds:
            raw[0, :8] = 0xFFFF
            raw[-1] = 0
        low, high = int(self._scene.min()), int(self._scene.max())
        luma = np.clip((raw.astype(np.int32) - low) * 219 // max(high - low, 1) + 16, 16, 235).astype(np.uint16)
        return bytes((luma | 0x8000).astype("<u2").tobytes() + raw.tobytes())


SIMULATOR = InfirayP2Pro
