"""The hub's own figures: gauges that the stages set, and the health message made of them."""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf
from pathlib import Path
from shutil import disk_usage
from typing import Final

from devicehub.clock import clock_quality
from devicehub.core.census import Census
from devicehub.model.payload import HealthData, StreamData

LATENCIES = 2000
UNHEARD_S = 60.0
SOUND_OK = "ok"
SOUND_OFF = "off"
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Durations:
    """How many durations were at most so long as each of `bounds`, in seconds, how many there were, and their sum."""

    def __init__(self, bounds: Sequence[float] = BOUNDS) -> None:
        self.bounds = tuple(bounds)
        self.total = 0.0
        self._counts = [0] * (len(self.bounds) + 1)

    def add(self, seconds: float) -> None:
        """One more."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def up_to(self) -> list[int]:
        """Of each bound how many were not longer, and last how many there were."""
        return list(accumulate(self._counts))


@dataclass(slots=True)
class AlarmPath:
    """Whether what devices say becomes alarms. `proven`: monotonic second when the last synthetic value came out.

    `took`: seconds that it needed. `tries`: how often the disk was asked in vain to take events, which goes on for as
    long as it takes none. `detection`: from the arrival of a value to its alarm on disk.
    """

    proven: float | None = None
    took: float = 0.0
    tries: int = 0
    detection: Durations = field(default_factory=Durations)


@dataclass(slots=True)
class Gauges:
    """Counters since the start, and the newest latencies in seconds. One writer each.

    `unheard_at`: monotonic second when `unheard` last grew.
    """

    readings: int = 0
    published: int = 0
    refused: int = 0
    refused_branches: int = 0
    unheard: int = 0
    unheard_at: float = -inf
    echo: float | None = None
    silent: bool = False
    replayed: int = 0
    refusing: bool = False
    connected: bool = False
    delivery: str = ""
    lag: float = 0.0
    sound: str = SOUND_OFF
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))
    delivery_took: Durations = field(default_factory=Durations)
    alarms: AlarmPath = field(default_factory=AlarmPath)

    def delivered(self, seconds: float) -> None:
        """A new event was acknowledged, so long after it came."""
        self.latencies.append(seconds)
        self.delivery_took.add(seconds)

    def deserted(self, now: float) -> bool:
        """Whether a message was taken within the last minute that nobody was subscribed to."""
        return now - self.unheard_at < UNHEARD_S

    @property
    def proven(self) -> str:
        """What an acknowledgement proves, and "refused" while the broker takes only a part of what it is given."""
        if self.refused_branches:
            return "refused"
        return "unverified" if self.silent else self.delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """How much waits where, at one moment."""

    pipe: int
    pipe_dropped: int
    journal: int
    journal_bytes: int
    board_dropped: int
    streams: dict[str, StreamData]
    quarantined: int
    evidence_files: int | None
    evidence_bytes: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How it stands with a hub. `now`: monotonic second; `uptime`: seconds."""

    now: float
    uptime: float
    gauges: Gauges
    depths: Depths
    census: Census


class Health:
    """Rates need a memory of the last report."""

    def __init__(self, gauges: Gauges, state: Path, started: float) -> None:
        """`started`: monotonic second. `state`: folder whose disk matters."""
        self._gauges = gauges
        self._state = state
        self._started = started
        self._at = started
        self._readings = 0
        self._published = 0

    def report(self, now: float, depths: Depths) -> HealthData:
        """The health message's payload; `now` is monotonic."""
        gauges = self._gauges
        elapsed = max(now - self._at, 1e-3)
        read, sent = gauges.readings - self._readings, gauges.published - self._published
        self._at, self._readings, self._published = now, gauges.readings, gauges.published
        ordered = sorted(gauges.latencies)
        return HealthData(
            uptime_s=round(now - self._started, 1),
            readings_per_s=round(read / elapsed, 2),
            published_per_s=round(sent / elapsed, 2),
            pipe_depth=depths.pipe,
            pipe_dropped=depths.pipe_dropped,
            journal_depth=depths.journal,
            journal_bytes=depths.journal_bytes,
            board_dropped=depths.board_dropped,
            refused=gauges.refused,
            latency_p50_ms=_percentile(ordered, 0.50),
            latency_p99_ms=_percentile(ordered, 0.99),
            loop_lag_ms=round(gauges.lag * 1000, 2),
            disk_free_bytes=_free(self._state),
            rss_bytes=_resident(),
            clock_synchronised=clock_quality().synchronised,
            streams=depths.streams,
            quarantined=depths.quarantined,
            replayed=gauges.replayed,
            unheard=gauges.unheard,
            echo_ms=None if gauges.echo is None else round(gauges.echo * 1000, 2),
            evidence_files=depths.evidence_files,
            evidence_bytes=depths.evidence_bytes,
            sound=gauges.sound,
        )


def _percentile(ordered: list[float], share: float) -> float | None:
    """Nearest rank, in milliseconds."""
    return round(ordered[round(share * (len(ordered) - 1))] * 1000, 2) if ordered else None


def _free(folder: Path) -> int:
    """Bytes free on the disk of a folder; 0 where that folder is gone."""
    try:
        return disk_usage(folder).free
    except OSError:
        return 0


def _resident() -> int:
    """Resident memory of this process in bytes; 0 where the kernel does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * 4096
