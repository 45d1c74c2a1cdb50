"""What the judge of plasmagrams says, as it is published: results, and what an instrument can detect."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from devicehub.alarm.mobility import (
    Finding,
    Match,
    ModeSummary,
    Remark,
    RunResult,
    SubstanceLibrary,
    Unmatched,
    Verdict,
)
from devicehub.core.measure import finite
from devicehub.model.payload import IdentifiedData, ModeData, PeakData, ResultData, Source
from devicehub.model.reading import Cause, Level, Outcome, Result
from devicehub.model.units import Unit

Ability = tuple[Level, Cause]

UNMATCHED = "unmatched"
UNSEEN: Ability = (Level.NONE, Cause.UNCALIBRATED)

_OUTCOMES = MappingProxyType(
    {
        Verdict.ALARM: Outcome.ALARM,
        Verdict.CLEAR: Outcome.CLEAR,
        Verdict.INCONCLUSIVE: Outcome.INCONCLUSIVE,
        Verdict.UNCALIBRATED: Outcome.INCONCLUSIVE,
    }
)
_CAUSES = MappingProxyType(
    {
        Remark.UNCALIBRATED: Cause.UNCALIBRATED,
        Remark.OTHER_SCALE: Cause.OTHER_SCALE,
        Remark.NO_REACTANT: Cause.NO_REACTANT,
        Remark.SATURATED: Cause.SATURATED,
        Remark.BLIND: Cause.BLOCKED,
        Remark.DAMAGED: Cause.NOT_A_NUMBER,
        Remark.TOO_FEW_SCANS: Cause.INCOMPLETE,
        Remark.CARRY_OVER: Cause.CARRY_OVER,
        Remark.EXCLUDED: Cause.EXCLUDED,
    }
)
_LEVELS = MappingProxyType(
    {
        Remark.UNCALIBRATED: Level.NONE,
        Remark.OTHER_SCALE: Level.NONE,
        Remark.NO_REACTANT: Level.NONE,
        Remark.BLIND: Level.NONE,
        Remark.DAMAGED: Level.NONE,
        Remark.SATURATED: Level.DEGRADED,
    }
)
_GRADES = (Level.FULL, Level.DEGRADED, Level.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended. `scans` arrived and `kept` were judged, `sent` as the device says; duration in s.

    `doubts`: what speaks against "clear" beside what the scans show, gravest first.
    """

    run: str
    scans: int = 0
    kept: int = 0
    sent: int | None = None
    duration: float | None = None
    aborted: bool = False
    doubts: tuple[Cause, ...] = ()


def device_result(result: Result) -> ResultData:
    """The device's own verdict."""
    peaks = tuple(PeakData(p.name, p.position, p.unit, p.amplitude, finite(p.confidence)) for p in result.peaks)
    return ResultData(
        outcome=result.outcome,
        sample_id=result.sample_id,
        duration_s=finite(result.duration),
        peaks=peaks,
        cause=result.cause,
        identified=tuple(IdentifiedData(one.name, finite(one.confidence), one.group) for one in result.identified),
        note=result.note,
        operator=result.operator,
        defects=result.defects,
        device_time=finite(result.device_time),
    )


def hub_result(result: RunResult | None, library: SubstanceLibrary, ending: Ending) -> ResultData:
    """The hub's verdict on a run; `result` is None where no scan of it could be judged.

    An alarm stands whatever else is wrong. Clear is only what the judge calls clear, of a run that ended in order, of
    which enough scans arrived and that the device itself does not doubt.
    """
    doubts = [*ending.doubts]
    if ending.kept < library.run.usable_fraction * max(ending.scans, ending.sent or 0) or result is None:
        doubts.append(Cause.INCOMPLETE)
    seen = [] if result is None else [_CAUSES[remark] for remark in result.remarks]
    causes = tuple(dict.fromkeys([*doubts, *seen] if ending.aborted else [*seen, *doubts]))
    outcome = Outcome.INCONCLUSIVE if result is None else _OUTCOMES[result.verdict]
    if outcome is not Outcome.ALARM and ending.aborted:
        outcome = Outcome.ABORTED
    elif outcome is Outcome.CLEAR and doubts:
        outcome = Outcome.INCONCLUSIVE
    return ResultData(
        outcome=outcome,
        sample_id=ending.run,
        duration_s=None if ending.duration is None else finite(round(ending.duration, 3)),
        peaks=() if result is None else (*_matched(result.matches, library), *map(_unmatched, result.unmatched)),
        cause=causes[0] if causes else Cause.NONE,
        source=Source.HUB,
        causes=causes,
        modes=() if result is None else tuple(map(_mode, result.modes)),
        scans=ending.scans,
        sent=ending.sent,
        library=f"{library.name} {library.version}",
        library_digest=library.digest,
    )


def ability(summary: ModeSummary) -> Ability:
    """What can be detected in a mode, by what its last scans showed."""
    found = [(_LEVELS[remark], _CAUSES[remark]) for remark in summary.remarks if remark in _LEVELS]
    return worst(found)


def worst(abilities: Iterable[Ability]) -> Ability:
    """The least of several, the first of equals; full of none."""
    return max(abilities, key=lambda one: grade(one[0]), default=(Level.FULL, Cause.NONE))


def grade(level: Level) -> int:
    """0 for the best level; more for less."""
    return _GRADES.index(level)


def in_full(level: Level, cause: Cause) -> bool:
    """Whether that is all of it. What says full and names a cause why it is not has said both; the worse counts."""
    return level is Level.FULL and cause is Cause.NONE


def alarms(result: RunResult) -> tuple[Match, ...]:
    """The substances that alarm."""
    return tuple(match for match in result.matches if match.finding is Finding.ALARM)


def _mode(summary: ModeSummary) -> ModeData:
    return ModeData(
        mode=summary.mode,
        outcome=_OUTCOMES[summary.verdict],
        scans=summary.scans,
        calibrated=summary.calibrated,
        causes=tuple(_CAUSES[remark] for remark in summary.remarks),
        calibrant_ms=round(summary.calibrant_ms, 6) if summary.calibrated else None,
    )


def _matched(matches: Sequence[Match], library: SubstanceLibrary) -> list[PeakData]:
    lines = {(line.mode, line.name): line for line in library.lines}
    return [
        PeakData(
            name=match.line,
            position=round(match.k0, 6),
            unit=Unit.REDUCED_MOBILITY,
            amplitude=round(match.amplitude, 1),
            confidence=round(max(0.0, 1 - abs(match.k0 - line.k0) / line.window), 3),
            substance=match.substance,
            group=match.group,
            mode=match.mode,
            finding=match.finding,
            snr=finite(round(match.snr, 1)),
            scans=match.scans,
            interferents=match.interferents,
        )
        for match in matches
        for line in [lines[match.mode, match.line]]
    ]


def _unmatched(peak: Unmatched) -> PeakData:
    return PeakData(
        name=peak.name,
        position=round(peak.k0, 6),
        unit=Unit.REDUCED_MOBILITY,
        amplitude=round(peak.amplitude, 1),
        mode=peak.mode,
        finding=UNMATCHED,
        snr=finite(round(peak.snr, 1)),
        scans=peak.scans,
        broad=peak.broad,
    )
