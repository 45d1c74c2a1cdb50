"""What happens in the drift tube of the reference instrument: charge, mobility, diffusion, residue.

* Drift time: `K = K0 * (T / 273.15) * (1013.25 / P)`, `t_d = L**2 / (V * K)` (definition of the reduced
  mobility, the same form as in the packages gc-ims-tools and bneed/IMS-Simulator).
* Resolving power limited by diffusion: `R_d = sqrt(V q / (16 k T ln 2))` (Revercomb and Mason 1975); with
  a gate pulse of `t_g` the width at half height is `sqrt(t_g**2 + (t_d / R_d)**2)`.
* Charge is shared: a species with weight `w` takes `w / sum(w)` of it, the reactant ion has weight 1.
  So an analyte depletes the reactant ion peak, and the response saturates.
* What was on a swab evaporates as `(t / tau) * exp(1 - t / tau)`, and some of it stays behind.

The K0 of the substances are TRAINING VALUES on the scale of 4-nitrobenzonitrile = 1.652 and nicotinamide =
1.860. They come from memory of that scale, not from a checked source, and must never be used to
detect anything: a site measures its own, per instrument.
"""

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from simulators.trace._ims_reference_wire import NEGATIVE, POSITIVE, ReferencePeak

Trace = NDArray[np.float64]

CHARGE_OVER_BOLTZMANN = 11604.518  # K/V
BASELINE = 400.0
CHARGE = 30_000.0  # counts of the reactant ion peak when nothing else takes charge
EXPLOSIVES, NARCOTICS = 1, 2
DESORPTION = 1.2  # s
_READOUT_NOISE = 12.0
_SHOT_NOISE = 0.1


@dataclass(frozen=True, slots=True)
class Tube:
    """Geometry and gate: m, V, s."""

    length: float = 0.06
    voltage: float = 1400.0
    gate: float = 200e-6

    def drift_time(self, k0: float, temperature: float, pressure: float) -> float:
        """Drift time in s of an ion of reduced mobility `k0` (cm2/(V.s)) at K and hPa."""
        mobility = k0 * 1e-4 * (temperature / 273.15) * (1013.25 / pressure)
        return self.length**2 / (self.voltage * mobility)

    def width(self, drift_time: float, temperature: float) -> float:
        """Full width at half height in s: gate pulse and diffusion."""
        diffusion = math.sqrt(self.voltage * CHARGE_OVER_BOLTZMANN / (16 * temperature * math.log(2)))
        return math.hypot(self.gate, drift_time / diffusion)


@dataclass(frozen=True, slots=True)
class Window:
    """The sampled stretch of drift time: s and points."""

    start: float = 2e-3
    length: float = 20e-3
    points: int = 2000

    @property
    def interval(self) -> float:
        """Seconds between two points."""
        return self.length / self.points


@dataclass(frozen=True, slots=True)
class Substance:
    """A substance: weight per ng at the height of its evaporation; ions as (K0, share)."""

    name: str
    group: int
    polarity: int
    sensitivity: float
    ions: tuple[tuple[float, float], ...]


SUBSTANCES = (
    Substance("TNT", EXPLOSIVES, NEGATIVE, 0.05, ((1.451, 1.0),)),
    Substance("RDX", EXPLOSIVES, NEGATIVE, 0.04, ((1.387, 0.7), (1.314, 0.3))),
    Substance("PETN", EXPLOSIVES, NEGATIVE, 0.03, ((1.145, 0.6), (1.213, 0.4))),
    Substance("nitroglycerin", EXPLOSIVES, NEGATIVE, 0.03, ((1.339, 0.6), (1.280, 0.4))),
    Substance("ammonium nitrate", EXPLOSIVES, NEGATIVE, 0.015, ((1.930, 1.0),)),
    Substance("cocaine", NARCOTICS, POSITIVE, 0.06, ((1.160, 1.0),)),
    Substance("heroin", NARCOTICS, POSITIVE, 0.025, ((1.040, 1.0),)),
    Substance("methamphetamine", NARCOTICS, POSITIVE, 0.04, ((1.630, 1.0),)),
    Substance("MDMA", NARCOTICS, POSITIVE, 0.05, ((1.470, 1.0),)),
    Substance("THC", NARCOTICS, POSITIVE, 0.015, ((1.050, 1.0),)),
)
# Harmless, and seen by the instrument: the first lies in TNT's window (fruit acids are known to do that), the
# second in none.
INTERFERENTS = (
    Substance("ascorbic acid", 0, NEGATIVE, 0.01, ((1.449, 1.0),)),
    Substance("hand cream", 0, POSITIVE, 0.01, ((1.290, 1.0),)),
)
REFERENCES = (
    ReferencePeak(NEGATIVE, 0, 1.652, "4-nitrobenzonitrile"),
    ReferencePeak(NEGATIVE, 1, 2.750, "chloride"),
    ReferencePeak(POSITIVE, 0, 1.860, "nicotinamide"),
    ReferencePeak(POSITIVE, 1, 2.300, "hydronium"),
)
CALIBRANT_WEIGHT = 0.4


def substance(name: str) -> Substance:
    """The substance or interferent of that name, in any case. Raises `ValueError`."""
    for known in (*SUBSTANCES, *INTERFERENTS):
        if known.name.casefold() == name.casefold():
            return known
    raise ValueError(f"no substance '{name}'; known: {', '.join(known.name for known in (*SUBSTANCES, *INTERFERENTS))}")


def evaporation(elapsed: float) -> float:
    """Relative vapour of a swab `elapsed` seconds into its run; 1 at the most."""
    return elapsed / DESORPTION * math.exp(1 - elapsed / DESORPTION)


class Chemistry:
    """The drift tube with what is in it: loads (ng) of the swab and residue (ng) of earlier ones."""

    def __init__(self, random: Random, tube: Tube) -> None:
        self._noise = np.random.default_rng(random.getrandbits(64))
        self._tube = tube
        self.window = Window()
        self.loads: dict[Substance, float] = {}
        self.residue: dict[Substance, float] = {}
        self.charge = {NEGATIVE: 1.0, POSITIVE: 1.0}
        self.calibrant = {NEGATIVE: 1.0, POSITIVE: 1.0}

    def settle(self) -> None:
        """The run is over: part of the load stays behind, relatively more of a heavy one."""
        for kind, mass in self.loads.items():
            kept = mass * (0.005 + 0.05 * mass / (mass + 200.0))
            self.residue[kind] = self.residue.get(kind, 0.0) + kept
        self.loads = {}

    def decay(self, dt: float, time_constant: float) -> None:
        """Residue leaves the tube exponentially."""
        factor = math.exp(-dt / time_constant)
        self.residue = {kind: mass * factor for kind, mass in self.residue.items() if mass * factor > 1e-4}

    def ions(self, polarity: int, elapsed: float | None) -> list[tuple[float, float]]:
        """(K0, share of the charge) of everything in the tube; `elapsed` seconds into a run, None when idle."""
        weights = [
            (peak.k0, 1.0 if peak.role else CALIBRANT_WEIGHT * self.calibrant[polarity])
            for peak in REFERENCES
            if peak.polarity == polarity
        ]
        vapour = 0.0 if elapsed is None else evaporation(elapsed)
        for kind in dict.fromkeys((*self.loads, *self.residue)):
            if kind.polarity == polarity:
                mass = self.loads.get(kind, 0.0) * vapour + self.residue.get(kind, 0.0)
                weights.extend((k0, kind.sensitivity * mass * share) for k0, share in kind.ions)
        total = sum(weight for _, weight in weights)
        return [(k0, weight / total * self.charge[polarity]) for k0, weight in sorted(weights)]

    def depleted(self, polarity: int, elapsed: float | None) -> bool:
        """Less than a tenth of the idle reactant ion peak is left."""
        (reactant,) = (peak.k0 for peak in REFERENCES if peak.polarity == polarity and peak.role)
        idle = self.charge[polarity] / (1.0 + CALIBRANT_WEIGHT * self.calibrant[polarity])
        return dict(self.ions(polarity, elapsed))[reactant] < 0.1 * idle

    def trace(self, polarity: int, elapsed: float | None, temperature: float, pressure: float) -> Trace:
        """The noisy plasmagram in counts, `window.points` values, before the converter."""
        window, tube = self.window, self._tube
        out = np.full(window.points, BASELINE)
        ions = self.ions(polarity, elapsed)
        narrowest = tube.width(tube.drift_time(max(k0 for k0, _ in ions), temperature, pressure), temperature)
        for k0, share in ions:
            centre = tube.drift_time(k0, temperature, pressure)
            width = tube.width(centre, temperature)
            _add_peak(out, window, (centre, width, CHARGE * share * narrowest / width))
        spread = np.sqrt(_READOUT_NOISE**2 + _SHOT_NOISE * (out - BASELINE))
        noisy: Trace = out + spread * self._noise.standard_normal(window.points)
        return noisy


def _add_peak(out: Trace, window: Window, peak: tuple[float, float, float]) -> None:
    """Add a Gaussian (centre s, full width at half height s, height) where it matters."""
    centre, width, height = peak
    at = (centre - window.start) / window.interval
    sigma = width / window.interval / math.sqrt(8 * math.log(2))
    first = max(0, math.floor(at - 6 * sigma))
    last = min(window.points, math.ceil(at + 6 * sigma) + 1)
    if first < last:
        out[first:last] += height * np.exp(-0.5 * ((np.arange(first, last) - at) / sigma) ** 2)
