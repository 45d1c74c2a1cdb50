"""Strong peaks that no substance explains: an unknown substance looks like this and raises no alarm."""

import numpy as np

from devicehub.alarm.mobility.peaks import Flags, Indices
from devicehub.alarm.mobility.state import ModeView
from devicehub.alarm.mobility.verdict import Unmatched

SAME_K0 = 0.01
MOST = 16


def unmatched(view: ModeView) -> list[Unmatched]:
    """Peaks of at least the library's `strong_snr` in enough scans, joined where their K0 agree, strongest first."""
    candidates, library, span = view.scans.candidates, view.library, view.peaks
    own = view.scans.mode[candidates.scan[span]] == view.mode
    strong = own & (candidates.snr[span] >= library.signal.strong_snr)
    strong &= ~(candidates.hit[span] & ~library.rules.interferent).any(axis=1)
    left: Indices = span.start + np.flatnonzero(strong)
    left = left[np.argsort(-candidates.amplitude[left], kind="stable")]
    out: list[Unmatched] = []
    while left.size and len(out) < MOST:
        same: Flags = np.abs(candidates.k0[left] - candidates.k0[left[0]]) <= SAME_K0
        if np.unique(candidates.scan[left[same]]).size >= library.run.minimum_scans:
            out.append(_joined(view, left[same]))
        left = left[~same]
    return out


def _joined(view: ModeView, peaks: Indices) -> Unmatched:
    """One entry for the same peak in several scans; `peaks[0]` is the strongest."""
    candidates = view.scans.candidates
    lines = np.flatnonzero(candidates.hit[peaks].any(axis=0))
    return Unmatched(
        mode=view.name,
        k0=float(np.median(candidates.k0[peaks])),
        amplitude=float(candidates.amplitude[peaks[0]]),
        snr=float(candidates.snr[peaks[0]]),
        scans=int(np.unique(candidates.scan[peaks]).size),
        broad=bool(candidates.broad[peaks[0]]),
        name=", ".join(view.library.lines[line].name for line in lines),
    )
