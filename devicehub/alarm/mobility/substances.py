"""The substance library: which peaks mean what, and how a peak has to look.

Site data, read from TOML by `devicehub.config.substances`. K0 values belong to a scale, that is to a calibrant
with an assumed K0: two published scales differ by 5 % and agree to 0.2 % once they share a reference peak
(Roscioli et al. 2011 against the scale of 4-nitrobenzonitrile = 1.652). So every mode names its calibrant.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SignalRules:
    """What counts as a peak, and where there is none. Times in ms, SNR in standard deviations of the noise."""

    quiet_ms: Range
    fwhm_ms: Range
    snr: float
    strong_snr: float


@dataclass(frozen=True, slots=True)
class RunRules:
    """What a run needs. `carry_over` is the factor by which a peak has to exceed what was left from before."""

    minimum_scans: int
    usable_fraction: float
    carry_over: float


@dataclass(frozen=True, slots=True)
class Reference:
    """A peak that has to be there: calibrant or reactant ion. K0 in cm2/(V.s), amplitudes in counts."""

    name: str
    k0: float
    amplitude: Range
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Mode:
    """One polarity. `pair_tolerance` is how far t_reactant / t_calibrant may be off, as a fraction."""

    name: str
    calibrant: Reference
    reactant: Reference
    pair_tolerance: float


@dataclass(frozen=True, slots=True)
class Line:
    """One detection window: `k0` +- `window`, in cm2/(V.s). A line may belong to a harmless interferent."""

    name: str
    mode: str
    k0: float
    window: float
    source: str
    confidence: str
    interferent: bool = False


@dataclass(frozen=True, slots=True)
class Substance:
    """A rule: all of `required`, one of `any_of` (if any are named), and a look at `exclusion`.

    All names are of lines of the same mode. `threshold` in counts holds for required and any-of lines; an exclusion
    line counts as soon as it is a peak. `interferents` are harmless things known to look like it.
    """

    name: str
    group: str
    mode: str
    required: tuple[str, ...]
    any_of: tuple[str, ...]
    exclusion: tuple[str, ...]
    threshold: float
    minimum_scans: int
    interferents: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RuleTable:
    """The rules as arrays: masks of shape (substances, lines), thresholds of shape (substances,).

    `mode` is the mode of each line as an index into the library's modes, -1 for none.
    """

    required: NDArray[np.bool_]
    any_of: NDArray[np.bool_]
    exclusion: NDArray[np.bool_]
    threshold: NDArray[np.float64]
    k0: NDArray[np.float64]
    window: NDArray[np.float64]
    mode: NDArray[np.intp]
    interferent: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SubstanceLibrary:
    """A whole library. `digest` names exactly this content and goes into every result."""

    name: str
    version: str
    scale: str
    status: str
    signal: SignalRules
    run: RunRules
    modes: tuple[Mode, ...]
    lines: tuple[Line, ...]
    substances: tuple[Substance, ...]
    digest: str
    rules: RuleTable = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", _table(self))


def _table(library: SubstanceLibrary) -> RuleTable:
    modes = [mode.name for mode in library.modes]
    shape = (len(library.substances), len(library.lines))

    def mask(of: Callable[[Substance], tuple[str, ...]]) -> NDArray[np.bool_]:
        named = [line.mode == one.mode and line.name in of(one) for one in library.substances for line in library.lines]
        return np.array(named, dtype=np.bool_).reshape(shape)

    return RuleTable(
        required=mask(lambda one: one.required),
        any_of=mask(lambda one: one.any_of),
        exclusion=mask(lambda one: one.exclusion),
        threshold=np.array([one.threshold for one in library.substances], dtype=np.float64),
        k0=np.array([line.k0 for line in library.lines], dtype=np.float64),
        window=np.array([line.window for line in library.lines], dtype=np.float64),
        mode=np.array([modes.index(one.mode) if one.mode in modes else -1 for one in library.lines], dtype=np.intp),
        interferent=np.array([line.interferent for line in library.lines], dtype=np.bool_),
    )
