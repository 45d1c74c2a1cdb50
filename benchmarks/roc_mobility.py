"""Receiver operating characteristic of the ion mobility judge on synthetic runs: a figure and a table for the docs.

Run: python benchmarks/roc_mobility.py [--runs 10000] [--seed 1] [--write]

Synthetic means: the plasmagrams come from the simulator of the reference instrument and from the disturbances below, so
the curve says how the judge behaves on these and nothing about any instrument or any substance. Half of the runs have
a substance, its mass evenly spread over 0.1 to 30 ng on a logarithmic scale. Every run has:

* noise: 0 to 25 counts beyond the simulator's;
* sensors that are wrong by 2.5 K and 10 hPa (standard deviations, cut at twice that);
* humidity: up to 40 % less charge, every ion's K0 off by 0.05 % and the reactant ion's by 0.1 % (standard deviations),
  drifting by a tenth of that within the run;
* in three of ten runs an interferent: ascorbic acid, hand cream, or an ion of any mobility at all.

The score of a run for a substance is the highest threshold at which it would alarm: the best of the smallest of
`minimum_scans` consecutive amplitudes. With `--write` docs/img/roc-ims.svg and the table in
docs/explanations/ion-mobility.md are written.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from roc_figure import Curve, figure, table

from devicehub.alarm.mobility import (
    Gas,
    RunResult,
    ScanBatch,
    Scans,
    Sightings,
    SubstanceLibrary,
    Tube,
    facts,
    judge_runs,
    judge_scans,
    sightings,
)
from devicehub.config.substances import shipped_library
from simulators.trace import _ims_physics as physics

ROOT = Path(__file__).parents[1]

SCANS, PERIOD, CHUNK = 20, 0.25, 25
TUBE = Tube(6.0, 1400.0)
Floats = NDArray[np.float64]


class HumidTube(physics.Chemistry):
    """The simulator's drift tube, with every K0 a little off and drifting."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, physics.Tube())
        self.charge = dict.fromkeys((0, 1), 1.0 - 0.4 * random.random())
        self._off = Random(random.getrandbits(64))
        self._shift: dict[float, float] = {}
        self._drift = random.gauss(0, 0.1)

    def ions(self, polarity: int, elapsed: float | None) -> list[tuple[float, float]]:
        """As in the simulator, each K0 times its own factor."""
        reactant = {peak.k0 for peak in physics.REFERENCES if peak.role}
        out = []
        for k0, share in super().ions(polarity, elapsed):
            spread = 0.001 if k0 in reactant else 0.0005
            shift = self._shift.setdefault(k0, self._off.gauss(0, spread))
            out.append((k0 * (1 + shift * (1 + self._drift * (elapsed or 0.0) / 5.0)), share))
        return out


@dataclass(frozen=True)
class Run:
    """What is in a run. `mass` 0: no substance. `interferent`: empty, or what there is."""

    substance: str
    mass: float
    interferent: str
    counts: NDArray[np.uint16]
    sensors: Gas


def one_run(random: Random, noise: np.random.Generator, *, positive: bool) -> Run:
    tube = HumidTube(random)
    substance, mass, interferent = "", 0.0, ""
    if positive:
        kind = random.choice(physics.SUBSTANCES)
        substance, mass = kind.name, 10 ** random.uniform(-1, 1.4771)
        tube.loads[kind] = mass
    if random.random() < 0.3:
        ion = physics.Substance("any ion", 0, random.randrange(2), 0.01, ((random.uniform(0.95, 2.1), 1.0),))
        other = random.choice((*physics.INTERFERENTS, ion))
        interferent = other.name
        tube.loads[other] = random.uniform(5, 60)
    gas = Gas(383.0 + random.gauss(0, 0.5), 1008.0 + random.gauss(0, 5))
    rows = [tube.trace(scan % 2, PERIOD * (scan + 1), gas.kelvin, gas.hectopascal) for scan in range(SCANS)]
    counts = np.stack(rows) + random.uniform(0, 25) * noise.standard_normal((SCANS, len(rows[0])))
    wrong = [max(-2.0, min(2.0, random.gauss(0, 1))) for _ in range(2)]
    sensors = Gas(gas.kelvin + 2.5 * wrong[0], gas.hectopascal + 10 * wrong[1])
    return Run(substance, mass, interferent, np.clip(np.rint(counts), 0, 65535).astype(np.uint16), sensors)


def batch(runs: list[Run], library: SubstanceLibrary) -> ScanBatch:
    known = tuple(facts(mode, TUBE, run.sensors) for run in runs for mode in library.modes)
    fact = np.concatenate([2 * number + np.arange(SCANS) % 2 for number in range(len(runs))])
    counts = np.concatenate([run.counts for run in runs])
    return ScanBatch(counts, 2.0, 0.01, known, fact, np.zeros(len(counts), np.bool_))


def absolute(scans: Scans, runs: list[Run], library: SubstanceLibrary) -> Sightings:
    """What would be seen with K0 from drift length, voltage and the sensors; all else the same."""
    found = scans.candidates
    run = found.scan // SCANS
    factor = np.array([273.15 / one.sensors.kelvin * one.sensors.hectopascal / 1013.25 for one in runs])[run]
    k0 = TUBE.length_cm**2 / (TUBE.voltage * found.ms / 1e3) * factor
    hit = np.abs(k0[:, None] - library.rules.k0) <= library.rules.window
    hit &= (library.rules.mode == scans.mode[found.scan][:, None]) & ~found.broad[:, None]
    return sightings(replace(found, hit=hit), scans.mode.size, library)


def scores(seen: Sightings, scans: Scans, library: SubstanceLibrary) -> Floats:
    """Shape (runs, substances): the highest threshold that would alarm."""
    usable = scans.calibrated & scans.reactant.seen
    strength = np.where(usable[:, None], seen.strength, 0.0).reshape(-1, SCANS, len(library.substances))
    best = np.zeros((len(strength), len(library.substances)))
    for index, substance in enumerate(library.substances):
        parity = [mode.name for mode in library.modes].index(substance.mode)
        own = strength[:, parity::2, index]
        windows = np.lib.stride_tricks.sliding_window_view(own, substance.minimum_scans, axis=1)
        best[:, index] = windows.min(axis=2).max(axis=1)
    return best


@dataclass(frozen=True)
class Judged:
    """One run: its truth, its result, its scores with relative and with absolute K0."""

    run: Run
    result: RunResult
    relative: Floats
    absolute: Floats


def judged(count: int, seed: int, library: SubstanceLibrary) -> Iterator[Judged]:
    random, noise = Random(seed), np.random.default_rng(seed)
    for first in range(0, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        runs = [one_run(random, noise, positive=bool(number % 2)) for number in numbers]
        seen = judge_scans(batch(runs, library), library)
        results = judge_runs(seen, library, range(0, SCANS * len(runs), SCANS))
        relative = scores(seen.sightings, seen, library)
        other = scores(absolute(seen, runs, library), seen, library)
        for at, run in enumerate(runs):
            slim = replace(run, counts=np.zeros((0, 0), np.uint16))
            yield Judged(slim, results[at], relative[at], other[at])
        print(f"\r{numbers[-1] + 1} of {count} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def curve(name: str, runs: list[Judged], library: SubstanceLibrary, *, kind: str = "relative") -> Curve:
    """Detected: the right substance. False: any substance in a run that has none."""
    names = [one.name for one in library.substances]
    true = np.array([getattr(one, kind)[names.index(one.run.substance)] for one in runs if one.run.mass])
    false = np.array([getattr(one, kind).max() for one in runs if not one.run.mass])
    thresholds = np.unique(np.concatenate([true, false, [150.0]]))[::-1]
    thresholds = thresholds[thresholds > 0]
    rates = [(float((false >= one).mean()), float((true >= one).mean())) for one in thresholds]
    return Curve(name, rates, rates[int(np.flatnonzero(thresholds == 150.0)[0])])


def main() -> None:
    parser = argparse.ArgumentParser(description="ROC of the ion mobility judge on synthetic runs")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write the figure and the table into docs")
    given = parser.parse_args()
    library = shipped_library()
    runs = list(judged(given.runs, given.seed, library))
    inside = [one for one in runs if one.run.interferent != "ascorbic acid"]
    curves = [
        curve("relative to the calibrant", runs, library),
        curve("the same, no interferent of TNT's mobility", inside, library),
        curve("absolute K0 from the sensors", runs, library, kind="absolute"),
    ]
    lines = table([(one.run.mass, one.run.substance, one.run.interferent, one.result) for one in runs], curves)
    print("\n".join(lines))
    if given.write:
        (ROOT / "docs/img/roc-ims.svg").write_text(figure(curves, given.runs), encoding="utf-8")
        path = ROOT / "docs/explanations/ion-mobility.md"
        before, _, rest = path.read_text(encoding="utf-8").partition("<!-- generated: roc -->\n")
        _, _, after = rest.partition("<!-- end -->")
        path.write_text(f"{before}<!-- generated: roc -->\n" + "\n".join(lines) + "\n<!-- end -->" + after, "utf-8")


if __name__ == "__main__":
    main()
