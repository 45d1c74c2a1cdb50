"""What a run or a blank comes to. Every result names the library by its digest."""

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """Judgement of one mode or one run. Neither CLEAR nor ALARM is ever given without a valid calibrant."""

    CLEAR = "clear"
    ALARM = "alarm"
    INCONCLUSIVE = "inconclusive"
    UNCALIBRATED = "uncalibrated"


class Remark(StrEnum):
    """Why a verdict is no better, or what to know beside it."""

    UNCALIBRATED = "uncalibrated"
    OTHER_SCALE = "other-scale"
    NO_REACTANT = "no-reactant"
    SATURATED = "saturated"
    CARRY_OVER = "carry-over"
    EXCLUDED = "excluded"
    BLIND = "blind"
    DAMAGED = "not-a-number"
    TOO_FEW_SCANS = "too-few-scans"


class Finding(StrEnum):
    """What the peaks in a substance's windows amount to. Only ALARM is one."""

    ALARM = "alarm"
    CARRIED_OVER = "carried-over"
    EXCLUDED = "excluded"
    BRIEF = "brief"
    PARTIAL = "partial"


class Match(Struct, frozen=True):
    """Peaks in a substance's windows. Numbers are of its strongest peak; `scan` counts the mode's scans from 0.

    `scans`: most consecutive usable scans in which the rule was met. `interferents`: harmless things known to look so.
    """

    substance: str
    group: str
    mode: str
    finding: Finding
    line: str
    k0: float
    amplitude: float
    snr: float
    scan: int
    scans: int
    interferents: tuple[str, ...]


class Unmatched(Struct, frozen=True):
    """A strong peak in no substance's window. `name`: of a harmless interferent, or empty: unknown.

    `broad`: wider than one ion's peak can be, so that two may hide in it.
    """

    mode: str
    k0: float
    amplitude: float
    snr: float
    scans: int
    broad: bool
    name: str


class ModeSummary(Struct, frozen=True):
    """One mode of a run. `calibrant_ms`: median over the calibrated scans, 0 for none."""

    mode: str
    verdict: Verdict
    remarks: tuple[Remark, ...]
    scans: int
    calibrated: int
    calibrant_ms: float


class RunResult(Struct, frozen=True):
    """One run. Published whatever the verdict: clear runs are the denominator."""

    verdict: Verdict
    remarks: tuple[Remark, ...]
    modes: tuple[ModeSummary, ...]
    matches: tuple[Match, ...]
    unmatched: tuple[Unmatched, ...]
    library: str
    digest: str


class BlankResult(Struct, frozen=True):
    """A blank between runs. `residue`: substances of at least their threshold and their counts: clean or bake out."""

    modes: tuple[ModeSummary, ...]
    residue: tuple[tuple[str, float], ...]
    library: str
    digest: str

    @property
    def contaminated(self) -> bool:
        """A substance of the library is still in the instrument."""
        return bool(self.residue)
