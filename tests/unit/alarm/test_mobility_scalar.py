"""The judge of batches and the one in plain Python agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.alarm.mobility import Line, Scans, Substance, SubstanceLibrary, judge_scans
from tests.unit.alarm import plasmagrams as draw
from tests.unit.alarm.scalar_mobility import Peak, Scalar, ScalarScan

POINTS = 500
BATCHES, ROWS = 60, 50

MISLEADING = Line("misleading", "negative", 1.35, 0.004, "test", "training")
PICKY = Substance("picky", "explosives", "negative", ("TNT [M-H]-",), (), ("misleading",), 300.0, 3, ())
LIBRARY = draw.with_lines([MISLEADING], [PICKY])


def scan(chance: np.random.Generator, mode: int) -> draw.Counts:
    """Anything from a perfect blank to rubbish, mostly in between."""
    reference = LIBRARY.modes[mode]
    ms = draw.START + 20.0 / POINTS * np.arange(POINTS)
    out = np.full(POINTS, chance.uniform(0, 2000))
    stretch = chance.normal(1.0, 0.01)
    height = chance.choice([0.0, 80.0, 1500.0, 20000.0, 30000.0, 70000.0], p=[0.05, 0.05, 0.1, 0.6, 0.15, 0.05])
    out += draw.gaussian(ms, draw.drift(reference.reactant.k0) * stretch, height)
    shift = chance.choice([1.0, 1.002, 1.0032, 0.99, 1.03], p=[0.7, 0.1, 0.1, 0.05, 0.05])
    height = chance.choice([0.0, 90.0, 240.0, 500.0, 6000.0, 50000.0], p=[0.05, 0.05, 0.05, 0.05, 0.75, 0.05])
    out += draw.gaussian(ms, draw.drift(reference.calibrant.k0) * stretch * shift, height)
    lines = [line.k0 for line in LIBRARY.lines if line.mode == reference.name]
    for _ in range(chance.integers(0, 5)):
        k0 = chance.choice(lines) * chance.normal(1.0, 0.002) if chance.random() < 0.7 else chance.uniform(0.9, 3.2)
        out += draw.gaussian(ms, draw.drift(k0) * stretch, 10 ** chance.uniform(1.5, 4.9))
    out += chance.choice([0.0, 3.0, 12.0, 40.0]) * chance.standard_normal(POINTS)
    for _ in range(chance.integers(0, 3)):
        out[chance.integers(POINTS)] += chance.choice([500.0, 90000.0])
    return np.asarray(np.clip(np.rint(out), 0, 65535))


def disagreements(rows: list[draw.Counts], library: SubstanceLibrary) -> list[str]:
    counts = np.stack(rows)
    work = draw.batch(counts)
    together = judge_scans(work, library)
    out = []
    for row, values in enumerate(counts.tolist()):
        alone = Scalar(values, (draw.START, work.step_ms), library, 65535.0)
        single = alone.judge(work.facts[row % 2], library.modes[row % 2])
        out += [f"scan {row}: {text}" for text in differences(together, row, single, library)]
    return out


def differences(scans: Scans, row: int, single: ScalarScan, library: SubstanceLibrary) -> list[str]:
    own = np.flatnonzero(scans.candidates.scan == row)
    names = [line.name for line in library.lines]
    rules = [substance.name for substance in library.substances]
    whole = {
        "calibrated": (bool(scans.calibrated[row]), single.calibrated),
        "reactant": (bool(scans.reactant_ok[row]), single.reactant_ok),
        "saturated": (bool(scans.saturated[row]), single.saturated),
        "blind": (bool(scans.blind[row]), single.blind),
        "hits": ([{names[at] for at in np.flatnonzero(hit)} for hit in scans.candidates.hit[own]], single.hits),
        "present": ({rules[at] for at in np.flatnonzero(scans.sightings.present[row])}, single.present),
        "excluded": ({rules[at] for at in np.flatnonzero(scans.sightings.excluded[row])}, single.excluded),
        "peaks": (own.size, len(single.peaks)),
    }
    out = [f"{name} {ours} != {other}" for name, (ours, other) in whole.items() if ours != other]
    table = scans.candidates
    ours = [(table.k0[at], table.amplitude[at], table.fwhm_ms[at]) for at in own]
    for mine, other in zip(ours, single.peaks, strict=False):
        out += [] if mine == pytest.approx(other, rel=1e-6) else [f"peak {mine} != {other}"]
    for reading, peak in ((scans.calibrant, single.calibrant), (scans.reactant, single.reactant)):
        out += reference(float(reading.ms[row]), float(reading.amplitude[row]), peak)
    return out


def reference(ms: float, amplitude: float, peak: Peak | None) -> list[str]:
    expected = (draw.START + 20.0 / POINTS * peak.centre, peak.amplitude) if peak else (0.0, 0.0)
    return [] if (ms, amplitude) == pytest.approx(expected, rel=1e-6) else [f"{(ms, amplitude)} != {expected}"]


def test_thousands_of_scans_are_judged_alike() -> None:
    chance = np.random.default_rng(20)
    kinds: set[object] = set()
    for _ in range(BATCHES):
        rows = [scan(chance, row % 2) for row in range(ROWS)]
        assert disagreements(rows, LIBRARY) == []
        found = judge_scans(draw.batch(np.stack(rows)), LIBRARY)
        kinds |= {
            (bool(a), bool(b), bool(c))
            for a, b, c in zip(found.calibrated, found.reactant_ok, found.saturated, strict=True)
        }
        kinds |= {"present"} if found.sightings.present.any() else set()
        kinds |= {"excluded"} if found.sightings.excluded.any() else set()
        kinds |= {"broad"} if found.candidates.broad.any() else set()
        kinds |= {"shapeless"} if np.isinf(found.candidates.fwhm_ms).any() else set()
    assert len(kinds) == 8 + 4, "the scans must reach every state, or their agreement says little"


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6), st.integers(0, 3))
@settings(deadline=None, max_examples=60)
def test_any_scans_are_judged_alike_in_any_company(seeds: list[int], garbage: int) -> None:
    rows = [scan(np.random.default_rng(seed), number % 2) for number, seed in enumerate(seeds)]
    chance = np.random.default_rng(seeds[0])
    rows += [chance.integers(0, 65536, POINTS).astype(np.float64) for _ in range(garbage)]
    assert disagreements(rows, LIBRARY) == []


def test_a_disagreement_would_be_noticed() -> None:
    """The comparison itself: with another library on one side it must complain."""
    rows = [scan(np.random.default_rng(seed), seed % 2) for seed in range(40)]
    work = draw.batch(np.stack(rows))
    together = judge_scans(work, draw.library())
    wrong = [
        difference
        for row, values in enumerate(np.stack(rows).tolist())
        for difference in differences(
            together, row, Scalar(values, (draw.START + 0.02, work.step_ms), draw.library(), 65535.0).judge(
                work.facts[row % 2], draw.library().modes[row % 2]), draw.library())
    ]  # fmt: skip
    assert wrong


def test_the_place_of_a_scan_in_its_batch_does_not_matter() -> None:
    rows = [scan(np.random.default_rng(seed), seed % 2) for seed in range(20)]
    together = judge_scans(draw.batch(np.stack(rows)), LIBRARY)
    for at in range(0, 20, 2):
        alone = judge_scans(draw.batch(np.stack(rows[at : at + 2])), LIBRARY)
        inside = (together.candidates.scan >= at) & (together.candidates.scan < at + 2)
        np.testing.assert_array_equal(alone.candidates.k0, together.candidates.k0[inside])
        np.testing.assert_array_equal(alone.calibrated, together.calibrated[at : at + 2])
        np.testing.assert_array_equal(alone.sightings.strength, together.sightings.strength[at : at + 2])
