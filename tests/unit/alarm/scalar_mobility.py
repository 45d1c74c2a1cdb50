"""The same judgement of one scan in plain Python, from the description and not from the code: for comparison only."""

import math
from dataclasses import dataclass

from devicehub.alarm.mobility import Facts, Mode, SubstanceLibrary

FLANK, ZONE, LEAST_NOISE = 0.3, 1.75, 0.5


@dataclass
class Peak:
    centre: float
    amplitude: float
    fwhm: float
    misfit: float = 0.0


@dataclass
class ScalarScan:
    calibrated: bool
    reactant_ok: bool
    saturated: bool
    blind: bool
    calibrant: Peak | None
    reactant: Peak | None
    peaks: list[tuple[float, float, float]]
    hits: list[set[str]]
    present: set[str]
    excluded: set[str]


class Scalar:
    """One scan: `y` in counts over `start + step * index` ms."""

    def __init__(self, y: list[float], axis: tuple[float, float], library: SubstanceLibrary, full: float) -> None:
        self.y, self.library, self.full = y, library, full
        self.start, self.step = axis
        self.rules = library.signal
        self.reach = max(2, round(0.25 * sum(self.rules.fwhm_ms) / self.step))

    def judge(self, facts: Facts, mode: Mode) -> ScalarScan:
        self.level, noise = self.quiet()
        self.least = self.rules.snr * noise
        reactant = self.reference(facts.reactant_ms)
        window = facts.calibrant_ms
        if reactant is not None:
            near = self.ms(reactant) * mode.reactant.k0 / mode.calibrant.k0
            low, high = near * (1 - mode.pair_tolerance), near * (1 + mode.pair_tolerance)
            window = (max(window[0], low), min(window[1], high))
        calibrant = self.reference(window)
        same = facts.calibrant == mode.calibrant.name and abs(facts.calibrant_k0 / mode.calibrant.k0 - 1) <= 0.005
        low, high = mode.calibrant.amplitude
        calibrated = calibrant is not None and same and low <= calibrant.amplitude <= high
        ok = reactant is not None and reactant.amplitude >= mode.reactant.amplitude[0]
        others = self.others([one for one in (reactant, calibrant) if one is not None]) if calibrated else []
        k0 = [mode.calibrant.k0 * self.ms(calibrant) / self.ms(one) for one in others] if calibrant else []
        strongest = max((one.amplitude for one in others), default=0.0)
        depleted = reactant is not None and not ok and strongest >= mode.reactant.amplitude[0]
        hits = [self.hits(one, value, mode) for one, value in zip(others, k0, strict=True)]
        present, excluded = self.rules_met(others, hits, mode)
        return ScalarScan(
            calibrated, ok, max(self.y) >= self.full or depleted, self.blind(calibrant, reactant, mode),
            calibrant, reactant, [(v, p.amplitude, p.fwhm * self.step) for v, p in zip(k0, others, strict=True)],
            hits, present, excluded,
        )  # fmt: skip

    def ms(self, peak: Peak) -> float:
        return self.start + self.step * peak.centre

    def quiet(self) -> tuple[float, float]:
        first, last = (min(max(math.ceil((ms - self.start) / self.step), 0), len(self.y)) for ms in self.rules.quiet_ms)
        if last - first < 8:
            return 0.0, math.inf
        stride = math.ceil((last - first) / 64)
        values = sorted(self.y[first:last:stride])
        level = values[len(values) // 2]
        deviations = sorted(abs(value - level) for value in values)
        return level, max(1.4826 * deviations[len(values) // 2], LEAST_NOISE)

    def reference(self, window: tuple[float, float]) -> Peak | None:
        inside = [at for at in range(len(self.y)) if window[0] <= self.start + self.step * at <= window[1]]
        if not inside:
            return None
        peak = self.fit(max(inside, key=lambda at: (self.y[at], -at)))
        if (
            peak is None
            or peak.misfit > 0.03 + 2 * self.least / self.rules.snr / peak.amplitude
            or peak.amplitude < self.least
            or not window[0] <= self.ms(peak) <= window[1]
        ):
            return None
        low, high = self.rules.fwhm_ms
        return peak if low <= peak.fwhm * self.step <= high else None

    def fit(self, at: int, *, shapeless: bool = False) -> Peak | None:
        """Weighted least squares of ln y on a parabola, by Gaussian elimination."""
        stride = max(1, self.reach // 5)
        side = self.reach // stride
        places = [at + stride * offset for offset in range(-side, side + 1)]
        if places[0] < 0 or places[-1] >= len(self.y):
            return None
        heights = [0.0 if self.y[one] >= self.full else self.y[one] - self.level for one in places]
        top = max(heights)
        used = [(one, height / top) for one, height in zip(places, heights, strict=True) if height > FLANK * top > 0]
        if len(used) < 4:
            return None
        rows = [[0.0] * 4 for _ in range(3)]
        for place, height in used:
            x, weight = (place - at) / self.reach, height * height
            for i in range(3):
                for j in range(3):
                    rows[i][j] += weight * x ** (i + j)
                rows[i][3] += weight * x**i * math.log(height)
        a, b, c = solve(rows)
        if not c < 0 or abs(-b / (2 * c)) > 1:
            return Peak(at, self.y[at] - self.level, math.inf) if shapeless else None
        sigma = math.sqrt(-0.5 / c) * self.reach
        left = total = 0.0
        for place, height in used:
            x, weight = (place - at) / self.reach, height * height
            left += weight * (math.log(height) - a - b * x - c * x * x) ** 2
            total += weight
        amplitude = top * math.exp(a - b * b / (4 * c))
        fwhm = sigma * math.sqrt(8 * math.log(2))
        return Peak(at - b / (2 * c) * self.reach, amplitude, fwhm, math.sqrt(left / total))

    def others(self, references: list[Peak]) -> list[Peak]:
        zones = []
        for one in references:
            half = ZONE * one.fwhm
            zones.append((math.floor(one.centre - half), math.ceil(one.centre + half) + 1))
        first = math.ceil((self.rules.quiet_ms[0] - self.start) / self.step)
        out = []
        for at in self.tops():
            peak = None if at < first or any(a <= at < b for a, b in zones) else self.fit(at, shapeless=True)
            if peak is None or peak.amplitude < self.least or peak.centre < first:
                continue
            if any(a <= peak.centre < b for a, b in zones) or peak.fwhm * self.step < self.rules.fwhm_ms[0]:
                continue
            out.append(peak)
        return out

    def tops(self) -> list[int]:
        """Highest within the reach on both sides; equal ones within the reach of each other are one, their middle."""
        groups: list[list[int]] = []
        for at, value in enumerate(self.y):
            around = self.y[max(0, at - self.reach) : at + self.reach + 1]
            if value - self.level > self.least and value == max(around):
                if groups and at - groups[-1][-1] <= self.reach:
                    groups[-1].append(at)
                else:
                    groups.append([at])
        return [(group[0] + group[-1]) // 2 for group in groups]

    def hits(self, peak: Peak, k0: float, mode: Mode) -> set[str]:
        if peak.fwhm * self.step > self.rules.fwhm_ms[1]:
            return set()
        lines = [line for line in self.library.lines if line.mode == mode.name]
        return {line.name for line in lines if abs(line.k0 - k0) <= line.window}

    def rules_met(self, peaks: list[Peak], hits: list[set[str]], mode: Mode) -> tuple[set[str], set[str]]:
        heights: dict[str, float] = {}
        for peak, names in zip(peaks, hits, strict=True):
            for name in names:
                heights[name] = max(heights.get(name, 0.0), peak.amplitude)
        present, excluded = set(), set()
        for one in self.library.substances:
            enough = {name for name, height in heights.items() if height >= one.threshold}
            if one.mode != mode.name or not enough.issuperset(one.required):
                continue
            if not one.any_of or enough.intersection(one.any_of):
                present.add(one.name)
                if heights.keys() & set(one.exclusion):
                    excluded.add(one.name)
        return present, excluded

    def blind(self, calibrant: Peak | None, reactant: Peak | None, mode: Mode) -> bool:
        if calibrant is None:
            return False
        first = self.start + self.step * self.reach
        last = self.start + self.step * (len(self.y) - 1 - self.reach)
        product = mode.calibrant.k0 * self.ms(calibrant)
        for line in self.library.lines:
            if line.mode != mode.name or line.interferent:
                continue
            low, high = product / (line.k0 + line.window), product / (line.k0 - line.window)
            if low < first or high > last:
                return True
            for one in (calibrant, reactant):
                half = ZONE * one.fwhm * self.step if one else 0.0
                if one and low < self.ms(one) + half and high > self.ms(one) - half:
                    return True
        return False


def solve(rows: list[list[float]]) -> tuple[float, float, float]:
    for pivot in range(3):
        best = max(range(pivot, 3), key=lambda row: abs(rows[row][pivot]))
        rows[pivot], rows[best] = rows[best], rows[pivot]
        for row in range(pivot + 1, 3):
            factor = rows[row][pivot] / rows[pivot][pivot]
            rows[row] = [one - factor * two for one, two in zip(rows[row], rows[pivot], strict=True)]
    out = [0.0, 0.0, 0.0]
    for row in (2, 1, 0):
        known = sum(rows[row][column] * out[column] for column in range(row + 1, 3))
        out[row] = (rows[row][3] - known) / rows[row][row]
    return out[0], out[1], out[2]
