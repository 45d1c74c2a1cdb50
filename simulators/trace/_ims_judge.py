"""The reference instrument's own judgement: it looks at its plasmagrams, not at what the trainer put in.

Apex search on the mean of a run's scans, K0 relative to the calibrant (`K0 = K0_cal * t_cal / t`), names from
the library within `TOLERANCE`, an alarm above `THRESHOLD`. So it also alarms on interferents and residue, and
misses what the library does not hold.
"""

import math
from dataclasses import dataclass

import numpy as np

from simulators.trace._ims_physics import REFERENCES, SUBSTANCES, Trace, Tube, Window
from simulators.trace._ims_reference_wire import NO_VALUE, Gas, Peak, Verdict

THRESHOLD = 150.0  # counts: alarm, on the mean of a run
RESIDUE = 100.0  # counts: contaminated, on one idle scan
BAKE_OUT = 300.0
FLOOR = 40.0  # counts: the least that is a peak
TOLERANCE = 0.006  # cm2/(V.s)
CLEAR, ALARM, INCONCLUSIVE, ABORTED = range(4)
CAUSE_NONE, CAUSE_OPERATOR, CAUSE_SATURATED, CAUSE_UNCALIBRATED, CAUSE_FAULT, CAUSE_CONTAMINATED, CAUSE_REACTANT = (
    range(7)
)
USABLE, CALIBRATING, UNCALIBRATED, CONTAMINATED, NO_REACTANT = range(5)
_CALIBRANT_TOLERANCE = 0.01  # of the drift time expected from the sensors
_REACTANT_FLOOR = 0.1  # of the height it should have
_ROLE_GROUP = {0: 3, 1: 4}


@dataclass(frozen=True, slots=True)
class Apex:
    """A peak in a plasmagram: drift time in s, height above the baseline in counts."""

    time: float
    height: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What one polarity looks like: condition, drift time of the calibrant (0: not found), named peaks."""

    condition: int
    calibrant: float
    peaks: tuple[Peak, ...]

    @property
    def strongest(self) -> float:
        """Counts of the strongest peak that belongs to a substance group."""
        return max((peak.amplitude for peak in self.peaks if peak.group in {1, 2}), default=0.0)


def apexes(trace: Trace, window: Window, width: float) -> list[Apex]:
    """Peaks that are highest within their `width` (s) and stand out of the noise, in order of time."""
    reach = max(1, round(width / window.interval / 2))
    flat = trace - np.median(trace)
    kernel = np.ones(max(1, reach // 3))
    smooth = np.convolve(flat, kernel / kernel.size, mode="same")
    noise = 1.4826 * float(np.median(np.abs(smooth - np.median(smooth))))
    padded = np.pad(smooth, 2 * reach, constant_values=-math.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 4 * reach + 1).max(axis=1)
    (found,) = np.nonzero((smooth == highest) & (smooth > max(8 * noise, FLOOR)))
    inside = (int(at) for at in found if reach <= at < smooth.size - reach)
    return [_fitted(smooth, at, max(1, reach // 2), window) for at in inside]


def _fitted(smooth: Trace, at: int, spacing: int, window: Window) -> Apex:
    """Parabola through three points around the highest."""
    left, top, right = (float(smooth[at + offset]) for offset in (-spacing, 0, spacing))
    bend = left - 2 * top + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return Apex(window.start + window.interval * (at + spacing * shift), top - 0.25 * (left - right) * shift)


class Judge:
    """Looks at traces of one polarity at a time; remembers where the calibrant last stood."""

    def __init__(self, tube: Tube) -> None:
        self._tube = tube
        self._calibrant = {0: 0.0, 1: 0.0}
        self._height = {0: 0.0, 1: 0.0}

    def idle(self, polarity: int, trace: Trace, window: Window, gas: Gas) -> Seen:
        """Look at a blank: calibrant where the sensors say it should be, reactant ion present, residue."""
        calibrant, reactant = self._expected(polarity, gas)
        width = self._tube.width(calibrant, gas.temperature)
        found = apexes(trace, window, width)
        near = [apex for apex in found if abs(apex.time / calibrant - 1) < _CALIBRANT_TOLERANCE]
        if not any(abs(apex.time / reactant - 1) < 0.1 for apex in found if apex.height > _REACTANT_FLOOR * 20_000):
            return Seen(NO_REACTANT, 0.0, ())
        if not near:
            return Seen(UNCALIBRATED, 0.0, ())
        self._calibrant[polarity] = max(near, key=lambda apex: apex.height).time
        peaks = self._named(polarity, found, RESIDUE)
        residue = any(peak.group in {1, 2} and peak.amplitude > RESIDUE for peak in peaks)
        return Seen(CONTAMINATED if residue else USABLE, self._calibrant[polarity], peaks)

    def _expected(self, polarity: int, gas: Gas) -> tuple[float, float]:
        """Drift times of calibrant and reactant ion by the sensors."""
        calibrant, reactant = sorted(
            (peak for peak in REFERENCES if peak.polarity == polarity), key=lambda peak: peak.role
        )
        times = (self._tube.drift_time(peak.k0, gas.temperature, gas.pressure) for peak in (calibrant, reactant))
        first, second = times
        return first, second

    def run(self, means: dict[int, Trace], window: Window, gas: Gas) -> tuple[Peak, ...]:
        """The named peaks of a run's mean traces, strongest first, 16 at the most."""
        out: list[Peak] = []
        for polarity, trace in means.items():
            calibrant, _ = self._expected(polarity, gas)
            found = apexes(trace, window, self._tube.width(calibrant, gas.temperature))
            near = [apex for apex in found if abs(apex.time / calibrant - 1) < _CALIBRANT_TOLERANCE]
            if near:
                self._calibrant[polarity] = max(near, key=lambda apex: apex.height).time
            out.extend(self._named(polarity, found, THRESHOLD))
        return tuple(sorted(out, key=lambda peak: -peak.amplitude)[:16])

    def _named(self, polarity: int, found: list[Apex], threshold: float) -> tuple[Peak, ...]:
        calibrant = next(peak.k0 for peak in REFERENCES if peak.polarity == polarity and not peak.role)
        reference = self._calibrant[polarity]
        if not reference:
            return ()
        return tuple(_name(polarity, calibrant * reference / apex.time, apex.height, threshold) for apex in found)


def _name(polarity: int, k0: float, height: float, threshold: float) -> Peak:
    for reference in REFERENCES:
        if reference.polarity == polarity and abs(reference.k0 - k0) < 2 * TOLERANCE:
            group = _ROLE_GROUP[reference.role]
            return Peak(
                polarity, group, alarmed=False, confidence=NO_VALUE, k0=k0, amplitude=height, name=reference.name
            )
    entries = [
        (abs(ion - k0), kind.name, kind.group)
        for kind in SUBSTANCES
        for ion, _ in kind.ions
        if kind.polarity == polarity and abs(ion - k0) < TOLERANCE
    ]
    if not entries:
        return Peak(polarity, 0, alarmed=False, confidence=NO_VALUE, k0=k0, amplitude=height, name="")
    distance, name, group = min(entries)
    confidence = round(100 * (1 - distance / TOLERANCE))
    return Peak(polarity, group, height > threshold, confidence, k0, height, name)


def verdict(peaks: tuple[Peak, ...], conditions: tuple[int, int], *, saturated: bool) -> Verdict:
    """Alarm before everything; else inconclusive when a polarity could not have seen anything."""
    if any(peak.alarmed for peak in peaks):
        return Verdict(ALARM, CAUSE_SATURATED if saturated else CAUSE_NONE, peaks)
    causes = {
        UNCALIBRATED: CAUSE_UNCALIBRATED,
        CONTAMINATED: CAUSE_CONTAMINATED,
        NO_REACTANT: CAUSE_REACTANT,
    }
    for condition in conditions:
        if condition in causes:
            return Verdict(INCONCLUSIVE, causes[condition], peaks)
    return Verdict(INCONCLUSIVE, CAUSE_SATURATED, peaks) if saturated else Verdict(CLEAR, CAUSE_NONE, peaks)
