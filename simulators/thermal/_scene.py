"""What simulated thermal cameras look at: a panel of a vehicle, an operator who finds something warm, a shutter."""

from random import Random

import numpy as np
from numpy.typing import NDArray

_NOISES = 8
_ZERO = 273.15

Kelvin = NDArray[np.float64]


class Scene:
    """A panel with a vertical gradient and ribs, in K, seen by a sensor with noise; and when its shutter is closed.

    Verbs: `demo`, `rate(hz)`, `hotspot(x, y, dk)` adds a warm spot (dk 0 removes it), `ambient(celsius)`, `shutter`
    closes the shutter now.
    """

    def __init__(self, random: Random, size: tuple[int, int], hz: float, shutter: tuple[float, float]) -> None:
        """`size`: width, height. `shutter`: seconds between two closings, and how long each takes."""
        self.clock = 0.0
        self.hz = hz
        self._random = random
        self._ambient = 12.0
        self._spot: tuple[float, float, float] | None = None
        self.resize(size)
        self._next_frame = 0.0
        self._every, self._lasts = shutter
        self._shutter_at, self._shutter_until = min(30.0, self._every), 0.0
        self._demo_at: float | None = None

    def do(self, verb: str, **values: float | str) -> None:
        """Change the scene. Raises `ValueError` for an unknown verb."""
        if verb == "demo":
            self._demo_at = self.clock + 5.0
        elif verb == "rate":
            self.hz = float(values["hz"])
        elif verb == "hotspot":
            self._spot = float(values["x"]), float(values["y"]), float(values["dk"])
            self._panel = self._draw()
        elif verb == "ambient":
            self._ambient = float(values["celsius"])
            self._panel = self._draw()
        elif verb == "shutter":
            self._shutter_at = self.clock
        else:
            raise ValueError(f"there is no verb '{verb}' {values}")

    def resize(self, size: tuple[int, int]) -> None:
        """Another sensor of `size` looks at the same panel."""
        self._width, self._height = size
        noise = np.random.default_rng(self._random.getrandbits(64))
        self._noise = noise.normal(0, 0.03, (_NOISES, self._height, self._width))
        self._panel = self._draw()

    @property
    def closed(self) -> bool:
        """Whether the shutter is before the sensor."""
        return self.clock < self._shutter_until

    def advance(self, dt: float) -> int:
        """Time passes; how many frames became due."""
        self.clock += dt
        if self._demo_at is not None and self.clock >= self._demo_at:
            self._demonstrate()
        if self.clock >= self._shutter_at:
            self._shutter_until = self.clock + max(self._lasts, 2.5 / self.hz)
            self._shutter_at = self.clock + self._every
        due = 0
        while self._next_frame <= self.clock:
            self._next_frame += 1 / self.hz
            due += 1
        return due

    def kelvin(self) -> Kelvin:
        """What the sensor sees now: the panel, or the shutter, with noise."""
        noise = np.roll(self._noise[self._random.randrange(_NOISES)], self._random.randrange(self._width), axis=1)
        seen = np.full_like(self._panel, 28.0 + _ZERO) if self.closed else self._panel
        return np.asarray(noise + seen)

    def _demonstrate(self) -> None:
        """The operator sweeps over something warm behind the panel, and away again."""
        away = self._spot is not None and self._spot[2] > 0
        warm = 0.0 if away else self._random.uniform(4, 15)
        x, y = self._random.uniform(0.2, 0.8) * self._width, self._random.uniform(0.2, 0.8) * self._height
        self.do("hotspot", x=x, y=y, dk=warm)
        self._demo_at = self.clock + self._random.uniform(5, 15)

    def _draw(self) -> Kelvin:
        y, x = np.mgrid[0 : self._height, 0 : self._width].astype(np.float64)
        rib = self._width / 4
        kelvin = _ZERO + self._ambient + 1.5 * y / self._height - 0.4 * ((x % rib) < rib / 16)
        if self._spot is not None:
            column, row, warm = self._spot
            kelvin += warm * np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * (self._width / 28) ** 2))
        return np.asarray(kelvin)
