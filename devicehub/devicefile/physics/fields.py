"""Vapour at an inlet, and a scene before a thermal camera."""

import math
from random import Random

import numpy as np

from devicehub.devicefile.physics.model import Options, Quantities, check_known, generator, number


class Vapour:
    """A concentration that a sensor follows with a first-order lag.

    Options: `lag` in seconds, `noise` in ppm, `low` and `high` alarm levels in ppm. Verbs: `vapour(ppm)` at the
    inlet, `demo` brings 160 ppm for fifteen seconds every two minutes.
    """

    def __init__(self, random: Random, options: Options) -> None:
        check_known(options, ("lag", "noise", "low", "high"))
        self._random = random
        self._lag = number(options, "lag", 1.5)
        self._noise = number(options, "noise", 0.02)
        self._levels = number(options, "low", 50.0), number(options, "high", 100.0)
        self._inlet = self._reading = self._clock = 0.0
        self._demo = False

    def do(self, verb: str, **values: float | str) -> None:
        """Change the world."""
        if verb == "demo":
            self._demo = True
        elif verb == "vapour":
            self._inlet = float(values["ppm"])
        else:
            raise ValueError(f"no verb '{verb}'; there are demo, vapour")

    def advance(self, dt: float) -> list[str]:
        """Time passes."""
        self._clock += dt
        if self._demo:
            self._inlet = 160.0 if self._clock % 120 > 105 else 0.0
        self._reading += (self._inlet - self._reading) * (1 - math.exp(-dt / self._lag))
        return []

    def quantities(self) -> Quantities:
        """`ppm`, `low` and `high` (1 above the level)."""
        ppm = max(0.0, self._reading + self._random.gauss(0, self._noise))
        low, high = self._levels
        return {"ppm": round(ppm, 3), "low": int(ppm >= low), "high": int(ppm >= high), "seconds": int(self._clock)}


class Scene:
    """Temperatures before a thermal camera: a background and one warm spot that wanders.

    Options: `width`, `height` in pixels, `background` in Cel. Verbs: `spot(celsius)`, 0: none; `demo` shows one.
    Event: `frame`, `rate` times a second.
    """

    def __init__(self, random: Random, options: Options) -> None:
        check_known(options, ("width", "height", "background", "rate"))
        self._chance = generator(random)
        self._size = int(number(options, "width", 80)), int(number(options, "height", 60))
        self._background = number(options, "background", 22.0)
        self._period = 1 / number(options, "rate", 9.0)
        self._spot = 0.0
        self._clock = 0.0
        self._frames = 0

    def do(self, verb: str, **values: float | str) -> None:
        """Change the world."""
        if verb == "demo":
            self._spot = 36.5
        elif verb == "spot":
            self._spot = float(values["celsius"])
        elif verb == "rate":
            self._period = 1 / float(values["hz"])
        else:
            raise ValueError(f"no verb '{verb}'; there are demo, spot, rate")

    def advance(self, dt: float) -> list[str]:
        """Time passes."""
        before, self._clock = self._clock, self._clock + dt
        frames = int(self._clock / self._period) - int(before / self._period)
        self._frames += frames
        return ["frame"] * frames

    def quantities(self) -> Quantities:
        """`celsius`, `kelvin100` (hundredths) row by row; `width`, `height`, `frames`."""
        width, height = self._size
        y, x = np.mgrid[0:height, 0:width]
        celsius = self._chance.normal(self._background, 0.05, (height, width))
        if self._spot:
            centre = width * (0.5 + 0.3 * math.sin(self._clock / 7)), height / 2
            near = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (width / 12) ** 2)
            celsius = celsius + (self._spot - self._background) * near
        kelvin = np.rint((celsius + 273.15) * 100).astype(np.int64)
        return {
            "celsius": celsius.ravel(), "kelvin100": kelvin.ravel(), "width": width, "height": height,
            "frames": self._frames, "seconds": int(self._clock),
        }  # fmt: skip
