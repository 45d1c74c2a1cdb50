"""Spectra of one shape as a batch of plasmagrams, with what the instrument said of itself at each."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from devicehub.alarm.layout import view
from devicehub.alarm.mobility import Facts, Gas, Mode, ScanBatch, Tube, facts, unknown
from devicehub.alarm.mobility.peaks import Counts
from devicehub.model.reading import Cause, Spectrum
from devicehub.model.units import Unit

LEAST_POINTS = 2


def is_plasmagram(spectrum: Spectrum) -> bool:
    """Counts over an even axis of drift time in ms."""
    axis = spectrum.axis
    if spectrum.layout.encoded or axis.unit is not Unit.MILLISECOND or axis.quadratic or axis.step <= 0:
        return False
    return view(spectrum.data, spectrum.layout).size >= LEAST_POINTS


def scan_batch(spectra: Sequence[Spectrum], modes: Mapping[str, Mode]) -> ScanBatch:
    """Plasmagrams of the same axis and layout, at least one. `modes`: those of the library, by name.

    A scan whose instrument does not say what is needed, or of a mode that the library has not, is not calibrated.
    """
    known: dict[Facts, int] = {}
    which = [known.setdefault(_facts(one, modes.get(one.mode)), len(known)) for one in spectra]
    first = spectra[0]
    return ScanBatch(
        counts=cast(Counts, np.stack([view(one.data, one.layout) for one in spectra])),  # all layouts are numbers
        start_ms=first.axis.start,
        step_ms=first.axis.step,
        facts=tuple(known),
        fact=np.array(which, dtype=np.intp),
        saturated=np.array([one.cause is Cause.SATURATED for one in spectra], dtype=np.bool_),
    )


def _facts(spectrum: Spectrum, mode: Mode | None) -> Facts:
    drift = spectrum.drift
    if drift is None or mode is None:
        return unknown(spectrum.mode)
    if min(drift.length_cm, drift.voltage, drift.kelvin, drift.hectopascal) <= 0:
        return unknown(spectrum.mode)
    gas, tube = Gas(drift.kelvin, drift.hectopascal), Tube(drift.length_cm, drift.voltage)
    return facts(mode, tube, gas, (drift.calibrant, drift.calibrant_k0))
