"""Ion mobility: plasmagrams to verdicts. Pure numpy, no I/O, no clock; results carry the digest of the library.

For each scan: level and noise, reactant ion, calibrant, and the reduced mobility of every other peak relative to the
calibrant of the same scan, **K0 = K0_cal * t_cal / t**, in which drift length, voltage, temperature and pressure
cancel. A scan without a valid calibrant has no such axis, and so no peaks and no verdict. For each run: what was
found, what was not, and why nothing can be said.
"""

from devicehub.alarm.mobility.drift import Facts, Gas, Tube, drift_ms, facts, unknown
from devicehub.alarm.mobility.judge import judge_scans, sightings
from devicehub.alarm.mobility.run import MobilityJudge, Residue, judge_run, judge_runs
from devicehub.alarm.mobility.scans import Candidates, ScanBatch, Scans, Sightings, joined
from devicehub.alarm.mobility.substances import (
    Line,
    Mode,
    Reference,
    RunRules,
    SignalRules,
    Substance,
    SubstanceLibrary,
)
from devicehub.alarm.mobility.verdict import (
    BlankResult,
    Finding,
    Match,
    ModeSummary,
    Remark,
    RunResult,
    Unmatched,
    Verdict,
)

__all__ = [
    "BlankResult",
    "Candidates",
    "Facts",
    "Finding",
    "Gas",
    "Line",
    "Match",
    "MobilityJudge",
    "Mode",
    "ModeSummary",
    "Reference",
    "Remark",
    "Residue",
    "RunResult",
    "RunRules",
    "ScanBatch",
    "Scans",
    "Sightings",
    "SignalRules",
    "Substance",
    "SubstanceLibrary",
    "Tube",
    "Unmatched",
    "Verdict",
    "drift_ms",
    "facts",
    "joined",
    "judge_run",
    "judge_runs",
    "judge_scans",
    "sightings",
    "unknown",
]
