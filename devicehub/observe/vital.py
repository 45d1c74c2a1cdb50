"""Whether the alarm path works, and whether the hub does all that it is there for. Pure; seconds are monotonic.

The alarm path is alive as long as synthetic values come out of it. A disk that takes nothing holds them up, which is
told to everybody, and no restart mends a disk: while it is asked again and again the path is alive too.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from devicehub.health import AlarmPath, Gauges
from devicehub.model.payload import StreamData

PATIENCE: Final = 8.0
STUCK: Final = 30.0
"""Seconds; longer than a connection lasts on which the broker acknowledges nothing."""


class Pulse:
    """Looks at the alarm path. Dead until the first synthetic value has come out."""

    def __init__(self) -> None:
        self._tries = 0
        self._tried: float | None = None

    def beats(self, path: AlarmPath, now: float) -> bool:
        """Whether the path has given a sign of life within `PATIENCE` seconds. To be asked every second or so."""
        if path.tries != self._tries:
            self._tries, self._tried = path.tries, now
        signs = [at for at in (path.proven, self._tried) if at is not None]
        return path.proven is not None and now - max(signs) < PATIENCE


class Flow:
    """Looks at what goes out. Each stream has to come further while there is a connection and something of it waits."""

    def __init__(self) -> None:
        self._moved: dict[str, tuple[int, float]] = {}

    def moves(self, streams: Mapping[str, StreamData], now: float, *, connected: bool) -> bool:
        """Whether none has stood still for `STUCK` seconds. To be asked every second or so."""
        for name, stream in streams.items():
            acked, _ = self._moved.get(name, (-1, now))
            if not connected or stream.acked == stream.stored or stream.acked != acked:
                self._moved[name] = (stream.acked, now)
        return all(now - self._moved[name][1] < STUCK for name in streams)


class Condition(Struct, frozen=True):
    """One of those that make a hub ready, and whether it is met. `why`: what is the matter where it is not."""

    name: str
    met: bool
    why: str


def conditions(gauges: Gauges, *, alive: bool, moves: bool) -> list[Condition]:
    """What has to hold for a hub to do what it is there for, the alarm path first."""
    refused = gauges.refused_branches
    return [
        Condition("alarm-path", alive, "no synthetic value came out as an edge"),
        Condition("journal", not gauges.refusing, "the disk or the journal has no room for events"),
        Condition("broker", gauges.connected, "no connection"),
        Condition("delivery", moves, "events wait although there is a connection"),
        Condition("echo", not gauges.silent, "the hub's own status does not come back from the broker"),
        Condition("accepted", not refused, f"the broker refuses {refused} branches of topics"),
    ]
