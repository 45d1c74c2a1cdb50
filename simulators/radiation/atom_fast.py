"""Atom Fast simulator: Poisson counts from background and an optional source at a distance."""

import math
import struct
from random import Random

UUID_SERVICE = "63462a4a-c28c-4ffd-87a4-2d23a1c72581"
UUID_READINGS = "70bc767e-7a1a-4304-81ed-14b9af54f7bd"


class AtomFast:
    """One notification every two seconds.

    Verbs: `demo`, `source(rate)` sets the dose rate in uSv/h added at the detector, `battery(percent)`.
    """

    name = "AtomFast-3A"

    def __init__(self, random: Random) -> None:
        self._random = random
        self._elapsed = 0.0
        self._dose_msv = 0.0
        self._source = 0.0
        self._battery = 92.0
        self.services: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
            UUID_SERVICE: ((UUID_READINGS, ("notify",)),)
        }

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._source = 0.3
        elif verb == "source":
            self._source = float(values["rate"])
        elif verb == "battery":
            self._battery = float(values["percent"])
        else:
            raise ValueError(f"atom_fast has no verb '{verb}'")

    def on_write(self, characteristic: str, data: bytes) -> list[tuple[str, bytes]]:
        """The device takes no commands."""
        del characteristic, data
        return []

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes."""
        self._elapsed += dt
        out = []
        while self._elapsed >= 2.0:
            self._elapsed -= 2.0
            out.append((UUID_READINGS, self._notification()))
        return out

    def _notification(self) -> bytes:
        expected = 40.0 * (0.1 + self._source)
        pulses = max(0, round(self._random.gauss(expected, math.sqrt(expected))))
        rate = pulses / 40.0
        self._dose_msv += rate * 2 / 3600 / 1000
        self._battery = max(0.0, self._battery - 0.001)
        fields = (0, self._dose_msv, rate, min(pulses, 65535), int(self._battery), 24)
        return struct.pack("<BffHBb", *fields)


SIMULATOR = AtomFast
