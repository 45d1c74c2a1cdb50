"""Raw counts of thermal cameras to temperatures in Cel and back.

Three rules, from exact to estimate:

* Linear counts: `kelvin64` (1/64 K: P2 Pro, TC001, Thermal Master) and `centikelvin` (1/100 K: Lepton TLinear).
* The Planck chain of FLIR cameras, with T in Cel, relative humidity h in 0..1 and distance d in m:

      S(T)    = R1 / (R2 (exp(B / (T + 273.15)) - F)) - O
      h2o     = h exp(1.5587 + 0.06939 Tair - 0.00027816 Tair^2 + 0.00000068455 Tair^3)
      tau     = X exp(-sqrt(d/2) (A1 + B1 sqrt(h2o))) + (1 - X) exp(-sqrt(d/2) (A2 + B2 sqrt(h2o)))
      raw     = e tau W tau S(T) + (1 - e) tau W tau S(Trefl) + (1 - tau) W tau S(Tair)
                + (1 - W) tau S(Twindow) + (1 - tau) S(Tair)        solved for S(T), and that for
      T       = B / ln(R1 / (R2 (S(T) + O)) + F) - 273.15

  with emissivity e, transmission W of an external window and the same air (tau) on both sides of it.

  Source: gtatters/Thermimage, `raw2temp` and `temp2raw`; its published values are in the unit tests.
* The broad-band balance, for cameras without Planck constants, with all T in K:

      Tapp^4 = tau (e Tobj^4 + (1 - e) Trefl^4) + (1 - tau) Tair^4

  Source: pieotr/p3-ir-camera, docs/ANALYSIS.md. Its result is an estimate and must be labelled so.

Where an equation has no solution the result is NaN, never a number. Nothing here refuses a low
emissivity: the caller marks values below `LOWEST_EMISSIVITY`, because only it knows the image.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

ZERO_CELSIUS = 273.15
LOWEST_EMISSIVITY = 0.3

Floats = TypeVar("Floats", float, NDArray[np.float64])
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planck:
    """A camera's calibration: R1, B (K), F, O (counts) and R2 of the Planck chain."""

    r1: float
    b: float
    f: float
    o: float
    r2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AirConstants:
    """A camera's constants of atmospheric transmission; the defaults are those of every FLIR file seen."""

    a1: float = 0.006569
    a2: float = 0.01262
    b1: float = -0.002276
    b2: float = -0.00667
    x: float = 1.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the camera looks at and through: temperatures in Cel, distance in m, the rest as fractions 0..1."""

    emissivity: float = 0.95
    reflected: float = 20.0
    distance: float = 0.0
    air: float = 20.0
    humidity: float = 0.5
    window: float = 20.0
    window_transmission: float = 1.0
    constants: AirConstants = AirConstants()


def kelvin64(raw: Floats) -> Floats:
    """Counts of 1/64 K to Cel. A raw count of 0 is absolute zero."""
    return raw / 64.0 - ZERO_CELSIUS


def centikelvin(raw: Floats) -> Floats:
    """Counts of 1/100 K to Cel."""
    return (raw - 27315.0) / 100.0


def transmission(around: Surroundings) -> float:
    """Transmission tau of the air on each side of the window; 1 at distance 0, NaN where undefined."""
    k, air = around.constants, np.float64(around.air)
    with np.errstate(all="ignore"):
        h2o = around.humidity * np.exp(1.5587 + 0.06939 * air - 0.00027816 * air**2 + 0.00000068455 * air**3)
        depth, wet = np.sqrt(np.float64(around.distance) / 2.0), np.sqrt(h2o)
        first = k.x * np.exp(-depth * (k.a1 + k.b1 * wet))
        return float(first + (1.0 - k.x) * np.exp(-depth * (k.a2 + k.b2 * wet)))


def counts_of(planck: Planck, celsius: FloatArray | float) -> FloatArray:
    """S(T): the counts that a black body at T would give. NaN below absolute zero. Same shape as `celsius`."""
    with np.errstate(all="ignore"):
        kelvin = np.asarray(celsius, dtype=np.float64) + ZERO_CELSIUS
        value = planck.r1 / (planck.r2 * (np.exp(planck.b / kelvin) - planck.f)) - planck.o
        return np.where(kelvin > 0, value, np.nan)


def _weights(planck: Planck, around: Surroundings) -> tuple[float, float]:
    """`(w, c)` of `raw = w * S(Tobj) + c`: the object's share in the counts and everything else's counts."""
    tau, window, e = transmission(around), around.window_transmission, around.emissivity
    air, pane, mirror = counts_of(planck, np.array([around.air, around.window, around.reflected]))
    # From the object to the sensor: reflection, air, window, air.
    with np.errstate(all="ignore"):
        behind_air = tau * (1 - e) * mirror + (1 - tau) * air
        behind_window = window * behind_air + (1 - window) * pane
        return float(e * tau * window * tau), float(tau * behind_window + (1 - tau) * air)


def celsius(raw: FloatArray | float, planck: Planck, around: Surroundings) -> FloatArray:
    """Counts to the object's temperature in Cel, same shape, f64. NaN where the chain has no solution."""
    share, rest = _weights(planck, around)
    with np.errstate(all="ignore"):
        source = (np.asarray(raw, dtype=np.float64) - rest) / np.float64(share) + planck.o
        kelvin = planck.b / np.log(planck.r1 / (planck.r2 * source) + planck.f)
        # Outside this domain the formula still gives numbers, and they mean nothing.
        possible = (share > 0) & (source > 0) & (kelvin > 0) & np.isfinite(kelvin)
        return np.where(possible, kelvin - ZERO_CELSIUS, np.nan)


def raw_of(target: FloatArray | float, planck: Planck, around: Surroundings) -> FloatArray:
    """The inverse of `celsius`: the counts an object at `target` Cel gives, same shape, f64, not rounded."""
    share, rest = _weights(planck, around)
    return share * counts_of(planck, target) + rest


@lru_cache(maxsize=16)
def celsius_table(planck: Planck, around: Surroundings) -> NDArray[np.float32]:
    """Cel of every 16-bit count, f32 of shape (65536,), read-only: `table[frame]` converts a frame at once.

    Rounded to 0.001 K, far below any sensor's noise, so that a picture has the same bytes on every machine.
    """
    table = celsius(np.arange(65536, dtype=np.float64), planck, around).round(3).astype(np.float32)
    table.setflags(write=False)
    return table


def balance(
    apparent: FloatArray | float, emissivity: float, reflected: float, *, air: float = 20.0, tau: float = 1.0
) -> FloatArray:
    """Estimate of the object's temperature in Cel from the apparent one (Cel, same shape) by the broad-band balance.

    NaN where no object could look so cold beside that reflection, and for an emissivity or tau outside 0..1.
    """
    seen = (np.asarray(apparent, dtype=np.float64) + ZERO_CELSIUS) ** 4
    if not (0 < emissivity <= 1 and 0 < tau <= 1):
        return np.full(seen.shape, np.nan)
    from_air, from_mirror = (np.array([air, reflected]) + ZERO_CELSIUS) ** 4
    power = ((seen - (1 - tau) * from_air) / tau - (1 - emissivity) * from_mirror) / emissivity
    return np.where(power > 0, np.maximum(power, 0.0) ** 0.25 - ZERO_CELSIUS, np.nan)
