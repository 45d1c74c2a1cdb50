"""Judging 1000 plasmagrams of 2000 points, beside `scipy.signal.find_peaks` row by row in the same run.

Run: python benchmarks/mobility.py [--runs 50] [--rounds 15] [--json]

Two things to compare with: `find_peaks` alone, called for each row with what a peak must have (height, prominence,
width), and a whole judge around it, written as one writes it row by row: level and noise, peaks, reactant ion,
calibrant, K0, windows, consecutive scans. The verdicts of both judges on every run must be the same, or nothing is
printed. The scans are of the reference instrument's simulator, one run in ten with a substance. Beside them, the same
scans as one run of a device at a hub, 16 and 512 a step: all steps, and the longest of them, in which nothing else
of the hub goes on. scipy is needed by this benchmark only: python -m pip install scipy.
"""

import argparse
import importlib
import json
import time
from collections.abc import Callable
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.mobility import Gas, ScanBatch, SubstanceLibrary, Tube, Verdict, facts, judge_runs, judge_scans
from devicehub.config.substances import shipped_library
from devicehub.core.mobility import MobilityRules
from devicehub.core.runs import Screening
from devicehub.model.drift import Drift
from devicehub.model.reading import Axis, Layout, Outcome, Result, Spectrum, Stamp
from devicehub.model.units import Unit
from simulators.trace import _ims_physics as physics

GOAL = 30.0
SCANS, PERIOD = 20, 0.25
LOADS = (("TNT", 20.0), ("cocaine", 10.0), ("RDX", 30.0), ("methamphetamine", 25.0), ("PETN", 40.0))
Trace = NDArray[np.float64]


class FindPeaks(Protocol):
    """The part of `scipy.signal.find_peaks` that is used."""

    def __call__(
        self, x: Trace, *, height: float, prominence: float, width: tuple[float, float], rel_height: float
    ) -> tuple[NDArray[np.intp], dict[str, Trace]]:
        """Positions and properties of peaks."""
        ...


def scans(runs: int, points: int = 2000) -> NDArray[np.uint16]:
    """Scans of `runs` runs, polarities alternating, one run in ten with a load."""
    rows = []
    for run in range(runs):
        chemistry = physics.Chemistry(Random(run), physics.Tube())
        chemistry.window = physics.Window(points=points)
        if run % 10 == 0:
            name, mass = LOADS[run // 10 % len(LOADS)]
            chemistry.loads = {physics.substance(name): mass}
        kelvin = 383.0 + 0.1 * (run % 7)
        rows += [chemistry.trace(scan % 2, PERIOD * (scan + 1), kelvin, 1008.0) for scan in range(SCANS)]
    return np.clip(np.rint(np.stack(rows)), 0, 65535).astype(np.uint16)


def batch(counts: NDArray[np.uint16], library: SubstanceLibrary) -> ScanBatch:
    known = tuple(facts(mode, Tube(6.0, 1400.0), Gas(383.0, 1008.0)) for mode in library.modes)
    rows = len(counts)
    return ScanBatch(counts, 2.0, 20.0 / counts.shape[1], known, np.arange(rows) % 2, np.zeros(rows, np.bool_))


def ours(work: ScanBatch, library: SubstanceLibrary) -> list[frozenset[str] | Verdict]:
    seen = judge_scans(work, library)
    results = judge_runs(seen, library, range(0, len(work.counts), SCANS))
    return [
        frozenset(match.substance for match in one.matches if match.finding == "alarm") or one.verdict
        for one in results
    ]


def peaks_only(work: ScanBatch, find_peaks: FindPeaks) -> None:
    for row in work.counts:
        find_peaks(row, height=472.0, prominence=72.0, width=(15.0, 45.0), rel_height=0.5)


def row_by_row(work: ScanBatch, library: SubstanceLibrary, find_peaks: FindPeaks) -> list[frozenset[str] | Verdict]:
    out: list[frozenset[str] | Verdict] = []
    for begin in range(0, len(work.counts), SCANS):
        series: dict[str, list[bool]] = {substance.name: [] for substance in library.substances}
        valid = True
        for scan in range(begin, begin + SCANS):
            heights = one_row(work, scan, library, find_peaks)
            valid &= heights is not None
            for substance in library.substances:
                if substance.mode == library.modes[scan % 2].name and heights is not None:
                    series[substance.name].append(met(heights, substance.required, substance.any_of))
        alarmed = frozenset(name for name, values in series.items() if longest(values) >= library.run.minimum_scans)
        out.append(alarmed or (Verdict.CLEAR if valid else Verdict.UNCALIBRATED))
    return out


def one_row(work: ScanBatch, scan: int, library: SubstanceLibrary, find_peaks: FindPeaks) -> dict[str, float] | None:
    """Counts by line; None without a valid calibrant."""
    mode, known, rules = library.modes[scan % 2], work.facts[scan % 2], library.signal
    first, last = (int((ms - work.start_ms) / work.step_ms) for ms in rules.quiet_ms)
    quiet = work.counts[scan, first:last]
    level = float(np.median(quiet))
    least = rules.snr * 1.4826 * float(np.median(np.abs(quiet - level)))
    width = (rules.fwhm_ms[0] / work.step_ms, rules.fwhm_ms[1] / work.step_ms)
    _, found = find_peaks(work.counts[scan] - level, height=least, prominence=least, width=width, rel_height=0.5)
    middle = work.start_ms + work.step_ms * 0.5 * (found["left_ips"] + found["right_ips"])
    tall = found["peak_heights"]
    reactant = highest(middle, tall, known.reactant_ms)
    if reactant is None:
        return None
    near = middle[reactant] * mode.reactant.k0 / mode.calibrant.k0
    calibrant = highest(middle, tall, (near * (1 - mode.pair_tolerance), near * (1 + mode.pair_tolerance)))
    if calibrant is None or not mode.calibrant.amplitude[0] <= tall[calibrant] <= mode.calibrant.amplitude[1]:
        return None
    k0 = mode.calibrant.k0 * middle[calibrant] / middle
    return {
        line.name: float(tall[inside].max())
        for line in library.lines
        if line.mode == mode.name and (inside := np.abs(k0 - line.k0) <= line.window).any()
    }


def highest(middle: Trace, tall: Trace, window: tuple[float, float]) -> int | None:
    inside = np.flatnonzero((middle >= window[0]) & (middle <= window[1]))
    return int(inside[tall[inside].argmax()]) if inside.size else None


def met(heights: dict[str, float], required: tuple[str, ...], any_of: tuple[str, ...]) -> bool:
    enough = {name for name, height in heights.items() if height >= 150.0}
    return all(name in enough for name in required) and (not any_of or any(name in enough for name in any_of))


def longest(values: list[bool]) -> int:
    best = run = 0
    for value in values:
        run = run + 1 if value else 0
        best = max(best, run)
    return best


def spectra(work: ScanBatch, library: SubstanceLibrary) -> list[Spectrum]:
    """The scans as a driver gives them, all of one run."""
    axis = Axis(Unit.MILLISECOND, work.step_ms, work.start_ms)
    calibrants = [mode.calibrant for mode in library.modes]
    drifts = [Drift(6.0, 1400.0, 383.0, 1008.0, calibrant.name, calibrant.k0) for calibrant in calibrants]
    return [
        Spectrum(
            "plasmagram",
            row.astype("<u2").tobytes(),
            Layout.U16LE,
            axis,
            mode=library.modes[index % 2].name,
            run="1",
            index=index,
            drift=drifts[index % 2],
        )
        for index, row in enumerate(work.counts)
    ]


def stepwise(given: list[Spectrum], library: SubstanceLibrary, together: int) -> tuple[float, float]:
    """Seconds of all steps of a run, and of the longest; the last step judges the run."""
    screening, times, now = Screening(MobilityRules(library)), [], Stamp(0.0, 0.0)
    for begin in range(0, len(given), together):
        begun = time.perf_counter()
        for one in given[begin : begin + together]:
            screening.take(one, now, "")
        screening.settle()
        times.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    screening.result(Result(Outcome.CLEAR, "1", 1.0, scans=len(given)), now, "")
    times.append(time.perf_counter() - begun)
    return sum(times), max(times)


def fastest(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of several calls: the one that nothing else disturbed."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def measured(runs: int, rounds: int, find_peaks: FindPeaks) -> dict[str, float]:
    library = shipped_library()
    work = batch(scans(runs), library)
    if (first := ours(work, library)) != (second := row_by_row(work, library, find_peaks)):
        differing = [(at, a, b) for at, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
        raise SystemExit(f"the verdicts differ: {differing}")
    given = spectra(work, library)
    steps = {size: [stepwise(given, library, size) for _ in range(rounds)] for size in (16, 512)}
    hub = {
        f"hub, {size} scans a step{name}": 1e3 * min(one[part] for one in found)
        for size, found in steps.items()
        for part, name in enumerate(("", ": longest"))
    }
    return {
        "scans": len(work.counts),
        "runs with an alarm": sum(isinstance(one, frozenset) for one in first),
        "judge": 1e3 * fastest(lambda: judge_scans(work, library), rounds),
        "judge with the verdicts of its runs": 1e3 * fastest(lambda: ours(work, library), rounds),
        "find_peaks alone": 1e3 * fastest(lambda: peaks_only(work, find_peaks), max(3, rounds // 3)),
        "judge row by row with find_peaks": 1e3 * fastest(
            lambda: row_by_row(work, library, find_peaks), max(3, rounds // 3)
        ),
        **hub,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Ion mobility: vectorised judge against scipy row by row")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        find_peaks: FindPeaks = importlib.import_module("scipy.signal").find_peaks
    except ImportError:
        print("skipped: scipy is not installed; python -m pip install scipy")
        return
    result = measured(given.runs, given.rounds, find_peaks)
    if given.json:
        print(json.dumps(result))
        return
    print(f"{result['scans']:.0f} scans of 2000 points, {result['runs with an alarm']:.0f} of {given.runs} runs alarm")
    print("the verdicts of both judges are the same on every run")
    for name in list(result)[2:]:
        print(f"{name:38} {result[name]:8.2f} ms {result[name] / result['judge']:7.1f} x")
    whole = result["judge row by row with find_peaks"] / result["judge with the verdicts of its runs"]
    print(f"verdicts against verdicts: {whole:.1f} x (goal {GOAL:.0f} x)")


if __name__ == "__main__":
    main()
