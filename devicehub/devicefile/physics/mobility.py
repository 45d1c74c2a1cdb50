"""An ion-mobility run: a swab is heated, its ions drift through a tube, and each scan is a plasmagram.

Drift time t = L^2 / (V K0) * (273.15 / T) * (P / 1013.25), diffusion-limited resolving power sqrt(V q / (16 k T ln 2)),
broadened by the gate; a run's vapour rises and falls. Source: the definition of reduced mobility (Vautz et al. 2008);
none of the figures is an instrument's own.
"""

import math
from random import Random
from typing import Final

import numpy as np

from devicehub.devicefile.physics.model import Options, Quantities, check_known, generator, number

_KNOWN = ("length", "voltage", "kelvin", "hectopascal", "gate", "step", "samples", "calibrant", "scans", "period")
_CHARGE_BY_BOLTZMANN: Final = 11604.518  # kelvin per volt
_NOISE = 3.0
_CALIBRANT = 900.0
_IDLE, _RUNNING = 0, 1


class MobilityRun:
    """Runs of scans, each a plasmagram with its calibrant, and what the swab brought.

    Options: `length` in cm, `voltage`, `kelvin`, `hectopascal`, `gate` and `step` in ms, `samples` of a plasmagram,
    `calibrant`, its K0 in cm2/(V.s), `scans` of a run, `period` from one to the next in s. Verbs: `swab(k0, amount)`,
    which begins a run (amount 0: a clean one), `demo`, one a minute, every third with something on it. Events: `scan`,
    `end`.
    """

    def __init__(self, random: Random, options: Options) -> None:
        check_known(options, _KNOWN)
        self._chance = generator(random)
        self._drift = number(options, "length", 6.0) ** 2 / number(options, "voltage", 1400.0)
        self._drift *= 273.15 / number(options, "kelvin", 383.15) * number(options, "hectopascal", 1013.25) / 1013.25
        diffusion = number(options, "voltage", 1400.0) * _CHARGE_BY_BOLTZMANN / number(options, "kelvin", 383.15)
        self._resolving = math.sqrt(diffusion / (16 * math.log(2)))
        self._gate = number(options, "gate", 0.2)
        self._axis = np.arange(int(number(options, "samples", 600))) * number(options, "step", 0.05)
        self._calibrant = number(options, "calibrant", 1.652)
        self._scans, self._period = int(number(options, "scans", 20)), number(options, "period", 0.25)
        self._clock = self._next = 0.0
        self._run = self._scan = 0
        self._state = _IDLE
        self._k0 = self._amount = 0.0
        self._demo_at: float | None = None

    def drift_time(self, k0: float) -> float:
        """In ms, of ions of that reduced mobility."""
        return 1000 * self._drift / k0

    def do(self, verb: str, **values: float | str) -> None:
        """Change the world."""
        if verb == "demo":
            self._demo_at = self._clock + 5.0
        elif verb == "swab":
            self._k0, self._amount = float(values["k0"]), float(values["amount"])
            self._run, self._scan, self._state = self._run + 1, 0, _RUNNING
            self._next = self._clock + self._period
        else:
            raise ValueError(f"no verb '{verb}'; there are demo, swab")

    def advance(self, dt: float) -> list[str]:
        """Time passes."""
        self._clock += dt
        if self._demo_at is not None and self._clock >= self._demo_at:
            self._demo_at = self._clock + 60.0
            self.do("swab", k0=1.451, amount=0.0 if self._run % 3 else 600.0)
        events = []
        while self._state == _RUNNING and self._next <= self._clock:
            self._next += self._period
            self._scan += 1
            events.append("scan")
            if self._scan == self._scans:
                self._state = _IDLE
                events.append("end")
        return events

    def quantities(self) -> Quantities:
        """`plasmagram` of the present scan, `run`, `scan`, `running`, `found` (1: there was something on the swab)."""
        share = math.sin(math.pi * self._scan / self._scans) if self._scan else 0.0
        current = self._peak(self._calibrant, _CALIBRANT * (1 - 0.3 * share))
        if self._amount:
            current = current + self._peak(self._k0, self._amount * share)
        counts = np.rint(current + self._chance.normal(0, _NOISE, self._axis.size)).clip(0).astype(np.int64)
        return {
            "plasmagram": counts, "run": self._run, "scan": self._scan, "running": self._state,
            "found": int(self._amount > 0), "seconds": int(self._clock),
        }  # fmt: skip

    def _peak(self, k0: float, height: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """As wide as diffusion and the gate make it."""
        at = self.drift_time(k0)
        width = math.hypot(self._gate, at / self._resolving)  # full, at half height
        peak: np.ndarray[tuple[int], np.dtype[np.float64]] = np.exp(-4 * math.log(2) * ((self._axis - at) / width) ** 2)
        return height * peak
