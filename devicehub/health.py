"""The hub's own figures: gauges that the stages set, and the health message made of them."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from shutil import disk_usage

from devicehub.model.payload import HealthData, StreamData

LATENCIES = 2000


@dataclass(slots=True)
class Gauges:
    """Counters since the start, and the newest latencies in seconds. One writer each."""

    readings: int = 0
    published: int = 0
    refused: int = 0
    refused_branches: int = 0
    unheard: int = 0
    echo: float | None = None
    silent: bool = False
    replayed: int = 0
    refusing: bool = False
    connected: bool = False
    delivery: str = ""
    lag: float = 0.0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))

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
            clock_synchronised=synchronised(),
            streams=depths.streams,
            quarantined=depths.quarantined,
            replayed=gauges.replayed,
            unheard=gauges.unheard,
            echo_ms=None if gauges.echo is None else round(gauges.echo * 1000, 2),
            evidence_files=depths.evidence_files,
            evidence_bytes=depths.evidence_bytes,
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


def synchronised() -> bool | None:
    """Whether a time service marked the clock as synchronised; None where nobody can tell."""
    run = Path("/run/systemd/timesync")
    return (run / "synchronized").exists() if run.exists() else None
