"""Where an ion's peak is expected, from what an instrument says of itself. Only to know where to look: never to judge.

`K = L**2 / (V t)`, `K0 = K (273.15 / T) (P / 1013.25)` (definition of the reduced mobility). An error of 1 K moves
a K0 computed this way by 0.26 %, 1 hPa by 0.10 %: as much as a whole detection window. So K0 is computed
relative to the calibrant elsewhere, and these windows are wide.
"""

from dataclasses import dataclass

from devicehub.alarm.mobility.substances import Mode, Range

SENSOR_TOLERANCE = 0.06
_NOWHERE = (0.0, -1.0)


@dataclass(frozen=True, slots=True)
class Tube:
    """Drift length in cm and the voltage over it in V."""

    length_cm: float
    voltage: float


@dataclass(frozen=True, slots=True)
class Gas:
    """What the sensors say of the drift gas: K and hPa."""

    kelvin: float
    hectopascal: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the instrument for one polarity when a scan was taken.

    `calibrant` and `calibrant_k0` as the instrument states them; the windows (ms) in which its calibrant and its
    reactant ion are looked for.
    """

    mode: str
    calibrant: str
    calibrant_k0: float
    calibrant_ms: Range
    reactant_ms: Range


def unknown(mode: str) -> Facts:
    """Of an instrument that does not say what is needed: no reference peak is looked for, nothing is calibrated."""
    return Facts(mode, "", 0.0, _NOWHERE, _NOWHERE)


def drift_ms(k0: float, tube: Tube, gas: Gas) -> float:
    """Drift time in ms of an ion of reduced mobility `k0`, cm2/(V.s)."""
    mobility = k0 * gas.kelvin / 273.15 * 1013.25 / gas.hectopascal
    return 1e3 * tube.length_cm**2 / (tube.voltage * mobility)


def facts(mode: Mode, tube: Tube, gas: Gas, stated: tuple[str, float] | None = None) -> Facts:
    """Facts of an instrument; windows of +- `SENSOR_TOLERANCE` around the expected times.

    `stated`: name and K0 of the calibrant that the instrument says it uses; None: that of `mode`.
    """
    calibrant, reactant = (drift_ms(reference.k0, tube, gas) for reference in (mode.calibrant, mode.reactant))
    name, k0 = stated or (mode.calibrant.name, mode.calibrant.k0)
    tolerance = SENSOR_TOLERANCE
    return Facts(
        mode=mode.name,
        calibrant=name,
        calibrant_k0=k0,
        calibrant_ms=(calibrant * (1 - tolerance), calibrant * (1 + tolerance)),
        reactant_ms=(reactant * (1 - tolerance), reactant * (1 + tolerance)),
    )
