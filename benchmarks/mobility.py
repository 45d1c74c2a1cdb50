"""Judging 1000 plasmagrams of 2000 points, beside `scipy.signal.find_peaks` row by row in the same run.

Two things to compare with: `find_peaks` alone, called for each row with what a peak must have (height, prominence,
width), and a whole judge around it, written as one writes it row by row: level and noise, peaks, reactant ion,
calibrant, K0, windows, consecutive scans. The verdicts of both judges on every run must be the same, or nothing is
told. The scans are of the reference instrument's simulator, one run in ten with a substance. Beside them, the same
scans as one run of a device at a hub, 1, 16 and 512 a step: all steps, and the longest of them, in which nothing else
of the hub goes on.
"""

import importlib
import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from written import table

from devicehub.alarm.mobility import Gas, ScanBatch, SubstanceLibrary, Tube, Verdict, facts, judge_runs, judge_scans
from devicehub.config.substances import shipped_library
from devicehub.core.mobility import MobilityRules
from devicehub.core.runs import Screening
from devicehub.model.drift import Drift
from devicehub.model.reading import Axis, Layout, Outcome, Result, Spectrum, Stamp
from devicehub.model.units import Unit
from simulators.trace import _ims_physics as physics

GOAL = 30.0
RUNS = 50
JUDGE, VERDICTS = "**the judge**, scans only", "**the judge**, to the verdicts of the runs"
ALONE, BY_ROW = "`find_peaks` alone, row by row", "a judge around `find_peaks`, row by row, to the same verdicts"
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
        begun = time.process_time()
        for one in given[begin : begin + together]:
            screening.take(one, now, "")
        screening.settle()
        times.append(time.process_time() - begun)
    begun = time.process_time()
    screening.result(Result(Outcome.CLEAR, "1", 1.0, scans=len(given)), now, "")
    times.append(time.process_time() - begun)
    return sum(times), max(times)


def fastest(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds of the fastest call of each, in which they take turns: the one that nothing else disturbed."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.process_time()
            way()
            best[name] = min(best[name], 1e3 * (time.process_time() - begun))
    return best


def part(rounds: int) -> tuple[str, list[str]]:
    """The figures as Markdown, and what is not installed. Raises `SystemExit` where the verdicts differ."""
    try:
        find_peaks: FindPeaks = importlib.import_module("scipy.signal").find_peaks
    except ImportError:
        return "Nothing to compare with.", ["scipy"]
    library = shipped_library()
    work = batch(scans(RUNS), library)
    if (first := ours(work, library)) != (second := row_by_row(work, library, find_peaks)):
        differing = [(at, a, b) for at, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
        raise SystemExit(f"the verdicts differ: {differing}")
    took = fastest(
        {
            JUDGE: lambda: judge_scans(work, library),
            VERDICTS: lambda: ours(work, library),
            ALONE: lambda: peaks_only(work, find_peaks),
            BY_ROW: lambda: row_by_row(work, library, find_peaks),
        },
        rounds,
    )
    rows = [[name, f"{ms:.1f}", f"{ms / took[VERDICTS]:.2g}"] for name, ms in took.items()]
    given = spectra(work, library)
    for size in (1, 16, 512):
        whole, longest = (
            1e3 * min(one) for one in zip(*(stepwise(given, library, size) for _ in range(3)), strict=True)
        )
        told = f"the hub, as one run, scans a step: {size}; its longest step takes {longest:.1f} ms"
        rows.append([told, f"{whole:.1f}", f"{whole / took[VERDICTS]:.2g}"])
    alarms = sum(isinstance(one, frozenset) for one in first)
    told = f"""{len(work.counts)} scans of {work.counts.shape[1]} points, {RUNS} runs of which {alarms} alarm; both
judges give the same verdict on every run. Processor time, the fastest of {rounds}, in turn. Goal:
{GOAL:g} times as fast as row by row."""
    return f"{told}\n\n{table(['', 'ms', 'ratio'], rows)}", []
