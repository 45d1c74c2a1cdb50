"""Plasmagrams for the tests of ion mobility: from the simulator, and drawn by hand."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from random import Random

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.mobility import (
    Facts,
    Gas,
    Line,
    RunResult,
    ScanBatch,
    Scans,
    Substance,
    SubstanceLibrary,
    Tube,
    facts,
    judge_run,
    judge_scans,
)
from devicehub.config.substances import shipped_library
from simulators.trace import _ims_physics as physics

TUBE = Tube(6.0, 1400.0)
GAS = Gas(383.0, 1008.0)
SCANS, PERIOD = 20, 0.25
NEGATIVE, POSITIVE = 0, 1
STEP, START, POINTS = 0.01, 2.0, 2000

Counts = NDArray[np.floating]
Loads = Mapping[str, float]


@cache
def library() -> SubstanceLibrary:
    return shipped_library()


def chemistry(seed: int, loads: Loads | None = None, points: int = POINTS) -> physics.Chemistry:
    out = physics.Chemistry(Random(seed), physics.Tube())
    out.window = physics.Window(points=points)
    out.loads = {physics.substance(name): mass for name, mass in (loads or {}).items()}
    return out


def traces(source: physics.Chemistry, gas: Gas = GAS, scans: int = SCANS, *, idle: bool = False) -> Counts:
    """Scans of a run (or blanks), polarities alternating, negative first, as the converter gives them."""
    rows = [
        source.trace(scan % 2, None if idle else PERIOD * (scan + 1), gas.kelvin, gas.hectopascal)
        for scan in range(scans)
    ]
    return np.clip(np.rint(np.stack(rows)), 0, 65535)


def known(gas: Gas = GAS, among: SubstanceLibrary | None = None) -> tuple[Facts, ...]:
    """What the host knows: `gas` is what the sensors say, right or wrong."""
    return tuple(facts(mode, TUBE, gas) for mode in (among or library()).modes)


def batch(counts: Counts, given: tuple[Facts, ...] | None = None, *, saturated: Iterable[int] = ()) -> ScanBatch:
    """Polarities alternating, negative first; 16-bit when all are whole numbers in range."""
    rows, points = counts.shape
    flags = np.zeros(rows, dtype=np.bool_)
    flags[list(saturated)] = True
    whole = bool(np.isfinite(counts).all() and (counts == np.rint(counts)).all() and counts.min(initial=0.0) >= 0)
    values = counts.astype(np.uint16) if whole else counts
    return ScanBatch(values, START, 20.0 / points, given or known(), np.arange(rows) % 2, flags)


def judged(counts: Counts, given: tuple[Facts, ...] | None = None, among: SubstanceLibrary | None = None) -> RunResult:
    return judge_run(seen(counts, given, among), among or library())


def seen(counts: Counts, given: tuple[Facts, ...] | None = None, among: SubstanceLibrary | None = None) -> Scans:
    return judge_scans(batch(counts, given), among or library())


def run(loads: Loads | None = None, seed: int = 1, gas: Gas = GAS) -> Counts:
    return traces(chemistry(seed, loads), gas)


def drawn(mode: int, peaks: Iterable[tuple[float, float]], *, seed: int | None = 0, points: int = POINTS) -> Counts:
    """One scan with peaks (K0, counts) as they stand at `GAS`; noise of 12 counts unless `seed` is None."""
    reference = library().modes[mode]
    ms = START + 20.0 / points * np.arange(points)
    out = np.full(points, 400.0)
    for k0, height in ((reference.reactant.k0, 20000.0), (reference.calibrant.k0, 6000.0), *peaks):
        out += gaussian(ms, drift(k0), height)
    return out if seed is None else out + 12.0 * np.random.default_rng(seed).standard_normal(points)


def gaussian(ms: Counts, centre: float, height: float) -> Counts:
    """A peak as wide as gate and diffusion make it."""
    sigma = math.hypot(0.2, centre / 62.0) / math.sqrt(8 * math.log(2))
    return np.asarray(height * np.exp(-0.5 * ((ms - centre) / sigma) ** 2))


def drift(k0: float) -> float:
    """Drift time in ms at `GAS`, computed here and not by what is tested."""
    return 1e3 * 36.0 / (1400.0 * k0 * (383.0 / 273.15) * (1013.25 / 1008.0))


def series(mode: int, scans: Iterable[Iterable[tuple[float, float]]], *, other: int = 1) -> Counts:
    """A run of hand-drawn scans of one mode, each beside a blank of the other mode."""
    rows = []
    for number, peaks in enumerate(scans):
        pair = {mode: drawn(mode, peaks, seed=2 * number), 1 - mode: drawn(1 - mode, (), seed=2 * number + 1)}
        rows += [pair[NEGATIVE], pair[POSITIVE]][: 1 + other]
    return np.stack(rows)


def with_rule(**changes: object) -> SubstanceLibrary:
    """The shipped library, TNT's rule changed."""
    rules = [replace(one, **changes) if one.name == "TNT" else one for one in library().substances]  # type: ignore[arg-type]
    return replace(library(), substances=tuple(rules))


def with_lines(lines: Iterable[Line], substances: Iterable[Substance] = ()) -> SubstanceLibrary:
    shipped = library()
    return replace(shipped, lines=(*shipped.lines, *lines), substances=(*shipped.substances, *substances))
