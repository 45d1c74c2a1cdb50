"""Whether the wall clock was set, and whether the machine slept: what no duration tells and every date depends on."""

from dataclasses import dataclass

from devicehub.model.reading import Stamp

NOTICED = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """Three clocks at one instant. `boot`: seconds as of the monotonic clock, which go on while the machine sleeps."""

    at: Stamp
    boot: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What happened between two looks at `since` and `until`, in seconds.

    `slept`: how long the machine was suspended. `stepped`: how far the wall clock was set, negative for back; the
    time it slept is no step.
    """

    since: Stamp
    until: Stamp
    slept: float
    stepped: float


class ClockWatch:
    """Compares each look with the one before. Less than `NOTICED` is what time services correct, and no finding."""

    def __init__(self, first: Look) -> None:
        self._last = first

    def look(self, now: Look) -> Finding | None:
        """What happened since the last look, if anything did."""
        last, self._last = self._last, now
        passed = now.at.mono - last.at.mono
        slept = _noticed(now.boot - last.boot - passed)
        stepped = _noticed(now.at.utc - last.at.utc - passed - max(now.boot - last.boot - passed, 0.0))
        if slept <= 0.0 and stepped == 0.0:
            return None
        return Finding(last.at, now.at, max(slept, 0.0), stepped)


def _noticed(seconds: float) -> float:
    return round(seconds, 3) if abs(seconds) > NOTICED else 0.0
