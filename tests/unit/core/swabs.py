"""Swab runs as a driver gives them: spectra with their run, their index, and what the instrument says of itself."""

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec
import numpy as np

from devicehub.core.runs import Judged, MobilityRules, Screening, Word
from devicehub.model.drift import Drift
from devicehub.model.payload import ResultData
from devicehub.model.reading import Axis, Cause, Layout, Outcome, Quality, Result, Spectrum, Stamp
from devicehub.model.units import Unit
from simulators.trace import _ims_physics as physics
from tests.unit.alarm.plasmagrams import GAS, SCANS, START, TUBE, Counts, chemistry, library, traces
from tests.unit.alarm.plasmagrams import run as plasmagrams

PERIOD = 0.25


def at(mono: float) -> Stamp:
    return Stamp(1_795_500_000.0 + mono, mono)


def spectrum(counts: Counts, index: int, run: str = "7", *, mode: int | None = None) -> Spectrum:
    """Scan `index` of a run, or a blank where `run` is empty; polarities alternate, negative first."""
    reference = library().modes[index % 2 if mode is None else mode]
    calibrant = reference.calibrant
    return Spectrum(
        "plasmagram",
        counts.astype("<u2").tobytes(),
        Layout.U16LE,
        Axis(Unit.MILLISECOND, 20.0 / len(counts), START),
        mode=reference.name,
        run=run,
        index=index if run else None,
        idle=not run,
        drift=Drift(TUBE.length_cm, TUBE.voltage, GAS.kelvin, GAS.hectopascal, calibrant.name, calibrant.k0),
    )


def spectra(counts: Counts, run: str = "7") -> list[Spectrum]:
    return [spectrum(np.clip(np.rint(row), 0, 65535), index, run) for index, row in enumerate(counts)]


@cache
def swab(substance: str = "", mass_ng: float = 20.0, run: str = "7") -> tuple[Spectrum, ...]:
    """A run of twenty scans."""
    return tuple(spectra(plasmagrams({substance: mass_ng} if substance else None), run))


@cache
def blanks(substance: str = "", mass_ng: float = 20.0) -> tuple[Spectrum, ...]:
    """One blank of each polarity, of an instrument in which something may have been left."""
    source = chemistry(5)
    if substance:
        source.residue = {physics.substance(substance): mass_ng}
    return tuple(spectra(traces(source, scans=2, idle=True), ""))


@cache
def without_calibrant(substance: str = "") -> tuple[Spectrum, ...]:
    """A run of an instrument whose calibrant is used up."""
    source = chemistry(1, {substance: 20.0} if substance else None)
    source.calibrant = dict.fromkeys((0, 1), 0.0)
    return tuple(spectra(traces(source)))


def bad(one: Spectrum, cause: Cause) -> Spectrum:
    return msgspec.structs.replace(one, quality=Quality.BAD, cause=cause)


def screening(**changes: object) -> Screening:
    return Screening(MobilityRules(library(), **changes))  # type: ignore[arg-type]


def feed(one: Screening, scans: Iterable[Spectrum], *, settle: bool = True, begin: float = 0.0) -> list[Word]:
    """Give scans at their pace, each in a step of its own or all in one."""
    out: list[Word] = []
    for number, scan in enumerate(scans):
        out += one.take(scan, at(begin + PERIOD * number), f"scan-{number}")
        out += one.settle() if settle else []
    return out + one.settle()


def ended(run: str = "7", outcome: Outcome = Outcome.CLEAR, cause: Cause = Cause.NONE, scans: int = SCANS) -> Result:
    """The device's word on a run."""
    return Result(outcome, run, 5.0, cause=cause, scans=scans)


def judged(words: Sequence[Word]) -> list[ResultData]:
    return [word.data for word in words if isinstance(word, Judged)]


def verdict(scans: Iterable[Spectrum], one: Screening | None = None, end: Result | None = None) -> ResultData:
    """What comes of a run."""
    one = one or screening()
    words = feed(one, scans) + one.result(end or ended(), at(9.0), "device-result")
    (data,) = judged(words)
    return data
